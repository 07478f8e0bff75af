//! The search for an order of one key's operations that explains every answer.
//!
//! It places one operation after the other. Where it stands is told by the *level*, which is the
//! first return that is not accounted for, by which of the operations that overlap that return
//! are placed already, and by the state:
//!
//! ```text
//! level 2 ─────────────┐            a and b have returned before: both are placed
//! a  ├────┤            │            c returns next: it must be placed to get on
//! b     ├─────┤        │            d may be placed before c, or after
//! c         ├──────────┤            e may not be placed before c is: c precedes e
//! d              ├─────────────┤
//! e                       ├────┤
//! ```
//!
//! Nothing else of the past matters. So what must be remembered of a place is small, however
//! long the history, and a place that was visited once need not be visited again.

use super::longest::Longest;
use super::memo::{Memo, States};
use super::model::{Model, Sight};
use super::part::{Part, Placed};
use super::pending::{END, Pending};

/// How a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is such an order: the one in [`Search::placed`].
    Found,
    /// There is none.
    Impossible,
    /// It is not known yet.
    Going,
}

/// One search. It can be left at any time, and goes on from there.
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    pub part: Part<'a, M>,
    states: States<M::State>,
    shown: Vec<Shown>,
    memo: Memo,
    /// Where the search stands, as the memo has it: level and state; a bit for each slot whose
    /// operation is placed and has not returned; a bit for each open operation that is placed.
    row: Vec<u64>,
    /// How many words of `row` are not about open operations.
    exact: usize,
    level: usize,
    /// Answered and open operations that are not placed.
    answered: Pending,
    open: Pending,
    is_placed: Vec<bool>,
    /// All that are placed, in order.
    trail: Vec<u32>,
    frames: Vec<Frame>,
    /// For each answered operation, who can provide its answer, once that was asked.
    providers: Vec<Providers>,
    /// How often a step of the model was tried.
    pub steps: u64,
    /// The highest level that was reached, or whose answer was found impossible.
    deepest: usize,
    pub longest: Option<Longest>,
}

/// A place on the way to where the search stands, and what was tried from there.
struct Frame {
    /// How long the trail was before the operation that led here.
    mark: usize,
    state: u32,
    cursor: Cursor,
}

/// How far the candidates of a place were tried.
#[derive(Clone, Copy)]
struct Cursor {
    stage: Stage,
    /// The last one tried in this stage, or [`END`].
    at: u32,
    /// Whether it is the turn of those that were put off.
    second: bool,
    /// Whether any were.
    put_off: bool,
    /// The last operation never returned, and nothing has seen what it did. If it were overwritten
    /// now, it could as well not have happened, which is tried elsewhere.
    unseen: bool,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The operation that returns next.
    Due,
    Answered,
    Open,
}

/// The operations that can make an answer right.
#[derive(Clone)]
enum Providers {
    Unasked,
    Few(Vec<u32>),
    /// So many that it is faster to look at those that are left.
    Many,
}

/// How many providers are few.
const FEW: usize = 32;

/// What is known about whether a state shows in an answer.
#[derive(Clone, Copy, Default)]
struct Shown {
    soon: Option<bool>,
    ever: Option<bool>,
}

const START: Cursor =
    Cursor { stage: Stage::Due, at: END, second: false, put_off: false, unseen: false };

/// How many reads ahead count as soon. More cost more, fewer miss the one that matters.
const SOON: usize = 16;

/// How many of the answers that are due next must still be possible. The same.
const AHEAD: usize = 8;

/// After how many answers that are possible it is enough.
const POSSIBLE_MAX: usize = 2;

