//! What a service above a [`Consensus`](super::Consensus) promises, and what it is asked for.
//!
//! A state machine is a function from states and operations to states and outputs. A replicated
//! one puts each operation into the log, applies what comes out, and tells whoever submitted it
//! what came of it, or how much is known.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::NotLeader;

/// What is replicated: a function from states and operations to states and outputs.
///
/// Every server applies the same operations in the same order, so whatever `apply` does must
/// follow from the state and the operation alone: no clock, no chance, no unordered map.
pub trait StateMachine: Send + 'static {
    /// What clients ask for, as it stands in the log.
    type Op: Serialize + DeserializeOwned;
    /// What they are answered.
    type Output: Send + 'static;

    /// Carries out one operation.
    fn apply(&mut self, op: Self::Op) -> Self::Output;

    /// Answers `op` from the present state if it changes nothing; `None` sends it through the log.
    fn read(&self, op: &Self::Op) -> Option<Self::Output> {
        let _ = op;
        None
    }

    /// The whole state, encoded.
    fn snapshot(&self) -> Bytes;

    /// Puts the state in `snapshot` in the place of the present one.
    ///
    /// # Errors
    /// [`RestoreError`]: it is not what [`snapshot`](StateMachine::snapshot) returned. Do not use
    /// the machine any more.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError>;
}

/// A snapshot is not what a state machine of this kind made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot of {bytes} bytes cannot be read: {what}; do not start a server from it")]
pub struct RestoreError {
    /// How long the snapshot is.
    pub bytes: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Why an operation has no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitError {
    /// The server does not lead. The operation was *not* taken: ask another server.
    NotLeader(NotLeader),
    /// Another leader's entry took its place. It was *not* and never will be applied: ask again.
    Replaced,
    /// The server led and does not any more. The operation *may* be applied, now or later: ask
    /// again, in a way that does no harm if it was.
    LeadershipLost,
    /// The instance was killed. The operation *may* be applied, by the other servers.
    Stopped,
}

/// How reads are answered. Both ways are linearizable; see `docs/decisions/reads.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reads {
    /// As an entry of the log, like everything else.
    ThroughLog,
    /// From the state, once the leader has made sure that it still leads (thesis §6.4); through
    /// the log where the design has no such way. Half the price of an entry.
    #[default]
    ReadIndex,
}

/// What may be chosen about a replicated state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RsmConfig {
    /// How many bytes the raft state may have before a snapshot is taken; `None`: as many as it
    /// likes.
    pub raft_state_max: Option<usize>,
    /// How reads are answered.
    pub reads: Reads,
}

/// Why a versioned put did not succeed, or may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutError {
    /// The key has another version. The put has *not* happened.
    Version,
    /// The key is missing, though a version was expected. The put has *not* happened.
    NoKey,
    /// The key has another version or is missing, but that was the answer to a later copy of the
    /// put: it *may* have happened.
    ///
    /// Where the key is past the version that was expected, this is decided, and what is read from
    /// now on shows what became of it. Where the key has not come to that version, the put has not
    /// happened, but it *may yet*: an earlier copy that is still under way is carried out if the
    /// key has the version when it arrives. No read rules that out.
    Maybe,
}
