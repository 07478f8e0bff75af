//! The types of terms, indices, servers and entries.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A server of the cluster, `0..servers`; printed `S0`, `S1`, ….
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct ServerId(pub u32);

impl ServerId {
    /// The server's slot in a list with one slot per server.
    pub const fn slot(self) -> usize {
        self.0 as usize
    }

    /// The server that owns slot `slot`.
    ///
    /// # Panics
    /// When `slot` does not fit 32 bits; no cluster is that large.
    pub fn from_slot(slot: usize) -> ServerId {
        ServerId(u32::try_from(slot).expect("a cluster has fewer than 2^32 servers"))
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{}", self.0)
    }
}

/// A server or a client on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Host {
    /// A server of the cluster.
    Server(ServerId),
    /// A client, or any other host that only makes calls; printed `C0`, `C1`, ….
    Client(u32),
}

impl Host {
    /// The server, if it is one.
    pub const fn server(self) -> Option<ServerId> {
        match self {
            Host::Server(id) => Some(id),
            Host::Client(_) => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Server(id) => id.fmt(f),
            Host::Client(number) => write!(f, "C{number}"),
        }
    }
}

impl From<Host> for String {
    fn from(host: Host) -> String {
        host.to_string()
    }
}

/// Why a text is not the name of a host: it is neither `S` nor `C` with a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a server, such as S1, nor a client, such as C1")]
pub struct NoSuchHost(String);

impl FromStr for Host {
    type Err = NoSuchHost;

    /// Reads a host as it is printed.
    fn from_str(text: &str) -> Result<Host, NoSuchHost> {
        let refused = || NoSuchHost(text.to_string());
        let (kind, number) = text.split_at_checked(1).ok_or_else(refused)?;
        let number = number.parse().map_err(|_| refused())?;
        match kind {
            "S" => Ok(Host::Server(ServerId(number))),
            "C" => Ok(Host::Client(number)),
            _ => Err(refused()),
        }
    }
}

impl TryFrom<String> for Host {
    type Error = NoSuchHost;

    fn try_from(text: String) -> Result<Host, NoSuchHost> {
        text.parse()
    }
}

/// A term: the logical clock of Raft (§5.1). Term 0 is the time before the first election.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Term(pub u64);

impl Term {
    /// The term after this one.
    pub const fn next(self) -> Term {
        Term(self.0 + 1)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The number of an entry in the log. The first entry has index 1; 0 means "no entry".
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Index(pub u64);

impl Index {
    /// The index after this one.
    pub const fn next(self) -> Index {
        Index(self.0 + 1)
    }

    /// The index before this one; 0 stays 0.
    pub const fn prev(self) -> Index {
        Index(self.0.saturating_sub(1))
    }

    /// The index that is greater than this one by `count`.
    pub const fn plus(self, count: usize) -> Index {
        Index(self.0 + count as u64)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Term and index of an entry, such as a log's last: ordered by term, then index (Raft §5.4.1).
///
/// Written `term/index`: 4/17 is the entry of term 4 at index 17, and 0/0 is the place before the
/// first entry. Of two logs, the one with the greater last position is more up-to-date.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Position {
    /// Term in which the entry was made.
    pub term: Term,
    /// The entry's index in the log.
    pub index: Index,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.term, self.index)
    }
}

/// One entry of the log, in messages and in storage. A clone shares `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Term in which the leader received the command.
    pub term: Term,
    /// The entry's index in the log; the first entry has index 1.
    pub index: Index,
    /// The command, opaque to consensus. May be empty.
    pub data: Bytes,
}

impl Entry {
    /// Term and index of the entry.
    pub const fn position(&self) -> Position {
        Position { term: self.term, index: self.index }
    }
}

/// The smallest number of servers that is a majority of `servers`: more than half (Raft §5.2).
///
/// Any two majorities share at least one server: all of Raft's safety rests on this.
///
/// ```
/// use raftlab::api::quorum_size;
/// assert_eq!((quorum_size(1), quorum_size(4), quorum_size(5)), (1, 3, 3));
/// ```
pub const fn quorum_size(servers: usize) -> usize {
    servers / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_ordered_by_term_before_index() {
        let longer = Position { term: Term(1), index: Index(9) };
        let newer = Position { term: Term(2), index: Index(1) };
        assert!(newer > longer, "a newer last term wins over a longer log: {newer} {longer}");
    }

    #[test]
    fn no_entry_comes_before_index_zero() {
        assert_eq!(Index(0).prev(), Index(0));
    }
}
