//! Looks for a few answers that contradict each other, when a search is stuck.
//!
//! If a handful of answers cannot all be right, whatever all other operations did, then the history
//! is illegal. Such answers are often found at once, while the search would take very long: it has
//! to visit every order of all operations that overlap, and most of these operations have nothing
//! to do with the contradiction.

use super::limits::{Left, Limits};
use super::model::{Model, Sight};
use super::part::History;
use super::shrink::{LAID_OUT_PER_STEP, Shrinker};

/// Number of answers that are suspected to be wrong: the last that the search has examined.
const LAST: usize = 8;

/// Maximum number of answers in a chain.
const CHAIN_MAX: usize = 32;
/// Maximum number of answers that are tried together because they are the nearest.
const NEAR_MAX: usize = 256;

/// Finds operations of `all` whose answers contradict each other, and counts the steps.
///
/// `None` if `left` is not enough to find such operations. The most important ones come first.
/// `last` is the last return that a search has examined.
pub(super) fn contradiction<M: Model>(
    model: &M,
    history: &History<'_, M>,
    all: Vec<usize>,
    last: u64,
    left: Left,
    limits: &Limits<'_>,
) -> (Option<Vec<usize>>, u64) {
    // Sorting the operations costs as much as laying them out.
    let Some(steps) = left.steps.checked_sub(all.len() as u64 / LAID_OUT_PER_STEP) else {
        return (None, 0);
    };
    let mut shrinker = Shrinker::new(model, history, limits, Left { steps, ..left }, all);
    let found = shrinker.contradiction(last);
    (found, left.steps - shrinker.left.steps)
}

impl<M: Model> Shrinker<'_, M> {
    /// Looks for operations whose answers contradict each other; `last` has the same meaning as in
    /// [`contradiction`].
    pub(super) fn contradiction(&mut self, last: u64) -> Option<Vec<usize>> {
        let tells = self.telling();
        let chains = Chains::new(self.history, tells.clone());
        let near = self.nearest(last, |index| tells.binary_search(&index).is_ok());
        // A wrong answer may make later answers wrong, so the earliest is tried first.
        let all = Chains::new(self.history, self.nearest(last, |_| true));
        let odd = near.iter().take(LAST).rev();
        let those: Vec<Vec<usize>> = odd.flat_map(|odd| [all.to(*odd), chains.to(*odd)]).collect();
        // One or two answers usually suffice, so short beginnings of all chains are tried first.
        for count in [1, 2, 8, CHAIN_MAX] {
            for chain in those.iter().filter(|chain| chain.len() > count / 2) {
                let some = &chain[..count.min(chain.len())];
                if self.is_contradiction(some) {
                    return Some(some.to_vec());
                }
            }
        }
        self.grown(&near)
            .or_else(|| {
                let near = self.nearest(last, |_| true);
                self.grown(&near)
            })
            .or_else(|| self.swept(&chains, last, tells))
    }

    /// Finds two answers that contradict each other, anywhere in the history.
    ///
    /// Answers near `last` are tried first. A search that is stuck may never reach the two answers.
    fn swept(
        &mut self,
        chains: &Chains<'_, M::Input, M::Output>,
        last: u64,
        mut tells: Vec<usize>,
    ) -> Option<Vec<usize>> {
        let limits = self.limits;
        tells.sort_by_key(|index| self.history[*index].end().abs_diff(last));
        let mut tells = tells.into_iter().take_while(|_| !limits.stopped());
        tells.find_map(|odd| {
            let mut two = chains.to(odd);
            two.truncate(2);
            self.is_contradiction(&two).then_some(two)
        })
    }

    /// Finds a beginning of `candidates` that is a contradiction, at most twice as long as needed.
    fn grown(&mut self, candidates: &[usize]) -> Option<Vec<usize>> {
        let counts = std::iter::successors(Some(4), |count| Some(count * 2));
        let most = candidates.len().min(NEAR_MAX);
        let mut some = counts.take_while(|count| *count <= most).map(|count| &candidates[..count]);
        some.find(|some| self.is_contradiction(some)).map(<[usize]>::to_vec)
    }

    fn is_contradiction(&mut self, answered: &[usize]) -> bool {
        self.explain(answered) == Some(None)
    }

    /// The operations whose answers are wrong in some state, by index.
    fn telling(&self) -> Vec<usize> {
        let initial = self.model.initial();
        let tells = |index: &usize| {
            let operation = &self.history[*index];
            let output = operation.output();
            output.is_some() && self.model.sight(&initial, &operation.input, output) != Sight::Blind
        };
        let mut telling: Vec<usize> = self.all().iter().copied().filter(tells).collect();
        telling.sort_unstable();
        telling
    }

    /// The answered operations called until `last` that `counts` accepts, nearest returns first.
    ///
    /// Operations that had returned by `last` come before operations that returned later.
    pub(super) fn nearest(&self, last: u64, counts: impl Fn(usize) -> bool) -> Vec<usize> {
        let operations = self.all().iter().map(|index| (*index, &self.history[*index]));
        let mut nearest: Vec<(bool, u64, usize)> = operations
            .filter(|(_, operation)| operation.returned.is_some() && operation.call <= last)
            .filter(|(index, _)| counts(*index))
            .map(|(index, operation)| {
                (operation.end() > last, operation.end().abs_diff(last), index)
            })
            .collect();
        nearest.sort_unstable();
        nearest.into_iter().map(|(_, _, index)| index).collect()
    }
}

/// Chains of operations. A chain goes back in time, from one operation to an earlier one.
///
/// Each operation of a chain had returned before the operation that it follows in the chain was
/// called. So a chain has only one order, and its answers are judged fast. Of all operations that
/// could be next in a chain, the one that was called last is taken: the later it was called, the
/// less can have changed between it and the operation that follows.
struct Chains<'a, I, O> {
    history: &'a [super::Operation<I, O>],
    /// Operations in the order of their returns.
    by_end: Vec<usize>,
    /// For each operation of `by_end`: of the operations up to it, the one that was called last.
    called_last: Vec<usize>,
}

impl<'a, I, O> Chains<'a, I, O> {
    fn new(history: &'a [super::Operation<I, O>], mut by_end: Vec<usize>) -> Chains<'a, I, O> {
        by_end.sort_by_key(|index| (history[*index].end(), *index));
        let mut last: Option<usize> = None;
        let called_last = by_end.iter().map(|index| {
            let later = last.filter(|last| history[*last].call >= history[*index].call);
            *last.insert(later.unwrap_or(*index))
        });
        Chains { history, called_last: called_last.collect(), by_end }
    }

    /// The chain that begins with `operation` and goes back in time.
    fn to(&self, operation: usize) -> Vec<usize> {
        let before = |index: &usize| {
            let call = self.history[*index].call;
            let count = self.by_end.partition_point(|other| self.history[*other].end() < call);
            count.checked_sub(1).map(|at| self.called_last[at])
        };
        std::iter::successors(Some(operation), before).take(CHAIN_MAX).collect()
    }
}
