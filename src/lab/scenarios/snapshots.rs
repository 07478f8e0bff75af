//! Part 2D: the service takes snapshots, logs are trimmed, and a server that lags gets a snapshot.

use crate::api::Index;
use crate::lab::{Cluster, Scenario, steps};

pub(super) const SCENARIOS: &[Scenario] = &[
    // All servers are connected and trim their logs, so that no snapshot needs to be sent.
    //
    // A wrong server does not trim its log, or deadlocks between `snapshot` and the apply channel.
    Scenario::new("snapshot_basic_2d", |cluster| snapshots(cluster, Trouble::None))
        .title("snapshots basic")
        .catches("a log that is not trimmed; a deadlock between snapshot() and the apply channel"),
    // A server is cut off until no log has the entries that it lacks, and gets a snapshot.
    //
    // A wrong leader tries to send an entry that it no longer has.
    Scenario::new("snapshot_install_2d", |cluster| snapshots(cluster, Trouble::CutOff))
        .title("install snapshots (disconnect)")
        .catches("a lagging follower that needs discarded entries and gets no snapshot"),
    // A server that was cut off gets a snapshot over a network that loses a fifth of all calls.
    //
    // A wrong server lets an old snapshot move its service backwards.
    Scenario::new("snapshot_install_unreliable_2d", |cluster| snapshots(cluster, Trouble::CutOff))
        .unreliable()
        .title("install snapshots (disconnect, unreliable)")
        .catches("a late snapshot that moves the service backwards"),
    // A server is down until no log has the entries that it lacks, and gets a snapshot.
    //
    // A wrong server forgets in a restart its snapshot, or the entries after it.
    Scenario::new("snapshot_install_crash_2d", |cluster| snapshots(cluster, Trouble::Crash))
        .title("install snapshots (crash)")
        .catches("a restart that loses the snapshot, or the log after it"),
    // A server that was down gets a snapshot over a network that loses a fifth of all calls.
    //
    // A wrong server forgets its snapshot in a restart, or lets an old one move its service
    // backwards.
    Scenario::new("snapshot_install_un_crash_2d", |cluster| snapshots(cluster, Trouble::Crash))
        .unreliable()
        .title("install snapshots (crash, unreliable)")
        .catches("a restart that loses the snapshot, or the log after it, while messages are lost"),
    Scenario::new("snapshot_all_crash_2d", snapshot_all_crash_2d)
        .unreliable()
        .title("crash and restart all servers")
        .catches("a commit index that decreases in a restart and never recovers"),
    Scenario::new("snapshot_init_2d", snapshot_init_2d)
        .unreliable()
        .title("snapshot initialization after crash")
        .catches("a snapshot that the first write after a restart erases"),
];

/// Largest size of a stored log in bytes, without the snapshot.
const LOG_SIZE_MAX: usize = 2000;

/// The service takes a snapshot each time it has applied this many entries.
const SNAPSHOT_INTERVAL: u64 = 10;

/// Why a server misses commands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    CutOff,
    Crash,
}

/// Thirty rounds of 6 to 15 commands; in every third round the server in trouble is the leader.
fn snapshots(cluster: &Cluster, trouble: Trouble) {
    cluster.one(&cluster.draw_command(), 3, true);
    let mut leader = cluster.check_one_leader();
    for round in steps(0..30) {
        let follower = cluster.after(leader, 1);
        let (sender, victim) = if round % 3 == 1 { (follower, leader) } else { (leader, follower) };
        match trouble {
            Trouble::None => {}
            Trouble::CutOff => cluster.disconnect(victim),
            Trouble::Crash => cluster.crash(victim),
        }
        if trouble != Trouble::None {
            cluster.one(&cluster.draw_command(), 2, true);
        }

        // Enough commands for a snapshot, without waiting for any.
        for _ in steps(0..SNAPSHOT_INTERVAL / 2 + cluster.draw(SNAPSHOT_INTERVAL)) {
            let _ = cluster.start(sender, &cluster.draw_command());
        }
        // While all servers are connected, all must keep up, so that none needs a snapshot.
        let servers = if trouble == Trouble::None { 3 } else { 2 };
        cluster.one(&cluster.draw_command(), servers, true);
        cluster.check_log_size(LOG_SIZE_MAX);

        match trouble {
            Trouble::None => continue,
            Trouble::CutOff => cluster.connect(victim),
            Trouble::Crash => cluster.restart(victim),
        }
        cluster.one(&cluster.draw_command(), 3, true);
        leader = cluster.check_one_leader();
    }
}

/// All servers crash together, five times; each time the log continues where it ended.
///
/// The network is unreliable, as in the course since 2025. A wrong server's log or commit index
/// stays behind after a restart.
fn snapshot_all_crash_2d(cluster: &mut Cluster) {
    cluster.one(&cluster.draw_command(), 3, true);
    for _ in steps(0..5) {
        for _ in steps(0..SNAPSHOT_INTERVAL / 2 + cluster.draw(SNAPSHOT_INTERVAL)) {
            cluster.one(&cluster.draw_command(), 3, true);
        }
        let before = cluster.one(&cluster.draw_command(), 3, true);
        restart_all(cluster);
        let after = cluster.one(&cluster.draw_command(), 3, true);
        assert!(after >= before.next(), "index {after} was given after index {before}");
    }
}

/// All servers restart twice, with one write in between, and their snapshots survive that write.
///
/// The network is unreliable, as in the course since 2025. A wrong server erases its snapshot with
/// its first write after a restart.
fn snapshot_init_2d(cluster: &mut Cluster) {
    cluster.one(&cluster.draw_command(), 3, true);

    // Enough for a snapshot at index 9.
    for _ in 0..=SNAPSHOT_INTERVAL {
        cluster.one(&cluster.draw_command(), 3, true);
    }

    restart_all(cluster);
    // This makes the restarted servers write.
    cluster.one(&cluster.draw_command(), 3, true);

    restart_all(cluster);
    let last = cluster.one(&cluster.draw_command(), 3, true);
    assert!(last >= Index(14), "14 commands were committed, the last one at index {last}");
}

fn restart_all(cluster: &Cluster) {
    cluster.servers().for_each(|server| cluster.crash(server));
    cluster.servers().for_each(|server| cluster.restart(server));
}
