//! Part 2B: what a leader does with answers: late, repeated, of another term, or none.

use std::time::Duration;

use super::appends::A_WHILE;
use crate::api::raft_rpc::AppendEntriesArgs;
use crate::api::{Index, ServerId};
use crate::lab::Cluster;
use crate::lab::puppet::{
    Appends, Follower, Heard, Leading, S1, S2, S3, S4, Stage, Votes, at, entries,
};
use crate::runtime::time::since_start;

/// How long a leader may take to repeat what was not answered, before a probe goes on without.
const REPEAT_MAX: Duration = Duration::from_secs(1);

/// Only a leader takes commands; it puts them at its log's end and commits them with a majority.
///
/// Figure 2, Rules for Servers, Leaders. S0 has `1 1 1` when it is elected.
pub fn leader_rules_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 1], 0)?;
        assert!(stage.start("follower").is_err(), "S0 follows, and took a command");
        Ok(())
    });
    for puppet in stage.puppets() {
        let log = Follower::with_log(entries(at(0, 0), &[1, 1, 1]));
        stage.appends(puppet, Appends::HoldEntries, log);
    }
    stage.all_vote(Votes::Hold);
    let stands = |heard: &Heard| heard.vote().is_some();
    stage.hear(0, Duration::from_secs(5), "stand for election", stands);
    assert!(stage.start("candidate").is_err(), "S0 stands for election, and took a command");

    // "Reinitialized after election": it goes on at its own log's end.
    let leading = stage.elect();
    for puppet in stage.puppets() {
        let first = leading.append_to(puppet, leading.mark, "send a heartbeat", |_| true);
        let prev = first.append().map(|args| args.prev_log());
        assert_eq!(prev, Some(at(1, 3)), "next_index of {puppet} starts after the log's end");
    }
    let index = leading.start("x");
    assert_eq!(index, Index(4), "the log ended at 1/3");
    let brings = leading.brings(S1, leading.mark, index);
    stage.cluster().run_for(A_WHILE);
    assert_eq!(stage.applied_index(), Index(0), "nobody has answered yet");

    stage.accept(&brings);
    stage.wait_applied(4);
    assert_eq!(stage.commands(), ["1/1", "1/2", "1/3", "x"], "all before it is committed with it");
}

/// Copies on a majority commit an entry of the leader's own term; older ones come along.
///
/// Raft §5.4.2, Figure 8: "Only log entries from the leader's current term are committed by
/// counting replicas". S0 leads in a later term than 2; S1 and S2 have all that it has:
///
/// ```text
/// S0 S1 S2   1 2       on three of five, and not committed
/// S3 S4      ?
/// ```
pub fn own_term_commits_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| stage.give_log(&[1, 2], 0));
    for puppet in [S1, S2] {
        stage.follows(puppet, Follower::with_log(entries(at(0, 0), &[1, 2])));
    }
    let leading = stage.elect();
    stage.cluster().run_for(A_WHILE);
    assert_eq!(stage.applied_index(), Index(0), "2/2 is of an older term than {}", leading.term);
    assert_eq!(leading.commit_told(), Index(0), "2/2 is of an older term than {}", leading.term);

    leading.start("x");
    stage.wait_applied(3);
    assert_eq!(stage.commands(), ["1/1", "2/2", "x"], "all before x is committed with it");
}

/// What a follower has is what it said it has, however often it says so.
///
/// S0 sends the first entry twice before S1 answers; both answers come when there is a second
/// entry, which nobody has:
///
/// ```text
/// S0   1 ──► S1    1 again ──► S1     2
///        yes ◄──────── yes ◄──────────┘   committed: 1
/// ```
pub fn acknowledged_only_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let leading = stage.elect();
    leading.start("a");
    let first = leading.brings(S1, leading.mark, Index(1));
    let again = stage.try_hear(first.mark() + 1, REPEAT_MAX, |heard| {
        heard.puppet == S1 && heard.append().is_some_and(|args| !args.entries.is_empty())
    });
    leading.start("b");
    stage.accept(&first);
    if let Some(again) = again {
        stage.accept(&again);
    }
    stage.wait_applied(1);
    stage.cluster().run_for(Duration::from_millis(100));
    assert_eq!(stage.applied_index(), Index(1), "S1 has the first entry, and nobody the second");
    assert!(leading.commit_told() <= Index(1), "S1 has the first entry, and nobody the second");
}

