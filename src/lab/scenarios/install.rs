//! Part 2D: each rule of Figure 13, and what a leader does with its own snapshot.

use std::time::Duration;

use super::appends::A_WHILE;
use crate::api::{ApplyMsg, Index, Position, Term};
use crate::lab::Cluster;
use crate::lab::puppet::{Appends, Heard, Overtaken, S1, S2, Stage, at, entries};

/// A snapshot replaces what a follower lacks; one that is late or of an older leader does nothing.
///
/// ```text
/// S0            1 1
/// 1/5           [1/5]          delivered
/// 1/5 + 1 1     [1/5] 1 1      applied up to 7
/// 1/5 1/3 1/6   [1/5] 1 1      late
/// 1/9           [1/5] 1 1      from a leader whose term is over
/// ```
pub fn install_rules_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1], 1)?;
        stage.wait_applied(1);
        let term = stage.fresh_term();
        stage.install(S1, term, at(1, 5))?;
        stage.wait_applied(5);
        let reply = stage.append(S1, term, at(1, 5), entries(at(1, 5), &[1, 1]), 7)?;
        assert!(reply.success, "S0's log goes on after its snapshot: {reply:?}");
        stage.wait_applied(7);
        assert_eq!(stage.commands(), ["1/1", "1/6", "1/7"], "the snapshot has 2 to 5");

        // Late.
        stage.install(S1, term, at(1, 5))?;
        stage.install(S1, term, at(1, 3))?;
        stage.install(S1, term, at(1, 6))?;
        stage.cluster().run_for(A_WHILE);
        assert_eq!(snapshots(&stage), [at(1, 5)], "the service was further already");
        assert!(stage.has(at(1, 7))?, "a late snapshot took 1/7 away");

        // Of a leader that leads no more (Figure 13, step 1).
        let term = stage.fresh_term();
        stage.append(S1, term, at(1, 7), Vec::new(), 7)?;
        let reply = stage.install(S2, Term(term.0 - 1), at(1, 9))?;
        assert_eq!(reply.term, term, "the older leader must learn the term");
        stage.cluster().run_for(A_WHILE);
        assert_eq!(stage.applied_index(), Index(7), "term {} is over", term.0 - 1);
        assert!(stage.has(at(1, 7))?, "a leader of an older term took 1/7 away");
        Ok(())
    });
}

/// Entries after the snapshot stay if they follow its last entry, and only then.
///
/// Figure 13, steps 6 and 7. S0 has six entries of term 1, two of them committed:
///
/// ```text
/// S0           1 1 1 1 1 1          S0           1 1 1 1 1 1
/// gets 1/4           │              gets 3/4           │
/// then         [1/4] 1 1            then         [3/4]
/// ```
pub fn install_suffix_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let six = |stage: &Stage<'_>| {
        stage.give_log(&[1; 6], 2)?;
        stage.wait_applied(2);
        Ok::<(), Overtaken>(())
    };
    stage.attempt(|| {
        six(&stage)?;
        let term = stage.fresh_term();
        stage.install(S1, term, at(1, 4))?;
        stage.append(S1, term, at(1, 4), Vec::new(), 4)?;
        stage.wait_applied(4);
        assert!(stage.has(at(1, 6))?, "1/5 and 1/6 follow 1/4, and may have been acknowledged");
        stage.append(S1, stage.fresh_term(), at(1, 6), Vec::new(), 6)?;
        stage.wait_applied(6);
        Ok(())
    });
    stage.begin_anew();
    stage.attempt(|| {
        six(&stage)?;
        let term = stage.fresh_term();
        stage.install(S1, term, at(3, 4))?;
        stage.wait_applied(4);
        assert_eq!(snapshots(&stage), [at(3, 4)], "S0's own entry 4 is another one");
        assert!(!stage.has(at(1, 6))?, "1/6 follows 1/4, and the leader has 3/4");
        assert!(!stage.has(at(1, 5))?, "1/5 follows 1/4, and the leader has 3/4");
        assert!(stage.has(at(3, 4))?, "the snapshot ends there");
        stage.append(S1, stage.fresh_term(), at(3, 4), entries(at(3, 4), &[3]), 5)?;
        stage.wait_applied(5);
        assert_eq!(stage.commands(), ["1/1", "1/2", "3/5"], "the snapshot has 3 and 4");
        Ok(())
    });
}

/// What a snapshot covers is committed, as everybody learns when S0 leads.
pub fn install_commits_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1], 1)?;
        stage.wait_applied(1);
        stage.install(S1, stage.fresh_term(), at(3, 4))?;
        stage.wait_applied(4);
        Ok(())
    });
    let leading = stage.elect();
    leading.append_to(S1, leading.mark, "send a heartbeat", |_| true);
    assert!(leading.commit_told() >= Index(4), "S0's service has a snapshot up to 4");
}

