//! A register: one value with the operations read, write, and compare-and-set.

use std::hash::Hash;
use std::marker::PhantomData;

use crate::checker::{Model, Sight};

/// A register with values of type `V`; nil (`None`) at first.
#[derive(Debug, Clone, Copy)]
pub struct Register<V>(PhantomData<V>);

impl<V> Register<V> {
    /// Makes the model, which has no settings.
    pub const fn new() -> Register<V> {
        Register(PhantomData)
    }
}

impl<V> Default for Register<V> {
    fn default() -> Self {
        Register::new()
    }
}

/// What a client asks of a [`Register`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RegisterInput<V> {
    /// Read the value.
    Read,
    /// Write a value.
    Write(V),
    /// Write `to` if the value is `from`, and answer whether the value was `from`.
    Cas {
        /// The value that the register must have.
        from: Option<V>,
        /// The value that the register gets.
        to: V,
    },
}

/// What a [`Register`] answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RegisterOutput<V> {
    /// The value that was read.
    Value(Option<V>),
    /// The value was written.
    Done,
    /// Whether the value was equal to `from`, and so was replaced by `to`.
    Swapped(bool),
}

impl<V: Clone + Eq + Hash> Model for Register<V> {
    type State = Option<V>;
    type Input = RegisterInput<V>;
    type Output = RegisterOutput<V>;
    type Key = ();

    fn initial(&self) -> Option<V> {
        None
    }

    fn step(
        &self,
        state: &Option<V>,
        input: &RegisterInput<V>,
        output: Option<&RegisterOutput<V>>,
    ) -> Option<Option<V>> {
        match (input, output) {
            (RegisterInput::Read, None) => Some(state.clone()),
            (RegisterInput::Read, Some(RegisterOutput::Value(seen))) => {
                (seen == state).then(|| state.clone())
            }
            (RegisterInput::Write(value), None | Some(RegisterOutput::Done)) => {
                Some(Some(value.clone()))
            }
            (RegisterInput::Cas { from, to }, None | Some(RegisterOutput::Swapped(true))) => {
                (from == state).then(|| Some(to.clone()))
            }
            (RegisterInput::Cas { from, .. }, Some(RegisterOutput::Swapped(false))) => {
                (from != state).then(|| state.clone())
            }
            _ => None,
        }
    }

    fn key(&self, _: &RegisterInput<V>) {}

    fn reads_only(&self, input: &RegisterInput<V>, output: Option<&RegisterOutput<V>>) -> bool {
        matches!(input, RegisterInput::Read)
            || matches!(output, Some(RegisterOutput::Swapped(false)))
    }

    fn sight(
        &self,
        state: &Option<V>,
        input: &RegisterInput<V>,
        output: Option<&RegisterOutput<V>>,
    ) -> Sight {
        let right = match (input, output) {
            (RegisterInput::Read, Some(RegisterOutput::Value(seen))) => seen == state,
            (RegisterInput::Cas { from, .. }, Some(RegisterOutput::Swapped(equal))) => {
                (from == state) == *equal
            }
            (RegisterInput::Cas { from, .. }, None) => from == state,
            _ => return Sight::Blind,
        };
        if right { Sight::Can } else { Sight::Cannot }
    }

    fn provides(
        &self,
        by: &RegisterInput<V>,
        input: &RegisterInput<V>,
        output: &RegisterOutput<V>,
    ) -> bool {
        let (RegisterInput::Write(value) | RegisterInput::Cas { to: value, .. }) = by else {
            return false;
        };
        match (input, output) {
            (RegisterInput::Read, RegisterOutput::Value(seen)) => seen.as_ref() == Some(value),
            (RegisterInput::Cas { from, .. }, RegisterOutput::Swapped(equal)) => {
                (from.as_ref() == Some(value)) == *equal
            }
            _ => true,
        }
    }

    fn overwrites(&self, input: &RegisterInput<V>) -> bool {
        matches!(input, RegisterInput::Write(_))
    }
}
