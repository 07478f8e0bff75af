//! The notation that all scripts share, for the state of a server.
//!
//! `S1@2` is server 1 in term 2, an entry is `term/index`; a message is sent (`→`), held back (`⇢`)
//! or lost (`✗`); `⇨` is between an old value and the new one.

use super::api::{Entry, Index, Position, ServerId, Term};

/// The part of a server's state that a script shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    pub id: ServerId,
    pub term: Term,
    pub role: &'static str,
    pub last: Position,
    pub commit: Index,
}

impl Summary {
    pub(super) fn name(&self) -> String {
        format!("{}@{}", self.id, self.term)
    }

    /// The changes since `before`, one line each.
    pub(super) fn changes_since(&self, before: &Summary) -> String {
        let mut told = String::new();
        if (self.role, self.term) != (before.role, before.term) {
            let (was, is) = (before.role, self.role);
            told += &format!("{} {was} ⇨ {} {is}\n", before.name(), self.name());
        }
        if self.last != before.last {
            told += &format!("{} last {} ⇨ {}\n", self.name(), before.last, self.last);
        }
        if self.commit != before.commit {
            told += &format!("{} commit {} ⇨ {}\n", self.name(), before.commit, self.commit);
        }
        told
    }

    /// The log as a row of terms, with its commit index. `.` is one of the first `gone` entries,
    /// which a snapshot covers.
    pub(super) fn row<'a>(&self, gone: Index, entries: impl Iterator<Item = &'a Entry>) -> String {
        let gone = (0..gone.0).map(|_| ".".to_string());
        let terms: Vec<_> = gone.chain(entries.map(|entry| entry.term.to_string())).collect();
        let name = format!("{} {}", self.name(), self.role);
        let row = format!("{name:<19} {}  commit {}", terms.join(" "), self.commit);
        row.trim_end().to_string() + "\n"
    }
}

/// The positions of `entries`, after a space and a heading; nothing if there are none.
pub(super) fn entry_list<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let list: Vec<_> = entries.map(|entry| entry.position().to_string()).collect();
    if list.is_empty() { String::new() } else { format!(" entries={}", list.join(",")) }
}
