//! Reads without a log entry: when the service's state is new enough to answer (Raft §8;
//! thesis §6.4).
//!
//! A read must see every operation that was answered before the read came. A leader has all of
//! them in its log, but there are two things that it may not know:
//!
//! - *How far the log is committed.* The leader can be sure that entries of older terms are
//!   committed only once an entry of its own term is. Until then, reads go through the log.
//! - *Whether it still leads.* A deposed leader that is cut off does not hear of the entries that
//!   its successor commits. So it asks: if a majority replies, in its term, to calls that were made
//!   *after* the read came, then no successor had been elected before the read came. (A majority
//!   would have voted for the successor. Any two majorities share a server, and that server would
//!   reply in the newer term.)
//!
//! ```text
//! leader        x x x c . .        commit index c is noted, round 8 begins
//!                     │
//! round 8  ───────────┼── AppendEntries ──► S1, S2      made after the read
//!                     │◄─────── reply ───── S1          in our term, and with S1 we are
//!                     ▼                                 a majority: c is new enough
//! service       read when everything up to c is applied
//! ```
//!
//! Every AppendEntries, with or without entries, belongs to the round in which it is made. So reads
//! cost no extra messages under load; without load a heartbeat is sent at once. A reply confirms
//! its round and all rounds before it: reads that come while a call is in flight share the next.
//!
//! Differs: a read that comes before an entry of the leader's own term is committed goes through
//! the log; in the thesis, a new leader commits a no-op entry first (thesis §6.4).

use super::server::{Server, WaitingReads};
use super::state::{Progress, State};
use super::timing::READ_PATIENCE;
use crate::api::{Index, NotLeader, Term};
use crate::runtime::time::Instant;

/// A read that waits for a majority to confirm its leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PendingRead {
    /// The term that we led when the read came.
    term: Term,
    /// The commit index at that time: the service must have applied the log up to it.
    index: Index,
    /// The first round whose calls were made after the read came. The read waits while
    /// `confirmed_round()` is in `0..round`.
    round: u64,
}

impl Progress {
    /// Records that the follower replied to a call of `round`, and so knew us as its leader then.
    pub(super) fn confirm(&mut self, round: u64) {
        // keeps (a_confirmed_round_was_asked): because the follower was asked in `round`, or later.
        self.confirmed_round = self.confirmed_round.max(round);
    }
}

impl State {
    /// Starts a read (thesis §6.4, steps 1 and 2). `None` means that it must go through the log.
    ///
    /// # Errors
    /// [`NotLeader`]: ask the leader.
    pub(super) fn begin_read(&mut self) -> Result<Option<PendingRead>, NotLeader> {
        if !self.is_leader() {
            return Err(self.refusal());
        }
        // Step 1: "If the leader has not yet marked an entry from its current term committed, it
        // waits until it has done so." If no client writes, it would wait for ever.
        if self.log.term_at(self.commit_index) != Some(self.current_term) {
            return Ok(None);
        }
        // Step 2: "The leader saves its current commit index".
        self.read_round += 1;
        let (term, index) = (self.current_term, self.commit_index);
        Ok(Some(PendingRead { term, index, round: self.read_round }))
    }

    /// Returns the outcome of a read; `None` while there is none (thesis §6.4, step 3).
    pub(super) fn outcome_of(&self, read: &PendingRead) -> Option<Result<Index, NotLeader>> {
        if !self.is_leader() || self.current_term != read.term {
            return Some(Err(self.refusal()));
        }
        let confirmed = self.confirmed_round().is_some_and(|round| round >= read.round);
        confirmed.then_some(Ok(read.index))
    }

    /// Returns the last round that a majority has confirmed; `None` unless we lead.
    pub(super) fn confirmed_round(&self) -> Option<u64> {
        self.reached_by_majority(self.read_round, |follower| follower.confirmed_round)
    }

    /// Whether a follower of this leader must be asked again, for reads that came since it was last
    /// asked.
    ///
    /// The answer is no while the last such call is in flight: the reads that come meanwhile share
    /// the next one. If that call is lost, the next heartbeat asks again.
    pub(super) fn owes_a_read(&self, progress: &Progress) -> bool {
        progress.asked_round < self.read_round
            && progress.asked_round == progress.confirmed_round
            && !self.holds_for_majority(|follower| follower.confirmed_round >= self.read_round)
    }

