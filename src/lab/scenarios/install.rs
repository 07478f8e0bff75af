//! Part 2D: each rule of Figure 13, and what a leader does with its own snapshot.

use std::time::Duration;

use super::appends::A_WHILE;
use crate::api::{ApplyMsg, Index, Position, Term};
use crate::lab::puppet::{Appends, Heard, Overtaken, S1, S2, Stage, at, entries};
use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("install_rules_2d", install_rules_2d)
        .puppets()
        .title("InstallSnapshot, late or from old leaders")
        .catches("a service that moves backwards; a snapshot accepted from an old leader"),
    Scenario::new("install_suffix_2d", install_suffix_2d)
        .puppets()
        .title("a snapshot and the log after it")
        .catches("matching entries after the snapshot that are dropped; others that are kept"),
    Scenario::new("install_commits_2d", install_commits_2d)
        .puppets()
        .title("a snapshot commits what it covers")
        .catches("a commit index that stays behind the snapshot"),
    Scenario::new("snapshot_is_durable_2d", snapshot_is_durable_2d)
        .puppets()
        .title("a snapshot, then two crashes")
        .catches("a snapshot that is lost in the second restart"),
    Scenario::new("install_sender_2d", install_sender_2d)
        .puppets()
        .title("a leader sends its snapshot")
        .catches("a snapshot with a wrong term or content; a reply credited to another snapshot"),
    Scenario::new("snapshot_prefix_2d", snapshot_prefix_2d)
        .puppets()
        .title("what a snapshot covers")
        .catches("a search that runs into the discarded log; an older snapshot accepted"),
];

/// A snapshot gives a follower what it lacks; a late one, or one of an older leader, does nothing.
///
/// Figure 13, step 1. A wrong server lets its service move backwards, or takes a snapshot from an
/// older leader. Here `[1/5]` is a snapshot whose last entry has term 1 and index 5:
///
/// ```text
/// S0            1 1
/// 1/5           [1/5]          delivered
/// 1/5 + 1 1     [1/5] 1 1      applied up to 7
/// 1/5 1/3 1/6   [1/5] 1 1      late
/// 1/9           [1/5] 1 1      from a leader whose term is over
/// ```
fn install_rules_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.give_log(&[1, 1], 1)?;
        stage.wait_applied(1);
        let term = stage.fresh_term();
        stage.install(S1, term, at(1, 5))?;
        stage.wait_applied(5);
        let reply = stage.append(S1, term, at(1, 5), entries(at(1, 5), &[1, 1]), 7)?;
        assert!(reply.success, "S0's log continues after its snapshot: {reply:?}");
        stage.wait_applied(7);
        stage.expect_commands(&["1/1", "1/6", "1/7"], "the snapshot covers 2 to 5");

        // Late snapshots.
        stage.install(S1, term, at(1, 5))?;
        stage.install(S1, term, at(1, 3))?;
        stage.install(S1, term, at(1, 6))?;
        stage.cluster().run_for(A_WHILE);
        assert_eq!(snapshots(&stage), [at(1, 5)], "the service had already applied 1/7");
        assert!(stage.has(at(1, 7))?, "a late snapshot removed 1/7");

        // A snapshot from a leader whose term is over (Figure 13, step 1).
        let term = stage.fresh_term();
        stage.append(S1, term, at(1, 7), Vec::new(), 7)?;
        let reply = stage.install(S2, Term(term.0 - 1), at(1, 9))?;
        assert_eq!(reply.term, term, "the older leader must learn the term");
        stage.cluster().run_for(A_WHILE);
        stage.expect_applied(Index(7), &format!("term {} is over", term.0 - 1));
        assert!(stage.has(at(1, 7))?, "a leader of an older term removed 1/7");
        Ok(())
    });
}

/// A follower keeps the entries after a snapshot only if its log has the snapshot's last entry.
///
/// Figure 13, steps 6 and 7. A wrong server drops entries that it may have acknowledged, or keeps
/// entries that the leader lacks. S0 has six entries of term 1, two of them committed:
///
/// ```text
/// S0           1 1 1 1 1 1          S0           1 1 1 1 1 1
/// gets 1/4           │              gets 3/4           │
/// then         [1/4] 1 1            then         [3/4]
/// ```
fn install_suffix_2d(cluster: &mut Cluster) {
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
        assert!(stage.has(at(1, 6))?, "1/5 and 1/6 follow 1/4; S0 may have acknowledged them");
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
        assert_eq!(snapshots(&stage), [at(3, 4)], "S0's own entry 4 is 1/4");
        assert!(!stage.has(at(1, 6))?, "1/6 follows 1/4, and the leader has 3/4");
        assert!(!stage.has(at(1, 5))?, "1/5 follows 1/4, and the leader has 3/4");
        assert!(stage.has(at(3, 4))?, "the snapshot ends at 3/4");
        stage.append(S1, stage.fresh_term(), at(3, 4), entries(at(3, 4), &[3]), 5)?;
        stage.wait_applied(5);
        stage.expect_commands(&["1/1", "1/2", "3/5"], "the snapshot covers 3 and 4");
        Ok(())
    });
}

