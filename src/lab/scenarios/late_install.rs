//! Part 2D: snapshots older than a server's state, and snapshots that reset its election timer.

use std::cell::Cell;
use std::time::Duration;

use super::appends::A_WHILE;
use super::install::wait_stored;
use super::timing::follows;
use crate::api::Index;
use crate::lab::puppet::{S1, Stage, at, entries};
use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("late_install_2d", late_install_2d)
        .puppets()
        .title("snapshots older than the commit index")
        .catches(
            "an older snapshot installed because the commit index decreased or restarted at 0",
        ),
    Scenario::new("install_resets_timer_2d", install_resets_timer_2d)
        .puppets()
        .title("a leader that sends snapshots")
        .catches("an election timer that only AppendEntries resets"),
];

/// An older snapshot from the leader takes nothing back.
///
/// Figure 2: `commitIndex` "increases monotonically". A snapshot that was sent long ago may arrive
/// after a restart, or before the service has all committed entries. A wrong server takes the older
/// snapshot, or lowers its commit index to the end of it:
///
/// ```text
/// S0            [1/5] 1 1 1        crash, restart      S0            1 … 1     600 committed
/// gets 1/3          │              [1/5] 1 1 1         gets 1/595    │         the service has few
/// then          [1/5] 1 1 1                            then leads: 600 are committed
/// ```
fn late_install_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.attempt(|| {
        stage.snapshot_at(at(1, 5));
        stage.give_log(&[1; 8], 8)?;
        stage.wait_applied(8);
        wait_stored(&stage, at(1, 5));
        stage.restart();
        let term = stage.fresh_term();
        stage.install(S1, term, at(1, 3))?;
        stage.cluster().run_for(A_WHILE);
        let stored = stage.persister().durable_snapshot();
        assert_eq!(stored, at(1, 5), "S0 has restarted with 1/5, and 1/3 is older");
        assert!(stage.has(at(1, 8))?, "1/8 follows S0's snapshot; an older one removed it");
        stage.append(S1, stage.fresh_term(), at(1, 8), Vec::new(), 8)?;
        stage.wait_applied(8);
        Ok(())
    });

    stage.attempt(|| {
        stage.cluster().replace(crate::lab::puppet::S0);
        let term = stage.fresh_term();
        let reply = stage.append(S1, term, at(0, 0), entries(at(0, 0), &[1; 600]), 600)?;
        assert!(reply.success, "entries from index 1 on fit any log: {reply:?}");
        stage.install(S1, term, at(1, 595)).map(drop)
    });
    stage.wait_applied(595);
    let leading = stage.elect();
    leading.append_to(S1, leading.mark, "send a heartbeat", |_| true);
    let told = leading.commit_told();
    assert!(told >= Index(600), "S0 was told that 600 are committed, but says that {told} are");
}

/// A snapshot from the leader resets the election timer, as a heartbeat does.
///
/// Raft §5.2: "A server remains in follower state as long as it receives valid RPCs from a leader
/// or candidate". (Figure 2 names only AppendEntries; Figure 13 came later.) A wrong follower
/// starts an election while its leader sends it snapshots.
fn install_resets_timer_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let last = Cell::new(0);
    follows(&stage, "snapshots", Duration::from_millis(60), |term| {
        last.set(last.get() + 1);
        stage.install(S1, term, at(1, last.get())).map(drop)
    });
}