    const fn refusal(&self) -> NotLeader {
        NotLeader { term: self.current_term, leader_hint: self.leader_id }
    }
}

impl WaitingReads {
    /// Counts a read that begins to wait. `confirmed` is the last round that a majority has
    /// confirmed.
    const fn begin(&mut self, confirmed: Option<u64>) {
        if self.count == 0 {
            self.seen_round = confirmed;
        }
        self.count += 1;
    }

    /// Counts a read that waits no longer.
    const fn end(&mut self) {
        self.count -= 1;
    }

    /// Returns whether the reads must be woken: whether another round was confirmed, or leadership
    /// ended, since the last wake-up.
    pub(super) fn take_news(&mut self, state: &State) -> bool {
        if self.count == 0 {
            return false;
        }
        let confirmed = state.confirmed_round();
        std::mem::replace(&mut self.seen_round, confirmed) != confirmed
    }
}

/// Waits until a majority confirms that we lead; see [`Consensus::read_index`].
///
/// [`Consensus::read_index`]: crate::api::Consensus::read_index
pub(super) fn run(server: &Server) -> Result<Option<Index>, NotLeader> {
    let mut guard = server.lock();
    let begun = guard.step(|state, _| state.begin_read());
    let Some(read) = begun.unwrap_or_else(|| Err(guard.refusal()))? else { return Ok(None) };
    let deadline = Instant::now() + READ_PATIENCE;
    loop {
        if let Some(outcome) = guard.outcome_of(&read) {
            return outcome.map(Some);
        }
        if server.stop.is_stopped() || Instant::now() >= deadline {
            return Err(NotLeader { term: guard.current_term, leader_hint: None });
        }
        let confirmed = guard.confirmed_round();
        guard.waiting_reads().begin(confirmed);
        guard.wait_until(&server.reads, deadline);
        guard.waiting_reads().end();
    }
}

#[cfg(test)]
mod tests {
    use super::super::replication::{Owed, Sent};
    use super::super::state::Effects;
    use super::super::testing::*;
    use super::*;
    use crate::api::ServerId;
    use crate::api::raft_rpc::AppendEntriesReply;

    /// The leader of term 4, one of `servers`, that has committed an entry of its term.
    fn settled(servers: usize) -> State {
        let mut state = leader(servers, 4, &[1, 4]);
        state.commit_index = Index(2);
        for follower in 1..servers {
            state.message_to(ServerId::from_slot(follower));
        }
        state
    }

    /// `follower` answers, in `term`, a call that was made in `round` of term 4.
    fn confirm(state: &mut State, follower: ServerId, round: u64, term: u64, success: bool) {
        let sent = Sent { read_round: round, ..sent(4, 2, 2) };
        let reply = AppendEntriesReply { term: Term(term), success, conflict: None };
        state.on_append_reply(follower, sent, &reply, &mut Effects::default());
    }

    fn begin(state: &mut State) -> PendingRead {
        state.begin_read().unwrap().expect("an entry of the term is committed")
    }

    #[test]
    fn a_read_is_answered_with_the_commit_index_at_its_arrival() {
        let mut state = settled(3);
        let read = begin(&mut state);
        state.commit_index = Index(9);
        confirm(&mut state, S1, 1, 4, true);
        assert_eq!(state.outcome_of(&read), Some(Ok(Index(2))));
    }

    #[test]
    fn an_answer_to_a_call_from_before_the_read_confirms_nothing() {
        let mut state = settled(3);
        let read = begin(&mut state);
        confirm(&mut state, S1, 0, 4, true);
        confirm(&mut state, S2, 0, 4, true);
        assert_eq!(state.outcome_of(&read), None, "a successor may have been elected since");
    }

    #[test]
    fn a_majority_must_confirm() {
        let mut state = settled(5);
        let read = begin(&mut state);
        confirm(&mut state, S1, 1, 4, true);
        assert_eq!(state.outcome_of(&read), None, "two of five");
        confirm(&mut state, S1, 1, 4, true);
        assert_eq!(state.outcome_of(&read), None, "the same two of five");
        confirm(&mut state, S2, 1, 4, true);
        assert_eq!(state.outcome_of(&read), Some(Ok(Index(2))));
    }

