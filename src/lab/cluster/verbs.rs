//! Short names on top of the course's calls, for scenarios of our own.

use std::time::Duration;

use super::{Cluster, limit};
use crate::api::{Index, ServerId, Started};
use crate::record;
use crate::runtime::{Choice, keeps, thread};

/// Ten times the longest election timeout: what has not happened by then will not happen.
pub const LONG: Duration = Duration::from_secs(10);

/// Length of a pause that the run does not keep. It is not 0, so that a loop with a pause ends.
const SHORT_PAUSE: Duration = Duration::from_millis(10);

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
        record::step(|| "connects all servers that are up".to_string());
        for server in self.servers().filter(|server| self.is_running(*server)) {
            self.link(server);
        }
    }

    /// Cuts the link between two servers, in both directions.
    pub fn cut(&self, one: ServerId, other: ServerId) {
        record::step(|| format!("cuts the link between {one} and {other}"));
        self.set_link(one, other, false);
        self.set_link(other, one, false);
    }

    /// Cuts calls from `from` to `to`; calls the other way still get their replies.
    pub fn cut_oneway(&self, from: ServerId, to: ServerId) {
        record::step(|| format!("cuts calls from {from} to {to}"));
        self.set_link(from, to, false);
    }

    /// Connects the servers of each group with each other, and cuts all links between groups.
    /// Links of clients stay as they are.
    pub fn partition(&self, groups: &[&[ServerId]]) {
        record::step(|| format!("splits the network into {}", shown_groups(groups)));
        let group_of = |server| groups.iter().position(|group| group.contains(&server));
        for from in self.servers() {
            for to in self.servers() {
                self.set_link(from, to, group_of(from) == group_of(to));
            }
        }
    }

    /// Repairs the link between two servers, in both directions.
    pub fn mend(&self, one: ServerId, other: ServerId) {
        record::step(|| format!("repairs the link between {one} and {other}"));
        self.set_link(one, other, true);
        self.set_link(other, one, true);
    }

    /// Lets the cluster run for `span`; less, if the run does not keep this pause.
    #[track_caller]
    pub fn run_for(&self, span: Duration) {
        let span = if keeps(Choice::Pause) { span } else { span.min(SHORT_PAUSE) };
        let _step =
            record::begin_step(|| format!("lets the cluster run for {} ms", span.as_millis()));
        thread::sleep(span);
        self.look_for_killed_servers();
    }

    /// Number of servers that have applied `command`.
    pub fn applied_by(&self, command: &str) -> usize {
        self.inner.ledger.applied_by(command.as_bytes())
    }
}

/// Groups of servers, e.g. `S0 S1 | S2`.
fn shown_groups(groups: &[&[ServerId]]) -> String {
    let shown = |group: &&[ServerId]| {
        let names: Vec<_> = group.iter().map(ToString::to_string).collect();
        names.join(" ")
    };
    groups.iter().map(shown).collect::<Vec<_>>().join(" | ")
}
