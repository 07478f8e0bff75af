//! A few answers that contradict each other, looked for where a search does not get on.
//!
//! That nothing explains a handful of answers, whatever all other operations did, shows that a
//! history is illegal, and is often found at once where the end of a search is far: the search has
//! to see every order of all operations that overlap, most of which have nothing to do with it.

use super::limits::{Left, Limits};
use super::model::{Model, Sight};
use super::part::History;
use super::shrink::{LAID_OUT_PER_STEP, Shrinker};

/// So many answers, the last ones that the search looked at, may be the one that is wrong.
const LAST: usize = 8;

/// So many answers stand in a chain at most, and in what is near.
const CHAIN_MAX: usize = 32;
const NEAR_MAX: usize = 256;

/// Some answers of the operations `all` that contradict each other, if `left` is enough to find
/// them, the most important ones first; and how many steps it took. `last`: the last return that a
/// search has looked at.
pub(super) fn contradiction<M: Model>(
    model: &M,
    history: &History<'_, M>,
    all: Vec<usize>,
    last: u64,
    left: Left,
    limits: &Limits<'_>,
) -> (Option<Vec<usize>>, u64) {
    // To sort them costs as much as to lay them out.
    let Some(steps) = left.steps.checked_sub(all.len() as u64 / LAID_OUT_PER_STEP) else {
        return (None, 0);
    };
    let mut shrinker = Shrinker::new(model, history, limits, Left { steps, ..left }, all);
    let found = shrinker.contradiction(last);
    (found, left.steps - shrinker.left.steps)
}

impl<M: Model> Shrinker<'_, M> {
    /// As [`contradiction`], of all operations.
    pub fn contradiction(&mut self, last: u64) -> Option<Vec<usize>> {
        let tells = self.telling();
        let chains = Chains::new(self.history, tells.clone());
        let near = self.nearest(last, |index| tells.binary_search(&index).is_ok());
        // What is behind a wrong answer may be wrong in its turn: the first one is the one to name.
        let all = Chains::new(self.history, self.nearest(last, |_| true));
        let odd = near.iter().take(LAST).rev();
        let those: Vec<Vec<usize>> = odd.flat_map(|odd| [all.to(*odd), chains.to(*odd)]).collect();
        // One or two answers mostly suffice, so they are tried first, whichever it is.
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

    /// The first two answers that contradict each other, wherever they are: a search that does not
    /// get on may never come near them.
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

    /// The first of `candidates` that contradict each other, to a factor of two.
    fn grown(&mut self, candidates: &[usize]) -> Option<Vec<usize>> {
        let counts = std::iter::successors(Some(4), |count| Some(count * 2));
        let most = candidates.len().min(NEAR_MAX);
        let mut some = counts.take_while(|count| *count <= most).map(|count| &candidates[..count]);
        some.find(|some| self.is_contradiction(some)).map(<[usize]>::to_vec)
    }

    fn is_contradiction(&mut self, answered: &[usize]) -> bool {
        self.explain(answered) == Some(None)
    }

    /// The operations whose answers are not right in every state, in the order of their indices.
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

    /// Those of the answered operations called until `last` that `counts` takes; the first ones
    /// are those that had just returned then.
    pub fn nearest(&self, last: u64, counts: impl Fn(usize) -> bool) -> Vec<usize> {
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

/// Chains of operations, each of which precedes the one before.
///
/// What a chain answers is judged fast, since it has one order. The next one back is always the one
/// that was called last: the later it was, the less could change behind it.
struct Chains<'a, I, O> {
    history: &'a [super::Operation<I, O>],
    /// Operations by return, and for each of them which one, up to it, was called last.
    by_end: Vec<usize>,
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

    /// The chain that ends with an operation, which comes first.
    fn to(&self, operation: usize) -> Vec<usize> {
        let before = |index: &usize| {
            let call = self.history[*index].call;
            let count = self.by_end.partition_point(|other| self.history[*other].end() < call);
            count.checked_sub(1).map(|at| self.called_last[at])
        };
        std::iter::successors(Some(operation), before).take(CHAIN_MAX).collect()
    }
}
