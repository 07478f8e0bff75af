//! Reads, through the log and by index, are never stale.

use raftlab::api::kv_rpc::GetArgs;
use raftlab::api::{Consensus, Reads};
use raftlab::labrpc;
use raftlab::runtime::{block_on, thread};

use crate::cluster::{BOTH, Cluster, LONG, in_virtual_time};

#[test]
fn a_leader_that_was_deposed_and_does_not_know_answers_no_read() {
    for reads in BOTH {
        in_virtual_time(5, move || {
            let cluster = Cluster::reading(reads);
            let mut clerk = cluster.clerk(0);
            clerk.put("a", "old");
            let old = cluster.leader();
            cluster.connect(old, false);
            let (peer, args) = (cluster.peer(1, old), GetArgs { key: "a".into() });
            let asks = thread::spawn("asks", move || {
                thread::sleep(LONG);
                block_on(async move { peer.get(labrpc::context(), args).await })
            });
            clerk.put("a", "new");
            // The read waits until the old leader, which is cut off, hears that it was deposed.
            thread::sleep(2 * LONG);
            assert!(
                cluster.slots[old as usize].raft.get_state().is_leader,
                "the old leader knows that it was deposed"
            );
            cluster.connect(old, true);
            let answer = asks.join().unwrap();
            assert!(answer.is_err(), "it answered {answer:?}");
            assert_eq!(clerk.get("a"), "new");
            cluster.shutdown();
        });
    }
}

#[test]
fn a_follower_answers_no_read_and_names_the_leader() {
    for reads in BOTH {
        in_virtual_time(1, move || {
            let cluster = Cluster::reading(reads);
            cluster.clerk(0).put("a", "1");
            let leader = cluster.leader();
            let peer = cluster.peer(1, crate::cluster::other_than(leader));
            let args = GetArgs { key: "a".into() };
            let refused = block_on(async move { peer.get(labrpc::context(), args).await });
            let refused = refused.unwrap().unwrap_err();
            assert_eq!(refused.leader_hint.map(|hint| hint.0), Some(leader));
            assert!(!refused.maybe_done, "a refused read was not made");
            cluster.shutdown();
        });
    }
}

#[test]
fn reads_by_index_leave_the_log_alone() {
    in_virtual_time(3, || {
        let cluster = Cluster::reading(Reads::ReadIndex);
        let mut clerk = cluster.clerk(0);
        clerk.put("a", "1");
        let leader = cluster.leader();
        let size = || cluster.slots[leader as usize].persister.raft_state_size();
        let before = size();
        (0..10).for_each(|_| assert_eq!(clerk.get("a"), "1"));
        assert_eq!(size(), before, "a read was written to the log");
        cluster.shutdown();
    });
}

#[test]
fn a_new_leader_answers_reads_though_nobody_writes() {
    for reads in BOTH {
        in_virtual_time(5, move || {
            let mut cluster = Cluster::reading(reads);
            cluster.clerk(0).put("a", "1");
            let old = cluster.leader();
            cluster.crash(old);
            // The new leader cannot know that the old term's entry is committed before an entry of
            // its own term is.
            assert_eq!(cluster.clerk(1).get("a"), "1");
            cluster.shutdown();
        });
    }
}
