//! A counter: a number with the operations add and read.

use crate::checker::Model;

/// A counter that starts at 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counter;

/// What a client asks of a [`Counter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CounterInput {
    /// Read the value.
    Read,
    /// Add this number, which may be negative; wraps around.
    Add(i64),
}

/// What a [`Counter`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CounterOutput {
    /// The value; for an addition, the value after the addition.
    Value(i64),
    /// An addition was done; the answer has no value.
    Done,
}

impl Model for Counter {
    type State = i64;
    type Input = CounterInput;
    type Output = CounterOutput;
    type Key = ();

    fn initial(&self) -> i64 {
        0
    }

    fn step(
        &self,
        value: &i64,
        input: &CounterInput,
        output: Option<&CounterOutput>,
    ) -> Option<i64> {
        let (next, silent) = match input {
            CounterInput::Read => (*value, false),
            CounterInput::Add(by) => (value.wrapping_add(*by), true),
        };
        let right = match output {
            None => true,
            Some(CounterOutput::Value(seen)) => *seen == next,
            Some(CounterOutput::Done) => silent,
        };
        right.then_some(next)
    }

    fn key(&self, _: &CounterInput) {}

    fn reads_only(&self, input: &CounterInput, _: Option<&CounterOutput>) -> bool {
        matches!(input, CounterInput::Read | CounterInput::Add(0))
    }
}
