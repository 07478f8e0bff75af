//! Linearizability by its definition, without regard to speed: the oracle tries all orders.

use std::collections::BTreeMap;
use std::fmt::Debug;

use raftlab::checker::{Model, NondeterministicModel, Operation, PowerSet};

pub(crate) type History<M> = Vec<Operation<<M as Model>::Input, <M as Model>::Output>>;

/// A model as the oracle uses it: it names the states that may follow one state.
pub(crate) trait World: Model<Input: Clone + Debug, Output: Clone + Debug> {
    type One: Clone;

    fn first(&self) -> Self::One;
    fn then(
        &self,
        state: &Self::One,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Vec<Self::One>;
}

/// Makes a world of each deterministic model.
macro_rules! worlds {
    ($($model:ty),*) => {$(
        impl World for $model {
            type One = <$model as Model>::State;

            fn first(&self) -> Self::One {
                self.initial()
            }

            fn then(
                &self,
                state: &Self::One,
                input: &Self::Input,
                output: Option<&Self::Output>,
            ) -> Vec<Self::One> {
                self.step(state, input, output).into_iter().collect()
            }
        }
    )*};
}

use raftlab::checker::models::{Counter, Kv, PerKey, Register, VersionedKv};
worlds!(Counter, Register<u8>, Kv, VersionedKv, PerKey<u8, Counter>);

impl<M: NondeterministicModel<Input: Clone + Debug, Output: Clone + Debug>> World for PowerSet<M> {
    type One = M::State;

    fn first(&self) -> M::State {
        self.0.initials().remove(0)
    }

    fn then(
        &self,
        state: &M::State,
        input: &M::Input,
        output: Option<&M::Output>,
    ) -> Vec<M::State> {
        self.0.steps(state, input, output)
    }
}

/// Returns the late effect of an operation that was answered but may take effect later.
///
/// It is an operation of its own, which was never answered. The history has both.
pub(crate) fn effect<W: World>(
    operation: &Operation<W::Input, W::Output>,
) -> Operation<W::Input, W::Output> {
    Operation::open(operation.client, operation.call, operation.input.clone())
}

/// Some operations of a history, and for each whether its answer counts. If not, the operation took
/// effect between its call and its return, with any answer, or not at all.
pub(crate) struct Part<W: World> {
    pub operations: History<W>,
    pub counts: Vec<bool>,
}

impl<W: World> Part<W> {
    /// All operations and all answers count. Operations answered in doubt may take effect later.
    pub(crate) fn whole(world: &W, history: &History<W>) -> Part<W> {
        let mut operations = history.clone();
        let in_doubt = |it: &&Operation<W::Input, W::Output>| {
            it.output().is_some_and(|output| world.late_below(&it.input, output).is_some())
        };
        operations.extend(history.iter().filter(in_doubt).map(effect::<W>));
        Part { counts: vec![true; operations.len()], operations }
    }

    /// The answer of an operation, if it has one that counts.
    fn answer(&self, index: usize) -> Option<&W::Output> {
        self.operations[index].output().filter(|_| self.counts[index])
    }

    /// Whether one operation must be placed before another can be.
    fn is_needed_for(&self, one: usize, other: usize) -> bool {
        self.counts[one] && self.operations[one].precedes(&self.operations[other])
    }
}

/// Whether some order of all answered and some other operations explains every answer.
pub(crate) fn is_linearizable<W: World>(world: &W, part: &Part<W>) -> bool {
    let left: Vec<usize> = (0..part.operations.len()).collect();
    explains(world, part, &left, &mut BTreeMap::new())
}

type States<W> = BTreeMap<<W as Model>::Key, <W as World>::One>;

fn explains<W: World>(world: &W, part: &Part<W>, left: &[usize], states: &mut States<W>) -> bool {
    if left.iter().all(|index| part.answer(*index).is_none()) {
        return true;
    }
    left.iter().any(|&index| {
        if left.iter().any(|other| part.is_needed_for(*other, index)) {
            return false;
        }
        let operation = &part.operations[index];
        let key = world.key(&operation.input);
        let before = states.get(&key).cloned();
        let state = before.clone().unwrap_or_else(|| world.first());
        // An operation that returned before this one's call, and is not placed yet, is too late.
        let in_time =
            |other: &usize| *other != index && !part.operations[*other].precedes(operation);
        let left: Vec<usize> = left.iter().copied().filter(in_time).collect();
        let next = world.then(&state, &operation.input, part.answer(index));
        let found = next.into_iter().any(|next| {
            states.insert(key.clone(), next);
            explains(world, part, &left, states)
        });
        match before {
            Some(before) => states.insert(key, before),
            None => states.remove(&key),
        };
        found
    })
}

/// Returns, for each operation, the most answered operations that an order with it can have.
///
/// Such an order explains the answers of its operations, and lacks no operation that returned
/// before one of them was called.
pub(crate) fn longest_through<W: World>(world: &W, part: &Part<W>) -> Vec<usize> {
    let mut longest = vec![0; part.operations.len()];
    extend(world, part, &mut Vec::new(), &mut BTreeMap::new(), &mut longest);
    longest
}

fn extend<W: World>(
    world: &W,
    part: &Part<W>,
    order: &mut Vec<usize>,
    states: &mut States<W>,
    longest: &mut [usize],
) {
    let answered = order.iter().filter(|index| part.answer(**index).is_some()).count();
    for index in order.iter() {
        longest[*index] = longest[*index].max(answered);
    }
    let all = 0..part.operations.len();
    for index in all.clone() {
        let operation = &part.operations[index];
        let missing = |other: usize| !order.contains(&other) && part.is_needed_for(other, index);
        let late = |other: &usize| operation.precedes(&part.operations[*other]);
        if order.contains(&index) || all.clone().any(missing) || order.iter().any(late) {
            continue;
        }
        let key = world.key(&operation.input);
        let before = states.get(&key).cloned();
        let state = before.clone().unwrap_or_else(|| world.first());
        for next in world.then(&state, &operation.input, part.answer(index)) {
            states.insert(key.clone(), next);
            order.push(index);
            extend(world, part, order, states, longest);
            order.pop();
        }
        match before {
            Some(before) => states.insert(key, before),
            None => states.remove(&key),
        };
    }
}
