//! Part 2B: how a follower handles AppendEntries, one step of Figure 2 at a time.

use std::time::Duration;

use crate::api::raft_rpc::Conflict;
use crate::api::{Index, Term};
use crate::lab::puppet::{S1, S2, Stage, at, entries};
use crate::lab::{Cluster, Scenario};
use crate::runtime::time::since_start;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("vote_log_rules_2b", vote_log_rules_2b)
        .puppets()
        .title("votes and logs")
        .catches("a vote for an outdated log; logs compared by length alone or by term alone"),
    Scenario::new("append_refused_2b", append_refused_2b)
        .puppets()
        .title("refused AppendEntries")
        .catches("entries or commits accepted from an old leader, or where the logs do not match"),
    Scenario::new("append_conflict_2b", append_conflict_2b)
        .puppets()
        .title("conflicting and late AppendEntries")
        .catches("a late, short request that deletes acknowledged entries"),
    Scenario::new("commit_rules_2b", commit_rules_2b)
        .puppets()
        .title("a follower's commit index")
        .catches("a commit index beyond the last new entry, or one that decreases"),
    Scenario::new("applied_soon_2b", applied_soon_2b)
        .puppets()
        .title("the delay from commit to service")
        .catches("an applier that polls at long intervals"),
    Scenario::new("conflict_answers_2b", conflict_answers_2b)
        .puppets()
        .title("replies for fast backup")
        .catches("a refusal that names a wrong conflict term or index"),
];

/// How long a scenario waits to see that something does not happen: several heartbeats.
pub(super) const A_WHILE: Duration = Duration::from_millis(400);

/// How many entries [`applied_soon_2b`] times.
const APPLIED_SOON: u64 = 20;

/// Longest time from an entry's commit to the service.
///
/// Far longer than a wake-up takes, and shorter than a polling interval that would slow every
/// command down.
const APPLIED_MAX: Duration = Duration::from_millis(150);

/// S0 votes only for a candidate whose log is at least as up-to-date as its own.
///
/// Raft §5.4.1: the later last term wins; if the last terms are equal, the longer log. A wrong
/// voter compares only the terms, or only the lengths. S0's log ends at 2/3 (term 2, index 3):
///
/// ```text
/// candidate's last entry   2/2  1/9  2/3  2/4  3/1
/// vote granted             no   no   yes  yes  yes
/// ```
fn vote_log_rules_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 2], 0)?;
        for (last, granted, why) in [
            (at(2, 2), false, "S1's is shorter"),
            (at(1, 9), false, "S1's last term is older"),
            (at(2, 3), true, "both end alike"),
            (at(2, 4), true, "S1's is longer"),
            (at(3, 1), true, "S1's last term is newer"),
        ] {
            let term = stage.fresh_term();
            let reply = stage.ask_vote(S1, term, last)?;
            assert_eq!(reply.vote_granted, granted, "S0's log ends at 2/3, S1's at {last}: {why}");
            assert_eq!(reply.term, term, "S0 adopts a newer term even if it refuses");
        }
        let term = stage.fresh_term();
        stage.ask_vote(S1, term, at(1, 1))?;
        let next = stage.ask_vote(S2, term, at(2, 3))?;
        assert!(next.vote_granted, "S1 was refused, so the vote is still free: {next:?}");
        Ok(())
    });
}

/// S0 refuses entries from an older leader, or after an entry that it lacks, and changes nothing.
///
/// Figure 2, AppendEntries, steps 1 and 2. A wrong follower takes entries or the commit index from
/// a refused request. S0 has `1 1 2`; nothing is committed. A follower may delete an entry as soon
/// as the current leader contradicts it, since that leader will replace it. So the scenario does
/// not ask about such entries, and gives S0 its log anew after each such request.
fn append_refused_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 2], 0)?;
        for (prev, fits) in [
            (at(0, 0), true),
            (at(1, 1), true),
            (at(2, 3), true),
            (at(2, 4), false),
            (at(2, 9), false),
            (at(2, 3), true),
            (at(1, 3), false),
            (at(1, 2), true),
        ] {
            assert_eq!(stage.has(prev)?, fits, "S0's log is 1 1 2; prev_log is {prev}");
        }

        // Step 2: S0 refuses, so it takes neither the entries nor the commit index.
        stage.give_log(&[1, 1, 2], 0)?;
        let term = stage.fresh_term();
        let reply = stage.append(S1, term, at(3, 3), entries(at(3, 3), &[3]), 3)?;
        assert!(!reply.success, "S0 has 2/3, not 3/3: {reply:?}");
        assert!(stage.has(at(1, 2))?, "a refused request removed 1/2");
        assert!(!stage.has(at(3, 4))?, "a refused request added 3/4");

        // Step 1: S0 also refuses a leader whose term is over.
        stage.give_log(&[1, 1, 2], 0)?;
        let term = stage.fresh_term();
        stage.append(S1, term, at(2, 3), Vec::new(), 0)?;
        let old = Term(term.0 - 1);
        let reply = stage.append(S2, old, at(1, 1), entries(at(1, 1), &[old.0]), 3)?;
        assert!(!reply.success && reply.term == term, "term {old} is over: {reply:?}");
        assert!(stage.has(at(2, 3))?, "a leader of an older term replaced 2/3");
        stage.cluster().run_for(A_WHILE);
        stage.expect_applied(Index(0), "only refused requests had a commit index");
        Ok(())
    });
}

