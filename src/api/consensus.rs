//! What every design promises to the service above it.

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
    /// A state that replaces the service's own. Only ever forward.
    Snapshot {
        /// The last entry that the snapshot covers.
        last_included: Position,
        /// The service's state, as the service encoded it.
        data: Bytes,
    },
}

/// Where a command will stand if it is ever committed. Not a promise that it will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The leader's term when it took the command.
    pub term: Term,
    /// The index that the command has in the leader's log.
    pub index: Index,
}

/// The server does not lead, so nothing was taken and nothing promised: ask another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLeader {
    /// The term the refusing server is in, or the last that it was in if it has stopped. A server
    /// that cannot tell says 0, which is older than any: the hint then counts for nothing.
    pub term: Term,
    /// The leader of that term, where the server has heard from it. A hint: it may be deposed.
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
/// Object safe, and used as `Arc<dyn Consensus>`. A constructor is not part of it: that names
/// network ends, a persister and a channel.
pub trait Consensus: Send + Sync + 'static {
    /// Takes a command into the log if this server leads.
    ///
    /// Returns at once: no call to a peer, no sleep. A killed instance refuses.
    ///
    /// # Errors
    /// [`NotLeader`]: nothing was taken; try the server in `leader_hint`, or any other.
    fn start(&self, command: Bytes) -> Result<Started, NotLeader>;

    /// The server's term, and whether it believes that it leads.
    fn get_state(&self) -> Leadership;

    /// Says that the service's state up to `index` is in `data`, so that the log may drop it.
    ///
    /// Called by the task that reads the apply channel. `index` is at most the last one sent
    /// there; an index that an earlier snapshot already covers is ignored.
    ///
    /// That it returned does not mean that the snapshot is stored: that must be so soon, also if
    /// nothing else happens, since the bound on the stored log is about idle servers, too. A crash
    /// in between costs nothing, for the log is still there.
    fn snapshot(&self, index: Index, data: Bytes);

    /// An index such that a service that has applied it may answer a read without a log entry.
    ///
    /// Blocks until leadership is confirmed. `Ok(None)`: the design has no such path, go through
    /// the log.
    ///
    /// # Errors
    /// [`NotLeader`]: leadership could not be confirmed; ask another server.
    fn read_index(&self) -> Result<Option<Index>, NotLeader> {
        Ok(None)
    }

    /// Stops the instance: its tasks end soon, its calls refuse. Idempotent; never joins, never
    /// waits for a peer.
    fn kill(&self);
}
