//! The contents of a snapshot, and when a service takes one.

use raftlab::api::kv_rpc::{ClientId, PutArgs, RequestId};
use raftlab::api::{Reads, RsmConfig};
use raftlab::labrpc;
use raftlab::runtime::{block_on, thread};

use crate::cluster::{Cluster, LONG, SERVERS, in_virtual_time, other_than};

const BOUND: usize = 400;

fn bounded() -> Cluster {
    Cluster::new(RsmConfig { raft_state_max: Some(BOUND), reads: Reads::default() })
}

/// Appends "0.1.2." up to `count` to key "a", and returns the value that it must have then.
fn append_many(cluster: &Cluster, client: u32, count: u32) -> String {
    let mut clerk = cluster.clerk(client);
    (0..count).for_each(|it| clerk.append("a", &format!("{it}.")));
    (0..count).map(|it| format!("{it}.")).collect()
}

#[test]
fn servers_restart_from_their_snapshots_and_go_on() {
    in_virtual_time(5, || {
        let mut cluster = bounded();
        let value = append_many(&cluster, 0, 40);
        thread::sleep(LONG);
        for slot in &cluster.slots {
            let (raft_state, snapshot) =
                (slot.persister.raft_state_size(), slot.persister.snapshot_size());
            assert!(raft_state <= 2 * BOUND, "the raft state has {raft_state} bytes");
            assert!(snapshot > 0, "no snapshot with {raft_state} bytes of raft state");
        }
        cluster.crash_and_restart_all();
        let mut clerk = cluster.clerk(1);
        assert_eq!(clerk.get("a"), value);
        clerk.append("a", "new");
        assert_eq!(clerk.get("a"), format!("{value}new"));
        cluster.shutdown();
    });
}

#[test]
fn without_a_bound_no_snapshot_is_taken() {
    in_virtual_time(1, || {
        let cluster = Cluster::reading(Reads::default());
        append_many(&cluster, 0, 40);
        for slot in &cluster.slots {
            assert_eq!(slot.persister.snapshot_size(), 0);
        }
        cluster.shutdown();
    });
}

#[test]
fn a_server_that_lags_is_brought_up_by_a_snapshot() {
    in_virtual_time(5, || {
        let mut cluster = bounded();
        let lags = other_than(cluster.leader());
        cluster.connect(lags, false);
        let value = append_many(&cluster, 0, 40);
        cluster.connect(lags, true);
        thread::sleep(LONG);
        // One of the others is always down, so the server that lagged must have the value itself.
        let other = other_than(lags);
        cluster.crash(other);
        assert_eq!(cluster.clerk(1).get("a"), value);
        cluster.crash(other_than(other));
        cluster.restart(other);
        assert_eq!(cluster.clerk(2).get("a"), value);
        cluster.shutdown();
    });
}

#[test]
fn a_request_from_before_the_snapshot_is_known_after_it() {
    in_virtual_time(5, || {
        let mut cluster = bounded();
        let request = RequestId { client: ClientId(7), number: 1 };
        let args = PutArgs { key: "once".into(), value: "x".into(), request };
        let send_everywhere = |cluster: &Cluster, client| {
            for me in 0..SERVERS {
                let (peer, args) = (cluster.peer(client, me), args.clone());
                let _ = block_on(async move { peer.append(labrpc::context(), args).await });
            }
        };
        cluster.leader();
        send_everywhere(&cluster, 7);
        append_many(&cluster, 0, 40);
        cluster.crash_and_restart_all();
        cluster.leader();
        send_everywhere(&cluster, 8);
        assert_eq!(cluster.clerk(1).get("once"), "x");
        cluster.shutdown();
    });
}
