//! The interface that every design offers to its service.

use bytes::Bytes;

use super::{Index, Position, ServerId, Term};

/// A message from consensus to its service, over the apply channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyMsg {
    /// The next committed command. Indices are consecutive, from 1 or from a snapshot's end.
    Command {
        /// The command's index.
        index: Index,
        /// Term in which a leader received the command.
        term: Term,
        /// The command itself.
        command: Bytes,
    },
    /// A state that replaces the service's own state, and is never older.
    Snapshot {
        /// The last entry that the snapshot covers.
        last_included: Position,
        /// The service's state, as the service encoded it.
        data: Bytes,
    },
}

/// The index that an accepted command has if it is committed, which may never happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The leader's term when it accepted the command.
    pub term: Term,
    /// The command's index.
    pub index: Index,
}

/// The server does not lead, so it did not accept the request: ask another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server does not lead, in term {term}; ask another one")]
pub struct NotLeader {
    /// The refusing server's current term, or its last term if it has stopped. 0, which is older
    /// than any real term, means that the server does not know its term; then ignore the hint.
    pub term: Term,
    /// The leader of that term, if the server has heard from it. A hint: it may be deposed.
    pub leader_hint: Option<ServerId>,
}

/// Whether a server believes that it leads, and in which term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leadership {
    /// The server's current term.
    pub term: Term,
    /// Whether the server leads in that term, as far as it knows.
    pub is_leader: bool,
}

/// One server of a replicated log, whatever its design.
///
/// Object safe, and used as `Arc<dyn Consensus>`. It has no constructor: each design needs its own
/// kind of network ends, persister and channel.
pub trait Consensus: Send + Sync + 'static {
    /// Appends a command to the log if this server leads.
    ///
    /// Returns at once: it neither calls a peer nor sleeps. A killed instance refuses.
    ///
    /// # Errors
    /// [`NotLeader`]: nothing was appended; try the server in `leader_hint`, or any other.
    fn start(&self, command: Bytes) -> Result<Started, NotLeader>;

    /// The server's term, and whether it believes that it leads.
    fn get_state(&self) -> Leadership;

    /// Hands over the service's state up to `index`, so that the log up to there can be dropped.
    ///
    /// The task that reads the apply channel makes this call. `index` is at most the last index
    /// that was sent over the channel. The call is ignored if an earlier snapshot already covers
    /// `index`.
    ///
    /// The call may return before the snapshot is stored. The design must store it soon, even on an
    /// idle server, since the limit on the stored log holds for idle servers, too. A crash before
    /// the snapshot is stored is harmless, since the log is still stored.
    fn snapshot(&self, index: Index, data: Bytes);

    /// Returns a read index: a service that has applied it may answer a read without a log entry.
    ///
    /// Blocks until leadership is confirmed. `Ok(None)`: the read must be an entry of the log,
    /// since the design has no read index, or cannot use one yet.
    ///
    /// # Errors
    /// [`NotLeader`]: leadership could not be confirmed; ask another server.
    fn read_index(&self) -> Result<Option<Index>, NotLeader> {
        Ok(None)
    }

    /// Stops the instance: its tasks end soon, and it refuses later calls. Idempotent. The call
    /// neither joins the tasks nor waits for a peer.
    fn kill(&self);
}
