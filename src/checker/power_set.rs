//! Follows all outcomes of a model whose operations may have several.

use super::model::{Model, NondeterministicModel};

/// The [`Model`] of a [`NondeterministicModel`]: its state is the set of all states that the
/// answers so far allow.
///
/// ```
/// use raftlab::checker::{Budget, NondeterministicModel, Operation, PowerSet, check};
///
/// /// A light with a switch that sometimes sticks.
/// struct Light;
///
/// impl NondeterministicModel for Light {
///     type State = bool;
///     type Input = &'static str;
///     type Output = bool;
///     type Key = ();
///
///     fn initials(&self) -> Vec<bool> {
///         vec![false]
///     }
///
///     fn steps(&self, lit: &bool, input: &&'static str, seen: Option<&bool>) -> Vec<bool> {
///         match *input {
///             "press" => vec![*lit, !*lit],
///             _ => if seen.is_none_or(|seen| seen == lit) { vec![*lit] } else { vec![] },
///         }
///     }
///
///     fn key(&self, _: &&'static str) {}
/// }
///
/// let look = |at, lit| Operation::answered(1, at, "look", at, lit);
/// let press = |at| Operation::answered(1, at, "press", at, true);
/// let model = PowerSet(Light);
/// let check = |history: &[_]| check(&model, history, &Budget::default());
/// assert!(check(&[press(1), look(2, false), press(3), look(4, true)]).is_ok());
/// assert!(check(&[look(2, true)]).is_illegal());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct PowerSet<M>(pub M);

impl<M: NondeterministicModel> Model for PowerSet<M> {
    /// The possible states: sorted, without repetitions, never empty.
    type State = Vec<M::State>;
    type Input = M::Input;
    type Output = M::Output;
    type Key = M::Key;

    fn initial(&self) -> Self::State {
        let mut states = self.0.initials();
        states.sort_unstable();
        states.dedup();
        states
    }

    fn step(
        &self,
        states: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State> {
        let mut next: Vec<_> =
            states.iter().flat_map(|state| self.0.steps(state, input, output)).collect();
        next.sort_unstable();
        next.dedup();
        (!next.is_empty()).then_some(next)
    }

    fn key(&self, input: &Self::Input) -> Self::Key {
        self.0.key(input)
    }

    fn heap_bytes(&self, states: &Self::State) -> usize {
        std::mem::size_of_val(states.as_slice())
    }
}
