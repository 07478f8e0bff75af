//! The messages between nodes, and the inputs from a node's own clock and application.
//!
//! A [`Message`] travels and carries its sender's term. A [`Local`] comes from the node's own clock
//! or application: it never travels, and has no term to compare. They are two types, so that the
//! network cannot deliver a tick or a command of another node.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::storage::Snapshot;
use crate::api::{Entry, Index, Position, ServerId, Term};

/// A message between two nodes: a request or a response. Nothing waits for a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The sender.
    pub from: ServerId,
    /// The receiver.
    pub to: ServerId,
    /// The sender's term; in a pre-vote, the term of the election that the sender would start.
    pub term: Term,
    /// The content.
    pub kind: Kind,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A leader sends entries, or none, and its commit index.
    Append {
        /// The entry before the first one sent; the receiver must have it.
        prev: Position,
        /// The entries that follow `prev`.
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
    },
    /// The response to an append or a snapshot.
    AppendResponse {
        /// Index up to which the logs are the same; in a rejection, the index of `prev`.
        index: Index,
        /// In a rejection, the last place at which the logs could agree.
        rejection: Option<Position>,
    },
    /// A candidate asks for a vote.
    RequestVote {
        /// The last entry of the candidate's log.
        last: Position,
        /// Whether the old leader asked for this election, so that no lease blocks it.
        transfer: bool,
    },
    /// The response to a candidate.
    RequestVoteResponse {
        /// Whether the candidate has the vote.
        granted: bool,
    },
    /// A node asks if it would be elected in `term`, before it starts an election (thesis §9.6).
    RequestPreVote {
        /// The last entry of the sender's log.
        last: Position,
    },
    /// The response to a pre-vote. A grant repeats the request's term; a refusal has its sender's.
    RequestPreVoteResponse {
        /// Whether the vote would be given.
        granted: bool,
    },
    /// A leader's sign of life. It carries no log position, so it repairs nothing by itself.
    Heartbeat {
        /// Index up to which the receiver may commit; never beyond what it is known to have.
        commit: Index,
        /// The newest round of reads, if a read waits for confirmation; 0 otherwise.
        round: u64,
    },
    /// The response to a heartbeat.
    HeartbeatResponse {
        /// The round of that heartbeat.
        round: u64,
    },
    /// A leader sends a snapshot, because the entries that the receiver needs are compacted.
    ///
    /// Differs: the snapshot is one message, without Figure 13's `offset` and `done`.
    Snapshot {
        /// The snapshot.
        snapshot: Box<Snapshot>,
    },
    /// A leader asks the receiver to start an election at once (thesis §3.10).
    TimeoutNow,
    /// A follower asks the leader for the index that a read must wait for (thesis §6.4).
    ReadIndex {
        /// The follower's own name for the read.
        context: u64,
    },
    /// The leader's response to a follower's read.
    ReadIndexResponse {
        /// The name of the read in the request.
        context: u64,
        /// A state machine that has applied this entry may answer.
        index: Index,
    },
}

impl Message {
    /// Whether this may leave only when all of its [`Ready`](super::Ready) is on disk.
    ///
    /// A leader's requests promise nothing that a crash could break: what relies on its own copy of
    /// an entry leaves in a later `Ready`. Vote requests and most responses do make a promise.
    pub const fn waits_for_disk(&self) -> bool {
        !matches!(
            self.kind,
            Kind::Append { .. }
                | Kind::Heartbeat { .. }
                | Kind::Snapshot { .. }
                | Kind::TimeoutNow
                | Kind::ReadIndex { .. }
                | Kind::ReadIndexResponse { .. }
        )
    }

    /// Whether this is a response, so that the network's faults of replies apply to it.
    pub const fn is_response(&self) -> bool {
        matches!(
            self.kind,
            Kind::AppendResponse { .. }
                | Kind::RequestVoteResponse { .. }
                | Kind::RequestPreVoteResponse { .. }
                | Kind::HeartbeatResponse { .. }
                | Kind::ReadIndexResponse { .. }
        )
    }
}

impl Kind {
    /// Whether only the leader of its term sends this.
    pub(super) const fn is_from_leader(&self) -> bool {
        matches!(
            self,
            Kind::Append { .. } | Kind::Heartbeat { .. } | Kind::Snapshot { .. } | Kind::TimeoutNow
        )
    }
}

/// An input from a node's own clock or application. It has no term and never travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Local {
    /// Start an election: the election timeout has passed, or the application asks for it.
    Hup,
    /// The heartbeat interval has passed; only a leader reacts.
    Beat,
    /// The election timeout has passed on a leader: does it still have a majority (thesis §6.2)?
    CheckQuorum,
    /// Append a command to the log.
    Propose {
        /// The command, opaque to the core.
        data: Bytes,
    },
    /// Transfer leadership to another node (thesis §3.10).
    TransferLeader {
        /// The node to lead next.
        to: ServerId,
    },
    /// Find the index that a read must wait for (thesis §6.4).
    ReadIndex {
        /// The application's own name for the read.
        context: u64,
    },
}
