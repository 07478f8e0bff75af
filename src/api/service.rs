//! The interface of a service above a [`Consensus`](super::Consensus), with its errors and options.
//!
//! A state machine is a function from states and operations to states and outputs. A replicated
//! state machine puts each operation into the log, applies the entries that are committed, and
//! returns the outcome, as far as it knows, to the task that submitted the operation.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::NotLeader;

/// A state machine to replicate: a function from states and operations to states and outputs.
///
/// Every server applies the same operations in the same order, so everything that `apply` does must
/// follow from the state and the operation alone: no clock, no randomness, no unordered map.
pub trait StateMachine: Send + 'static {
    /// An operation that clients ask for, as it is written to the log.
    type Op: Serialize + DeserializeOwned;
    /// The answer that a client gets.
    type Output: Send + 'static;

    /// Carries out one operation.
    fn apply(&mut self, op: Self::Op) -> Self::Output;

    /// Answers `op` from the current state, if `op` changes nothing. `None`: `op` must be an entry
    /// of the log.
    fn read(&self, op: &Self::Op) -> Option<Self::Output> {
        let _ = op;
        None
    }

    /// Returns the whole state, encoded.
    fn snapshot(&self) -> Bytes;

    /// Replaces the current state by the one in `snapshot`.
    ///
    /// # Errors
    /// [`RestoreError`]: the bytes did not come from [`snapshot`](StateMachine::snapshot). Do not
    /// use the state machine any more.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError>;
}

/// The bytes are not a snapshot of this kind of state machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot of {bytes} bytes cannot be read: {what}; do not start a server from it")]
pub struct RestoreError {
    /// Length of the snapshot.
    pub bytes: usize,
    /// What is wrong with the snapshot.
    pub what: String,
}

/// Why an operation has no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The server does not lead. It did *not* accept the operation: ask another server.
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
    /// Another leader's entry replaced the operation's entry. The operation was *not* applied and
    /// never will be: submit it again.
    #[error("another leader's entry replaced the operation, which did not happen: submit it again")]
    Replaced,
    /// The server no longer leads. The operation *may* be applied, now or later: submit it again in
    /// a way that is harmless if the first copy is applied too.
    #[error("the server no longer leads; the operation may happen")]
    LeadershipLost,
    /// The instance was killed. The other servers *may* apply the operation.
    #[error("the server was killed; the operation may happen on the others")]
    Stopped,
}

/// How reads are answered. Both ways are linearizable; see `docs/decisions/reads.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reads {
    /// A read is an entry of the log, like every other operation.
    ThroughLog,
    /// The leader answers from its state, once it has made sure that it still leads (thesis §6.4).
    /// A read costs half as much as an entry. If the design has no read index, reads are entries.
    #[default]
    ReadIndex,
}

/// Options of a replicated state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RsmConfig {
    /// Size of the raft state, in bytes, above which the service takes a snapshot; `None`: no
    /// limit.
    pub raft_state_max: Option<usize>,
    /// How reads are answered.
    pub reads: Reads,
}

/// Why a versioned put did not succeed, or may not have succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The key has another version. The put did *not* happen.
    #[error("the key has another version; the put did not happen")]
    Version,
    /// The key is missing, though the put expected a version. The put did *not* happen.
    #[error("the key is missing; the put did not happen")]
    NoKey,
    /// The last copy of the put was refused, since the key has another version or is missing. But
    /// an earlier copy *may* have happened.
    ///
    /// If the key is past the expected version, the outcome is final, and later reads show it. If
    /// the key has not reached that version, the put has not happened, but it *may yet*: an earlier
    /// copy that is still in flight happens if the key has the version when the copy arrives. No
    /// read can rule that out.
    #[error("the put may have happened, or may yet happen")]
    Maybe,
}
