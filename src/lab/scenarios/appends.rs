//! Part 2B: what a follower does with entries, a step of Figure 2 at a time.

use std::time::Duration;

use crate::api::raft_rpc::Conflict;
use crate::api::{Index, Term};
use crate::lab::Cluster;
use crate::lab::puppet::{S1, S2, Stage, at, entries};
use crate::runtime::time::since_start;

/// Long enough for what must not happen to have happened: several heartbeats.
pub(super) const A_WHILE: Duration = Duration::from_millis(400);

/// How many entries are timed on their way to the service.
const APPLIED_SOON: u64 = 20;

/// How long an entry may be committed before the service has it: far longer than a wake-up takes,
/// and shorter than the polling that would slow every command down.
const APPLIED_MAX: Duration = Duration::from_millis(150);

/// A vote goes only to a log that is at least as up-to-date, by last term before length.
///
/// Raft §5.4.1. S0's log ends at 2/3:
///
/// ```text
/// the candidate's last   2/2  1/9  2/3  2/4  3/1
/// answer                 no   no   yes  yes  yes
/// ```
pub fn vote_log_rules_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 2], 0)?;
        for (last, granted, why) in [
            (at(2, 2), false, "it is shorter"),
            (at(1, 9), false, "its last term is older"),
            (at(2, 3), true, "it is the same"),
            (at(2, 4), true, "it is longer"),
            (at(3, 1), true, "its last term is newer"),
        ] {
            let term = stage.fresh_term();
            let reply = stage.ask_vote(S1, term, last)?;
            assert_eq!(reply.vote_granted, granted, "2/3 against {last}: {why}");
            assert_eq!(reply.term, term, "the newer term counts whatever the vote is");
        }
        let term = stage.fresh_term();
        stage.ask_vote(S1, term, at(1, 1))?;
        let next = stage.ask_vote(S2, term, at(2, 3))?;
        assert!(next.vote_granted, "S1 was refused, so the vote is still free: {next:?}");
        Ok(())
    });
}

/// A request of an older leader, or one that does not fit the log, leaves no trace.
///
/// Figure 2, AppendEntries, steps 1 and 2. S0 has `1 1 2`; nothing is committed. An entry that the
/// present leader contradicts may go at once: the leader will replace it. So nothing is asked
/// about those, and the log is given anew after each such question.
pub fn append_refused_2b(cluster: &mut Cluster) {
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
            assert_eq!(stage.has(prev)?, fits, "S0's log is 1 1 2; the entry before is {prev}");
        }

        // Step 2: refused, so neither the entries nor the commit index count.
        stage.give_log(&[1, 1, 2], 0)?;
        let term = stage.fresh_term();
        let reply = stage.append(S1, term, at(3, 3), entries(at(3, 3), &[3]), 3)?;
        assert!(!reply.success, "2/3 is not 3/3: {reply:?}");
        assert!(stage.has(at(1, 2))?, "a refused request took 1/2 away");
        assert!(!stage.has(at(3, 4))?, "a refused request brought 3/4");

        // Step 1: the same for a leader whose term is over.
        stage.give_log(&[1, 1, 2], 0)?;
        let term = stage.fresh_term();
        stage.append(S1, term, at(2, 3), Vec::new(), 0)?;
        let old = Term(term.0 - 1);
        let reply = stage.append(S2, old, at(1, 1), entries(at(1, 1), &[old.0]), 3)?;
        assert!(!reply.success && reply.term == term, "term {old} is over: {reply:?}");
        assert!(stage.has(at(2, 3))?, "a leader of an older term replaced 2/3");
        stage.cluster().run_for(A_WHILE);
        assert_eq!(stage.applied_index(), Index(0), "only refused requests spoke of a commit");
        Ok(())
    });
}