/// A success that comes late takes nothing back: what a follower has, it has.
///
/// ```text
/// S0   1 ──► S1    1 again ──► S1     2 ──► S1
///        yes              └─ late ─┐    yes
///                                  └──────────── yes     S1 has both
/// ```
pub fn late_success_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let leading = stage.elect();
    leading.start("a");
    let first = leading.brings(S1, leading.mark, Index(1));
    let again = stage.try_hear(first.mark() + 1, REPEAT_MAX, |heard| {
        heard.puppet == S1 && heard.append().is_some_and(|args| !args.entries.is_empty())
    });
    stage.accept(&first);
    leading.start("b");
    stage.accept(&leading.brings(S1, first.mark(), Index(2)));
    stage.wait_applied(2);
    let Some(again) = again else { return };
    leading.append_to(S1, again.mark(), "go on after 2", |args| args.prev_log_index == Index(2));

    let begun = since_start();
    stage.accept(&again);
    stage.cluster().run_for(Duration::from_millis(150));
    let next = leading.append_to(S1, stage.mark(), "send heartbeats", |_| true);
    if stage.cluster().was_undisturbed_since(begun) {
        let prev = next.append().map(|args| args.prev_log_index);
        assert_eq!(prev, Some(Index(2)), "S1 has both entries, and S0 goes on after {prev:?}");
    }
}

/// A late refusal moves a leader neither below what the follower has, nor forward.
///
/// ```text
/// S0   1 1 2 2 2      1  after 2/5?  no, too short: 4      2  the same answer, late
/// S1   1 1 1          3  after 2/3?  no, term 1 there      4  after 1/2: yes, all five
/// ```
pub fn late_refusals_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| stage.give_log(&[1, 1, 2, 2, 2], 0));
    stage.appends(S1, Appends::Hold, Follower::default());
    let leading = stage.elect();
    let after = |index| move |args: &AppendEntriesArgs| args.prev_log_index == index;
    let first = leading.append_to(S1, leading.mark, "send a heartbeat", after(Index(5)));
    // A server that waits for an answer before it sends more has nothing to be confused by.
    let next =
        |heard: &Heard| stage.try_hear(heard.mark() + 1, REPEAT_MAX, |heard| heard.puppet == S1);
    let Some(second) = next(&first) else { return };
    let Some(third) = next(&second) else { return };

    // Down to where the logs agree.
    stage.refuse(&first, None, 4);
    let wrong_term = leading.append_to(S1, leading.mark, "go back to 2/3", after(Index(3)));
    stage.refuse(&wrong_term, Some(1), 1);
    let fits = leading.append_to(S1, leading.mark, "go back to 1/2", after(Index(2)));

    // Late, and not forward.
    if let Some(prev) = after_refusal(&leading, &second) {
        assert!(prev <= Index(2), "S1 refused 2/3, and S0 goes on after {prev}");
    }

    // Late, and not below what S1 has by now.
    let bringing = leading.append_to(S1, fits.mark(), "send all that S1 lacks", |args| {
        args.prev_log_index == Index(2) && args.last_new_index() == Index(5)
    });
    stage.accept(&bringing);
    leading.append_to(S1, bringing.mark(), "go on after 2/5", after(Index(5)));
    if let Some(prev) = after_refusal(&leading, &third) {
        assert!(prev >= Index(5), "S1 has all five, and S0 goes on after {prev}");
    }
}

