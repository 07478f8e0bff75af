//! The operations of one key, laid out for the search.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::history::Operation;
use super::model::{Model, Sight};

/// The operations of a model's history.
pub(super) type Operations<M> = [Operation<<M as Model>::Input, <M as Model>::Output>];

/// The history of a model, and which of its operations may take effect after their return.
pub(super) struct History<'a, M: Model> {
    operations: &'a Operations<M>,
    /// The indices of the operations that may take effect after their return, ascending.
    late: Vec<usize>,
}

impl<'a, M: Model> History<'a, M> {
    /// Makes the history of `operations`; `keys` has the indices of the operations of each key.
    pub(super) fn new(
        model: &M,
        operations: &'a Operations<M>,
        keys: &[Vec<usize>],
    ) -> History<'a, M> {
        let late = keys.iter().flat_map(|indices| late(model, operations, indices));
        let mut late: Vec<usize> = late.collect();
        late.sort_unstable();
        History { operations, late }
    }

    /// Whether an operation may take effect after its return.
    pub(super) fn is_late(&self, index: usize) -> bool {
        self.late.binary_search(&index).is_ok()
    }
}

impl<M: Model> Deref for History<'_, M> {
    type Target = Operations<M>;

    fn deref(&self) -> &Operations<M> {
        self.operations
    }
}

/// Returns the operations of `indices`, all of one key, that may take effect after their return.
fn late<M: Model>(model: &M, operations: &Operations<M>, indices: &[usize]) -> Vec<usize> {
    let answers = indices.iter().filter_map(|index| {
        let operation = &operations[*index];
        operation.output().map(|output| (*index, operation, output))
    });
    let in_doubt: Vec<(usize, u64)> = answers
        .clone()
        .filter_map(|(index, operation, output)| {
            model.late_below(&operation.input, output).map(|below| (index, below))
        })
        .collect();
    if in_doubt.is_empty() {
        return Vec::new();
    }
    let mut heights: Vec<(u64, u64)> = answers
        .map(|(_, operation, output)| (operation.end(), model.height(&operation.input, output)))
        .collect();
    heights.sort_unstable();
    let mut highest = 0;
    for (_, height) in &mut heights {
        highest = highest.max(*height);
        *height = highest;
    }
    let is_late = |(index, below): &(usize, u64)| {
        let before = heights.partition_point(|(end, _)| *end < operations[*index].call);
        before.checked_sub(1).map_or(0, |last| heights[last].1) < *below
    };
    in_doubt.into_iter().filter(is_late).map(|(index, _)| index).collect()
}

/// Operations of one key, numbered.
///
/// The *answered* operations, whose answers count, have the numbers `0..answered_count`, in the
/// order of their calls. The *open* operations have the numbers after these, also in the order of
/// their calls.
///
/// An operation is open if it never returned, or if its answer does not count. The checker leaves
/// answers out to find what follows from the others alone. An operation that returned took effect
/// before its return, if at all. So its return is the *deadline* of the open operation.
///
/// An operation that may take effect after its return has no deadline. If its answer counts, the
/// operation appears twice: with its answer, and as a copy that never returned.
pub(super) struct Part<'a, M: Model> {
    pub operations: Vec<Placed<'a, M>>,
    pub answered_count: usize,
    /// The answered operations in the order of their returns, with the times.
    pub returns: Vec<(u64, u32)>,
    /// The answered operations that only read, in the order of their returns.
    pub reads: Vec<u32>,
    /// The answered operations whose answers are wrong in some state, in the order of their
    /// returns.
    ///
    /// An answer that does not say whether the operation took effect (`ErrMaybe`) is left out. It
    /// excludes almost no order, and the search examines only the next few answers of this list.
    pub telling: Vec<u32>,
    /// All operations, answered or open, that are illegal in some state.
    pub seeing: Vec<u32>,
    /// For each slot the answered operations in it, by call. The operations of one slot do not
    /// overlap. The number of slots is the maximum number of operations that overlap at one time.
    pub slots: Vec<Vec<u32>>,
    /// The [`Placed::slot`] of each open operation that has a deadline, by deadline.
    pub expiring: Vec<u32>,
}

