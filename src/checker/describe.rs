//! Descriptions of operations, answers and states, as text for people.

use std::fmt::Display;

use super::Model;
use super::models::{
    Counter, CounterInput, CounterOutput, Kv, KvInput, KvOutput, PerKey, Register, RegisterInput,
    RegisterOutput, VersionedInput, VersionedKv, VersionedOutput,
};

/// A model that can describe its operations and states.
pub trait Describe: Model {
    /// Describes the operation that a client asked for, e.g. `put "a" = "1"`.
    fn call(&self, input: &Self::Input) -> String;

    /// Describes the answer, e.g. `"1"`; empty if the answer says only that the operation was done.
    fn answer(&self, output: &Self::Output) -> String;

    /// Describes a state, e.g. `"1"`.
    fn state(&self, state: &Self::State) -> String;

    /// Describes the right answer to `input` in `state`, if only one answer is right.
    fn right_answer(&self, state: &Self::State, input: &Self::Input) -> Option<String>;
}

impl Describe for Kv {
    fn call(&self, input: &KvInput) -> String {
        match input {
            KvInput::Get { key } => format!("get {key:?}"),
            KvInput::Put { key, value } => format!("put {key:?} = {value:?}"),
            KvInput::Append { key, value } => format!("append {key:?} += {value:?}"),
        }
    }

    fn answer(&self, output: &KvOutput) -> String {
        match output {
            KvOutput::Value(value) => format!("{value:?}"),
            KvOutput::Done => String::new(),
        }
    }

    fn state(&self, state: &Self::State) -> String {
        format!("{state:?}")
    }

    fn right_answer(&self, state: &Self::State, input: &KvInput) -> Option<String> {
        matches!(input, KvInput::Get { .. }).then(|| self.state(state))
    }
}

impl Describe for VersionedKv {
    fn call(&self, input: &VersionedInput) -> String {
        match input {
            VersionedInput::Get { key } => format!("get {key:?}"),
            VersionedInput::Put { key, value, version } => {
                format!("put {key:?} = {value:?} over version {version}")
            }
        }
    }

    fn answer(&self, output: &VersionedOutput) -> String {
        match output {
            VersionedOutput::Found { value, version } => format!("{value:?} version {version}"),
            VersionedOutput::NoKey => "ErrNoKey".to_string(),
            VersionedOutput::Done => "ok".to_string(),
            VersionedOutput::WrongVersion => "ErrVersion".to_string(),
            VersionedOutput::Maybe => "ErrMaybe".to_string(),
        }
    }

    fn state(&self, state: &Self::State) -> String {
        match state {
            Some((value, version)) => format!("{value:?} version {version}"),
            None => "no key".to_string(),
        }
    }

    fn right_answer(&self, state: &Self::State, input: &VersionedInput) -> Option<String> {
        Some(match (input, state) {
            (VersionedInput::Get { .. }, Some(_)) => self.state(state),
            (VersionedInput::Get { .. }, None) => "ErrNoKey".to_string(),
            (VersionedInput::Put { version, .. }, Some((_, current))) if version == current => {
                "ok".to_string()
            }
            (VersionedInput::Put { .. }, Some(_)) => "ErrVersion".to_string(),
            (VersionedInput::Put { version: 0, .. }, None) => "ok".to_string(),
            (VersionedInput::Put { .. }, None) => "ErrNoKey".to_string(),
        })
    }
}

impl<V: Clone + Eq + std::hash::Hash + Display> Describe for Register<V> {
    fn call(&self, input: &RegisterInput<V>) -> String {
        match input {
            RegisterInput::Read => "read".to_string(),
            RegisterInput::Write(value) => format!("write {value}"),
            RegisterInput::Cas { from, to } => format!("cas {} to {to}", or_nil(from.as_ref())),
        }
    }

    fn answer(&self, output: &RegisterOutput<V>) -> String {
        match output {
            RegisterOutput::Value(value) => or_nil(value.as_ref()),
            RegisterOutput::Done => String::new(),
            RegisterOutput::Swapped(true) => "done".to_string(),
            RegisterOutput::Swapped(false) => "not done".to_string(),
        }
    }

    fn state(&self, state: &Option<V>) -> String {
        or_nil(state.as_ref())
    }

    fn right_answer(&self, state: &Option<V>, input: &RegisterInput<V>) -> Option<String> {
        match input {
            RegisterInput::Read => Some(self.state(state)),
            RegisterInput::Write(_) => None,
            RegisterInput::Cas { from, .. } => {
                Some(self.answer(&RegisterOutput::Swapped(from == state)))
            }
        }
    }
}

fn or_nil<V: Display>(value: Option<&V>) -> String {
    value.map_or_else(|| "nil".to_string(), V::to_string)
}

impl Describe for Counter {
    fn call(&self, input: &CounterInput) -> String {
        match input {
            CounterInput::Read => "read".to_string(),
            CounterInput::Add(by) => format!("add {by}"),
        }
    }

    fn answer(&self, output: &CounterOutput) -> String {
        match output {
            CounterOutput::Value(value) => value.to_string(),
            CounterOutput::Done => String::new(),
        }
    }

    fn state(&self, state: &i64) -> String {
        state.to_string()
    }

    fn right_answer(&self, state: &i64, input: &CounterInput) -> Option<String> {
        Some(match input {
            CounterInput::Read => state.to_string(),
            CounterInput::Add(by) => state.wrapping_add(*by).to_string(),
        })
    }
}

impl<K: Ord + Clone + Display, M: Describe> Describe for PerKey<K, M> {
    /// Leaves out an empty key, which names the only object of a history without keys.
    fn call(&self, (key, input): &(K, M::Input)) -> String {
        let (key, call) = (key.to_string(), self.inner().call(input));
        if key.is_empty() { call } else { format!("{key}: {call}") }
    }

    fn answer(&self, output: &M::Output) -> String {
        self.inner().answer(output)
    }

    fn state(&self, state: &M::State) -> String {
        self.inner().state(state)
    }

    fn right_answer(&self, state: &M::State, (_, input): &(K, M::Input)) -> Option<String> {
        self.inner().right_answer(state, input)
    }
}