impl<'a, M: Model> Search<'a, M> {
    pub fn new(model: &'a M, part: Part<'a, M>) -> Search<'a, M> {
        Search::start(model, part, None)
    }

    /// A search that shows each order it comes to.
    pub fn watched(model: &'a M, part: Part<'a, M>, longest: Longest) -> Search<'a, M> {
        Search::start(model, part, Some(longest))
    }

    fn start(model: &'a M, part: Part<'a, M>, longest: Option<Longest>) -> Search<'a, M> {
        let (slot_words, open_words) =
            (part.slot_count.div_ceil(64), part.open_count().div_ceil(64));
        let exact = 1 + slot_words;
        let mut search = Search {
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
            trail: Vec::new(),
            frames: Vec::new(),
            providers: vec![Providers::Unasked; part.answered_count],
            steps: 0,
            deepest: 0,
            longest,
            part,
        };
        let state = search.number(model.initial());
        search.enter(0, state);
        search
    }

    /// Goes on until about `steps` more steps are done.
    pub fn run(&mut self, steps: u64) -> Progress {
        let limit = self.steps.saturating_add(steps);
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
    pub fn placed(&self) -> impl Iterator<Item = usize> {
        self.trail.iter().map(|id| self.part.operations[*id as usize].index)
    }

    /// The time of the last return that had a part in finding that there is no order.
    pub fn last_seen(&self) -> u64 {
        self.part.returns[self.deepest].0
    }

    /// About what the search holds, in memory.
    pub fn bytes(&self) -> usize {
        self.memo.bytes()
            + self.states.bytes()
            + self.shown.capacity() * size_of::<Shown>()
            + self.frames.capacity() * size_of::<Frame>()
    }

    /// Tries the next candidate of the last place, or gives that place up.
    fn advance(&mut self) {
        let frame = self.frames.last_mut().expect("the search is not over");
        let (state, mut cursor) = (frame.state, frame.cursor);
        while let Some(id) = self.next_candidate(&mut cursor) {
            let Some(next) = self.try_step(state, id, &mut cursor) else { continue };
            self.frames.last_mut().expect("it was there").cursor = cursor;
            let mark = self.trail.len();
            self.place(id);
            self.enter(mark, next);
            return;
        }
        let frame = self.frames.pop().expect("it was there");
        self.take_back_to(frame.mark);
    }

    /// Comes to a new place, in `state`, unless it is known to lead nowhere.
    fn enter(&mut self, mark: usize, state: u32) {
        self.place_reads(state);
        let last = self.trail.last().copied();
        let unseen = last.is_some_and(|id| id >= self.answered_count());
        self.deepest = self.deepest.max(self.level);
        if let Some(longest) = &mut self.longest {
            longest.see(&self.trail);
        }
        self.row[0] = (self.level as u64) << 32 | u64::from(state);
        if self.level == self.part.returns.len() || self.memo.visit(&self.row) {
            self.frames.push(Frame { mark, state, cursor: Cursor { unseen, ..START } });
        } else {
            self.take_back_to(mark);
        }
    }

    /// Places each operation that is legal in `state`, and only reads or changes nothing any more.
    ///
    /// Nothing is lost: in an order that explains everything, such an operation can be moved to
    /// the front, where its answer is right, too, since it changes nothing for those that it
    /// passes.
    fn place_reads(&mut self, state: u32) {
        let mut id = self.answered.first();
        while id != END && self.may_be_placed(id) {
            let after = self.answered.after(id);
            let operation = &self.part.operations[id as usize];
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

    /// Whether an operation was called before the return that is next to be accounted for.
    fn may_be_placed(&self, id: u32) -> bool {
        let due = self.part.returns.get(self.level);
        due.is_some_and(|(at, _)| self.part.operations[id as usize].call <= *at)
    }

    /// The next operation that changes something and may be placed.
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
            if !self.part.operations[id as usize].reads_only {
                return Some(id);
            }
        }
    }

    /// The state after an operation, if it is legal, may lead somewhere, and it is its turn.
    fn try_step(&mut self, state: u32, id: u32, cursor: &mut Cursor) -> Option<u32> {
        self.steps += 1;
        let operation = &self.part.operations[id as usize];
        if cursor.unseen && operation.overwrites {
            return None;
        }
        let is_open = operation.output.is_none();
        let next = self.model.step(self.states.get(state), operation.input, operation.output)?;
        // Who looks at the orders wants to see those, too, that end a little later.
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

    /// Whether one of the next answers cannot become right, once `id` has led to `state`.
    fn is_dead_end(&mut self, state: &M::State, id: u32) -> bool {
        let first = ahead(&self.part.telling, &self.part.operations, self.level);
        let first = self.part.telling.len() - first.len();
        let mut possible = 0;
        for at in (first..self.part.telling.len()).take(AHEAD) {
            let due = self.part.telling[at];
            if due == id || self.is_placed[due as usize] {
                continue;
            }
            let operation = &self.part.operations[due as usize];
            let rank = operation.rank;
            if self.model.sight(state, operation.input, operation.output) != Sight::Cannot {
                // Those behind it are mostly possible, too, and looking costs.
                possible += 1;
                if possible == POSSIBLE_MAX {
                    return false;
                }
            } else if !self.is_provided(due, id) {
                self.deepest = self.deepest.max(rank);
                return true;
            }
        }
        false
    }

    /// Whether an operation other than `id` can be placed that makes the answer of `due` right.
    fn is_provided(&mut self, due: u32, id: u32) -> bool {
        if let Providers::Unasked = self.providers[due as usize] {
            self.providers[due as usize] = self.find_providers(due);
        }
        if let Providers::Few(few) = &self.providers[due as usize] {
            return few.iter().any(|by| *by != id && !self.is_taken(*by));
        }
        let (at, _) = self.part.returns[self.part.operations[due as usize].rank];
        let in_time = |by: &u32| self.part.operations[*by as usize].call <= at;
        let open = self.open.iter().map(|by| by + self.answered_count());
        let left = self.answered.iter().take_while(in_time).chain(open.take_while(in_time));
        let (mut asked, mut provided) = (0, false);
        for by in left {
            asked += 1;
            if by != id && self.provides(by, due) {
                provided = true;
                break;
            }
        }
        self.steps += asked;
        provided
    }

    fn find_providers(&self, due: u32) -> Providers {
        let count = u32::try_from(self.part.operations.len()).expect("less than 2^32 operations");
        let few: Vec<u32> = (0..count).filter(|by| self.provides(*by, due)).take(FEW + 1).collect();
        if few.len() > FEW { Providers::Many } else { Providers::Few(few) }
    }

    /// Whether `by` may be placed before `due` returns, and makes its answer right.
    fn provides(&self, by: u32, due: u32) -> bool {
        let (wanted, by_whom) =
            (&self.part.operations[due as usize], &self.part.operations[by as usize]);
        let (at, _) = self.part.returns[wanted.rank];
        by != due
            && by_whom.call <= at
            && !by_whom.reads_only
            && wanted
                .output
                .is_none_or(|output| self.model.provides(by_whom.input, wanted.input, output))
    }

    /// Whether an operation is placed.
    fn is_taken(&self, id: u32) -> bool {
        let Some(open) = id.checked_sub(self.answered_count()) else {
            return self.is_placed[id as usize];
        };
        self.row[self.exact + open as usize / 64] >> (open % 64) & 1 == 1
    }

    fn number(&mut self, state: M::State) -> u32 {
        let number = self.states.number(state, |state| self.model.heap_bytes(state));
        if self.shown.len() == number as usize {
            self.shown.push(Shown::default());
        }
        number
    }

    /// Whether a state is what one of the next reads sees. A guess at what to try first.
    fn shows_soon(&mut self, state: u32) -> bool {
        if let Some(soon) = self.shown[state as usize].soon {
            return soon;
        }
        let ahead = ahead(&self.part.reads, &self.part.operations, self.level);
        if ahead.is_empty() {
            return true;
        }
        let soon = ahead.iter().take(SOON).any(|id| self.shows_in(state, *id as usize));
        self.shown[state as usize].soon = Some(soon);
        soon
    }

    /// Whether any operation can tell that another led to a state.
    fn shows_ever(&mut self, state: u32) -> bool {
        if let Some(ever) = self.shown[state as usize].ever {
            return ever;
        }
        let ever = (0..self.part.operations.len()).any(|id| self.shows_in(state, id));
        self.shown[state as usize].ever = Some(ever);
        ever
    }

    fn shows_in(&self, state: u32, id: usize) -> bool {
        let operation = &self.part.operations[id];
        let state = self.states.get(state);
        self.model.sight(state, operation.input, operation.output) == Sight::Can
    }

    fn place(&mut self, id: u32) {
        self.trail.push(id);
        let slot = self.part.operations[id as usize].slot;
        if id >= self.answered_count() {
            self.open.take(id - self.answered_count());
            self.row[self.exact + slot / 64] ^= 1 << (slot % 64);
            return;
        }
        self.answered.take(id);
        self.is_placed[id as usize] = true;
        self.flip(id);
        while let Some((_, due)) = self.part.returns.get(self.level).copied()
            && self.is_placed[due as usize]
        {
            self.flip(due);
            self.level += 1;
        }
    }

    fn take_back_to(&mut self, mark: usize) {
        while self.trail.len() > mark {
            let id = self.trail.pop().expect("it is longer than nothing");
            let operation = &self.part.operations[id as usize];
            let (slot, rank) = (operation.slot, operation.rank);
            if id >= self.answered_count() {
                self.open.put_back(id - self.answered_count());
                self.row[self.exact + slot / 64] ^= 1 << (slot % 64);
                continue;
            }
            // Those that returned after it are no longer accounted for.
            while self.level > rank {
                self.level -= 1;
                self.flip(self.part.returns[self.level].1);
            }
            self.flip(id);
            self.is_placed[id as usize] = false;
            self.answered.put_back(id);
        }
    }

    /// Turns the bit of an answered operation.
    fn flip(&mut self, id: u32) {
        let slot = self.part.operations[id as usize].slot;
        self.row[1 + slot / 64] ^= 1 << (slot % 64);
    }

    fn answered_count(&self) -> u32 {
        u32::try_from(self.part.answered_count).expect("less than 2^32 operations")
    }
}

/// Those of `ids`, which are in the order of their returns, that are due at `level` or later.
fn ahead<'i, M: Model>(ids: &'i [u32], operations: &[Placed<'_, M>], level: usize) -> &'i [u32] {
    &ids[ids.partition_point(|id| operations[*id as usize].rank < level)..]
}

/// What follows `at` in the list; the first, if `at` is none.
fn step_on(pending: &Pending, at: u32) -> u32 {
    if at == END { pending.first() } else { pending.after(at) }
}
