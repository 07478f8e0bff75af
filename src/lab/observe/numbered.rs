//! The log indices of commands, for designs whose services number commands.

use super::shadow::TermLog;
use crate::api::{ApplyMsg, Index, Position};
use crate::lab::Numbering;

/// Translates the numbers that a service receives into indices of the log, which all rules use.
///
/// All servers apply the same commands, so the log of the first server that applies a command shows
/// the command's index. It is the first index after that of the previous command, without the
/// entries that begin a term.
#[derive(Debug)]
pub(super) struct Numbered {
    numbering: Numbering,
    /// The log index of each command that was applied; slot 0 has that of command 1.
    places: Vec<Index>,
}

impl Numbered {
    pub(super) fn new(numbering: Numbering) -> Numbered {
        Numbered { numbering, places: Vec::new() }
    }

    /// Whether services number entries, so that their indices are those of the log.
    pub(super) fn counts_entries(&self) -> bool {
        self.numbering == Numbering::Entries
    }

    /// Translates a message to the indices of the log; `log` is the log of the message's server.
    ///
    /// A number without a command in the log stays unchanged: the ledger reports it.
    pub(super) fn in_log(&mut self, msg: &ApplyMsg, log: &TermLog) -> ApplyMsg {
        let mut msg = msg.clone();
        if self.numbering == Numbering::Commands {
            let (ApplyMsg::Command { index, .. }
            | ApplyMsg::Snapshot { last_included: Position { index, .. }, .. }) = &mut msg;
            *index = self.place_of(*index, log).unwrap_or(*index);
        }
        msg
    }

    fn place_of(&mut self, command: Index, log: &TermLog) -> Option<Index> {
        let slot = usize::try_from(command.0.checked_sub(1)?).ok()?;
        if slot == self.places.len() {
            let before = self.places.last().copied().unwrap_or_default();
            self.places.push(next_command(before, log)?);
        }
        self.places.get(slot).copied()
    }

    /// Whether `log` has a command for the service after `delivered` and up to `index`.
    pub(super) fn is_owed(&self, delivered: Index, index: Index, log: &TermLog) -> bool {
        match self.numbering {
            Numbering::Entries => delivered < index,
            Numbering::Commands if delivered < log.base().index => delivered < index,
            Numbering::Commands => next_command(delivered, log).is_some_and(|next| next <= index),
        }
    }
}

/// The first entry after `index` that does not begin a term.
fn next_command(index: Index, log: &TermLog) -> Option<Index> {
    let mut next = index.next();
    while log.opens_a_term(next) {
        next = next.next();
    }
    log.term_at(next).map(|_| next)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::api::{Entry, Term};
    use crate::persister::Persisted;

    /// A log whose entries have these terms, from index 1 on.
    fn log(terms: &[u64]) -> TermLog {
        let entry = |(index, term): (u64, &u64)| Entry {
            term: Term(*term),
            index: Index(index),
            data: Bytes::new(),
        };
        let entries = (1..).zip(terms).map(entry).collect();
        TermLog::of(&Persisted { entries, ..Persisted::default() })
    }

    fn applied(numbered: &mut Numbered, command: u64, log: &TermLog) -> u64 {
        let term = Term(0);
        let msg = ApplyMsg::Command { index: Index(command), term, command: Bytes::new() };
        let ApplyMsg::Command { index, .. } = numbered.in_log(&msg, log) else { unreachable!() };
        index.0
    }

    #[test]
    fn commands_are_found_between_what_opens_terms() {
        let (mut numbered, log) = (Numbered::new(Numbering::Commands), log(&[1, 1, 1, 3, 4, 4]));
        let places: Vec<_> = (1..=3).map(|n| applied(&mut numbered, n, &log)).collect();
        assert_eq!(places, [2, 3, 6]);
        assert_eq!(applied(&mut numbered, 2, &TermLog::default()), 3, "known from the first log");
        assert_eq!(applied(&mut numbered, 4, &log), 4, "there is no fourth command");
    }

    #[test]
    fn what_opens_a_term_is_owed_to_nobody() {
        let (numbered, log) = (Numbered::new(Numbering::Commands), log(&[1, 1, 1, 3]));
        assert!(numbered.is_owed(Index(2), Index(4), &log), "entry 3 is a command");
        assert!(!numbered.is_owed(Index(3), Index(4), &log), "entry 4 begins term 3");
    }

    #[test]
    fn a_snapshot_that_was_not_delivered_is_owed() {
        let last_included = Position { term: Term(2), index: Index(5) };
        let opening = Entry { term: Term(3), index: Index(6), data: Bytes::new() };
        let entries = vec![opening];
        let log = TermLog::of(&Persisted { last_included, entries, ..Persisted::default() });
        let numbered = Numbered::new(Numbering::Commands);
        assert!(numbered.is_owed(Index(3), Index(5), &log), "the snapshot has entries 4 and 5");
        assert!(!numbered.is_owed(Index(3), Index(3), &log), "nothing after 3 was asked for");
        assert!(!numbered.is_owed(Index(5), Index(6), &log), "entry 6 begins term 3");
    }

    #[test]
    fn a_service_that_counts_entries_is_owed_every_one() {
        let (mut numbered, log) = (Numbered::new(Numbering::Entries), log(&[1, 1, 3]));
        assert_eq!(applied(&mut numbered, 3, &log), 3);
        assert!(numbered.is_owed(Index(2), Index(3), &log), "entry 3 is a command too");
    }
}
