//! Finds the longest order of an illegal history that contains a given operation.

use super::limits::{Left, Limits};
use super::model::Model;
use super::part::{History, Part};
use super::search::{Progress, Search};

/// Steps between two checks of the clock and of the memory.
const SLICE: u64 = 1 << 10;

/// For each operation, the longest order so far that contains it.
pub(super) struct Longest {
    answered_count: usize,
    best: Vec<Best>,
}

#[derive(Clone, Default)]
struct Best {
    /// Number of operations of `order` that have an answer. Only these make an order longer: the
    /// others need not be placed.
    answered: usize,
    order: Vec<u32>,
}

impl Longest {
    fn new(operation_count: usize, answered_count: usize) -> Longest {
        Longest { answered_count, best: vec![Best::default(); operation_count] }
    }

    /// Updates the longest orders with one that the search has reached.
    pub(super) fn see(&mut self, order: impl Iterator<Item = u32>) {
        let order: Vec<u32> = order.collect();
        let answered = order.iter().filter(|id| (**id as usize) < self.answered_count).count();
        for id in &order {
            let best = &mut self.best[*id as usize];
            if best.answered < answered {
                *best = Best { answered, order: order.clone() };
            }
        }
    }
}

/// Returns the longest linearization through each operation of `conflict`.
///
/// The operations of `context` may be used, but their answers do not count. Also returns whether
/// the search ran to its end: `false` if `left` was used up, or `limits` stopped the search.
pub(super) fn longest_through<M: Model>(
    model: &M,
    history: &History<'_, M>,
    conflict: &[usize],
    context: &[usize],
    left: Left,
    limits: &Limits<'_>,
) -> (Vec<Vec<usize>>, bool) {
    let indices: Vec<usize> = conflict.iter().chain(context).copied().collect();
    let part = Part::new(model, history, &indices, |index| conflict.contains(&index));
    let longest = Longest::new(part.operations.len(), part.answered_count);
    let mut search = Search::watched(model, part, longest);
    let mut progress = Progress::Going;
    while progress == Progress::Going
        && search.steps < left.steps
        && search.bytes() <= left.memory
        && !limits.stopped()
    {
        progress = search.run(SLICE.min(left.steps - search.steps));
    }

    let operations = &search.part.operations;
    let indices_of = |order: &[u32]| search.part.indices_of(order.iter().copied());
    let best = search.longest.iter().flat_map(|longest| &longest.best);
    let by_index: Vec<(usize, Vec<usize>)> = operations
        .iter()
        .zip(best)
        .map(|(operation, best)| (operation.index, indices_of(&best.order)))
        .collect();
    let through = |index: &usize| {
        by_index.iter().find(|(other, _)| other == index).map_or(vec![], |(_, order)| order.clone())
    };
    (conflict.iter().map(through).collect(), progress == Progress::Impossible)
}
