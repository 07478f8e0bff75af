//! Part 2D: the service takes snapshots, logs are trimmed, and who lags behind gets a snapshot.

use crate::api::Index;
use crate::lab::Cluster;

/// Stored logs stay smaller than this, snapshots not counted.
const LOG_SIZE_MAX: usize = 2000;

/// How many entries the service lets pass between two snapshots.
const SNAPSHOT_INTERVAL: u64 = 10;

/// What a server that misses commands goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    CutOff,
    Crash,
}

/// Logs are trimmed while all servers are there. No snapshot needs to be sent.
pub fn snapshot_basic_2d(cluster: &mut Cluster) {
    commands_and_snapshots(cluster, Trouble::None);
}

/// A server is cut off for so long that the entries it lacks are gone.
pub fn snapshot_install_2d(cluster: &mut Cluster) {
    commands_and_snapshots(cluster, Trouble::CutOff);
}

/// The same on a network that loses a fifth of all calls.
pub fn snapshot_install_unreliable_2d(cluster: &mut Cluster) {
    commands_and_snapshots(cluster, Trouble::CutOff);
}

/// A server is down for so long that the entries it lacks are gone.
pub fn snapshot_install_crash_2d(cluster: &mut Cluster) {
    commands_and_snapshots(cluster, Trouble::Crash);
}

/// The same on a network that loses a fifth of all calls.
pub fn snapshot_install_un_crash_2d(cluster: &mut Cluster) {
    commands_and_snapshots(cluster, Trouble::Crash);
}

/// Thirty rounds of 6 to 15 commands; in each third one the leader is the one in trouble.
fn commands_and_snapshots(cluster: &Cluster, trouble: Trouble) {
    cluster.one(&cluster.draw_command(), 3, true);
    let mut leader = cluster.check_one_leader();
    for round in 0..30 {
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
        for _ in 0..SNAPSHOT_INTERVAL / 2 + cluster.draw(SNAPSHOT_INTERVAL) {
            let _ = cluster.start(sender, &cluster.draw_command());
        }
        // With all servers there, all must follow, so that none needs a snapshot sent.
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

/// All servers crash together, five times; each time the log goes on where it was.
///
/// Unreliable, as since 2025.
pub fn snapshot_all_crash_2d(cluster: &mut Cluster) {
    cluster.one(&cluster.draw_command(), 3, true);
    for _ in 0..5 {
        for _ in 0..SNAPSHOT_INTERVAL / 2 + cluster.draw(SNAPSHOT_INTERVAL) {
            cluster.one(&cluster.draw_command(), 3, true);
        }
        let before = cluster.one(&cluster.draw_command(), 3, true);
        restart_all(cluster);
        let after = cluster.one(&cluster.draw_command(), 3, true);
        assert!(after >= before.next(), "index {after} was given after index {before}");
    }
}

/// All servers restart twice, with one write between: the snapshot must survive that write.
///
/// Unreliable, as since 2025.
pub fn snapshot_init_2d(cluster: &mut Cluster) {
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
