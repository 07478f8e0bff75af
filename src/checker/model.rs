//! The interface of a model: how the judged object behaves if operations come one at a time.

use std::hash::Hash;

/// A sequential object: its states, and which answers are right in which state.
///
/// [`step`](Model::step) decides which answers are right. Most methods with a default are hints,
/// which make the search faster; with a wrong hint the verdict may be wrong.
/// [`late_below`](Model::late_below) is not a hint: it allows an operation to take effect after its
/// return.
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
    /// Without an `output` the operation never returned, and any answer is right. In that case
    /// `None` means that the operation cannot take effect in `state`.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;

    /// The object that an operation acts on. An operation on one object must not affect another
    /// object: the checker judges each object on its own, which makes long histories cheap.
    fn key(&self, input: &Self::Input) -> Self::Key;

    /// Whether an operation with this answer changes none of the states in which it is legal.
    ///
    /// The search places such an operation as soon as it is legal. Reads are of this kind, and so
    /// are writes whose answers say that they failed.
    fn reads_only(&self, _input: &Self::Input, _output: Option<&Self::Output>) -> bool {
        false
    }

    /// Whether an operation with this answer is legal in `state` but can no longer change anything.
    ///
    /// It changes neither `state` nor any state that can follow. An example is a put that was
    /// answered `ErrMaybe`, at a version that has passed: versions only rise.
    ///
    /// The search places such an operation at once. Otherwise it would try many concurrent
    /// operations of this kind in every order, although their order does not matter.
    fn is_spent(&self, _state: &Self::State, _input: &Self::Input, _output: &Self::Output) -> bool {
        false
    }

    /// Returns a height if the operation may take effect after its return, and `None` otherwise.
    ///
    /// A *height* is a number that belongs to a state and never falls, such as a version. An
    /// operation of this kind is a put that was answered `ErrMaybe`: an earlier copy of it may
    /// still be in flight.
    ///
    /// `None`: the operation took effect before it returned, if at all. With a height, the
    /// operation takes effect at any time after its call, or never; its answer must still be right
    /// in some state between call and return. But if the state had reached that height before the
    /// call, the operation takes no effect after its return.
    fn late_below(&self, _input: &Self::Input, _output: &Self::Output) -> Option<u64> {
        None
    }

    /// Returns the smallest height that the state can have when an operation with this answer
    /// returns.
    ///
    /// The checker asks for it only if [`late_below`](Model::late_below) of some operation of the
    /// key is not `None`.
    fn height(&self, _input: &Self::Input, _output: &Self::Output) -> u64 {
        0
    }

    /// Returns how an operation depends on `state`: with its answer, or, if it never returned, with
    /// its effect. [`Sight`] says when each value is correct; `Sight::Can` always is.
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
    /// The search asks this only about an answer that could not be right before
    /// ([`Sight::Cannot`]).
    fn provides(&self, _by: &Self::Input, _input: &Self::Input, _output: &Self::Output) -> bool {
        true
    }

    /// Whether the state after an operation is the same whatever the state was before. The search
    /// asks this only about operations that are [`Sight::Blind`].
    fn overwrites(&self, _input: &Self::Input) -> bool {
        false
    }

    /// Approximate number of bytes that a state holds beyond its own size, for the memory limit.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// How an operation depends on a state.
///
/// The search may place the operation in that state, or in a later state, which other operations
/// have made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// The operation does not depend on the state: its answer is right in every state. If it never
    /// returned, it can take effect in every state. It may still keep a part of the state, as an
    /// append does.
    Blind,
    /// The operation's answer may be right in the state, or in a later state.
    Can,
    /// The operation's answer is right neither in the state nor in a later state, until some
    /// operation [provides](Model::provides) the answer.
    ///
    /// An operation that never returned cannot take effect in any of these states.
    Cannot,
}

/// A sequential object whose operations may have one of several outcomes, unknown to the client.
///
/// [`PowerSet`](super::PowerSet) turns it into a [`Model`].
pub trait NondeterministicModel {
    /// As in [`Model`]. A set of states is a list in this order.
    type State: Clone + Ord + Hash;
    /// As in [`Model`].
    type Input;
    /// As in [`Model`].
    type Output;
    /// As in [`Model`].
    type Key: Ord + Clone;

    /// Returns every possible initial state.
    fn initials(&self) -> Vec<Self::State>;

    /// Returns every state that may follow, in any order; no state if the answer is not right.
    fn steps(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Vec<Self::State>;

    /// As in [`Model`].
    fn key(&self, input: &Self::Input) -> Self::Key;
}
