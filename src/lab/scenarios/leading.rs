//! Part 2B: how a leader handles replies that are late, repeated, of another term, or lost.

use std::time::Duration;

use super::appends::A_WHILE;
use crate::api::{Index, ServerId};
use crate::lab::puppet::{Appends, Heard, Leading, S1, S2, S3, S4, Stage, Votes, at, entries};
use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("leader_rules_2b", leader_rules_2b)
        .puppets()
        .title("a leader's first command")
        .catches("a follower that accepts commands; next_index not reset; a commit by a minority"),
    Scenario::new("own_term_commits_2b", own_term_commits_2b)
        .servers(5)
        .puppets()
        .title("an older term's entries")
        .catches("an entry of an older term committed by counting replicas"),
    Scenario::new("acknowledged_only_2b", acknowledged_only_2b)
        .puppets()
        .title("repeated replies")
        .catches("match_index computed from the state at the reply instead of from the request"),
    Scenario::new("late_success_2b", late_success_2b)
        .servers(5)
        .puppets()
        .title("late successful replies")
        .catches("a late reply that decreases match_index"),
    Scenario::new("late_refusals_2b", late_refusals_2b)
        .puppets()
        .title("late refusals")
        .catches("late refusals that make a leader retry the same entries for ever"),
    Scenario::new("earlier_leadership_2b", earlier_leadership_2b)
        .servers(7)
        .puppets()
        .title("replies to an earlier leadership")
        .catches("replies of an earlier leadership that count; match_index not reset"),
    Scenario::new("lost_requests_2b", lost_requests_2b)
        .puppets()
        .title("a follower that was unreachable")
        .catches("lost entries that are not sent again"),
];

/// How long a scenario waits for a leader to repeat a call before it continues without it.
const REPEAT_MAX: Duration = Duration::from_secs(1);

/// Only a leader accepts commands; it appends them to its log and commits them with a majority.
///
/// Figure 2, Rules for Servers, Leaders. S0 has `1 1 1` when it is elected. A wrong server accepts
/// a command when it does not lead, keeps the `next_index` of an earlier life, or commits an entry
/// that no follower has.
fn leader_rules_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 1], 0)?;
        assert!(stage.start("follower").is_err(), "S0 is a follower, but accepted a command");
        Ok(())
    });
    for puppet in stage.puppets() {
        stage.has_log(puppet, entries(at(0, 0), &[1, 1, 1]));
    }
    stage.all_vote(Votes::Hold);
    let stands = |heard: &Heard| heard.vote().is_some();
    stage.hear(0, Duration::from_secs(5), "start an election", stands);
    assert!(stage.start("candidate").is_err(), "S0 is a candidate, but accepted a command");

    // "Reinitialized after election": next_index starts after S0's own log.
    let leading = stage.elect();
    for puppet in stage.puppets() {
        leading.append_to(puppet, leading.mark, "send a heartbeat", |_| true);
    }
    let index = leading.start("x");
    assert_eq!(index, Index(4), "the log ended at 1/3");
    for puppet in stage.puppets() {
        let prev = leading.first_guess(puppet);
        assert_eq!(prev, at(1, 3), "next_index of {puppet} starts after the log's end");
    }
    leading.brings(S1, leading.mark, index);
    stage.cluster().run_for(A_WHILE);
    stage.expect_applied(Index(0), "no follower has it");

    stage.follows(S1);
    stage.wait_applied(4);
    stage.expect_commands(&["1/1", "1/2", "1/3", "x"], "x commits all before it");
}

/// A leader counts only copies of entries of its own term; such an entry commits older ones too.
///
/// Raft §5.4.2, Figure 8: "Only log entries from the leader's current term are committed by
/// counting replicas". A wrong leader commits 2/2 as well. S0 leads in a later term than 2; S1 and
/// S2 have all of its entries:
///
/// ```text
/// S0 S1 S2   1 2       on three of five, and not committed
/// S3 S4      ?
/// ```
fn own_term_commits_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| stage.give_log(&[1, 2], 0));
    for puppet in [S1, S2] {
        stage.has_log(puppet, entries(at(0, 0), &[1, 2]));
        stage.follows(puppet);
    }
    let leading = stage.elect();
    stage.cluster().run_for(A_WHILE);
    stage.expect_applied(Index(0), &format!("2/2 is of an older term than {}", leading.term));
    leading.expect_commit_told(Index(0), &format!("2/2 is of an older term than {}", leading.term));

    leading.start("x");
    stage.wait_applied(3);
    stage.expect_commands(&["1/1", "2/2", "x"], "x commits all before it");
}

