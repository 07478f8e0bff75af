//! Part 3A: what the layer above the log owes its callers, each rule tested by itself.

use std::time::Duration;

use crate::api::{Index, RsmConfig, ServerId, SubmitError};
use crate::lab::played::{Bench, Replica};
use crate::lab::service::{Count, Counted, Counting};
use crate::lab::{Cluster, Scenario};
use crate::persister::Persister;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("rsm_answer_3a", rsm_answer_3a)
        .title("answers to submitted operations")
        .catches("an answer before the entry is committed; an operation accepted by a follower"),
    Scenario::new("rsm_own_entry_3a", rsm_own_entry_3a)
        .title("another leader's entry at the same index")
        .catches("an answer taken from another leader's entry at the same index"),
    Scenario::new("rsm_leadership_lost_3a", rsm_leadership_lost_3a)
        .title("leadership lost without a new entry")
        .catches("an operation that hangs under a deposed leader, or is wrongly reported as lost"),
    Scenario::new("rsm_end_3a", rsm_end_3a)
        .title("pending operations when the instance ends")
        .catches(
            "operations that hang after the end; a killed consensus module that is never freed",
        ),
    Scenario::new("rsm_reader_3a", rsm_reader_3a)
        .title("operations whose callers gave up")
        .catches("an apply channel reader that blocks on a caller that has given up"),
    Scenario::new("rsm_at_once_3a", rsm_at_once_3a)
        .title("entries committed before start() returns")
        .catches("a wait that begins after the entry was applied"),
    Scenario::new("rsm_replay_3a", rsm_replay_3a)
        .title("entries of an earlier life")
        .catches("an answer from an earlier life's entry; an entry applied only where submitted"),
];

/// The course's time limit for callers that wait at a deposed leader.
const RELEASE_MAX: Duration = Duration::from_secs(1);

/// How long a scenario waits to see that a call does not return.
const A_WHILE: Duration = Duration::from_millis(300);

/// An operation that adds `by`. Its tag distinguishes it from all others.
const fn add(by: i64, tag: u64) -> Count {
    Count { by, tag }
}

/// A counter on a server that has stored nothing.
fn fresh<'a>(bench: &'a Bench<'_>) -> Replica<'a, dyn Counting> {
    bench.counter(Persister::new(), RsmConfig::default())
}

/// An operation is answered when its entry is applied, not before, and with the entry's result.
///
/// A wrong server answers before the entry is committed, or accepts an operation as a follower.
///
/// ```text
/// submit(+1)  │◄── open ──►│ 1        submit(+2) at a follower: refused
/// log         1/1  . . .   commit
/// ```
fn rsm_answer_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let replica = fresh(&bench);
    let refused = replica.submit(add(2, 1)).outcome();
    assert!(matches!(refused, Err(SubmitError::NotLeader(_))), "S0 is a follower: {refused:?}");

    replica.played.leads(1);
    let submitted = [add(1, 2), add(10, 3)].map(|op| {
        let before = replica.played.last_index();
        let submission = replica.submit(op);
        replica.wait_started(before.0 + 1);
        submission
    });
    submitted[0].stays_open(A_WHILE, "nothing is committed, so nothing has an answer");
    assert_eq!(replica.service.value(), 0, "nothing is committed, so nothing is applied");

    replica.commit();
    let [first, second] = submitted;
    assert_eq!(first.outcome(), Ok(Counted { value: 1, tag: 2 }), "1/1 is committed");
    second.stays_open(A_WHILE, "only the first is committed");
    replica.commit();
    assert_eq!(second.outcome(), Ok(Counted { value: 11, tag: 3 }), "1/2 is committed");
}

/// Another leader's entry at an operation's index is not that operation, even if both are equal.
///
/// A wrong server answers by index alone, and so gives a caller another operation's result.
///
/// ```text
/// index    1                     2
/// S0       +1 in term 1: lost
/// log      +100 in term 2        +1 in term 3: 101
/// ```
fn rsm_own_entry_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    for other in [add(100, 1), add(1, 2)] {
        let replica = fresh(&bench);
        let theirs = bench.command(other);
        replica.played.leads(1);
        let lost = replica.submit(add(1, 2));
        replica.wait_started(1);

        replica.played.follows(2, Some(ServerId(1)));
        replica.commit_other(2, &theirs);
        let outcome = lost.outcome();
        assert!(outcome.is_err(), "2/1 is another entry than 1/1: {outcome:?}");
        replica.wait_value(other.by);

        replica.played.leads(3);
        let own = replica.submit(add(1, 3));
        replica.wait_started(2);
        replica.commit();
        assert_eq!(own.outcome(), Ok(Counted { value: other.by + 1, tag: 3 }), "3/2 is S0's own");
    }
}

