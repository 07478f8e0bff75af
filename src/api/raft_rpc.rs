//! The three calls between servers, in the paper's own names (Figures 2 and 13).
//!
//! ```text
//! candidate ── RequestVote ─────► every peer   "may I lead term 5? my log ends at 4/17"
//! leader    ── AppendEntries ───► a follower   "after 4/17 comes this; 16 is committed"
//! leader    ── InstallSnapshot ─► a follower   "the entries you lack are gone: take the state"
//! ```
//!
//! An entry is written `term/index`: 4/17 is the entry of term 4 at index 17.
//!
//! A reply and its request together have all that the caller needs to judge the reply. So a reply
//! that arrives seconds late, in another term, is harmless. A server that was killed, or whose
//! storage failed, has stopped: it replies with term 0 and a refusal, and the caller ignores the
//! reply. An [`InstallSnapshotReply`] has no field for a refusal: its term 0 alone is the refusal.
//! [`RaftRpc`] is a tarpc service: its client runs over the simulated network and over TCP alike.
//!
//! Read next: a server's state in `raft/state.rs`, then its handlers.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Entry, Index, Position, ServerId, Term};

/// tarpc's context, which each call carries besides its arguments. A handler may ignore it; a
/// caller makes one with [`labrpc::context`](crate::labrpc::context).
pub use tarpc::context::Context;

/// A candidate's request for a vote (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestVoteArgs {
    /// The candidate's term.
    pub term: Term,
    /// The candidate that asks for the vote.
    pub candidate_id: ServerId,
    /// Index of the candidate's last entry (Raft §5.4.1).
    pub last_log_index: Index,
    /// Term of the candidate's last entry (Raft §5.4.1).
    pub last_log_term: Term,
}

impl RequestVoteArgs {
    /// The end of the candidate's log.
    pub const fn last_log(&self) -> Position {
        Position { term: self.last_log_term, index: self.last_log_index }
    }
}

/// The reply to a [`RequestVoteArgs`] (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestVoteReply {
    /// The voter's term, for the candidate to update itself.
    pub term: Term,
    /// Whether the candidate got the vote.
    pub vote_granted: bool,
}

/// A leader's request to append entries; without entries it is a heartbeat (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendEntriesArgs {
    /// The leader's term.
    pub term: Term,
    /// The leader, so that followers can redirect clients.
    pub leader_id: ServerId,
    /// Index of the entry just before the new ones.
    pub prev_log_index: Index,
    /// Term of that entry.
    pub prev_log_term: Term,
    /// The new entries, consecutive from `prev_log_index + 1`; may be empty.
    pub entries: Vec<Entry>,
    /// The leader's commit index.
    pub leader_commit: Index,
}

impl AppendEntriesArgs {
    /// The entry just before the new ones.
    pub const fn prev_log(&self) -> Position {
        Position { term: self.prev_log_term, index: self.prev_log_index }
    }

    /// Index of the last new entry; `prev_log_index` when there is none.
    ///
    /// A reply with `success` means that the follower's log equals the leader's up to this index.
    /// It says nothing of later entries.
    pub fn last_new_index(&self) -> Index {
        self.prev_log_index.plus(self.entries.len())
    }
}

/// The reply to an [`AppendEntriesArgs`] (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendEntriesReply {
    /// The follower's term, for the leader to update itself.
    pub term: Term,
    /// Whether the follower's log now agrees with the leader's up to the last new entry.
    pub success: bool,
    /// A hint where the logs differ, if the consistency check failed; may be left out. `None` if
    /// `success` is true, and in the reply to a leader of an older term.
    pub conflict: Option<Conflict>,
}

/// A hint from the follower, so that the leader backs up by terms rather than by entries
/// (lab: fast backup; Raft §5.3).
///
/// ```text
///              1  2  3  4  5
/// leader       4  4  6  6  6      prev = 6/4
/// follower a   4  5  5  5         term 5, index 2: its term at `prev`, and where that term begins
/// follower b   4                  no term, index 2: its log is too short and ends before 2
/// ```
///
/// A design may send less precise hints. Two things are required: `index` lies in
/// `1..=prev_log_index`, so that a leader that continues there moves back; and `term` is the
/// follower's own term at `prev_log_index`, or left out. A leader without a hint moves back one
/// entry at a time (Figure 2: "decrement nextIndex and retry"), which is correct, but too slow for
/// the long logs of part 2C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Term of the follower's own entry at `prev_log_index`; `None` if its log ends before that.
    pub term: Option<Term>,
    /// First index of that term in the follower's log, or the index after the log's end.
    pub index: Index,
}

/// A leader's request to replace a follower's state by a snapshot (Figure 13).
///
/// Differs: the snapshot is sent in one piece, so Figure 13's `offset` and `done` are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSnapshotArgs {
    /// The leader's term.
    pub term: Term,
    /// The leader, so that followers can redirect clients.
    pub leader_id: ServerId,
    /// Index of the last entry that the snapshot replaces.
    pub last_included_index: Index,
    /// Term of that entry.
    pub last_included_term: Term,
    /// The service's state, as the service encoded it.
    pub data: Bytes,
}

impl InstallSnapshotArgs {
    /// The last entry that the snapshot replaces.
    pub const fn last_included(&self) -> Position {
        Position { term: self.last_included_term, index: self.last_included_index }
    }
}

/// The reply to an [`InstallSnapshotArgs`] (Figure 13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSnapshotReply {
    /// The follower's term, for the leader to update itself. Term 0: the follower has stopped and
    /// did not install the snapshot.
    pub term: Term,
}

/// The calls that every server answers for its peers.
///
/// A call cannot return an error, so a server that has stopped replies with term 0, without success
/// or vote. The caller treats this as "no reply": if a reply's term is below its request's term,
/// the reply means nothing, whatever its other fields are. [`InstallSnapshotReply`] has no other
/// field.
///
/// A handler may wait, also for a lock or a channel: on the simulated network each call has a task
/// of its own, and other calls continue meanwhile. Over tokio (`examples/tcp.rs`) a handler runs on
/// one of tokio's threads. While it waits for a lock or a channel, it blocks all other work of that
/// thread, so it must be short, or use tokio's `spawn_blocking`.
#[tarpc::service]
pub trait RaftRpc {
    /// Asks for a vote (Raft §5.2).
    async fn request_vote(args: RequestVoteArgs) -> RequestVoteReply;
    /// Replicates entries; without entries, it is a heartbeat (Raft §5.3).
    async fn append_entries(args: AppendEntriesArgs) -> AppendEntriesReply;
    /// Replaces the state of a follower that lags behind the start of the leader's log (Raft §7).
    async fn install_snapshot(args: InstallSnapshotArgs) -> InstallSnapshotReply;
}
