//! The operations of one key, laid out for the search.

use std::collections::BTreeMap;

use super::history::Operation;
use super::model::{Model, Sight};

/// The history of a model.
pub(super) type History<M> = [Operation<<M as Model>::Input, <M as Model>::Output>];

/// Operations of one key. Those with an answer have the numbers `0..answered_count`, by call;
/// behind them stand those without, also by call.
pub(super) struct Part<'a, M: Model> {
    pub operations: Vec<Placed<'a, M>>,
    pub answered_count: usize,
    /// The answered operations in the order in which they returned, with the times.
    pub returns: Vec<(u64, u32)>,
    /// The answered operations that only read, in the order in which they returned.
    pub reads: Vec<u32>,
    /// The answered operations that are not right in every state, in the same order.
    pub telling: Vec<u32>,
    /// How many answered operations overlap at most: so many slots.
    pub slot_count: usize,
}

/// An operation as the search needs it.
pub(super) struct Placed<'a, M: Model> {
    /// Its index in the history that was given.
    pub index: usize,
    pub call: u64,
    pub input: &'a M::Input,
    pub output: Option<&'a M::Output>,
    /// Whether it only reads, with this output.
    pub reads_only: bool,
    /// Whether its answer is right in every state.
    pub is_blind: bool,
    /// Whether it is blind, and the state after it is always the same.
    pub overwrites: bool,
    /// Of an answered operation: a number that no other has from its call to its return. Of
    /// one without answer: how many of these stand before it.
    pub slot: usize,
    /// Of an answered operation: its place in `returns`.
    pub rank: usize,
}

impl<'a, M: Model> Part<'a, M> {
    /// The operations `indices` of `history`; an operation counts as answered if `has_answer` says
    /// so as well.
    pub fn new(
        model: &M,
        history: &'a History<M>,
        indices: &[usize],
        has_answer: impl Fn(usize) -> bool,
    ) -> Part<'a, M> {
        let initial = model.initial();
        let mut operations: Vec<Placed<'a, M>> = indices
            .iter()
            .map(|index| {
                let operation = &history[*index];
                let output = operation.output().filter(|_| has_answer(*index));
                let reads_only = model.reads_only(&operation.input, output);
                // Who is blind is so in every state.
                let is_blind = model.sight(&initial, &operation.input, output) == Sight::Blind;
                let overwrites = is_blind && model.overwrites(&operation.input);
                let (call, input) = (operation.call, &operation.input);
                Placed {
                    index: *index,
                    call,
                    input,
                    output,
                    reads_only,
                    is_blind,
                    overwrites,
                    slot: 0,
                    rank: 0,
                }
            })
            // What reads and was never answered neither does nor says anything.
            .filter(|placed| placed.output.is_some() || !placed.reads_only)
            .collect();
        operations.sort_by_key(|placed| {
            let operation = &history[placed.index];
            (placed.output.is_none(), operation.call, operation.end(), operation.client)
        });
        let answered_count = operations.partition_point(|placed| placed.output.is_some());
        let (returns, slot_count) =
            lay_out(&mut operations, answered_count, |placed| history[placed.index].end());
        let those = |is_one: &dyn Fn(&Placed<'a, M>) -> bool| {
            let ids = returns.iter().map(|(_, id)| *id);
            ids.filter(|id| is_one(&operations[*id as usize])).collect::<Vec<u32>>()
        };
        let reads = those(&|it| it.reads_only);
        let telling = those(&|it| !it.is_blind);
        Part { answered_count, reads, telling, operations, returns, slot_count }
    }

    /// How many operations have no answer.
    pub fn open_count(&self) -> usize {
        self.operations.len() - self.answered_count
    }
}

/// Ranks and slots of the operations; who returns when, and how many slots there are.
fn lay_out<M: Model>(
    operations: &mut [Placed<'_, M>],
    answered_count: usize,
    end: impl Fn(&Placed<'_, M>) -> u64,
) -> (Vec<(u64, u32)>, usize) {
    let (answered, open) = operations.split_at_mut(answered_count);
    let mut returns: Vec<(u64, u32)> =
        (0..).zip(&*answered).map(|(id, it)| (end(it), id)).collect();
    returns.sort_unstable();
    for (rank, (_, id)) in returns.iter().enumerate() {
        answered[*id as usize].rank = rank;
    }

    // In the order of time, calls before returns.
    let (mut free, mut slot_count, mut next_return) = (Vec::new(), 0, 0);
    for id in 0..answered_count {
        while returns[next_return].0 < answered[id].call {
            free.push(answered[returns[next_return].1 as usize].slot);
            next_return += 1;
        }
        answered[id].slot = free.pop().unwrap_or_else(|| {
            slot_count += 1;
            slot_count - 1
        });
    }
    for (slot, operation) in open.iter_mut().enumerate() {
        operation.slot = slot;
    }
    (returns, slot_count)
}

/// The indices of the operations of each key, by key.
pub(super) fn by_key<M: Model>(model: &M, history: &History<M>) -> Vec<Vec<usize>> {
    let mut keys: BTreeMap<M::Key, Vec<usize>> = BTreeMap::new();
    for (index, operation) in history.iter().enumerate() {
        assert!(
            operation.end() >= operation.call,
            "operation {index} returns at {}, before its call at {}",
            operation.end(),
            operation.call,
        );
        keys.entry(model.key(&operation.input)).or_default().push(index);
    }
    keys.into_values().collect()
}
