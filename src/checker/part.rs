//! The operations of one key, laid out for the search.

use std::collections::BTreeMap;

use super::history::Operation;
use super::model::{Model, Sight};

/// The history of a model.
pub(super) type History<M> = [Operation<<M as Model>::Input, <M as Model>::Output>];

/// Operations of one key. Those with an answer have the numbers `0..answered_count`, by call;
/// behind them stand those without, also by call: the open ones.
///
/// An operation is open if it never returned, or if it is asked what follows from the answers of
/// others alone. Then it still took effect before it returned, if at all: it has a deadline.
pub(super) struct Part<'a, M: Model> {
    pub operations: Vec<Placed<'a, M>>,
    pub answered_count: usize,
    /// The answered operations in the order in which they returned, with the times.
    pub returns: Vec<(u64, u32)>,
    /// The answered operations that only read, in the order in which they returned.
    pub reads: Vec<u32>,
    /// The answered operations that are not right in every state, in the same order.
    pub telling: Vec<u32>,
    /// All operations, answered or open, that are not right in every state.
    pub seeing: Vec<u32>,
    /// For each slot the answered operations in it, by call: as many slots as overlap at most.
    pub slots: Vec<Vec<u32>>,
    /// The open operations that have a deadline, by that; numbered as in [`Placed::slot`].
    pub expiring: Vec<u32>,
}

/// An operation as the search needs it.
pub(super) struct Placed<'a, M: Model> {
    /// Its index in the history that was given.
    pub index: usize,
    pub call: u64,
    /// When it returned, with or without an answer that counts; the end of time if it never did.
    pub end: u64,
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
                Placed {
                    index: *index,
                    call: operation.call,
                    end: operation.end(),
                    input: &operation.input,
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
            let client = history[placed.index].client;
            (placed.output.is_none(), placed.call, placed.end, client)
        });
        let answered_count = operations.partition_point(|placed| placed.output.is_some());
        let (returns, slots) = lay_out(&mut operations, answered_count);
        let expiring = expiring(&operations[answered_count..]);
        let those = |is_one: &dyn Fn(&Placed<'a, M>) -> bool| {
            let ids = returns.iter().map(|(_, id)| *id);
            ids.filter(|id| is_one(&operations[*id as usize])).collect::<Vec<u32>>()
        };
        let reads = those(&|it| it.reads_only);
        let telling = those(&|it| !it.is_blind);
        let all = (0..).zip(&operations);
        let seeing = all.filter(|(_, it)| !it.is_blind).map(|(id, _)| id).collect();
        Part { answered_count, reads, telling, seeing, operations, returns, slots, expiring }
    }

    /// How many operations have no answer.
    pub fn open_count(&self) -> usize {
        self.operations.len() - self.answered_count
    }
}

/// Gives the operations ranks and slots. Returns who returns when, and who is in each slot.
fn lay_out<M: Model>(
    operations: &mut [Placed<'_, M>],
    answered_count: usize,
) -> (Vec<(u64, u32)>, Vec<Vec<u32>>) {
    let (answered, open) = operations.split_at_mut(answered_count);
    let mut returns: Vec<(u64, u32)> = (0..).zip(&*answered).map(|(id, it)| (it.end, id)).collect();
    returns.sort_unstable();
    for (rank, (_, id)) in returns.iter().enumerate() {
        answered[*id as usize].rank = rank;
    }

    // In the order of time, calls before returns.
    let (mut free, mut slots, mut next_return) = (Vec::new(), Vec::<Vec<u32>>::new(), 0);
    for id in 0..answered_count {
        while returns[next_return].0 < answered[id].call {
            free.push(answered[returns[next_return].1 as usize].slot);
            next_return += 1;
        }
        let slot = free.pop().unwrap_or_else(|| {
            slots.push(Vec::new());
            slots.len() - 1
        });
        answered[id].slot = slot;
        slots[slot].push(u32::try_from(id).expect("less than 2^32 operations"));
    }
    for (slot, operation) in open.iter_mut().enumerate() {
        operation.slot = slot;
    }
    (returns, slots)
}

/// Those of the open operations that have a deadline, by that.
fn expiring<M: Model>(open: &[Placed<'_, M>]) -> Vec<u32> {
    let has_deadline = (0..).zip(open).filter(|(_, placed)| placed.end < u64::MAX);
    let mut expiring: Vec<u32> = has_deadline.map(|(number, _)| number).collect();
    expiring.sort_by_key(|number| open[*number as usize].end);
    expiring
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