/// Says late that S1's log ended at 3, and where S0 goes on after that; `None` where S0 was held
/// up, since then that may be a message it had made before.
fn after_refusal(leading: &Leading<'_, '_>, refused: &Heard) -> Option<Index> {
    let (stage, begun) = (leading.stage(), since_start());
    stage.refuse(refused, None, 4);
    stage.cluster().run_for(Duration::from_millis(150));
    let next = leading.append_to(S1, stage.mark(), "send heartbeats", |_| true);
    let calm = stage.cluster().was_undisturbed_since(begun);
    next.append().map(|args| args.prev_log_index).filter(|_| calm)
}

/// What was answered in an earlier leadership says nothing in a later one.
///
/// Seven servers. S0 leads, and S1 and S2 get three entries; S2 says so, S1's answer is late. The
/// other four elect S3, which replaces all of it. Then S0 leads again:
///
/// ```text
/// first     S0 S1 S2      1 1 1
/// then      S3 ► S0       2
/// now       S0 S4 S5      2 3 3     on three of seven; S1 says: I have your three
/// ```
pub fn earlier_leadership_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let (s5, s6) = (ServerId(5), ServerId(6));
    let first = stage.elect();
    for puppet in [S3, S4, s5, s6] {
        stage.reaches(puppet, false);
    }
    for command in ["a", "b", "c"] {
        first.start(command);
    }
    let last_of = |puppet| brings_all(&first, puppet, Index(3));
    let (late, known) = (last_of(S1), last_of(S2));
    stage.accept(&known);
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

    // S0 leads again, with two of six followers, once all that it sent before has come to nothing.
    stage.cluster().run_for(Duration::from_millis(150));
    let log = || Follower::with_log(entries(at(0, 0), &[second.0]));
    for puppet in [S2, S3, S4, s5, s6] {
        stage.reaches(puppet, true);
        stage.appends(puppet, Appends::HoldEntries, log());
    }
    let mark = stage.mark();
    let again = stage.elect();
    for puppet in [S2, S3, S4, s5, s6] {
        let heartbeat = again.append_to(puppet, mark, "send a heartbeat", |_| true);
        let prev = heartbeat.append().map(|args| args.prev_log());
        assert_eq!(prev, Some(at(second.0, 1)), "next_index of {puppet} is that of a new leader");
    }
    for puppet in [S4, s5] {
        stage.follows(puppet, log());
    }
    for command in ["d", "e"] {
        again.start(command);
    }
    stage.accept(&late);
    stage.cluster().run_for(A_WHILE);
    assert_eq!(stage.applied_index(), Index(0), "three of seven servers have d and e");

    // What S6 was sent so far is lost.
    stage.reaches(s6, false);
    stage.cluster().run_for(A_WHILE);
    stage.follows(s6, log());
    stage.reaches(s6, true);
    stage.wait_applied(3);
}

/// Entries are sent until they are acknowledged, also to a follower that was away for long.
pub fn lost_requests_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let leading = stage.elect();
    stage.reaches(S1, false);
    let index = leading.start("x");
    stage.cluster().run_for(Duration::from_secs(1));
    assert_eq!(stage.applied_index(), Index(0), "no follower was reached");

    stage.follows(S1, Follower::default());
    stage.reaches(S1, true);
    stage.wait_applied(index.0);
    assert_eq!(stage.follower(S1).last().index, index, "S1 is there again");
}

/// The AppendEntries to `puppet` that ends at entry `index`; what brings less is accepted.
fn brings_all(leading: &Leading<'_, '_>, puppet: ServerId, index: Index) -> Heard {
    let mut mark = leading.mark;
    loop {
        let brings = |args: &AppendEntriesArgs| !args.entries.is_empty();
        let heard = leading.append_to(puppet, mark, "send all entries", brings);
        if heard.append().is_some_and(|args| args.last_new_index() == index) {
            return heard;
        }
        leading.stage().accept(&heard);
        mark = heard.mark() + 1;
    }
}