/// An operation at a deposed leader ends within a second, and leaves open whether it happened.
///
/// No entry arrives meanwhile, so the server must look at its own role and term. A wrong server
/// waits for an entry, or says that the operation never happened: the new leader may still commit
/// it.
///
/// ```text
/// get_state   leads 1 ── follows 1 │ follows 2 │ leads 3
/// log         1/1 . . . . . . . . . . . . . . . . . .  commit
/// submit      ├──────────────────►│ it may have happened
/// ```
fn rsm_leadership_lost_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let depose: [fn(&crate::lab::played::Played); 3] = [
        |played| played.follows(1, None),
        |played| played.follows(2, None),
        |played| {
            played.leads(3);
        },
    ];
    for deposed in depose {
        let replica = fresh(&bench);
        replica.played.leads(1);
        let lost = replica.submit(add(1, 1));
        replica.wait_started(1);
        cluster.run_for(A_WHILE);
        deposed(&replica.played);
        let outcome = lost.outcome_within(RELEASE_MAX);

        // The new leader has the entry and commits it.
        replica.commit();
        replica.wait_value(1);
        let maybe = [Err(SubmitError::LeadershipLost), Err(SubmitError::Stopped)];
        assert!(maybe.contains(&outcome), "the operation was applied in the end: {outcome:?}");
    }
}

/// All calls return when the instance ends: those that wait, and those that come later.
///
/// The instance ends in one of two ways: it is killed, and then kills its consensus module, or the
/// module ends by itself. A wrong instance lets calls wait, or keeps the killed module in memory.
fn rsm_end_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    for by_itself in [false, true] {
        let replica = fresh(&bench);
        replica.played.leads(1);
        let waiting: Vec<_> = (0..10).map(|tag| replica.submit(add(1, tag))).collect();
        replica.wait_started(10);
        if by_itself {
            crate::api::Consensus::kill(&*replica.played);
        } else {
            replica.service.end();
        }
        for submission in waiting {
            let outcome = submission.outcome_within(RELEASE_MAX);
            assert!(outcome.is_err(), "nothing was committed: {outcome:?}");
        }
        let outcome = replica.submit(add(1, 10)).outcome_within(RELEASE_MAX);
        assert!(outcome.is_err(), "the instance has ended: {outcome:?}");
        let played = replica.played.clone();
        replica.crash();
        bench.must_happen("releasing a killed consensus module", || {
            std::sync::Arc::strong_count(&played) == 1
        });
    }
}

/// The task that reads the apply channel does not wait for callers that have gone.
///
/// A wrong reader blocks when it hands a result to a caller that has given up.
///
/// ```text
/// submit      1/1, 1/2, 1/3: given up when leadership is lost
/// apply_ch    1/1  1/2  1/3  2/4  …    all taken
/// ```
fn rsm_reader_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let replica = fresh(&bench);
    let theirs = bench.command(add(10, 9));
    replica.played.leads(1);
    let waiting: Vec<_> = (0..3).map(|tag| replica.submit(add(1, tag))).collect();
    replica.wait_started(3);
    replica.played.follows(2, None);
    for submission in waiting {
        let outcome = submission.outcome();
        assert!(outcome.is_err(), "leadership was lost: {outcome:?}");
    }
    replica.commit_all();
    (0..5).for_each(|_| replica.commit_other(2, &theirs));
    replica.wait_value(53);

    replica.played.leads(3);
    let submission = replica.submit(add(1, 10));
    replica.wait_started(9);
    replica.commit();
    assert_eq!(submission.outcome(), Ok(Counted { value: 54, tag: 10 }), "3/9 is S0's own");
}

/// An entry may be committed and applied before the call of `start` returns.
///
/// A wrong server begins to wait for the entry only after `start` has returned. By then the entry
/// was already applied, so the server waits for ever.
fn rsm_at_once_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let replica = fresh(&bench);
    replica.played.leads(1);
    replica.played.commits_at_once(true);
    for tag in 0..5 {
        let value = i64::try_from(tag).unwrap_or_default() + 1;
        let outcome = replica.submit(add(1, tag)).outcome();
        assert_eq!(outcome, Ok(Counted { value, tag }), "it was committed at once");
    }
}

/// A restarted server applies the entries of its earlier life again, and answers no call with them.
///
/// Every server applies every entry once, wherever it was submitted. A wrong server takes an old
/// entry for the answer to a new call, or applies only the entries that were submitted to it.
///
/// ```text
/// first life    +1  +1  +1
/// second life   +1  +1  +1  +10: 13
/// ```
fn rsm_replay_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let replica = fresh(&bench);
    let theirs = bench.command(add(1, 1));
    (0..3).for_each(|_| replica.commit_other(1, &theirs));
    replica.wait_value(3);

    let replica = bench.counter(replica.crash(), RsmConfig::default());
    assert_eq!(replica.service.value(), 0, "nothing was committed in this life");
    replica.played.leads(2);
    let new = replica.submit(add(10, 1));
    replica.wait_started(4);
    (0..3).for_each(|_| replica.commit());
    replica.wait_value(3);
    new.stays_open(A_WHILE, "an earlier life's entry does not answer this call");
    replica.commit();
    assert_eq!(new.outcome(), Ok(Counted { value: 13, tag: 1 }), "2/4 is S0's own");
    assert_eq!(replica.played.last_index(), Index(4), "every operation was started once");
}
