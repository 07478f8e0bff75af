//! Looks ahead: finds answers that can no longer become right, and effects that no operation sees.

use super::super::model::{Model, Sight};
use super::super::part::Placed;
use super::Search;

/// The operations that can make an answer right. The list is made once, and is correct in every
/// configuration in which the search uses it (see `find_providers`).
#[derive(Clone)]
pub(super) enum Providers {
    Unasked,
    Few(Vec<u32>),
    /// There are so many that it is faster to look at the operations that are not placed.
    Many,
}

/// Maximum number of providers that count as few.
const FEW: usize = 32;

/// Which operations can see a state; `None`: the search has not examined that yet.
#[derive(Clone, Copy, Default)]
pub(super) struct Shown {
    /// Whether one of the next reads can see it.
    soon: Option<bool>,
    /// Whether any operation can see it.
    ever: Option<bool>,
}

/// How many of the next reads the search examines for a state. More reads cost more time; with
/// fewer, the search may miss the read that matters.
const SOON: usize = 16;

/// How many of the next answers the search examines: each must still be possible. More answers cost
/// more time; with fewer, the search may miss a dead end.
const AHEAD: usize = 8;

/// Number of possible answers after which the search stops looking ahead.
const POSSIBLE_MAX: usize = 2;

/// Number of looks at operations that count as one step: looking is cheaper than trying.
const LOOKS_PER_STEP: u64 = 16;

/// Number of looks per operation before the search begins: they may save the whole search.
const LOOKS_FIRST: u64 = 64;

/// How many operations that made an answer right are remembered. They often make the next answer
/// right, too.
const RECENT: usize = 8;

