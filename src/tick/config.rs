//! The settings of a node, with checks that refuse senseless ones, and its source of randomness.

use crate::api::{Index, ServerId};

/// The settings of a node. [`Config::new`] sets up the plain core; every feature is opt-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The id of the node itself.
    pub id: ServerId,
    /// All nodes of the cluster, this one too. Used only on a first start: if the storage knows the
    /// members, they come from there.
    pub peers: Vec<ServerId>,
    /// Ticks without a leader before a node may start an election; each node waits up to twice as
    /// long, at random (Raft §5.2). Ten times `heartbeat_tick` is a good value.
    pub election_tick: u32,
    /// Ticks between two heartbeats of a leader.
    pub heartbeat_tick: u32,
    /// The last entry that the application had applied before a restart. The node hands out only
    /// later ones.
    pub applied: Index,
    /// Whether a leader announces a new commit index at once. On, a command costs twice the
    /// messages, and followers apply it half a round trip after the leader; off, they apply it at
    /// the next append or heartbeat.
    pub broadcast_commit: bool,
    /// Whether a node asks if it would win before it raises its term (thesis §9.6). Off: the plain
    /// algorithm needs no fourth role. On: a node that returns from isolation deposes no leader.
    pub pre_vote: bool,
    /// Whether a leader without a majority steps down, and followers of a live leader do not vote
    /// (thesis §6.2). Off: safety does not need it. On: clients leave a cut-off leader sooner.
    pub check_quorum: bool,
    /// Whether leadership can be transferred (thesis §3.10). Off: only an operator needs it.
    pub leader_transfer: bool,
    /// Whether reads are answered without a log entry (thesis §6.4). Off: a read through the log
    /// needs no safety argument of its own.
    pub read_index: bool,
    /// How a leader limits the appends that it sends to a follower. Off: a lost message costs more
    /// bytes, and a slow follower's queue grows.
    pub flow_control: Option<FlowControl>,
}

/// The limits of the appends in flight to one follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowControl {
    /// Maximum number of appends without a response.
    pub inflight_max: usize,
    /// Maximum bytes of commands in one append, unless the first entry alone has more.
    pub append_bytes_max: usize,
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The heartbeat interval is 0 ticks.
    #[error("heartbeat_tick must be at least 1")]
    HeartbeatTick,
    /// Followers would start elections between two heartbeats.
    #[error("election_tick ({election}) must be greater than heartbeat_tick ({heartbeat})")]
    ElectionTick {
        /// The election timeout given.
        election: u32,
        /// The heartbeat interval given.
        heartbeat: u32,
    },
    /// A node is listed twice.
    #[error("{0} is listed twice in peers")]
    PeerTwice(ServerId),
    /// No append could ever be sent.
    #[error("inflight_max must be at least 1")]
    NoInflight,
    /// The application says that it has applied more than the storage has committed.
    #[error("applied {applied} is beyond commit index {commit}; the log starts after {truncated}")]
    Applied {
        /// The applied index in the settings.
        applied: Index,
        /// The end of the snapshot.
        truncated: Index,
        /// The commit index that the storage has.
        commit: Index,
    },
    /// The commit index on disk is beyond the log on disk: the disk has lost entries.
    #[error("the stored commit index {commit} is beyond the last entry {last}")]
    CommitBeyondLog {
        /// The commit index that the storage has.
        commit: Index,
        /// The last entry that the storage has.
        last: Index,
    },
}

impl Config {
    /// Sets up the plain core: node `id` of `peers`, 10 ticks to an election, 1 to a heartbeat.
    pub fn new(id: ServerId, peers: Vec<ServerId>) -> Config {
        Config {
            id,
            peers,
            election_tick: 10,
            heartbeat_tick: 1,
            applied: Index(0),
            broadcast_commit: true,
            pre_vote: false,
            check_quorum: false,
            leader_transfer: false,
            read_index: false,
            flow_control: None,
        }
    }

    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// The first [`ConfigError`] found. Correct it: no node starts with such settings.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.heartbeat_tick == 0 {
            return Err(ConfigError::HeartbeatTick);
        }
        if self.election_tick <= self.heartbeat_tick {
            let (election, heartbeat) = (self.election_tick, self.heartbeat_tick);
            return Err(ConfigError::ElectionTick { election, heartbeat });
        }
        let mut peers = self.peers.clone();
        peers.sort_unstable();
        if let Some(twice) = peers.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ConfigError::PeerTwice(twice[0]));
        }
        if self.flow_control.is_some_and(|limits| limits.inflight_max == 0) {
            return Err(ConfigError::NoInflight);
        }
        Ok(())
    }
}

/// A source of random numbers that the application injects.
///
/// The core draws one number per change of role or term, for its election timeout (Raft §5.2), and
/// nothing else. With a seeded source, a run is a function of the seed. Any closure of this shape
/// is a source:
///
/// ```
/// use raftlab::tick::Chance;
/// fn draw(chance: &mut dyn Chance) -> u32 {
///     chance.below(10)
/// }
/// assert_eq!(draw(&mut |bound| bound - 1), 9);
/// ```
pub trait Chance: Send {
    /// Draws a number in `0..bound`, each as likely as any other. `bound` is never 0.
    fn below(&mut self, bound: u32) -> u32;
}

impl<F: FnMut(u32) -> u32 + Send> Chance for F {
    fn below(&mut self, bound: u32) -> u32 {
        self(bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Config)) -> ConfigError {
        let mut config = Config::new(ServerId(1), [1, 2, 3].map(ServerId).to_vec());
        assert_eq!(config.validate(), Ok(()), "the plain settings are fine");
        change(&mut config);
        config.validate().unwrap_err()
    }

    #[test]
    fn a_leader_must_be_able_to_send_heartbeats() {
        assert_eq!(refused(|config| config.heartbeat_tick = 0), ConfigError::HeartbeatTick);
    }

    #[test]
    fn an_election_takes_longer_than_a_heartbeat() {
        let error = refused(|config| config.heartbeat_tick = 10);
        assert_eq!(error, ConfigError::ElectionTick { election: 10, heartbeat: 10 });
    }

    #[test]
    fn a_peer_is_named_once() {
        let error = refused(|config| config.peers.push(ServerId(2)));
        assert_eq!(error, ConfigError::PeerTwice(ServerId(2)));
    }

    #[test]
    fn a_window_has_room_for_one_append() {
        let limits = FlowControl { inflight_max: 0, append_bytes_max: 1 };
        assert_eq!(refused(|config| config.flow_control = Some(limits)), ConfigError::NoInflight);
    }
}
