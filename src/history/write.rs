//! Writes our own format: one operation per line, as a JSON object.

use std::io;

use serde::Serialize;

use crate::checker::Operation;
use crate::checker::models::{
    KvInput, KvOutput, RegisterInput, RegisterOutput, VersionedInput, VersionedOutput,
};

use super::typed::{History, KvOperation, RegisterOperation, Value, VersionedOperation};

/// Writes a history as JSON lines, in the order of its operations.
///
/// # Errors
/// An error of `out`; some lines may have been written.
pub fn write(out: &mut impl io::Write, history: &History) -> io::Result<()> {
    match history {
        History::Register(operations) => lines(out, operations, register),
        History::Kv(operations) => lines(out, operations, kv),
        History::KvVersioned(operations) => lines(out, operations, versioned),
    }
}

fn lines<T>(
    out: &mut impl io::Write,
    operations: &[T],
    line: impl Fn(&T) -> Line<'_>,
) -> io::Result<()> {
    for operation in operations {
        serde_json::to_writer(&mut *out, &line(operation))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// A line as it is written. Fields that an operation does not have are left out.
#[derive(Serialize)]
struct Line<'a> {
    client: u64,
    call: u64,
    r#return: Option<u64>,
    op: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Scalar<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Scalar<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Scalar<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Answer<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Scalar<'a> {
    Nil,
    Int(i64),
    Text(&'a str),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Value(Scalar<'a>),
    Versioned { value: &'a str, version: u64 },
    Swapped(bool),
}

impl<'a> Line<'a> {
    /// The fields that every operation has.
    fn new<I, O>(operation: &Operation<I, O>, op: &'static str, key: &'a str) -> Line<'a> {
        Line {
            client: operation.client,
            call: operation.call,
            r#return: operation.returned.as_ref().map(|(at, _)| *at),
            op,
            key: Some(key),
            value: None,
            version: None,
            from: None,
            to: None,
            answer: None,
        }
    }
}

impl Scalar<'_> {
    fn of(value: &Value) -> Scalar<'_> {
        match value {
            Value::Int(int) => Scalar::Int(*int),
            Value::Text(text) => Scalar::Text(text),
        }
    }

    fn or_nil(value: Option<&Value>) -> Scalar<'_> {
        value.map_or(Scalar::Nil, Scalar::of)
    }
}

const OK: Answer<'static> = Answer::Value(Scalar::Text("ok"));

fn register(operation: &RegisterOperation) -> Line<'_> {
    let (key, input) = &operation.input;
    let line = |op| Line {
        key: (!key.is_empty()).then_some(key),
        answer: operation.output().map(|output| match output {
            RegisterOutput::Value(value) => Answer::Value(Scalar::or_nil(value.as_ref())),
            RegisterOutput::Done => OK,
            RegisterOutput::Swapped(swapped) => Answer::Swapped(*swapped),
        }),
        ..Line::new(operation, op, key)
    };
    match input {
        RegisterInput::Read => line("read"),
        RegisterInput::Write(value) => Line { value: Some(Scalar::of(value)), ..line("write") },
        RegisterInput::Cas { from, to } => Line {
            from: Some(Scalar::or_nil(from.as_ref())),
            to: Some(Scalar::of(to)),
            ..line("cas")
        },
    }
}

fn kv(operation: &KvOperation) -> Line<'_> {
    let line = |op| Line {
        answer: operation.output().map(|output| match output {
            KvOutput::Value(value) => Answer::Value(Scalar::Text(value)),
            KvOutput::Done => OK,
        }),
        ..Line::new(operation, op, operation.input.key())
    };
    match &operation.input {
        KvInput::Get { .. } => line("get"),
        KvInput::Put { value, .. } => Line { value: Some(Scalar::Text(value)), ..line("put") },
        KvInput::Append { value, .. } => {
            Line { value: Some(Scalar::Text(value)), ..line("append") }
        }
    }
}

fn versioned(operation: &VersionedOperation) -> Line<'_> {
    let get = matches!(operation.input, VersionedInput::Get { .. });
    let line = |op| Line {
        answer: operation.output().map(|output| match output {
            VersionedOutput::Found { value, version } => {
                Answer::Versioned { value, version: *version }
            }
            VersionedOutput::NoKey if get => Answer::Value(Scalar::Nil),
            VersionedOutput::NoKey => Answer::Value(Scalar::Text("ErrNoKey")),
            VersionedOutput::Done => OK,
            VersionedOutput::WrongVersion => Answer::Value(Scalar::Text("ErrVersion")),
            VersionedOutput::Maybe => Answer::Value(Scalar::Text("ErrMaybe")),
        }),
        ..Line::new(operation, op, operation.input.key())
    };
    match &operation.input {
        VersionedInput::Get { .. } => line("get"),
        VersionedInput::Put { value, version, .. } => {
            Line { value: Some(Scalar::Text(value)), version: Some(*version), ..line("put") }
        }
    }
}