/// An operation as the search needs it.
pub(super) struct Placed<'a, M: Model> {
    /// The operation's index in the history.
    pub index: usize,
    /// Whether this is the copy of an operation that may take effect after its return.
    pub is_copy: bool,
    pub call: u64,
    /// Time of the return, even if the answer does not count; `u64::MAX` if the operation never
    /// returned, or may take effect after its return.
    pub end: u64,
    pub input: &'a M::Input,
    pub output: Option<&'a M::Output>,
    /// Whether the operation only reads, if its output is `output`.
    pub reads_only: bool,
    /// Whether the operation is legal in every state.
    pub is_blind: bool,
    /// Whether the operation is legal in every state, and the state after it is always the same.
    pub overwrites: bool,
    /// For an answered operation: a number that no overlapping answered operation has. For an open
    /// operation: the number of open operations before it.
    pub slot: usize,
    /// For an answered operation: its position in `returns`.
    pub rank: usize,
}

impl<'a, M: Model> Part<'a, M> {
    /// Lays out the operations `indices` of `history`.
    ///
    /// An operation counts as answered if it has an answer and `has_answer` accepts it.
    pub(super) fn new(
        model: &M,
        history: &History<'a, M>,
        indices: &[usize],
        has_answer: impl Fn(usize) -> bool,
    ) -> Part<'a, M> {
        let initial = model.initial();
        let all = history.operations;
        let placed = |index: usize, output: Option<&'a M::Output>, end: u64, is_copy: bool| {
            let operation = &all[index];
            let reads_only = model.reads_only(&operation.input, output);
            // An operation that does not depend on one state depends on no state.
            let is_blind = model.sight(&initial, &operation.input, output) == Sight::Blind;
            let overwrites = is_blind && model.overwrites(&operation.input);
            Placed {
                index,
                is_copy,
                call: operation.call,
                end,
                input: &operation.input,
                output,
                reads_only,
                is_blind,
                overwrites,
                slot: 0,
                rank: 0,
            }
        };
        let mut operations: Vec<Placed<'a, M>> = indices
            .iter()
            .flat_map(|index| {
                let is_late = history.is_late(*index);
                let answer = all[*index].output().filter(|_| has_answer(*index));
                let end = all[*index].end();
                let end = if is_late && answer.is_none() { u64::MAX } else { end };
                let copy =
                    (is_late && answer.is_some()).then(|| placed(*index, None, u64::MAX, true));
                [Some(placed(*index, answer, end, false)), copy]
            })
            .flatten()
            // A read without an answer has no effect and says nothing.
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
        let in_doubt = |it: &Placed<'a, M>| {
            it.output.is_some_and(|output| model.late_below(it.input, output).is_some())
        };
        let telling = those(&|it| !it.is_blind && !in_doubt(it));
        let all = (0..).zip(&operations);
        let seeing = all.filter(|(_, it)| !it.is_blind).map(|(id, _)| id).collect();
        Part { answered_count, reads, telling, seeing, operations, returns, slots, expiring }
    }

    /// Returns the operations of an order as indices into the history.
    ///
    /// An operation that took effect after its return appears where it took effect.
    pub(super) fn indices_of(&self, order: impl Iterator<Item = u32> + Clone) -> Vec<usize> {
        let placed = order.map(|id| &self.operations[id as usize]);
        let copies = placed.clone().filter(|it| it.is_copy).map(|it| it.index);
        let copies: BTreeSet<usize> = copies.collect();
        placed.filter(|it| it.is_copy || !copies.contains(&it.index)).map(|it| it.index).collect()
    }

    /// Number of open operations.
    pub(super) fn open_count(&self) -> usize {
        self.operations.len() - self.answered_count
    }
}

/// Gives each operation its rank and its slot.
///
/// The result is [`Part::returns`] and [`Part::slots`].
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

    // In the order of time; at equal times, calls before returns.
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

/// Returns the open operations that have a deadline, by deadline.
fn expiring<M: Model>(open: &[Placed<'_, M>]) -> Vec<u32> {
    let has_deadline = (0..).zip(open).filter(|(_, placed)| placed.end < u64::MAX);
    let mut expiring: Vec<u32> = has_deadline.map(|(number, _)| number).collect();
    expiring.sort_by_key(|number| open[*number as usize].end);
    expiring
}

/// Returns the indices of the operations of the same key as `one`, including `one`.
pub(super) fn of_key<M: Model>(model: &M, history: &Operations<M>, one: usize) -> Vec<usize> {
    let key = model.key(&history[one].input);
    (0..history.len()).filter(|index| model.key(&history[*index].input) == key).collect()
}

/// Returns the indices of the operations of each key, by key.
pub(super) fn by_key<M: Model>(model: &M, history: &Operations<M>) -> Vec<Vec<usize>> {
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
