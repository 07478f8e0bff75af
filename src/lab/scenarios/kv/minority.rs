//! A minority that has the leader, and the operations that wait there.

use crate::api::{ServerId, quorum_size};
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::thread::{self, JoinHandle};

/// How many checks, a tenth of a second apart, an operation gets to end once it can.
const LOOKS: u32 = 30;

/// Divides the servers into a majority, and a minority that has the leader.
pub(super) fn leader_in_minority(cluster: &Cluster) -> (Vec<ServerId>, Vec<ServerId>) {
    let leader = cluster.wait_for_leader();
    let mut servers: Vec<ServerId> =
        (1..=cluster.server_count()).map(|distance| cluster.after(leader, distance)).collect();
    let minority = servers.split_off(quorum_size(servers.len()));
    (servers, minority)
}

/// An operation in flight.
pub(super) struct Waiting {
    pub(super) client: u32,
    task: JoinHandle<()>,
}

impl Waiting {
    /// Whether it has ended.
    pub(super) fn is_done(&self) -> bool {
        self.task.is_finished()
    }
}

/// Waits until an operation has ended; it could have been carried out for a second already.
pub(super) fn must_end(cluster: &Cluster, waiting: Waiting, name: &str) {
    let ended = (0..LOOKS).any(|_| {
        cluster.sleep_ms(100);
        waiting.is_done()
    });
    if !ended {
        cluster.end_by_limit("stuck", format!("a {name} still waits 4 s after the heal"));
    }
    waiting.task.join();
}

/// Starts an operation of a new client that reaches only `servers`.
pub(super) fn in_minority(
    cluster: &Cluster,
    servers: &[ServerId],
    operation: impl FnOnce(&mut Client) + Send + 'static,
) -> Waiting {
    let mut client = cluster.client_of(servers);
    let number = client.number();
    let task = thread::spawn(format!("client{number}"), move || operation(&mut client));
    Waiting { client: number, task }
}
