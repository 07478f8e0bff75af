//! Linearizability as it is defined, without a thought for speed: try all orders.

use std::collections::BTreeMap;
use std::fmt::Debug;

use raftlab::checker::{Model, NondeterministicModel, Operation, PowerSet};

pub type History<M> = Vec<Operation<<M as Model>::Input, <M as Model>::Output>>;

/// A model as the oracle knows it: what may follow, one state at a time.
pub trait World: Model<Input: Clone + Debug, Output: Clone + Debug> {
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

/// Whether some order of all answered and some open operations explains every answer.
pub fn is_linearizable<W: World>(world: &W, history: &History<W>) -> bool {
    let mut left: Vec<usize> = (0..history.len()).collect();
    explains(world, history, &mut left, &mut BTreeMap::new())
}

type States<W> = BTreeMap<<W as Model>::Key, <W as World>::One>;

fn explains<W: World>(
    world: &W,
    history: &History<W>,
    left: &mut Vec<usize>,
    states: &mut States<W>,
) -> bool {
    if left.iter().all(|index| history[*index].returned.is_none()) {
        return true;
    }
    (0..left.len()).any(|at| {
        let index = left[at];
        let operation = &history[index];
        if left.iter().any(|other| history[*other].precedes(operation)) {
            return false;
        }
        let key = world.key(&operation.input);
        let before = states.get(&key).cloned();
        let state = before.clone().unwrap_or_else(|| world.first());
        left.remove(at);
        let found =
            world.then(&state, &operation.input, operation.output()).into_iter().any(|next| {
                states.insert(key.clone(), next);
                explains(world, history, left, states)
            });
        left.insert(at, index);
        match before {
            Some(before) => states.insert(key, before),
            None => states.remove(&key),
        };
        found
    })
}

/// For each operation, how many answered ones are at most in an order with it that explains the
/// answers of those that are in it, and leaves none out that returned before one was called.
pub fn longest_through<W: World>(world: &W, history: &History<W>) -> Vec<usize> {
    let mut longest = vec![0; history.len()];
    extend(world, history, &mut Vec::new(), &mut BTreeMap::new(), &mut longest);
    longest
}

fn extend<W: World>(
    world: &W,
    history: &History<W>,
    order: &mut Vec<usize>,
    states: &mut States<W>,
    longest: &mut [usize],
) {
    let answered = order.iter().filter(|index| history[**index].returned.is_some()).count();
    for index in order.iter() {
        longest[*index] = longest[*index].max(answered);
    }
    for index in 0..history.len() {
        let operation = &history[index];
        let missing = |other: &usize| !order.contains(other) && history[*other].precedes(operation);
        if order.contains(&index) || (0..history.len()).any(|other| missing(&other)) {
            continue;
        }
        let key = world.key(&operation.input);
        let before = states.get(&key).cloned();
        let state = before.clone().unwrap_or_else(|| world.first());
        for next in world.then(&state, &operation.input, operation.output()) {
            states.insert(key.clone(), next);
            order.push(index);
            extend(world, history, order, states, longest);
            order.pop();
        }
        match before {
            Some(before) => states.insert(key, before),
            None => states.remove(&key),
        };
    }
}
