//! Logs that are compacted, and followers that need a snapshot.

use super::cluster::{Cluster, LONG, SERVERS, in_virtual_time, other_than};
use crate::runtime::thread;
use crate::store::StoreConfig;

/// Small, so that a few entries are enough to compact the log and to fill many chunks.
const SMALL: StoreConfig =
    StoreConfig { log_gc_limit: Some(10), chunk_bytes: 64, chunks_in_flight: 3 };

/// Cuts a follower off until the log no longer has the entries that it needs; returns it.
fn leave_behind(cluster: &Cluster) -> u32 {
    let mut clerk = cluster.clerk(1);
    clerk.put("first", "1");
    let late = other_than(cluster.leader());
    cluster.connect(late, false);
    for number in 0..40 {
        clerk.put(&format!("key {number}"), &"x".repeat(50));
    }
    clerk.delete("key 7");
    // Only a tick compacts the log. The calls above take no time on a reliable network, so wait.
    thread::sleep(LONG);
    late
}

fn assert_caught_up(cluster: &Cluster, late: u32) {
    let server = cluster.server(late);
    assert_eq!(server.look("key 39"), Some("x".repeat(50)), "what came last");
    assert_eq!(server.look("first").as_deref(), Some("1"), "what was there before");
    assert_eq!(server.look("key 7"), None, "what was deleted");
}

#[test]
fn a_log_has_no_more_than_twice_its_limit() {
    in_virtual_time(5, || {
        let cluster = Cluster::new(SMALL);
        let mut clerk = cluster.clerk(1);
        (0..60).for_each(|number| clerk.put("a", &number.to_string()));
        thread::sleep(LONG);
        for me in 0..SERVERS {
            let (applied, truncated) =
                (cluster.server(me).applied(), cluster.server(me).truncated());
            let kept = applied.0 - truncated.index.0;
            assert!(kept <= 20, "server {me} keeps {kept} entries: {truncated} to {applied}");
            assert!(truncated.index.0 > 20, "server {me} has compacted its log up to {truncated}");
        }
        cluster.shutdown();
    });
}

#[test]
fn a_follower_left_behind_gets_a_snapshot() {
    in_virtual_time(5, || {
        let mut cluster = Cluster::new(SMALL);
        let late = leave_behind(&cluster);
        cluster.connect(late, true);
        thread::sleep(LONG);
        assert_caught_up(&cluster, late);
        assert_eq!(cluster.server(late).usage().snapshots_installed, 1, "only a snapshot can help");
        let sent: u64 = (0..SERVERS).map(|me| cluster.server(me).usage().chunks_sent).sum();
        assert!(sent > 20, "{sent} chunks: each carries 64 bytes at most");
        cluster.crash(late);
        cluster.restart(late);
        thread::sleep(LONG);
        assert_caught_up(&cluster, late);
        cluster.shutdown();
    });
}

#[test]
fn chunks_that_are_lost_are_sent_again() {
    in_virtual_time(10, || {
        let cluster = Cluster::new(SMALL);
        let late = leave_behind(&cluster);
        cluster.network.set_reliable(false);
        cluster.connect(late, true);
        thread::sleep(4 * LONG);
        assert_caught_up(&cluster, late);
        cluster.shutdown();
    });
}

#[test]
fn a_receiver_that_crashes_is_sent_the_snapshot_anew() {
    in_virtual_time(10, || {
        let mut cluster = Cluster::new(SMALL);
        let late = leave_behind(&cluster);
        cluster.connect(late, true);
        cluster.network.set_reliable(false);
        for _ in 0..3 {
            thread::sleep(LONG / 20);
            cluster.crash(late);
            cluster.restart(late);
        }
        thread::sleep(4 * LONG);
        assert_caught_up(&cluster, late);
        cluster.shutdown();
    });
}

#[test]
fn sessions_are_in_the_snapshot() {
    in_virtual_time(5, || {
        let cluster = Cluster::new(SMALL);
        let late = leave_behind(&cluster);
        let mut clerk = cluster.clerk(2);
        clerk.append("a", "once ");
        cluster.connect(late, true);
        thread::sleep(LONG);
        cluster.repeat_append(2, 1, "a", "once ");
        assert_eq!(clerk.get("a").as_deref(), Some("once "));
        assert_eq!(cluster.server(late).look("a").as_deref(), Some("once "));
        cluster.shutdown();
    });
}