/// A leader counts only the entries that a follower acknowledged, however often its reply comes.
///
/// S0 sends the first entry twice before S1 replies. Both replies arrive when S0 has a second
/// entry, which no follower has. A wrong leader computes `match_index` from its log at the reply's
/// arrival:
///
/// ```text
/// S0   1 ──► S1    1 again ──► S1     2
///        yes ◄──────── yes ◄──────────┘   committed: 1
/// ```
fn acknowledged_only_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let leading = stage.elect();
    leading.start("a");
    let first = leading.brings(S1, leading.mark, Index(1));
    let again = stage.try_hear(first.mark() + 1, REPEAT_MAX, |heard| {
        heard.puppet == S1 && heard.append().is_some_and(|args| !args.entries.is_empty())
    });
    leading.start("b");
    stage.release(&first);
    if let Some(again) = again {
        stage.release(&again);
    }
    stage.wait_applied(1);
    stage.cluster().run_for(Duration::from_millis(100));
    stage.expect_applied(Index(1), "no follower has the second entry");
    assert!(leading.commit_told() <= Index(1), "no follower has the second entry");
}

/// A success that arrives late does not lower `match_index`: the follower still has its entries.
///
/// Figure 2: `matchIndex` "increases monotonically". A wrong leader sets it from each reply, and so
/// no longer counts S1 for b. There are five servers, of which three are enough:
///
/// ```text
/// S0   a ──► S1    a again ──► S1     b ──► S1     S1 is silent     a b ──► S2
///        yes              └─ late ─┐    yes        ▲                  yes     committed: b
///                                  └───────── yes ─┘
/// ```
fn late_success_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let leading = stage.elect();
    leading.start("a");
    let first = leading.brings(S1, leading.mark, Index(1));
    let again = stage.try_hear(first.mark() + 1, REPEAT_MAX, |heard| {
        heard.puppet == S1 && heard.append().is_some_and(|args| !args.entries.is_empty())
    });
    // A server that sends nothing more before the reply comes cannot make this mistake.
    let Some(again) = again else { return };
    stage.handle(&first);
    stage.handle(&again);

    let index = leading.start("b");
    stage.release(&first);
    let has_both = hears_all(&leading, S1, first.mark(), index, Some(&again));
    stage.release(&has_both);
    stage.cluster().run_for(A_WHILE);
    stage.expect_applied(Index(0), "only S0 and S1 have both entries");

    stage.appends(S1, Appends::Hold);
    stage.release(&again);
    stage.cluster().run_for(Duration::from_millis(50));
    stage.follows(S2);
    stage.wait_applied(2);
}

/// Late refusals do not keep the leader from bringing all entries to its follower.
///
/// A leader may go back too far or too often because of them, since `nextIndex` is only a guess
/// (Figure 2). A wrong leader gives up, or repeats the same calls for ever.
///
/// ```text
/// S0   1 1 2 2 2      after 2/5?  after 2/5?  after 2/5?
/// S1   1 1 1          no, now     no, late    no, when S1 has all of them
/// ```
fn late_refusals_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| stage.give_log(&[1, 1, 2, 2, 2], 0));
    stage.has_log(S1, entries(at(0, 0), &[1, 1, 1]));
    stage.appends(S1, Appends::Hold);
    let leading = stage.elect();
    let next = |mark| stage.try_hear(mark, REPEAT_MAX, |heard| heard.puppet == S1);
    let first = leading.append_to(S1, leading.mark, "send a heartbeat", |_| true);
    stage.handle(&first);
    // A server that sends nothing more before the reply comes cannot make this mistake.
    let second = next(first.mark() + 1);
    second.iter().for_each(|heard| stage.handle(heard));
    let third = second.as_ref().and_then(|second| next(second.mark() + 1));
    third.iter().for_each(|heard| stage.handle(heard));

    // First one refusal, so that S0 goes back; then another to a call from before that.
    let mark = stage.mark();
    stage.release(&first);
    if let Some(second) = second {
        leading.append_to(S1, mark, "try again after it was refused", |_| true);
        stage.release(&second);
    }
    // A new command, since Figure 2 does not make a leader look for what an idle follower lacks.
    let index = leading.start("x");
    stage.follows(S1);
    stage.wait_followed(S1, index);
    if let Some(third) = third {
        stage.release(&third);
        stage.cluster().run_for(Duration::from_millis(150));
    }
    let index = leading.start("y");
    stage.wait_followed(S1, index);
    stage.wait_applied(index.0);
}

