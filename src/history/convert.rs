//! Converts operations of any format to those of a model.

use crate::checker::Operation;
use crate::checker::models::{
    KvInput, KvOutput, RegisterInput, RegisterOutput, VersionedInput, VersionedOutput,
};

use super::entry::{self, Answer, Entry, Function, Input, Key, Refusal};
use super::place::BadInput;
use super::typed::{History, ModelName, Value};

impl ModelName {
    const fn functions(self) -> &'static [Function] {
        match self {
            ModelName::Register => &[Function::Read, Function::Write, Function::Cas],
            ModelName::Kv => &[Function::Get, Function::Put, Function::Append],
            ModelName::KvVersioned => &[Function::Get, Function::Put],
        }
    }

    /// The model that has all functions of these operations, or else that of the first function.
    fn of(entries: &[Entry]) -> ModelName {
        let register = |entry: &Entry| Self::Register.functions().contains(&entry.input.function());
        if entries.first().is_some_and(register) {
            ModelName::Register
        } else if entries.iter().any(Entry::has_version) {
            ModelName::KvVersioned
        } else {
            ModelName::Kv
        }
    }
}

impl Entry {
    fn has_version(&self) -> bool {
        matches!(self.input, Input::Put { version: Some(_), .. })
            || matches!(self.returned, Some((_, Answer::Versioned { .. })))
    }
}

/// Converts the operations to those of `model`; without one, to those of the model that they tell.
pub(super) fn history(entries: Vec<Entry>, model: Option<ModelName>) -> Result<History, BadInput> {
    let model = model.unwrap_or_else(|| ModelName::of(&entries));
    for entry in &entries {
        entry.must_be_of(model)?;
    }
    Ok(match model {
        ModelName::Register => History::Register(all(entries, register)?),
        ModelName::Kv => History::Kv(all(entries, kv)?),
        ModelName::KvVersioned => History::KvVersioned(all(entries, versioned)?),
    })
}

impl Entry {
    fn must_be_of(&self, model: ModelName) -> Result<(), BadInput> {
        let (function, functions) = (self.input.function(), model.functions());
        if !functions.contains(&function) {
            let names: Vec<&str> = functions.iter().map(|function| function.name()).collect();
            return Err(self.place.wrong(format!(
                "{} is not an operation of the model {}, which has {}",
                function.name(),
                model.name(),
                names.join(", ")
            )));
        }
        Ok(())
    }
}

/// Whether the keys must be written as in EDN to be told apart.
///
/// They must if they are of several kinds, or if both the empty text and the register without a
/// name occur: that register's name is the empty text.
fn are_mixed(entries: &[Entry]) -> bool {
    let keys = || entries.iter().map(|entry| &entry.key);
    let kinds = [
        keys().flatten().any(|key| matches!(key, Key::Text(_))),
        keys().flatten().any(|key| matches!(key, Key::Int(_))),
        keys().flatten().any(|key| matches!(key, Key::Keyword(_))),
    ];
    let nameless = || keys().any(Option::is_none);
    let empty = || keys().flatten().any(|key| *key == Key::Text(String::new()));
    kinds.into_iter().filter(|kind| *kind).count() > 1 || (empty() && nameless())
}

/// Converts all operations; `typed` makes the input and the output of their model.
fn all<I, O>(
    entries: Vec<Entry>,
    typed: impl Fn(Option<String>, Input, Option<Answer>) -> Result<(I, Option<O>), String>,
) -> Result<Vec<Operation<I, O>>, BadInput> {
    let mixed = are_mixed(&entries);
    let one = |entry: Entry| {
        let Entry { place, client, call, key, input, returned } = entry;
        let key = key.map(|key| if mixed { key.written() } else { key.plain() });
        let (at, answer) = returned.unzip();
        let (input, output) = typed(key, input, answer).map_err(|what| place.wrong(what))?;
        Ok(Operation { client, call, input, returned: at.zip(output) })
    };
    entries.into_iter().map(one).collect()
}

type Typed<I, O> = Result<(I, Option<O>), String>;

