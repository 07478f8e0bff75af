//! Short names on top of the course's calls, for scenarios of our own.

use std::time::Duration;

use super::{Cluster, limit};
use crate::api::{Index, ServerId, Started};
use crate::runtime::thread;

/// Ten times the longest election timeout: what has not happened by then will not happen.
pub const LONG: Duration = Duration::from_secs(10);

impl Cluster {
    /// Waits until a connected server leads.
    pub fn wait_for_leader(&self) -> ServerId {
        self.check_one_leader()
    }

    /// Gets `command` committed by a majority of the whole cluster, and returns its index.
    pub fn agree(&self, command: &str) -> Index {
        self.one(command.as_bytes(), crate::api::quorum_size(self.server_count()), true)
    }

    /// Submits `command` to `server`, which must lead, and returns its index.
    pub fn start_at(&self, server: ServerId, command: &str) -> Index {
        self.start_at_leader(server, command.as_bytes()).index
    }

    /// Submits `command` to `leader`, which must lead, and returns its term and index.
    pub fn start_at_leader(&self, leader: ServerId, command: &[u8]) -> Started {
        match self.start(leader, command) {
            Ok(started) => started,
            Err(refused) => limit(
                "leader_refused",
                format!("{leader}, the leader, refused a command in term {}", refused.term),
            ),
        }
    }

    /// Cuts `server` off from all others.
    pub fn isolate(&self, server: ServerId) {
        self.disconnect(server);
    }

    /// Connects all servers that are up with each other, whichever links were cut before.
    pub fn heal(&self) {
        for server in self.servers().filter(|server| self.is_running(*server)) {
            self.connect(server);
        }
    }

    /// Cuts the link between two servers, in both directions.
    pub fn cut(&self, one: ServerId, other: ServerId) {
        self.cut_oneway(one, other);
        self.cut_oneway(other, one);
    }

    /// Cuts calls from `from` to `to`; calls the other way still get their replies.
    pub fn cut_oneway(&self, from: ServerId, to: ServerId) {
        self.set_link(from, to, false);
    }

    /// Connects the servers of each group with each other, and cuts all links between groups.
    /// Links of clients stay as they are.
    pub fn partition(&self, groups: &[&[ServerId]]) {
        let group_of = |server| groups.iter().position(|group| group.contains(&server));
        for from in self.servers() {
            for to in self.servers() {
                self.set_link(from, to, group_of(from) == group_of(to));
            }
        }
    }

    /// Repairs the link between two servers, in both directions.
    pub fn mend(&self, one: ServerId, other: ServerId) {
        self.set_link(one, other, true);
        self.set_link(other, one, true);
    }

    /// Lets the cluster run for `span`.
    #[track_caller]
    pub fn run_for(&self, span: Duration) {
        thread::sleep(span);
        self.look_for_killed_servers();
    }

    /// Number of servers that have applied `command`.
    pub fn applied_by(&self, command: &str) -> usize {
        self.inner.ledger.applied_by(command.as_bytes())
    }
}
