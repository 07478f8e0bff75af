//! What a history is held against: the object as it would be if operations came one at a time.

use std::hash::Hash;

/// A sequential object: its states, and which answers are right in which state.
///
/// [`step`](Model::step) alone decides what is legal. The methods with a default are hints: they
/// make the search faster, and their promises must hold.
///
/// ```
/// use raftlab::checker::{Budget, Model, Operation, check};
///
/// /// A flag that can be raised once; who raises it is told so.
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
    /// What operations act on. One of one key, if there are keys. Cloned, hashed and compared
    /// often: let large states share their parts.
    type State: Clone + Eq + Hash;
    /// What a client asks for.
    type Input;
    /// What a client is told.
    type Output;
    /// Names one of several independent objects; `()` if there is but one.
    type Key: Ord + Clone;

    /// The state before the first operation, of every key.
    fn initial(&self) -> Self::State;

    /// The state after an operation that was answered with `output`; `None` if that answer is not
    /// right in `state`.
    ///
    /// Without an `output` the operation never returned, and any answer will do. `None` then says
    /// that it can do nothing in `state`.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;

    /// The object that an operation acts on. What is done to one must not show in another: then
    /// each can be judged on its own, which is what makes long histories cheap.
    fn key(&self, input: &Self::Input) -> Self::Key;

    /// Whether an operation with that answer leaves each state, in which it is legal, as it is.
    ///
    /// Such an operation is placed as soon as it is legal, and never later. A write that says that
    /// it failed is one, too.
    fn reads_only(&self, _input: &Self::Input, _output: Option<&Self::Output>) -> bool {
        false
    }

    /// Whether an operation with that answer is legal in `state`, and leaves it and each state that
    /// can follow as it is: a put in doubt at a version that has passed, where versions only rise.
    ///
    /// It is then placed at once. Many of them under way together would otherwise be tried in every
    /// order, although none matters.
    fn is_spent(&self, _state: &Self::State, _input: &Self::Input, _output: &Self::Output) -> bool {
        false
    }

    /// Of an operation with that answer that may take effect after its return, the height below
    /// which it may: a put in doubt, of which a copy may be under way. `None` where it took effect
    /// before it returned, if at all.
    ///
    /// It then takes effect at any time after its call, or never. Its answer must be right in some
    /// state between call and return all the same. Where the state had reached that height before
    /// the call, the operation takes no effect after its return.
    fn late_below(&self, _input: &Self::Input, _output: &Self::Output) -> Option<u64> {
        None
    }

    /// How high the state is at least, once an operation with that answer has returned. A height
    /// never falls: a version. Asked only where [`late_below`](Model::late_below) of some operation
    /// is not `None`.
    fn height(&self, _input: &Self::Input, _output: &Self::Output) -> u64 {
        0
    }

    /// What an operation can see of `state`: by its answer, or, if it never returned, by what it
    /// does. See [`Sight`] for what each value promises; `Sight::Can` promises nothing.
    fn sight(
        &self,
        _state: &Self::State,
        _input: &Self::Input,
        _output: Option<&Self::Output>,
    ) -> Sight {
        Sight::Can
    }

    /// Whether the answer `output` to `input` can become right by the operation `by`, after it
    /// was one that cannot be right ([`Sight::Cannot`]).
    fn provides(&self, _by: &Self::Input, _input: &Self::Input, _output: &Self::Output) -> bool {
        true
    }

    /// Whether the state after an operation is the same whatever it was before. Asked only of
    /// operations that are [`Sight::Blind`].
    fn overwrites(&self, _input: &Self::Input) -> bool {
        false
    }

    /// About how many bytes a state holds beyond its own size, for the cap on memory.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// What an operation can see of a state. It need not be placed in that very state, but may be so
/// after others that follow on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing: its answer is right in every state. If it never returned, it takes effect in
    /// every state, too. It may still leave what it does not see in place, as an append does.
    Blind,
    /// Its answer may be right in the state, or in one that other operations make of it.
    Can,
    /// Its answer is not right in the state, nor after others that follow on it, up to one that
    /// [provides](Model::provides) it. If it never returned, it can do nothing there.
    Cannot,
}

/// A sequential object whose operations may have one of several outcomes, unknown to the client.
///
/// [`PowerSet`](super::PowerSet) makes a [`Model`] of it.
pub trait NondeterministicModel {
    /// As of [`Model`], with an order, in which sets of states are kept.
    type State: Clone + Ord + Hash;
    /// As of [`Model`].
    type Input;
    /// As of [`Model`].
    type Output;
    /// As of [`Model`].
    type Key: Ord + Clone;

    /// Every state that may be the first one.
    fn initials(&self) -> Vec<Self::State>;

    /// Every state that may follow, in any order; none if the answer is not right in `state`.
    fn steps(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Vec<Self::State>;

    /// As of [`Model`].
    fn key(&self, input: &Self::Input) -> Self::Key;
}