/// A follower replaces entries that conflict, and keeps all others even if a request is late.
///
/// Figure 2, AppendEntries, steps 3 and 4. A wrong follower cuts its log at the end of every
/// request, so a late, short request removes entries that it has acknowledged. Here all requests
/// after S0 has its log come from one leader in one term, whose log is `1 1 2 2 2`:
///
/// ```text
/// S0        1 1 1 1
/// 1/2 + 2   1 1 2          entry 3 conflicts: S0 deletes it and all that follow it
/// 1/1 + …   1 1 2 2 2
/// 1/2 + 2   1 1 2 2 2      late: the first request again
/// 1/1       1 1 2 2 2      late: a heartbeat
/// ```
///
/// Before that, a leader of another term checks that 1/4 is deleted too.
fn append_conflict_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        let append = |term, prev, terms: &[u64]| {
            let reply = stage.append(S1, term, prev, entries(prev, terms), 0)?;
            assert!(reply.success, "S0 has {prev}: {reply:?}");
            Ok(())
        };
        stage.give_log(&[1, 1, 1, 1], 0)?;
        append(stage.fresh_term(), at(1, 2), &[2])?;
        assert!(!stage.has(at(1, 4))?, "1/4 follows 1/3, which 2/3 replaced");

        stage.give_log(&[1, 1, 1, 1], 0)?;
        let term = stage.fresh_term();
        append(term, at(1, 2), &[2])?;
        append(term, at(1, 1), &[1, 2, 2, 2])?;
        append(term, at(1, 2), &[2])?;
        append(term, at(2, 5), &[])?;
        append(term, at(1, 1), &[])?;
        append(term, at(0, 0), &[1])?;
        assert!(stage.has(at(2, 5))?, "S0 acknowledged 2/5, and a late request removed it");
        assert!(stage.has(at(1, 2))?, "1/2 is in the leader's log too");
        Ok(())
    });
}

/// A follower commits what its leader committed, but only up to the last entry known to match.
///
/// Figure 2, AppendEntries, step 5: "set commitIndex = min(leaderCommit, index of last new
/// entry)". A wrong follower commits beyond that entry, or lowers its commit index. S0 has `1 1 1`,
/// of which the leader has only the first entry:
///
/// ```text
/// leader                    1 2 2 2    committed up to 3
/// S0      after 1/1         1 1 1      may commit 1 and no more
///         after 1/1 + 2 2   1 2 2      may commit 3
/// ```
fn commit_rules_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 1], 0)?;
        let term = stage.fresh_term();
        stage.append(S1, term, at(1, 1), Vec::new(), 3)?;
        stage.wait_applied(1);
        stage.cluster().run_for(Duration::from_millis(150));
        stage.expect_applied(Index(1), "the leader has neither 1/2 nor 1/3");

        stage.append(S1, term, at(1, 1), entries(at(1, 1), &[2, 2]), 3)?;
        stage.wait_applied(3);
        stage.expect_commands(&["1/1", "2/2", "2/3"], "the leader's log is 1 2 2");

        // The last new entry is the upper limit; an older commit index changes nothing.
        stage.append(S1, term, at(2, 3), entries(at(2, 3), &[2]), 9)?;
        stage.wait_applied(4);
        stage.append(S1, term, at(2, 4), Vec::new(), 1)?;
        Ok(())
    });

    // As leader, S0 starts with the commit index that it had.
    let leading = stage.elect();
    leading.append_to(S1, leading.mark, "send a heartbeat", |_| true);
    leading.expect_commit_told(Index(4), "S0 applied 4 entries, so 4 are committed");
}

/// A committed entry reaches the service at once, not when the applier polls next.
///
/// Figure 2, Rules for Servers, All Servers. S0 gets twenty entries one after another, each already
/// committed. A wrong server polls, which costs every command half of the polling interval.
fn applied_soon_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let give = |index: u64| {
        let term = stage.fresh_term();
        let prev = if index == 1 { at(0, 0) } else { at(1, index - 1) };
        let reply = stage.append(S1, term, prev, entries(prev, &[1]), index)?;
        assert!(reply.success, "S0 has {prev}: {reply:?}");
        Ok(())
    };
    let mut late = 0;
    for index in 1..=APPLIED_SOON {
        // S0 must keep the entries before this one.
        stage.insist(|| give(index));
        let begun = since_start();
        stage.wait_applied(index);
        let was_late = since_start() - begun > APPLIED_MAX;
        late += u64::from(was_late && stage.cluster().was_undisturbed_since(begun));
    }
    stage.cluster().check_at_most("applied_late", late, APPLIED_SOON / 4);
}

/// A refusal may say where the logs conflict, and must say it correctly; a success has no conflict.
///
/// See [`Conflict`] (lab: fast backup). A follower may leave it out here; part 2C tests what a
/// leader gains by it. A wrong follower sends the leader to the wrong place. Each request comes
/// from a leader of a new term, and S0 gets its log anew before it.
fn conflict_answers_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let log: &[u64] = &[1, 4, 4, 4, 5];
    stage.attempt(|| {
        for prev in [at(6, 9), at(6, 4), at(6, 5), at(6, 1), at(4, 4)] {
            stage.give_log(log, 0)?;
            let reply = stage.append(S1, stage.fresh_term(), prev, Vec::new(), 0)?;
            let fits = prev == at(4, 4);
            assert_eq!(reply.success, fits, "S0's log is 1 4 4 4 5; prev_log is {prev}");
            let Some(Conflict { term, index }) = reply.conflict else { continue };
            assert!(!fits, "S0 has {prev}, yet it reports a conflict: {reply:?}");
            assert!(
                Index(0) < index && index <= prev.index,
                "1 4 4 4 5, prev_log {prev}: the conflict must send the leader back: {reply:?}"
            );
            let here = usize::try_from(prev.index.0 - 1).ok().and_then(|here| log.get(here));
            assert!(
                term.is_none() || term == here.copied().map(Term),
                "1 4 4 4 5, prev_log {prev}: conflict.term is S0's term there, or none: {reply:?}"
            );
        }
        Ok(())
    });
}