/// Entries that conflict are replaced; entries that agree stay, whatever comes late or twice.
///
/// Figure 2, AppendEntries, steps 3 and 4. All requests but the first are of one leader in one
/// term, whose log is `1 1 2 2 2`:
///
/// ```text
/// S0        1 1 1 1
/// 1/2 + 2   1 1 2          3 conflicts: it and what follows it go
/// 1/1 + …   1 1 2 2 2
/// 1/2 + 2   1 1 2 2 2      late: the same request as before
/// 1/1       1 1 2 2 2      late: a heartbeat
/// ```
///
/// Whether 1/4 is gone, too, a leader of another term asks.
pub fn append_conflict_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        let append = |term, prev, terms: &[u64]| {
            let reply = stage.append(S1, term, prev, entries(prev, terms), 0)?;
            assert!(reply.success, "S0 has {prev}: {reply:?}");
            Ok(())
        };
        stage.give_log(&[1, 1, 1, 1], 0)?;
        append(stage.fresh_term(), at(1, 2), &[2])?;
        assert!(!stage.has(at(1, 4))?, "1/4 follows 1/3, which gave way to 2/3");

        stage.give_log(&[1, 1, 1, 1], 0)?;
        let term = stage.fresh_term();
        append(term, at(1, 2), &[2])?;
        append(term, at(1, 1), &[1, 2, 2, 2])?;
        append(term, at(1, 2), &[2])?;
        append(term, at(2, 5), &[])?;
        append(term, at(1, 1), &[])?;
        append(term, at(0, 0), &[1])?;
        assert!(stage.has(at(2, 5))?, "2/5 was acknowledged, and a late request took it back");
        assert!(stage.has(at(1, 2))?, "1/2 agrees with the leader's");
        Ok(())
    });
}

/// A follower commits what the leader committed, as far as it knows that its log is the leader's.
///
/// Figure 2, AppendEntries, step 5: "set commitIndex = min(leaderCommit, index of last new
/// entry)". S0 has `1 1 1`, of which the leader has only the first:
///
/// ```text
/// leader                    1 2 2 2    committed up to 3
/// S0      after 1/1         1 1 1      may commit 1 and no more
///         after 1/1 + 2 2   1 2 2      may commit 3
/// ```
pub fn commit_rules_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1, 1], 0)?;
        let term = stage.fresh_term();
        stage.append(S1, term, at(1, 1), Vec::new(), 3)?;
        stage.wait_applied(1);
        stage.cluster().run_for(Duration::from_millis(150));
        assert_eq!(stage.applied_index(), Index(1), "1/2 and 1/3 are not the leader's");

        stage.append(S1, term, at(1, 1), entries(at(1, 1), &[2, 2]), 3)?;
        stage.wait_applied(3);
        assert_eq!(stage.commands(), ["1/1", "2/2", "2/3"], "the leader's log is 1 2 2");

        // The last new entry bounds it from above; an older commit index changes nothing.
        stage.append(S1, term, at(2, 3), entries(at(2, 3), &[2]), 9)?;
        stage.wait_applied(4);
        stage.append(S1, term, at(2, 4), Vec::new(), 1)?;
        Ok(())
    });

    // As leader it starts from what it knows to be committed.
    let leading = stage.elect();
    leading.append_to(S1, leading.mark, "send a heartbeat", |_| true);
    assert_eq!(leading.commit_told(), Index(4), "S0 applied 4 entries; a commit is for good");
}

/// What is committed is applied at once, not when somebody next looks.
///
/// Figure 2, Rules for Servers, All Servers. S0 is given twenty entries one after another, each
/// committed as it comes; an applier that polls costs every command half of its interval.
pub fn applied_soon_2b(cluster: &mut Cluster) {
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
        stage.attempt(|| give(index));
        let begun = since_start();
        stage.wait_applied(index);
        let was_late = since_start() - begun > APPLIED_MAX;
        late += u64::from(was_late && stage.cluster().was_undisturbed_since(begun));
    }
    stage.cluster().check_at_most("applied_late", late, APPLIED_SOON / 4);
}

/// A refusal that says where the logs part says what is so, and a success says nothing of it.
///
/// As [`Conflict`] has it. None is needed: what a leader gains by it is asked in part 2C. Each
/// question is of a leader in a term of its own, to a log that is given anew.
pub fn conflict_answers_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let log: &[u64] = &[1, 4, 4, 4, 5];
    stage.attempt(|| {
        for prev in [at(6, 9), at(6, 4), at(6, 5), at(6, 1), at(4, 4)] {
            stage.give_log(log, 0)?;
            let reply = stage.append(S1, stage.fresh_term(), prev, Vec::new(), 0)?;
            let fits = prev == at(4, 4);
            assert_eq!(reply.success, fits, "1 4 4 4 5, and before it {prev}");
            let Some(Conflict { term, index }) = reply.conflict else { continue };
            assert!(!fits, "{prev} is there, and yet there is a conflict: {reply:?}");
            assert!(
                Index(0) < index && index <= prev.index,
                "1 4 4 4 5 against an entry {prev}: a leader must go back by this: {reply:?}"
            );
            let here = usize::try_from(prev.index.0 - 1).ok().and_then(|here| log.get(here));
            assert!(
                term.is_none() || term == here.copied().map(Term),
                "1 4 4 4 5 against an entry {prev}: its own term there, or none: {reply:?}"
            );
        }
        Ok(())
    });
}
