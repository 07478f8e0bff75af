//! The search for an order of one key's operations that explains every answer.
//!
//! The search builds the order step by step: to *place* an operation is to append it to the order.
//! What the search has reached is a *configuration*. It has three parts:
//!
//! - the *level*: the number of the first return whose operation is not placed;
//! - the placed operations among those that overlap this return;
//! - the state after the placed operations.
//!
//! ```text
//! level 2 ─────────────┐            a and b have returned before: both are placed
//! a  ├────┤            │            c returns next: it must be placed to reach level 3
//! b     ├─────┤        │            d may be placed before c, or after
//! c         ├──────────┤            e must not be placed before c: c precedes e
//! d              ├─────────────┤
//! e                       ├────┤
//! ```
//!
//! Two orders that lead to the same configuration can be continued in the same ways. So the search
//! visits each configuration only once. A configuration is small, however long the history is.
//!
//! An operation is *answered* if it has an answer that counts, and *open* otherwise. An answered
//! operation must be placed; an open operation may be left out.

mod sight;
mod trail;

use super::longest::Longest;
use super::memo::{Memo, States};
use super::model::Model;
use super::part::Part;
use super::pending::{END, Pending};
use sight::{Providers, Shown};
use trail::Placement;

/// Whether a search has ended, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is an order: the one in [`Search::placed`].
    Found,
    /// There is no order.
    Impossible,
    /// Not known yet.
    Going,
}

/// One search. It can be interrupted at any time and continued later.
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    pub part: Part<'a, M>,
    states: States<M::State>,
    shown: Vec<Shown>,
    memo: Memo,
    /// The current configuration, as the memo stores it. The first word has the level and the
    /// state. Then comes a bit per slot: it is set if a placed operation of the slot returns after
    /// this level. Then comes a bit per open operation: it is set if the operation is placed, or
    /// can no longer be placed.
    row: Vec<u64>,
    /// Number of words of `row` before the bits of open operations.
    exact: usize,
    level: usize,
    /// The answered operations that are not placed.
    answered: Pending,
    /// The open operations that can still be placed.
    open: Pending,
    /// For each answered operation, whether it is placed.
    is_placed: Vec<bool>,
    /// For each open operation, whether it is placed, or was ruled out before the search began.
    is_used: Vec<bool>,
    /// Number of deadlines that have passed. A deadline is the return of an open operation whose
    /// answer does not count.
    expired: usize,
    /// All placed operations, in order.
    trail: Vec<Placement>,
    frames: Vec<Frame>,
    /// For each answered operation, the operations that can make its answer right, once known.
    providers: Vec<Providers>,
    /// Number of steps: each tries one operation in one state.
    pub steps: u64,
    /// Number of looks at operations that are not counted in `steps` yet.
    looks: u64,
    began: bool,
    /// The highest level so far, or the rank of a later answer that was found impossible.
    deepest: usize,
    pub longest: Option<Longest>,
}

/// A configuration on the way to the current one, and what was tried from there.
struct Frame {
    /// Length of the trail before the operation that led to this configuration.
    mark: usize,
    state: u32,
    cursor: Cursor,
}

/// The candidates of a configuration that were tried so far.
#[derive(Clone, Copy)]
struct Cursor {
    stage: Stage,
    /// The last candidate that was tried in this stage, or [`END`].
    at: u32,
    /// Whether the search is now trying the candidates that it had postponed.
    second: bool,
    /// Whether it has postponed any candidate.
    put_off: bool,
    /// Whether the last placed operation is open, and no operation has seen its effect. Then the
    /// next operation must not overwrite this effect: the same order without the open operation
    /// leads to the same state, and the search tries that order elsewhere.
    unseen: bool,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The operation that returns next.
    Due,
    Answered,
    Open,
}

const START: Cursor =
    Cursor { stage: Stage::Due, at: END, second: false, put_off: false, unseen: false };

