//! The rule that all servers apply the same entries.

use super::observer::{Judged, Observer};
use super::world::World;
use crate::api::hash;
use crate::api::{ApplyMsg, Index, Position, ServerId, Term};

/// "If a server has applied a log entry at a given index to its state machine, no other server
/// will ever apply a different log entry for the same index" (Figure 3; Raft §5.4.3).
///
/// The last entry of a leader's commit and the last entry of a snapshot must agree with the applied
/// entries, too.
#[derive(Default)]
pub(super) struct StateMachineSafety {
    /// The entry at each index; slot 0 is unused.
    entries: Vec<Option<Applied>>,
}

#[derive(Debug, Clone, Copy)]
struct Applied {
    term: Term,
    /// A hash of the command; `None` while only the term is known.
    hash: Option<u64>,
    by: ServerId,
}

impl Observer for StateMachineSafety {
    fn applied(&mut self, server: ServerId, msg: &ApplyMsg, _: &World) -> Judged {
        match msg {
            ApplyMsg::Command { index, term, command } => {
                let ours = Applied { term: *term, hash: Some(hash(command)), by: server };
                self.compare(*index, ours)
            }
            ApplyMsg::Snapshot { last_included, .. } => self.ends(server, *last_included),
        }
    }

    fn committed(&mut self, by: ServerId, _: Term, position: Position, _: &World) -> Judged {
        self.ends(by, position)
    }
}

impl StateMachineSafety {
    fn ends(&mut self, server: ServerId, at: Position) -> Judged {
        self.compare(at.index, Applied { term: at.term, hash: None, by: server })
    }

    fn compare(&mut self, index: Index, ours: Applied) -> Judged {
        let Ok(slot) = usize::try_from(index.0) else { return Ok(()) };
        // An absurd index must not make the list huge.
        if slot > self.entries.len() + GAP_MAX {
            return Ok(());
        }
        if slot >= self.entries.len() {
            self.entries.resize(slot + 1, None);
        }
        let theirs = self.entries[slot].get_or_insert(ours);
        if theirs.term != ours.term {
            return Err(format!(
                "at index {index} {} applied or committed an entry of term {}, but {} one of term \
                 {}",
                theirs.by, theirs.term, ours.by, ours.term
            ));
        }
        match (theirs.hash, ours.hash) {
            (Some(first), Some(second)) if first != second => Err(format!(
                "{} and {} applied different commands at {}/{index}",
                theirs.by, ours.by, ours.term
            )),
            (None, Some(_)) => {
                *theirs = ours;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The longest gap that one message may leave in the list: a snapshot skips some indices.
const GAP_MAX: usize = 1 << 22;
