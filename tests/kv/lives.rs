//! The end of a server: every waiting call returns, and nothing of the server remains.

use std::time::Duration;

use raftlab::api::kv_rpc::{GetArgs, PutArgs, RequestId};
use raftlab::api::{Reads, RsmConfig};
use raftlab::labrpc;
use raftlab::runtime::{block_on, thread};

use crate::cluster::{BOTH, Cluster, LONG, lives, on_both_clocks};
use crate::witness::watch;

#[test]
fn a_killed_server_lets_go_of_all_who_wait_and_of_itself() {
    for reads in BOTH {
        on_both_clocks(5, move || {
            let mut cluster = Cluster::reading(reads);
            // Without an entry of its own term, a leader accepts reads only through the log.
            cluster.clerk(20).put("a", "0");
            let old = cluster.leader();
            let witness = watch(&cluster.slots[old as usize].persister);
            cluster.connect(old, false);
            let waits = (0..10).map(|number| {
                let peer = cluster.peer(number, old);
                let request = RequestId { client: Default::default(), number: 1 };
                let put = PutArgs { key: "a".into(), value: "1".into(), request };
                let get = GetArgs { key: "a".into() };
                thread::spawn(format!("waits{number}"), move || match number % 2 {
                    0 => drop(block_on(peer.put(labrpc::context(), put))),
                    _ => drop(block_on(peer.get(labrpc::context(), get))),
                })
            });
            let waits: Vec<_> = waits.collect();
            thread::sleep(Duration::from_millis(100));
            cluster.crash(old);
            waits.into_iter().for_each(thread::JoinHandle::join);
            cluster.restart(old);
            thread::sleep(LONG / 10);
            assert!(!lives(&witness), "something still holds the killed server");
            cluster.shutdown();
        });
    }
}

#[test]
fn every_server_ends_in_the_middle_of_a_burst() {
    on_both_clocks(10, || {
        let bounded = RsmConfig { raft_state_max: Some(300), reads: Reads::ReadIndex };
        let mut cluster = Cluster::new(bounded);
        cluster.leader();
        let clerks = (0..6).map(|number| {
            let mut clerk = cluster.clerk(number);
            thread::spawn(format!("clerk{number}"), move || {
                for _ in 0..20 {
                    clerk.append("a", "x");
                    clerk.get("a");
                }
            })
        });
        let clerks: Vec<_> = clerks.collect();
        thread::sleep(Duration::from_millis(2));
        cluster.crash_and_restart_all();
        clerks.into_iter().for_each(thread::JoinHandle::join);
        assert_eq!(cluster.clerk(9).get("a").len(), 120);
        cluster.shutdown();
    });
}