/// A snapshot, the service's own or a leader's, survives two crashes, and the log goes on from it.
///
/// Two, since what the first restart writes may erase what it read.
pub fn snapshot_is_durable_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let go_on = |end: u64, last: u64| {
        for _ in 0..2 {
            stage.restart();
            assert_eq!(stage.applied_index(), Index(end), "S0's snapshot ends at 1/{end}");
            let stored = stage.persister().load().ok().and_then(|persisted| persisted.snapshot);
            assert_eq!(stored, Some(Stage::snapshot_of(at(1, end))), "it must be the same one");
            let reply = stage.append(S1, stage.fresh_term(), at(1, last), Vec::new(), last)?;
            assert!(reply.success, "1/{last} follows the snapshot: {reply:?}");
            stage.wait_applied(last);
        }
        Ok(())
    };
    stage.attempt(|| {
        stage.snapshot_at(at(1, 3));
        stage.give_log(&[1; 5], 5)?;
        stage.wait_applied(5);
        wait_stored(&stage, at(1, 3));
        go_on(3, 5)?;

        let term = stage.fresh_term();
        stage.install(S1, term, at(1, 8))?;
        let reply = stage.append(S1, term, at(1, 8), entries(at(1, 8), &[1]), 8)?;
        assert!(reply.success, "1/9 follows the snapshot: {reply:?}");
        go_on(8, 9)
    });
}

/// A leader that has dropped what a follower lacks sends its snapshot, and then goes on from it.
///
/// S0 has dropped the log up to 1/5 when S1, which has nothing, refuses what follows; while that
/// snapshot is on its way, S0 takes the next one. S1's answer is about the one that it got.
///
/// ```text
/// S0   [1/5] 1 1 1          [T/10] T T
///        └── snapshot ──► S1 ──┐ late: yes
///                            (has 5)
/// ```
pub fn install_sender_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.snapshot_at(at(1, 5));
        stage.give_log(&[1; 8], 8)?;
        stage.wait_applied(8);
        wait_stored(&stage, at(1, 5));
        Ok(())
    });
    // It has to read it back before it can send it.
    stage.restart();
    stage.has_log(S2, entries(at(0, 0), &[1; 8]));
    stage.follows(S2);
    stage.has_log(S1, Vec::new());
    stage.appends(S1, Appends::HoldSnapshots);
    let leading = stage.elect();
    leading.start("a");
    let installs = |heard: &Heard| heard.puppet == S1 && heard.install().is_some();
    let two_s = Duration::from_secs(2);
    let install = stage.hear(leading.mark, two_s, "send its snapshot to S1", installs);
    let sent = install.install().map(|args| (args.last_included(), args.data.clone()));
    assert_eq!(sent, Some((at(1, 5), Stage::snapshot_of(at(1, 5)))), "that is S0's snapshot");

    // The next one, while S1 has not answered.
    let next = Position { term: leading.term, index: Index(10) };
    stage.snapshot_at(next);
    for command in ["b", "c", "d"] {
        leading.start(command);
    }
    stage.wait_applied(12);
    wait_stored(&stage, next);

    // S1 answers, and from now on does what it is told.
    stage.release(&install);
    stage.follows(S1);
    stage.wait_followed(S1, Index(12));
}

/// What a snapshot covers is gone from the log; requests that speak of it must do no harm.
///
/// S0 has `[2/4] 2 2`: a conflict in term 2 begins inside the snapshot; the leader may send
/// entries that it covers; and the service may offer an older snapshot.
pub fn snapshot_prefix_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.snapshot_at(at(2, 4));
        stage.give_log(&[1, 1, 2, 2, 2, 2], 4)?;
        stage.wait_applied(4);
        wait_stored(&stage, at(2, 4));

        let reply = stage.append(S1, stage.fresh_term(), at(9, 6), Vec::new(), 4)?;
        assert!(!reply.success, "S0 has 2/6, not 9/6: {reply:?}");
        let index = reply.conflict.map(|conflict| conflict.index);
        assert!(index <= Some(Index(6)), "the logs part at 6 at the latest: {reply:?}");

        // The next leader has all that S0 had. From its point of view all of this may be new.
        let term = stage.fresh_term();
        stage.append(S1, term, at(1, 1), Vec::new(), 4)?;
        stage.append(S1, term, at(0, 0), entries(at(0, 0), &[1, 1]), 4)?;
        let log = entries(at(1, 1), &[1, 2, 2, 2, 2]);
        let reply = stage.append(S1, term, at(1, 1), log.clone(), 4)?;
        if !reply.success {
            // S0 has no entry 1/1 any more to compare, and may say so.
            let reply = stage.append(S1, term, at(2, 4), log[3..].to_vec(), 4)?;
            assert!(reply.success, "S0's snapshot ends at 2/4: {reply:?}");
        }
        assert!(stage.has(at(2, 6))?, "S0 said that it has all up to 2/6");

        // An older snapshot of the service's own.
        stage.snapshot_at(at(1, 2));
        stage.append(S1, stage.fresh_term(), at(2, 6), Vec::new(), 6)?;
        stage.wait_applied(6);
        stage.cluster().run_for(Duration::from_millis(150));
        assert_eq!(stage.persister().durable_snapshot(), at(2, 4), "1/2 is older than 2/4");
        assert!(stage.has(at(2, 6))?, "2/6 follows the snapshot");
        Ok(())
    });
}

/// The ends of the snapshots that S0's service was given in this life.
fn snapshots(stage: &Stage<'_>) -> Vec<Position> {
    let end = |message| match message {
        ApplyMsg::Snapshot { last_included, .. } => Some(last_included),
        ApplyMsg::Command { .. } => None,
    };
    stage.applied().into_iter().filter_map(end).collect()
}

/// Waits until S0 has stored the snapshot that ends at `position`.
pub(super) fn wait_stored(stage: &Stage<'_>, position: Position) {
    if !stage.soon(|| stage.persister().durable_snapshot() == position) {
        let stored = stage.persister().durable_snapshot();
        let message = format!("the service took a snapshot at {position}; stored is {stored}");
        stage.cluster().end_by_limit("snapshot_not_stored", message);
    }
}