impl<'a, M: Model> Search<'a, M> {
    pub(super) fn new(model: &'a M, part: Part<'a, M>) -> Search<'a, M> {
        Search::start(model, part, None)
    }

    /// Starts a search that passes each order that it reaches to `longest`.
    pub(super) fn watched(model: &'a M, part: Part<'a, M>, longest: Longest) -> Search<'a, M> {
        Search::start(model, part, Some(longest))
    }

    fn start(model: &'a M, part: Part<'a, M>, longest: Option<Longest>) -> Search<'a, M> {
        let (slot_words, open_words) =
            (part.slots.len().div_ceil(64), part.open_count().div_ceil(64));
        let exact = 1 + slot_words;
        Search {
            model,
            states: States::new(),
            shown: Vec::new(),
            memo: Memo::new(exact, open_words),
            row: vec![0; exact + open_words],
            exact,
            level: 0,
            answered: Pending::new(part.answered_count),
            open: Pending::new(part.open_count()),
            is_placed: vec![false; part.answered_count],
            is_used: vec![false; part.open_count()],
            expired: 0,
            trail: Vec::new(),
            frames: Vec::new(),
            providers: vec![Providers::Unasked; part.answered_count],
            steps: 0,
            looks: 0,
            began: false,
            deepest: 0,
            longest,
            part,
        }
    }

    /// Enters the first configuration, unless some answer is wrong in every order.
    fn begin(&mut self) {
        self.began = true;
        let hopeless = if self.longest.is_none() { self.hopeless() } else { None };
        if let Some(id) = hopeless {
            self.deepest = self.part.operations[id as usize].rank;
            return;
        }
        if self.longest.is_none() {
            self.rule_out_unseen();
        }
        let state = self.number(self.model.initial());
        self.enter(0, state);
    }

    /// Continues for about `steps` more steps.
    pub(super) fn run(&mut self, steps: u64) -> Progress {
        let limit = self.steps.saturating_add(steps);
        if !self.began {
            self.begin();
        }
        loop {
            if self.level == self.part.returns.len() {
                return Progress::Found;
            }
            if self.frames.is_empty() {
                return Progress::Impossible;
            }
            if self.steps >= limit {
                return Progress::Going;
            }
            self.advance();
        }
    }

    /// The operations placed so far, in order, as indices into the history.
    pub(super) fn placed(&self) -> Vec<usize> {
        self.part.indices_of(self.trail.iter().map(|placed| placed.id))
    }

    /// All operations of the search, as indices into the history.
    pub(super) fn indices(&self) -> Vec<usize> {
        let own = self.part.operations.iter().filter(|operation| !operation.is_copy);
        own.map(|operation| operation.index).collect()
    }

    /// The time of the last return that the search has examined. If there is no order, the returns
    /// up to this one suffice to show it.
    pub(super) fn last_seen(&self) -> u64 {
        self.part.returns[self.deepest].0
    }

    /// Approximate number of bytes that the search uses.
    pub(super) fn bytes(&self) -> usize {
        self.memo.bytes()
            + self.states.bytes()
            + self.shown.capacity() * size_of::<Shown>()
            + self.frames.capacity() * size_of::<Frame>()
    }

    /// Tries the next candidate of the last configuration, or gives that configuration up.
    fn advance(&mut self) {
        let frame = self.frames.last_mut().expect("the search is not over");
        let (state, mut cursor) = (frame.state, frame.cursor);
        while let Some(id) = self.next_candidate(&mut cursor) {
            let Some(next) = self.try_step(state, id, &mut cursor) else { continue };
            self.frames.last_mut().expect("the search is not over").cursor = cursor;
            let mark = self.trail.len();
            self.place(id);
            self.enter(mark, next);
            return;
        }
        let frame = self.frames.pop().expect("the search is not over");
        self.take_back_to(frame.mark);
    }

    /// Enters a new configuration, in `state`, unless an earlier visit makes that unnecessary.
    fn enter(&mut self, mark: usize, state: u32) {
        self.place_reads(state);
        let last = self.trail.last();
        let unseen = last.is_some_and(|placed| placed.id >= self.answered_count());
        self.deepest = self.deepest.max(self.level);
        if let Some(longest) = &mut self.longest {
            self.steps += self.trail.len() as u64;
            longest.see(self.trail.iter().map(|placed| placed.id));
        }
        self.row[0] = (self.level as u64) << 32 | u64::from(state);
        if self.level == self.part.returns.len() || self.memo.visit(&self.row) {
            self.frames.push(Frame { mark, state, cursor: Cursor { unseen, ..START } });
        } else {
            self.take_back_to(mark);
        }
    }

    /// Places each operation that is legal in `state` and changes no state, neither this one nor a
    /// later one.
    ///
    /// This loses no order. Take an order that explains all answers, and move such an operation
    /// forward to this point: its answer is right here, too, and nothing changes for the operations
    /// that it passes. There is one exception: it must not pass an open operation whose deadline is
    /// before its own call. If there is such an open operation, nothing more is placed here, and
    /// the candidates include the reads that are left.
    fn place_reads(&mut self, state: u32) {
        let mut id = self.answered.first();
        while id != END && self.may_be_placed(id) {
            let after = self.answered.after(id);
            let operation = &self.part.operations[id as usize];
            if self.would_expire(id) {
                break;
            }
            if operation.reads_only {
                self.steps += 1;
                let state = self.states.get(state);
                if self.model.step(state, operation.input, operation.output).is_some() {
                    self.place(id);
                }
            } else if let Some(output) = operation.output {
                let state = self.states.get(state);
                if self.model.is_spent(state, operation.input, output) {
                    self.place(id);
                }
            }
            id = after;
        }
    }

    /// Whether an operation was called before the next return, so that it may be placed now.
    fn may_be_placed(&self, id: u32) -> bool {
        let due = self.part.returns.get(self.level);
        due.is_some_and(|(at, _)| self.part.operations[id as usize].call <= *at)
    }

    /// Returns the next operation to try. A read is tried here only if it would make a deadline
    /// pass: `place_reads` has dealt with all other reads.
    fn next_candidate(&self, cursor: &mut Cursor) -> Option<u32> {
        let due = self.part.returns[self.level].1;
        loop {
            let id = match cursor.stage {
                Stage::Due => {
                    cursor.stage = Stage::Answered;
                    due
                }
                Stage::Answered => {
                    cursor.at = step_on(&self.answered, cursor.at);
                    if cursor.at == END || !self.may_be_placed(cursor.at) {
                        (cursor.stage, cursor.at) = (Stage::Open, END);
                        continue;
                    }
                    if cursor.at == due {
                        continue;
                    }
                    cursor.at
                }
                Stage::Open => {
                    cursor.at = step_on(&self.open, cursor.at);
                    let id = cursor.at.saturating_add(self.answered_count());
                    if cursor.at == END || !self.may_be_placed(id) {
                        if cursor.second || !cursor.put_off {
                            return None;
                        }
                        *cursor = Cursor { second: true, unseen: cursor.unseen, ..START };
                        continue;
                    }
                    id
                }
            };
            if !self.part.operations[id as usize].reads_only || self.would_expire(id) {
                return Some(id);
            }
        }
    }

    /// Returns the state after an operation; `None` if the operation is illegal, leads to a dead
    /// end, changes nothing that matters, or is not to be tried in this round.
    fn try_step(&mut self, state: u32, id: u32, cursor: &mut Cursor) -> Option<u32> {
        self.steps += 1;
        let operation = &self.part.operations[id as usize];
        if cursor.unseen && operation.overwrites {
            return None;
        }
        let is_open = operation.output.is_none();
        let next = self.model.step(self.states.get(state), operation.input, operation.output)?;
        // A search for the longest orders does not look ahead: that would end orders too early.
        if self.longest.is_none() && self.is_dead_end(&next, id) {
            return None;
        }
        let next = self.number(next);
        if is_open && (next == state || !self.shows_ever(next)) {
            return None;
        }
        let put_off = !self.shows_soon(next);
        cursor.put_off |= put_off;
        (put_off == cursor.second).then_some(next)
    }

    fn number(&mut self, state: M::State) -> u32 {
        let number = self.states.number(state, |state| self.model.heap_bytes(state));
        if self.shown.len() == number as usize {
            self.shown.push(Shown::default());
        }
        number
    }

    fn answered_count(&self) -> u32 {
        u32::try_from(self.part.answered_count).expect("less than 2^32 operations")
    }
}

/// The number after `at` in the list; the first one if `at` is [`END`].
fn step_on(pending: &Pending, at: u32) -> u32 {
    if at == END { pending.first() } else { pending.after(at) }
}
