//! The interface that every design offers to the service above it.

use bytes::Bytes;

use super::{Index, Position, ServerId, Term};

/// A message from consensus to its service, over the apply channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyMsg {
    /// The next committed command. Indices are consecutive, from 1 or from a snapshot's end.
    Command {
        /// The command's place in the log.
        index: Index,
        /// Term in which the command was received.
        term: Term,
        /// The command itself.
        command: Bytes,
    },
    /// A state that replaces the service's own. It is never older than that one.
    Snapshot {
        /// The last entry that the snapshot covers.
        last_included: Position,
        /// The service's state, as the service encoded it.
        data: Bytes,
    },
}

/// The place that a command has if it is ever committed. It may never be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The leader's term when it accepted the command.
    pub term: Term,
    /// The index that the command has in the leader's log.
    pub index: Index,
}

/// The server does not lead, so it accepted and promised nothing: ask another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server does not lead, in term {term}; ask another one")]
pub struct NotLeader {
    /// The refusing server's current term, or its last one if it has stopped. A server that cannot
    /// tell says 0, which is older than any real term; the hint is then worthless.
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
    /// Returns at once: no call to a peer, no sleep. A killed instance refuses.
    ///
    /// # Errors
    /// [`NotLeader`]: nothing was appended; try the server in `leader_hint`, or any other.
    fn start(&self, command: Bytes) -> Result<Started, NotLeader>;

    /// The server's term, and whether it believes that it leads.
    fn get_state(&self) -> Leadership;

    /// Hands over the service's state up to `index`, so that the log up to there can be dropped.
    ///
    /// The task that reads the apply channel calls it. `index` is at most the last one sent there;
    /// an index that an earlier snapshot already covers is ignored.
    ///
    /// The call may return before the snapshot is stored. The design must store it soon, even on
    /// an idle server, since the bound on the stored log holds there, too. A crash in between is
    /// harmless: the log is still there.
    fn snapshot(&self, index: Index, data: Bytes);

    /// Returns an index: a service that has applied it may answer a read without a log entry.
    ///
    /// Blocks until leadership is confirmed. `Ok(None)` means: go through the log, since the
    /// design has no such path or cannot use it yet.
    ///
    /// # Errors
    /// [`NotLeader`]: leadership could not be confirmed; ask another server.
    fn read_index(&self) -> Result<Option<Index>, NotLeader> {
        Ok(None)
    }

    /// Stops the instance: its tasks end soon, and it refuses later calls. Idempotent; neither
    /// joins its tasks nor waits for a peer.
    fn kill(&self);
}
