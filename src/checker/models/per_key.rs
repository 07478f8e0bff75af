//! The model of many objects of one kind, one for each key.

use std::marker::PhantomData;

use crate::checker::{Model, Sight};

/// One object of the model `M` for each key of type `K`.
///
/// An input is a key and the input for the object of that key.
///
/// ```
/// use raftlab::checker::models::{Counter, CounterInput, CounterOutput, PerKey};
/// use raftlab::checker::{Budget, Operation, check};
///
/// let counters = PerKey::new(Counter);
/// let history = [
///     Operation::answered(1, 0, ("apples", CounterInput::Add(2)), 1, CounterOutput::Done),
///     Operation::answered(1, 2, ("pears", CounterInput::Read), 3, CounterOutput::Value(0)),
/// ];
/// assert!(check(&counters, &history, &Budget::default()).is_ok());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct PerKey<K, M> {
    model: M,
    keys: PhantomData<K>,
}

impl<K, M> PerKey<K, M> {
    /// Makes one object of `model` for each key.
    pub const fn new(model: M) -> PerKey<K, M> {
        PerKey { model, keys: PhantomData }
    }

    /// The model of each object.
    pub const fn inner(&self) -> &M {
        &self.model
    }
}

impl<K: Ord + Clone, M: Model> Model for PerKey<K, M> {
    type State = M::State;
    type Input = (K, M::Input);
    type Output = M::Output;
    type Key = (K, M::Key);

    fn initial(&self) -> M::State {
        self.model.initial()
    }

    fn step(
        &self,
        state: &M::State,
        (_, input): &(K, M::Input),
        output: Option<&M::Output>,
    ) -> Option<M::State> {
        self.model.step(state, input, output)
    }

    fn key(&self, (key, input): &(K, M::Input)) -> (K, M::Key) {
        (key.clone(), self.model.key(input))
    }

    fn reads_only(&self, (_, input): &(K, M::Input), output: Option<&M::Output>) -> bool {
        self.model.reads_only(input, output)
    }

    fn sight(&self, state: &M::State, input: &(K, M::Input), output: Option<&M::Output>) -> Sight {
        self.model.sight(state, &input.1, output)
    }

    fn provides(&self, by: &(K, M::Input), input: &(K, M::Input), output: &M::Output) -> bool {
        self.model.provides(&by.1, &input.1, output)
    }

    fn overwrites(&self, (_, input): &(K, M::Input)) -> bool {
        self.model.overwrites(input)
    }

    fn is_spent(&self, state: &M::State, (_, input): &(K, M::Input), output: &M::Output) -> bool {
        self.model.is_spent(state, input, output)
    }

    fn late_below(&self, (_, input): &(K, M::Input), output: &M::Output) -> Option<u64> {
        self.model.late_below(input, output)
    }

    fn height(&self, (_, input): &(K, M::Input), output: &M::Output) -> u64 {
        self.model.height(input, output)
    }

    fn heap_bytes(&self, state: &M::State) -> usize {
        self.model.heap_bytes(state)
    }
}