/// A reply to an earlier leadership does not count in a later one.
///
/// Seven servers. S0 leads, and S1 and S2 get three entries; S2 replies, S1's reply is late. The
/// other four elect S3, which replaces these entries. Then S0 leads again. A wrong leader keeps its
/// old `match_index`, or counts S1's late reply:
///
/// ```text
/// first     S0 S1 S2      1 1 1
/// then      S3 ► S0       2
/// now       S0 S4 S5      2 3 3     on three of seven; S1 says: I have your three
/// ```
fn earlier_leadership_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let (s5, s6) = (ServerId(5), ServerId(6));
    let first = stage.elect();
    for puppet in [S3, S4, s5, s6] {
        stage.reaches(puppet, false);
    }
    for command in ["a", "b", "c"] {
        first.start(command);
    }
    let last_of = |puppet| hears_all(&first, puppet, first.mark, Index(3), None);
    let (late, known) = (last_of(S1), last_of(S2));
    stage.handle(&late);
    stage.release(&known);
    stage.cluster().run_for(Duration::from_millis(150));
    stage.reaches(S2, false);
    stage.cluster().run_for(Duration::from_millis(150));

    // S3 replaces them.
    let second = stage.fresh_term();
    let replaced = stage.insist(|| {
        let entry = entries(at(0, 0), &[second.0]);
        stage.append(S3, stage.fresh_term(), at(0, 0), entry, 0)
    });
    assert!(replaced.success, "an entry at index 1 fits any log: {replaced:?}");

    // S0 leads again, with two of six followers, after all its earlier calls have ended.
    stage.cluster().run_for(Duration::from_millis(150));
    for puppet in [S2, S3, S4, s5, s6] {
        stage.reaches(puppet, true);
        stage.has_log(puppet, entries(at(0, 0), &[second.0]));
    }
    let again = stage.elect();
    let new = [S2, S3, S4, s5, s6];
    for puppet in new {
        again.append_to(puppet, again.mark, "send a heartbeat", |_| true);
    }
    for puppet in [S4, s5] {
        stage.follows(puppet);
    }
    for command in ["d", "e"] {
        again.start(command);
    }
    for puppet in new {
        let prev = again.first_guess(puppet);
        assert_eq!(prev, at(second.0, 1), "{puppet}: next_index starts after S0's own log");
    }
    stage.release(&late);
    stage.cluster().run_for(A_WHILE);
    stage.expect_applied(Index(0), "three of seven servers have d and e");

    // All calls to S6 so far are lost.
    stage.reaches(s6, false);
    stage.cluster().run_for(A_WHILE);
    stage.follows(s6);
    stage.reaches(s6, true);
    stage.wait_applied(3);
}

/// A leader sends entries until they are acknowledged, even if the follower was away for long.
///
/// Raft §5.3. A wrong leader does not send its entries again.
fn lost_requests_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let leading = stage.elect();
    stage.reaches(S1, false);
    let index = leading.start("x");
    stage.cluster().run_for(Duration::from_secs(1));
    stage.expect_applied(Index(0), "no follower has acknowledged x");

    stage.follows(S1);
    stage.reaches(S1, true);
    stage.wait_applied(index.0);
    assert_eq!(stage.last_of(S1).index, index, "S1 was reached again");
}

/// The AppendEntries to `puppet` since `mark` after which it has all entries up to `index`.
///
/// The puppet has received this call, and not replied. It replies to calls that bring less, except
/// to `not_yet`.
fn hears_all(
    leading: &Leading<'_, '_>,
    puppet: ServerId,
    mut mark: usize,
    index: Index,
    not_yet: Option<&Heard>,
) -> Heard {
    let stage = leading.stage();
    loop {
        let heard =
            leading.append_to(puppet, mark, "send all entries", |args| !args.entries.is_empty());
        mark = heard.mark() + 1;
        if not_yet.is_some_and(|not_yet| not_yet.mark() == heard.mark()) {
            continue;
        }
        stage.handle(&heard);
        if stage.last_of(puppet).index >= index {
            return heard;
        }
        stage.release(&heard);
    }
}
