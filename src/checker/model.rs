//! The object that a history is compared with: how it behaves if operations come one at a time.

use std::hash::Hash;

/// A sequential object: its states, and which answers are right in which state.
///
/// [`step`](Model::step) decides which answers are right. Most methods with a default are hints:
/// they make the search faster, and their promises must hold. [`late_below`](Model::late_below) is
/// the exception: it allows an operation to take effect after its return.
///
/// ```
/// use raftlab::checker::{Budget, Model, Operation, check};
///
/// /// A flag that can be raised once; the answer says whether this call raised it.
/// struct Flag;
///
/// impl Model for Flag {
///     type State = bool;
///     type Input = ();
///     type Output = bool;
///     type Key = ();
///
///     fn initial(&self) -> bool {
///         false
///     }
///
///     fn step(&self, raised: &bool, (): &(), won: Option<&bool>) -> Option<bool> {
///         (won != Some(raised)).then_some(true)
///     }
///
///     fn key(&self, (): &()) {}
/// }
///
/// let race = [Operation::answered(1, 0, (), 9, true), Operation::answered(2, 5, (), 6, false)];
/// assert!(check(&Flag, &race, &Budget::default()).is_ok());
///
/// let both = [Operation::answered(1, 0, (), 9, true), Operation::answered(2, 5, (), 6, true)];
/// assert!(check(&Flag, &both, &Budget::default()).is_illegal());
/// ```
pub trait Model {
    /// The state that operations act on; if there are keys, the state of one key. Cloned, hashed
    /// and compared often: let large states share their parts.
    type State: Clone + Eq + Hash;
    /// What a client asks for.
    type Input;
    /// What the object answers.
    type Output;
    /// Names one of several independent objects; `()` if there is only one.
    type Key: Ord + Clone;

    /// The state of every key before its first operation.
    fn initial(&self) -> Self::State;

    /// Returns the state after an operation; `None` if the answer `output` is not right in `state`.
    ///
    /// Without an `output` the operation never returned, and any answer is right. `None` then means
    /// that the operation cannot take effect in `state`.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;

    /// The object that an operation acts on. An operation on one object must not affect another:
    /// then each can be judged on its own, which makes long histories cheap.
    fn key(&self, input: &Self::Input) -> Self::Key;

    /// Whether an operation with this answer changes none of the states in which it is legal.
    ///
    /// Such an operation is placed as soon as it is legal, and never later. A write whose answer
    /// says that it failed is one, too.
    fn reads_only(&self, _input: &Self::Input, _output: Option<&Self::Output>) -> bool {
        false
    }

    /// Whether an operation with this answer is legal in `state` but has no effect from then on.
    ///
    /// It leaves `state` and every state that can follow as it is: for example a put in doubt
    /// (`ErrMaybe`) at a version that has passed, where versions only rise.
    ///
    /// Such an operation is placed at once. Many of them in flight together would otherwise be
    /// tried in every order, although none matters.
    fn is_spent(&self, _state: &Self::State, _input: &Self::Input, _output: &Self::Output) -> bool {
        false
    }

    /// Returns the height of the state below which an operation may take effect after its return.
    ///
    /// An example is a put in doubt with this answer, of which a copy may still be in flight.
    /// `None`: the operation took effect before it returned, if at all.
    ///
    /// With a height, the operation takes effect at any time after its call, or never. Its answer
    /// must still be right in some state between call and return. If the state had reached that
    /// height before the call, the operation takes no effect after its return.
    fn late_below(&self, _input: &Self::Input, _output: &Self::Output) -> Option<u64> {
        None
    }

    /// Returns the least height of the state once an operation with this answer has returned.
    ///
    /// A height never falls; a version is one. Asked only if [`late_below`](Model::late_below) of
    /// some operation is not `None`.
    fn height(&self, _input: &Self::Input, _output: &Self::Output) -> u64 {
        0
    }

    /// Returns what an operation can see of `state`: by its answer, or, if it never returned, by
    /// its effect. See [`Sight`] for what each value promises; `Sight::Can` promises nothing.
    fn sight(
        &self,
        _state: &Self::State,
        _input: &Self::Input,
        _output: Option<&Self::Output>,
    ) -> Sight {
        Sight::Can
    }

    /// Whether the operation `by` can make the answer `output` to `input` right.
    ///
    /// Asked only of an answer that could not be right before ([`Sight::Cannot`]).
    fn provides(&self, _by: &Self::Input, _input: &Self::Input, _output: &Self::Output) -> bool {
        true
    }

    /// Whether the state after an operation is the same whatever the state was before. Asked only
    /// of operations that are [`Sight::Blind`].
    fn overwrites(&self, _input: &Self::Input) -> bool {
        false
    }

    /// About how many bytes a state holds beyond its own size, for the cap on memory.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// What an operation can see of a state.
///
/// The operation may be placed in that state, or in a later one that other operations make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing: its answer is right in every state. If it never returned, it takes effect in every
    /// state, too. It may still keep what it does not see, as an append does.
    Blind,
    /// Its answer may be right in the state, or in a later one.
    Can,
    /// Its answer is right neither in the state nor in a later one.
    ///
    /// This holds until some operation [provides](Model::provides) the answer. If the operation
    /// never returned, it cannot take effect there.
    Cannot,
}

/// A sequential object whose operations may have one of several outcomes, unknown to the client.
///
/// [`PowerSet`](super::PowerSet) turns it into a [`Model`].
pub trait NondeterministicModel {
    /// As in [`Model`]; its order sorts sets of states.
    type State: Clone + Ord + Hash;
    /// As in [`Model`].
    type Input;
    /// As in [`Model`].
    type Output;
    /// As in [`Model`].
    type Key: Ord + Clone;

    /// Returns every possible initial state.
    fn initials(&self) -> Vec<Self::State>;

    /// Returns every state that may follow, in any order; none if the answer is not right.
    fn steps(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Vec<Self::State>;

    /// As in [`Model`].
    fn key(&self, input: &Self::Input) -> Self::Key;
}
