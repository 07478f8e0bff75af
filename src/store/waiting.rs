//! The calls that wait: writes for their entries, reads for an index.

use std::collections::BTreeMap;

use crate::api::kv_rpc::Refused;
use crate::api::{Index, Position, Term};
use crate::runtime::channel::Sender;
use crate::tick::ReadState;

/// Where the outcome of a call is sent. An error of the channel means that the caller has given up.
pub(super) type Outcome = Sender<Result<(), Refused>>;

/// The clients' calls that wait for their outcome.
#[derive(Default)]
pub(super) struct Waiting {
    /// Writes, by the index that their entry was given when it was proposed.
    writes: BTreeMap<Index, (Term, Outcome)>,
    /// Reads whose leadership is not confirmed yet, by the number that the core knows them by.
    unconfirmed: BTreeMap<u64, Outcome>,
    /// Reads that may be answered once this index is applied.
    confirmed: BTreeMap<Index, Vec<Outcome>>,
    reads_begun: u64,
}

/// The outcome of a write whose place in the log another entry took: it is never applied.
const REPLACED: Refused = Refused { leader_hint: None, maybe_done: false };

/// The outcome of a write whose entry may have been applied, or may still be.
const UNKNOWN: Refused = Refused { leader_hint: None, maybe_done: true };

impl Waiting {
    /// Adds a write that waits for the entry it was given.
    pub(super) fn add_write(&mut self, position: Position, outcome: Outcome) {
        if let Some((_, earlier)) = self.writes.insert(position.index, (position.term, outcome)) {
            let _ = earlier.send(Err(UNKNOWN));
        }
    }

    /// Returns the number by which the core will know the next read.
    pub(super) const fn next_context(&mut self) -> u64 {
        self.reads_begun += 1;
        self.reads_begun
    }

    /// Adds a read under its number.
    pub(super) fn add_read(&mut self, context: u64, outcome: Outcome) {
        self.unconfirmed.insert(context, outcome);
    }

    /// Records the index that a read must wait for, as the core says.
    pub(super) fn confirm(&mut self, state: ReadState) {
        if let Some(outcome) = self.unconfirmed.remove(&state.context) {
            self.confirmed.entry(state.index).or_default().push(outcome);
        }
    }

    /// Answers the write that waits at an applied entry: it is done if that is its own entry.
    pub(super) fn answer_write(&mut self, position: Position) {
        if let Some((term, outcome)) = self.writes.remove(&position.index) {
            let _ = outcome.send(if term == position.term { Ok(()) } else { Err(REPLACED) });
        }
    }

    /// Answers the calls that wait for `index` or less: everything up to there is applied.
    ///
    /// A snapshot may have applied it, and then it is unknown which entries led to it.
    pub(super) fn answer_up_to(&mut self, index: Index) {
        while let Some(first) = self.writes.first_entry().filter(|first| *first.key() <= index) {
            let _ = first.remove().1.send(Err(UNKNOWN));
        }
        while let Some(first) = self.confirmed.first_entry().filter(|first| *first.key() <= index) {
            for outcome in first.remove() {
                let _ = outcome.send(Ok(()));
            }
        }
    }

    /// Refuses writes and unconfirmed reads: the server no longer leads, or leads in another term.
    ///
    /// A write may still be applied. A read may be retried without harm.
    pub(super) fn refuse_all(&mut self, refused: Refused) {
        let writes = std::mem::take(&mut self.writes).into_values().map(|(_, outcome)| outcome);
        for outcome in writes {
            let _ = outcome.send(Err(Refused { maybe_done: true, ..refused }));
        }
        for outcome in std::mem::take(&mut self.unconfirmed).into_values() {
            let _ = outcome.send(Err(Refused { maybe_done: false, ..refused }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::channel::{self, Receiver};

    fn at(term: u64, index: u64) -> Position {
        Position { term: Term(term), index: Index(index) }
    }

    /// A write that waits for an entry.
    fn write(waiting: &mut Waiting, position: Position) -> Receiver<Result<(), Refused>> {
        let (outcome, received) = channel::unbounded();
        waiting.add_write(position, outcome);
        received
    }

    #[test]
    fn a_write_is_done_when_its_own_entry_is_applied() {
        let mut waiting = Waiting::default();
        let received = write(&mut waiting, at(2, 7));
        waiting.answer_write(at(2, 6));
        assert!(received.try_recv().is_err(), "entry 6 is not its own");
        waiting.answer_write(at(2, 7));
        assert_eq!(received.try_recv(), Ok(Ok(())));
    }

    #[test]
    fn a_write_whose_place_was_taken_is_not_done_and_never_will_be() {
        let mut waiting = Waiting::default();
        let received = write(&mut waiting, at(2, 7));
        waiting.answer_write(at(3, 7));
        assert_eq!(received.try_recv(), Ok(Err(REPLACED)));
    }

    #[test]
    fn a_write_that_a_snapshot_passed_over_may_be_done() {
        let mut waiting = Waiting::default();
        let received = write(&mut waiting, at(2, 7));
        waiting.answer_up_to(Index(9));
        assert_eq!(received.try_recv(), Ok(Err(UNKNOWN)));
    }

    #[test]
    fn a_read_waits_until_it_is_confirmed_and_its_index_is_applied() {
        let mut waiting = Waiting::default();
        let (outcome, received) = channel::unbounded();
        let context = waiting.next_context();
        waiting.add_read(context, outcome);
        waiting.answer_up_to(Index(9));
        assert!(received.try_recv().is_err(), "the index that it must wait for is not known");
        waiting.confirm(ReadState { context, index: Index(10) });
        waiting.answer_up_to(Index(9));
        assert!(received.try_recv().is_err(), "entry 10 is not applied");
        waiting.answer_up_to(Index(10));
        assert_eq!(received.try_recv(), Ok(Ok(())));
    }

    #[test]
    fn who_leads_no_more_answers_all_but_confirmed_reads() {
        let mut waiting = Waiting::default();
        let written = write(&mut waiting, at(2, 7));
        let (outcome, read) = channel::unbounded();
        let context = waiting.next_context();
        waiting.add_read(context, outcome);
        waiting.refuse_all(Refused { leader_hint: None, maybe_done: false });
        assert_eq!(written.try_recv(), Ok(Err(UNKNOWN)), "the entry may still be committed");
        assert_eq!(read.try_recv(), Ok(Err(REPLACED)), "a read does nothing");
    }
}