    #[test]
    fn a_refusal_for_want_of_entries_confirms_too() {
        let mut state = settled(3);
        let read = begin(&mut state);
        confirm(&mut state, S1, 1, 4, false);
        assert_eq!(state.outcome_of(&read), Some(Ok(Index(2))), "it knows us as its leader");
    }

    #[test]
    fn an_answer_of_another_term_confirms_nothing() {
        let mut state = settled(3);
        let read = begin(&mut state);
        confirm(&mut state, S1, 1, 0, false);
        assert_eq!(state.outcome_of(&read), None, "an instance that stopped replies with term 0");
        confirm(&mut state, S1, 1, 5, false);
        assert!(matches!(state.outcome_of(&read), Some(Err(_))), "a newer term deposes us");
    }

    #[test]
    fn a_read_does_not_outlive_its_term() {
        let mut state = settled(3);
        let read = begin(&mut state);
        let mut again = leader(3, 6, &[1, 4, 6]);
        again.read_round = 7;
        assert!(matches!(again.outcome_of(&read), Some(Err(_))), "it came in term 4");
    }

    #[test]
    fn before_an_entry_of_the_own_term_is_committed_reads_go_through_the_log() {
        let mut state = leader(3, 4, &[1, 4]);
        assert_eq!(state.begin_read(), Ok(None), "nothing is committed");
        state.commit_index = Index(1);
        assert_eq!(state.begin_read(), Ok(None), "1/1 is committed, and 4/2 may be");
    }

    #[test]
    fn only_a_leader_takes_a_read() {
        let mut state = follower(3, &[3]);
        state.commit_index = Index(1);
        state.follow(S2, &mut Effects::default());
        let refused = state.begin_read();
        assert_eq!(refused, Err(NotLeader { term: Term(3), leader_hint: Some(S2) }));
    }

    #[test]
    fn a_server_alone_confirms_itself() {
        let mut state = settled(1);
        let read = begin(&mut state);
        assert_eq!(state.outcome_of(&read), Some(Ok(Index(2))));
    }

    #[test]
    fn a_read_asks_everybody_at_once_and_later_ones_go_together() {
        let mut state = settled(3);
        assert_eq!(state.owed_to(S1), Owed::Nothing);
        begin(&mut state);
        assert_eq!((state.owed_to(S1), state.owed_to(S2)), (Owed::Message, Owed::Message));
        assert_eq!(append(&mut state).entries, []);
        begin(&mut state);
        begin(&mut state);
        assert_eq!(state.owed_to(S1), Owed::Nothing, "one question at a time");
        confirm(&mut state, S1, 1, 4, true);
        assert_eq!(state.owed_to(S1), Owed::Message, "the two that came meanwhile");
        append(&mut state);
        confirm(&mut state, S1, 3, 4, true);
        assert_eq!(state.owed_to(S2), Owed::Nothing, "a majority has confirmed all three");
    }

    #[test]
    fn waiting_reads_are_woken_once_by_each_round_and_by_the_end_of_leadership() {
        let mut state = settled(3);
        begin(&mut state);
        let mut reads = WaitingReads::default();
        assert!(!reads.take_news(&state), "no read waits");

        reads.begin(state.confirmed_round());
        assert!(!reads.take_news(&state), "no round was confirmed since");
        confirm(&mut state, S1, 1, 4, true);
        assert!(reads.take_news(&state), "round 1 is confirmed");
        assert!(!reads.take_news(&state), "they were woken for round 1");
        state.observe_term(Term(5), S1, &mut Effects::default());
        assert!(reads.take_news(&state), "a follower's reads are refused");

        reads.end();
        assert!(!reads.take_news(&leader(3, 6, &[1])), "no read waits any more");
    }

    #[test]
    fn entries_confirm_as_well_as_heartbeats() {
        let mut state = settled(3);
        s1(&mut state).next_index = Index(3);
        state.start(bytes::Bytes::new(), &mut Effects::default()).unwrap();
        begin(&mut state);
        assert_eq!(append(&mut state).entries.len(), 1);
        assert_eq!(s1(&mut state).asked_round, 1);
    }
}