/// A server that has a snapshot counts the entries that it covers as committed.
///
/// S0's commit index shows it once S0 leads. A wrong server's commit index stays behind its
/// snapshot.
fn install_commits_2d(cluster: &mut Cluster) {
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

/// A snapshot, the service's own or a leader's, survives two crashes; the log continues after it.
///
/// There are two crashes because the first write after a restart may erase the snapshot. A wrong
/// server shows the loss only after the second crash.
fn snapshot_is_durable_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let go_on = |end: u64, last: u64| {
        for _ in 0..2 {
            stage.restart();
            stage.expect_applied(Index(end), &format!("S0's snapshot ends at 1/{end}"));
            let stored = stage.persister().load().ok().and_then(|persisted| persisted.snapshot);
            assert_eq!(stored, Some(Stage::snapshot_of(at(1, end))), "S0 stored another one");
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

/// A leader that has dropped what a follower lacks sends its snapshot, then the entries after it.
///
/// S0 has dropped its log up to 1/5 when S1, which has nothing, refuses the entries after that.
/// While the snapshot is in flight, S0's service takes the next one; S1's reply is about the one
/// that S1 got. A wrong leader sends a wrong term or content, or takes the reply for the newer
/// snapshot's.
///
/// ```text
/// S0   [1/5] 1 1 1          [T/10] T T
///        └── snapshot ──► S1 ──┐ late reply
///                            (has 5)
/// ```
fn install_sender_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.snapshot_at(at(1, 5));
        stage.give_log(&[1; 8], 8)?;
        stage.wait_applied(8);
        wait_stored(&stage, at(1, 5));
        Ok(())
    });
    // S0 must read the snapshot from its storage before it can send it.
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

    // The service takes the next snapshot before S1 replies.
    let next = Position { term: leading.term, index: Index(10) };
    stage.snapshot_at(next);
    for command in ["b", "c", "d"] {
        leading.start(command);
    }
    stage.wait_applied(12);
    wait_stored(&stage, next);

    // S1 replies, and from now on follows.
    stage.release(&install);
    stage.follows(S1);
    stage.wait_followed(S1, Index(12));
}

/// Requests about entries that a snapshot has replaced do no harm.
///
/// S0 has `[2/4] 2 2`. Its entries of term 2 begin inside the snapshot, so a search for a conflict
/// may look there; the leader sends entries that the snapshot covers; and the service offers an
/// older snapshot. A wrong server looks into the discarded log, or takes the older snapshot.
fn snapshot_prefix_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.snapshot_at(at(2, 4));
        stage.give_log(&[1, 1, 2, 2, 2, 2], 4)?;
        stage.wait_applied(4);
        wait_stored(&stage, at(2, 4));

        let reply = stage.append(S1, stage.fresh_term(), at(9, 6), Vec::new(), 4)?;
        assert!(!reply.success, "S0 has 2/6, not 9/6: {reply:?}");
        let index = reply.conflict.map(|conflict| conflict.index);
        assert!(index <= Some(Index(6)), "the logs differ from 6 on at the latest: {reply:?}");

        // The next leader has all of S0's entries, but does not know that S0 has them.
        let term = stage.fresh_term();
        stage.append(S1, term, at(1, 1), Vec::new(), 4)?;
        stage.append(S1, term, at(0, 0), entries(at(0, 0), &[1, 1]), 4)?;
        let log = entries(at(1, 1), &[1, 2, 2, 2, 2]);
        let reply = stage.append(S1, term, at(1, 1), log.clone(), 4)?;
        if !reply.success {
            // S0 no longer has 1/1 to compare, and may refuse.
            let reply = stage.append(S1, term, at(2, 4), log[3..].to_vec(), 4)?;
            assert!(reply.success, "S0's snapshot ends at 2/4: {reply:?}");
        }
        assert!(stage.has(at(2, 6))?, "S0 acknowledged all up to 2/6");

        // The service offers an older snapshot.
        stage.snapshot_at(at(1, 2));
        stage.append(S1, stage.fresh_term(), at(2, 6), Vec::new(), 6)?;
        stage.wait_applied(6);
        stage.cluster().run_for(Duration::from_millis(150));
        assert_eq!(stage.persister().durable_snapshot(), at(2, 4), "1/2 is older than 2/4");
        assert!(stage.has(at(2, 6))?, "2/6 follows the snapshot");
        Ok(())
    });
}

/// Where the snapshots end that S0 gave its service in this life.
fn snapshots(stage: &Stage<'_>) -> Vec<Position> {
    let end = |message| match message {
        ApplyMsg::Snapshot { last_included, .. } => Some(last_included),
        ApplyMsg::Command { .. } => None,
    };
    stage.applied().into_iter().filter_map(end).collect()
}

/// Waits until S0 has stored the snapshot that ends at `position`.
pub(super) fn wait_stored(stage: &Stage<'_>, position: Position) {
    if !stage.happens_soon(|| stage.persister().durable_snapshot() == position) {
        let stored = stage.persister().durable_snapshot();
        let message = format!("the service took a snapshot at {position}, but {stored} is stored");
        stage.cluster().end_by_limit("snapshot_not_stored", message);
    }
}