impl<M: Model> Search<'_, M> {
    /// Finds an answer that is not right in the initial state, and that no operation can make
    /// right.
    ///
    /// If there is such an answer, there is no order, and no search is needed. If many overlapping
    /// operations come before that answer, a search reaches it very late. Gives up if the looks
    /// take too long.
    pub(super) fn hopeless(&mut self) -> Option<u32> {
        let mut left = LOOKS_FIRST * (self.part.operations.len() as u64 + 1_000);
        let mut recent: Vec<u32> = Vec::new();
        let initial = self.model.initial();
        for at in 0..self.part.telling.len() {
            let due = self.part.telling[at];
            let wanted = &self.part.operations[due as usize];
            if self.model.sight(&initial, wanted.input, wanted.output) != Sight::Cannot {
                continue;
            }
            let again = recent.iter().position(|by| self.provides(*by, due));
            let found = again.map(|at| recent.remove(at)).or_else(|| {
                let before = self.called_before(wanted.end);
                before.inspect(|_| left = left.saturating_sub(1)).find(|by| self.provides(*by, due))
            });
            if left == 0 {
                break;
            }
            let Some(by) = found else { return Some(due) };
            recent.insert(0, by);
            recent.truncate(RECENT);
        }
        None
    }

    /// The operations called up to `at`, the answered ones before the open ones; in both groups,
    /// the last call comes first.
    fn called_before(&self, at: u64) -> impl Iterator<Item = u32> {
        let (answered, open) = self.part.operations.split_at(self.part.answered_count);
        let until = |all: &[Placed<'_, M>]| all.partition_point(|placed| placed.call <= at);
        let until = (number(until(answered)), number(until(open)));
        let first_open = self.answered_count();
        (0..until.0).rev().chain((first_open..first_open + until.1).rev())
    }

    /// Whether one of the next answers can no longer become right once `id` has led to `state`.
    pub(super) fn is_dead_end(&mut self, state: &M::State, id: u32) -> bool {
        let first = self.first_telling(self.level);
        let mut possible = 0;
        for at in (first..self.part.telling.len()).take(AHEAD) {
            let due = self.part.telling[at];
            if due == id || self.is_placed[due as usize] {
                continue;
            }
            let operation = &self.part.operations[due as usize];
            let rank = operation.rank;
            if self.model.sight(state, operation.input, operation.output) != Sight::Cannot {
                // The answers after this one are mostly possible, too, and looking costs steps.
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

    /// The position in `telling` of the first operation that is due at `level` or later.
    fn first_telling(&self, level: usize) -> usize {
        let operations = &self.part.operations;
        self.part.telling.partition_point(|id| operations[*id as usize].rank < level)
    }

    /// Whether an operation other than `id` can be placed and makes the answer of `due` right.
    fn is_provided(&mut self, due: u32, id: u32) -> bool {
        if let Providers::Unasked = self.providers[due as usize] {
            self.providers[due as usize] = self.find_providers(due);
        }
        if let Providers::Few(few) = &self.providers[due as usize] {
            return few.iter().any(|by| *by != id && !self.is_taken(*by));
        }
        let at = self.part.operations[due as usize].end;
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

    /// Finds the operations that can make the answer of `due` right.
    ///
    /// The list leaves out operations that are always placed before the search uses the list. The
    /// search uses it only while `due` is one of the next [`AHEAD`] answers, and by then every
    /// operation that returned before the first of these answers is placed. The open operations and
    /// those that returned later remain: few, even in a long history.
    fn find_providers(&mut self, due: u32) -> Providers {
        let Placed { rank, end, .. } = self.part.operations[due as usize];
        let placed = self.first_telling(rank).checked_sub(AHEAD).map_or(0, |before| {
            let last = self.part.telling[before];
            self.part.operations[last as usize].rank + 1
        });
        let returned = self.part.returns[placed..rank].iter().map(|(_, id)| *id);
        // For each slot: the last operation that was called before `due` returned, if it returns
        // after `due`.
        let operations = &self.part.operations;
        let under_way = self.part.slots.iter().filter_map(|slot| {
            let called = slot.partition_point(|id| operations[*id as usize].call <= end);
            let last = slot[..called].last().copied();
            last.filter(|id| operations[*id as usize].rank > rank)
        });
        let first_open = self.answered_count();
        let open = &operations[self.part.answered_count..];
        let open = number(open.partition_point(|placed| placed.call <= end));
        let mut looks = 0;
        let few: Vec<u32> = returned
            .chain(under_way)
            .chain(first_open..first_open + open)
            .inspect(|_| looks += 1)
            .filter(|by| self.provides(*by, due))
            .take(FEW + 1)
            .collect();
        self.look(looks);
        if few.len() > FEW { Providers::Many } else { Providers::Few(few) }
    }

    /// Whether `by` may be placed before `due` returns, and makes the answer of `due` right.
    fn provides(&self, by: u32, due: u32) -> bool {
        let (wanted, by_whom) =
            (&self.part.operations[due as usize], &self.part.operations[by as usize]);
        by != due
            && by_whom.call <= wanted.end
            && !by_whom.reads_only
            && wanted
                .output
                .is_none_or(|output| self.model.provides(by_whom.input, wanted.input, output))
    }

    /// Whether an operation is placed, or can no longer be placed.
    fn is_taken(&self, id: u32) -> bool {
        let Some(open) = id.checked_sub(self.answered_count()) else {
            return self.is_placed[id as usize];
        };
        self.row[self.exact + open as usize / 64] >> (open % 64) & 1 == 1
    }

    /// Whether one of the next reads can see `state`. The search tries such states first.
    pub(super) fn shows_soon(&mut self, state: u32) -> bool {
        if let Some(soon) = self.shown[state as usize].soon {
            return soon;
        }
        let (reads, operations) = (&self.part.reads, &self.part.operations);
        let ahead = reads.partition_point(|id| operations[*id as usize].rank < self.level);
        let ahead = &reads[ahead..];
        if ahead.is_empty() {
            return true;
        }
        let soon = ahead.iter().take(SOON).any(|id| self.shows_in(state, *id as usize));
        self.shown[state as usize].soon = Some(soon);
        soon
    }

    /// Rules out each open operation that overwrites the state with a state that no operation can
    /// see.
    pub(super) fn rule_out_unseen(&mut self) {
        let initial = self.model.initial();
        for open in 0..number(self.part.open_count()) {
            let operation = &self.part.operations[self.part.answered_count + open as usize];
            if !operation.overwrites {
                continue;
            }
            let Some(next) = self.model.step(&initial, operation.input, None) else { continue };
            let next = self.number(next);
            self.look(1);
            if !self.shows_ever(next) {
                self.rule_out(open);
            }
        }
    }

    /// Whether any operation can see `state`.
    pub(super) fn shows_ever(&mut self, state: u32) -> bool {
        if let Some(ever) = self.shown[state as usize].ever {
            return ever;
        }
        let seeing = &self.part.seeing;
        let first = seeing.iter().position(|id| self.shows_in(state, *id as usize));
        let looks = first.map_or(seeing.len(), |at| at + 1);
        self.look(looks as u64);
        self.shown[state as usize].ever = Some(first.is_some());
        first.is_some()
    }

    fn shows_in(&self, state: u32, id: usize) -> bool {
        let operation = &self.part.operations[id];
        let state = self.states.get(state);
        self.model.sight(state, operation.input, operation.output) == Sight::Can
    }

    /// Counts `count` looks: every [`LOOKS_PER_STEP`] looks become one step.
    fn look(&mut self, count: u64) {
        self.looks += count;
        self.steps += self.looks / LOOKS_PER_STEP;
        self.looks %= LOOKS_PER_STEP;
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("less than 2^32 operations")
}