fn register(
    key: Option<String>,
    input: Input,
    answer: Option<Answer>,
) -> Typed<(String, RegisterInput<Value>), RegisterOutput<Value>> {
    let not_nil = |value: entry::Value| {
        Value::from_entry(value).ok_or("a register cannot be made nil; expected a value")
    };
    let input = match input {
        Input::Read => RegisterInput::Read,
        Input::Write { value } => RegisterInput::Write(not_nil(value)?),
        Input::Cas { from, to } => {
            RegisterInput::Cas { from: Value::from_entry(from), to: not_nil(to)? }
        }
        other => return Err(no_such(&other)),
    };
    let output = answer.map(|answer| match answer {
        Answer::Value(value) => Ok(RegisterOutput::Value(Value::from_entry(value))),
        Answer::Done => Ok(RegisterOutput::Done),
        Answer::Swapped(swapped) => Ok(RegisterOutput::Swapped(swapped)),
        other => Err(no_answer(&other)),
    });
    Ok(((key.unwrap_or_default(), input), output.transpose()?))
}

fn kv(key: Option<String>, input: Input, answer: Option<Answer>) -> Typed<KvInput, KvOutput> {
    let key = key.ok_or("no key; expected one in each operation of the model kv")?;
    let input = match input {
        Input::Get => KvInput::Get { key },
        Input::Put { value, version: None } => KvInput::Put { key, value },
        Input::Append { value } => KvInput::Append { key, value },
        Input::Put { version: Some(_), .. } => {
            return Err("a put with a version; expected none in the model kv".to_string());
        }
        other => return Err(no_such(&other)),
    };
    let output = answer.map(|answer| match answer {
        Answer::Value(entry::Value::Nil) => Ok(KvOutput::Value(String::new())),
        Answer::Value(entry::Value::Text(value)) => Ok(KvOutput::Value(value)),
        Answer::Done => Ok(KvOutput::Done),
        other => Err(no_answer(&other)),
    });
    Ok((input, output.transpose()?))
}

fn versioned(
    key: Option<String>,
    input: Input,
    answer: Option<Answer>,
) -> Typed<VersionedInput, VersionedOutput> {
    let key = key.ok_or("no key; expected one in each operation of the model kv-versioned")?;
    let input = match input {
        Input::Get => VersionedInput::Get { key },
        Input::Put { value, version: Some(version) } => VersionedInput::Put { key, value, version },
        Input::Put { version: None, .. } => {
            let what = "a put without a version; expected one in the model kv-versioned; \
                        only our JSON lines have versions";
            return Err(what.to_string());
        }
        other => return Err(no_such(&other)),
    };
    let output = answer.map(|answer| match answer {
        Answer::Versioned { value, version } => Ok(VersionedOutput::Found { value, version }),
        Answer::Value(entry::Value::Nil) | Answer::Refused(Refusal::NoKey) => {
            Ok(VersionedOutput::NoKey)
        }
        Answer::Done => Ok(VersionedOutput::Done),
        Answer::Refused(Refusal::Version) => Ok(VersionedOutput::WrongVersion),
        Answer::Refused(Refusal::Maybe) => Ok(VersionedOutput::Maybe),
        other => Err(no_answer(&other)),
    });
    Ok((input, output.transpose()?))
}

fn no_such(input: &Input) -> String {
    format!("{} is not an operation of this model", input.function().name())
}

fn no_answer(answer: &Answer) -> String {
    match answer {
        Answer::Versioned { .. } => "an answer with a version; expected a string in this model",
        Answer::Value(entry::Value::Int(_)) => "an answer that is a number; expected a string",
        Answer::Value(_) => "an answer without a version; expected one in this model",
        Answer::Done | Answer::Swapped(_) | Answer::Refused(_) => "an answer of another operation",
    }
    .to_string()
}

impl Value {
    fn from_entry(value: entry::Value) -> Option<Value> {
        match value {
            entry::Value::Nil => None,
            entry::Value::Int(int) => Some(Value::Int(int)),
            entry::Value::Text(text) => Some(Value::Text(text)),
        }
    }
}
