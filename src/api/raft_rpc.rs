//! The three calls between servers, in the paper's own names (Figures 2 and 13).
//!
//! ```text
//! candidate ── RequestVote ─────► everybody    "may I lead term 5? my log ends at 4/17"
//! leader    ── AppendEntries ───► a follower   "after 4/17 comes this; 16 is committed"
//! leader    ── InstallSnapshot ─► a follower   "what you lack I no longer have: take the state"
//! ```
//!
//! Arguments carry everything that an answer must be judged by, so that an answer which arrives
//! seconds late, in another term, does no harm. A server that has stopped, since it was killed or
//! its storage failed, answers in term 0 and refuses: that promises nothing. An
//! [`InstallSnapshotReply`] cannot refuse, so term 0 is all that it can say. [`RaftRpc`] is a tarpc
//! service: its client runs over the simulated network and over TCP alike.
//!
//! Read next: `request_vote.rs`, `append_entries.rs` and `install_snapshot.rs` for the receivers.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Entry, Index, Position, ServerId, Term};

/// What each call carries beside its arguments: tarpc's. A handler may ignore it; a caller makes
/// one with [`labrpc::context`](crate::labrpc::context).
pub use tarpc::context::Context;

/// What a candidate says when it asks for a vote (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestVoteArgs {
    /// The candidate's term.
    pub term: Term,
    /// The candidate that asks.
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

/// The answer to a [`RequestVoteArgs`] (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestVoteReply {
    /// The voter's term, for the candidate to update itself.
    pub term: Term,
    /// Whether the candidate got the vote.
    pub vote_granted: bool,
}

/// What a leader says to replicate its log; without entries a heartbeat (Figure 2).
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
    /// A follower that answers `success` has the leader's log up to here, and no further promise.
    pub fn last_new_index(&self) -> Index {
        self.prev_log_index.plus(self.entries.len())
    }
}

/// The answer to an [`AppendEntriesArgs`] (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendEntriesReply {
    /// The follower's term, for the leader to update itself.
    pub term: Term,
    /// Whether the follower's log now agrees with the leader's up to the last new entry.
    pub success: bool,
    /// Where the logs part, if `success` is false for want of the entry before the new ones; may
    /// be left out. `None` with a success, and in the answer to a leader of an older term.
    pub conflict: Option<Conflict>,
}

/// How far a follower's log is from the leader's, so that the leader backs up by terms rather
/// than by entries (lab: fast backup; Raft §5.3).
///
/// ```text
///              1  2  3  4  5
/// leader       4  4  6  6  6      prev = 6/4
/// follower a   4  5  5  5         term 5, index 2: its term at `prev`, and where that begins
/// follower b   4                  no term, index 2: too short, this is its first free place
/// ```
///
/// What is required is less: where there is a conflict, `index` lies in `1..=prev_log_index`, so
/// that a leader who goes on there goes back; and `term` is the follower's own at `prev_log_index`
/// or left out. A leader without any goes back an entry at a time (Figure 2: "decrement nextIndex
/// and retry"), which is right, and too slow for long logs: part 2C asks for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Term of the follower's own entry at `prev_log_index`; `None` if its log ends before that.
    pub term: Option<Term>,
    /// First index of that term in the follower's log, or the index after the log's end.
    pub index: Index,
}

/// What a leader says to replace a follower's state by a snapshot (Figure 13).
///
/// Differs: the snapshot travels whole, so Figure 13's `offset` and `done` are left out.
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

/// The answer to an [`InstallSnapshotArgs`] (Figure 13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSnapshotReply {
    /// The follower's term, for the leader to update itself. Term 0: the follower has stopped, and
    /// did not take the snapshot.
    pub term: Term,
}

/// What every server answers to its peers.
///
/// A call has no refusal, so a server that has stopped answers in term 0, without success or vote.
/// That means "no answer": a reply of a term below its request's promises nothing, whatever else
/// it says. [`InstallSnapshotReply`] has nothing else; there the term alone tells.
///
/// A handler may wait, also for a lock or a channel: on the simulated network each call has a
/// task of its own, and others go on meanwhile. Over tokio (`examples/tcp.rs`) a handler runs on
/// one of tokio's threads, and while it waits for a lock or a channel, nothing else there does: it
/// must be short, or hand over to tokio's `spawn_blocking`.
#[tarpc::service]
pub trait RaftRpc {
    /// Asks for a vote (Raft §5.2).
    async fn request_vote(args: RequestVoteArgs) -> RequestVoteReply;
    /// Replicates entries; also the heartbeat (Raft §5.3).
    async fn append_entries(args: AppendEntriesArgs) -> AppendEntriesReply;
    /// Replaces a state that lags too far behind the log (Raft §7).
    async fn install_snapshot(args: InstallSnapshotArgs) -> InstallSnapshotReply;
}
