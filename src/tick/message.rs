//! What nodes say to each other, and what a node is told by its own application.
//!
//! A [`Message`] travels and carries the sender's term. A [`Local`] does not travel and has no
//! term: it comes from the clock or from the application above, so there is nothing to compare.
//! They are two types, so that no network can hand a node somebody else's tick or command.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::storage::Snapshot;
use crate::api::{Entry, Index, Position, ServerId, Term};

/// A message between two nodes. Requests and responses alike: nothing waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The node that says it.
    pub from: ServerId,
    /// The node that it is for.
    pub to: ServerId,
    /// The sender's term; in a pre-vote the term that the sender would stand in.
    pub term: Term,
    /// What is said.
    pub kind: Kind,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A leader sends entries, or none, and tells how far its log is committed.
    Append {
        /// The entry before the first one sent; the receiver must have it.
        prev: Position,
        /// The entries that follow `prev`.
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
    },
    /// The answer to an append or a snapshot.
    AppendResponse {
        /// Up to where the logs are the same; in a rejection the refused `prev`'s index.
        index: Index,
        /// The last place at which the logs could agree, if `prev` was not there.
        rejection: Option<Position>,
    },
    /// A candidate asks for a vote.
    RequestVote {
        /// The last entry of the candidate's log.
        last: Position,
        /// Whether the old leader asked for this election, so that no lease stands against it.
        transfer: bool,
    },
    /// The answer to a candidate.
    RequestVoteResponse {
        /// Whether the candidate has the vote.
        granted: bool,
    },
    /// A node asks whether it would be elected in `term`, without standing yet (thesis §9.6).
    RequestPreVote {
        /// The last entry of the asker's log.
        last: Position,
    },
    /// The answer to a pre-vote. A grant repeats the term asked for, a refusal has its sender's.
    RequestPreVoteResponse {
        /// Whether the vote would be given.
        granted: bool,
    },
    /// A leader says that it lives. Carries no log position, so it repairs nothing by itself.
    Heartbeat {
        /// As far as the receiver may commit: never beyond what it is known to have.
        commit: Index,
        /// The newest round of reads that waits for an answer; 0 without one.
        round: u64,
    },
    /// The answer to a heartbeat.
    HeartbeatResponse {
        /// The heartbeat's own round.
        round: u64,
    },
    /// A leader sends its state, since the entries that led to it are gone.
    ///
    /// Differs: the snapshot is one message, without Figure 13's `offset` and `done`.
    Snapshot {
        /// The state.
        snapshot: Box<Snapshot>,
    },
    /// A leader asks the receiver to stand for election at once (thesis §3.10).
    TimeoutNow,
    /// A follower asks the leader up to where a read must wait (thesis §6.4).
    ReadIndex {
        /// The asker's own name for the read.
        context: u64,
    },
    /// The leader's answer to a follower's read.
    ReadIndexResponse {
        /// The name under which it was asked.
        context: u64,
        /// A state machine that has applied this entry may answer.
        index: Index,
    },
}

impl Message {
    /// Whether this may leave only when all of its [`Ready`](super::Ready) is on disk.
    ///
    /// A leader's requests promise nothing that a crash could break: its own copy of an entry
    /// counts only in a later `Ready`. Votes, candidacies and answers do promise something.
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

    /// Whether this answers a request, so that the faults of replies are its faults.
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
    /// Whether only the leader of its term says this.
    pub(super) const fn is_from_leader(&self) -> bool {
        matches!(
            self,
            Kind::Append { .. } | Kind::Heartbeat { .. } | Kind::Snapshot { .. } | Kind::TimeoutNow
        )
    }
}

/// What a node is told by its own clock and application. Has no term and never travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Local {
    /// Stand for election: the election timeout passed, or the application wants it.
    Hup,
    /// The heartbeat interval passed; only a leader cares.
    Beat,
    /// The election timeout passed on a leader: has it still a majority (thesis §6.2)?
    CheckQuorum,
    /// Take a command into the log.
    Propose {
        /// The command, opaque to the core.
        data: Bytes,
    },
    /// Hand leadership to another node (thesis §3.10).
    TransferLeader {
        /// The node to lead next.
        to: ServerId,
    },
    /// Find out up to where a read must wait (thesis §6.4).
    ReadIndex {
        /// The application's own name for the read.
        context: u64,
    },
}
