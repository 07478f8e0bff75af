//! Pairs calls with their ends, which makes operations: the common part of EDN and of Jepsen's log.
//!
//! A line is the call (`:invoke`) of a numbered process, or the end of that call:
//!
//! | End | What it says |
//! | --- | --- |
//! | `:ok` | it happened; for a read, with this answer |
//! | `:fail` | it did not happen; for a `:cas` without an error, the answer is no |
//! | `:info`, or none | it may have happened, or may yet happen, at any later time |
//!
//! The order of the lines is the order of the events. A process makes one call at a time. It may
//! call again after any end; after an `:info`, under its old number or a new one.

use std::collections::BTreeMap;

use super::entry::{Answer, Entry, Function, Input, Key, Value};
use super::place::{BadInput, Place};

/// What a line says about its process's operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

impl Kind {
    /// The kind with this name, which is written without its colon.
    pub(super) fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "invoke" => Kind::Invoke,
            "ok" => Kind::Ok,
            "fail" => Kind::Fail,
            "info" => Kind::Info,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Kind::Invoke => ":invoke",
            Kind::Ok => ":ok",
            Kind::Fail => ":fail",
            Kind::Info => ":info",
        }
    }
}

/// The value of an event, as far as some function can use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EventValue {
    One(Value),
    Pair(Value, Value),
    /// Something else, such as `:timed-out`.
    Other,
}

/// One line of a file.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub place: Place,
    pub process: u64,
    pub kind: Kind,
    pub function: Function,
    pub key: Option<Key>,
    pub value: EventValue,
    pub value_place: Place,
    /// Whether the line has an error, too.
    pub has_error: bool,
}

impl Event {
    /// Whether this `:fail` is the answer of a register: its value was another one.
    ///
    /// An error next to the value, or in its place, such as `:connection-refused`, says that there
    /// was no answer: it tells nothing about the register.
    fn is_no(&self) -> bool {
        self.function == Function::Cas && !self.has_error && self.value != EventValue::Other
    }
}

/// Pairs events into operations, in the order of the events.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// Operations in the order of their calls; `None`: it did not happen, or tells nothing.
    entries: Vec<Option<Entry>>,
    /// For each process with an open call, the position of its operation in `entries`.
    open: BTreeMap<u64, usize>,
    events: u64,
}

impl Pairing {
    /// Adds the next event.
    pub(super) fn add(&mut self, event: Event) -> Result<(), BadInput> {
        let time = self.events;
        self.events += 1;
        match event.kind {
            Kind::Invoke => self.invoke(event, time),
            _ => self.end(&event, time),
        }
    }

    /// Returns all operations; calls without an end stay open.
    pub(super) fn finish(self) -> Vec<Entry> {
        self.entries.into_iter().flatten().collect()
    }

    fn invoke(&mut self, event: Event, time: u64) -> Result<(), BadInput> {
        let process = event.process;
        if let Some(entry) = self.open.get(&process).and_then(|&at| self.entries[at].as_ref()) {
            return Err(event.place.wrong(format!(
                "process {process} calls although its call in line {} is open; expected the :ok, \
                 :fail or :info of that one first",
                entry.place.line
            )));
        }
        let input = input(&event)?;
        self.open.insert(process, self.entries.len());
        self.entries.push(Some(Entry {
            place: event.place,
            client: process,
            call: time,
            key: event.key,
            input,
            returned: None,
        }));
        Ok(())
    }

    fn end(&mut self, event: &Event, time: u64) -> Result<(), BadInput> {
        let (process, kind) = (event.process, event.kind);
        let open = self.open.remove(&process).map(|at| &mut self.entries[at]);
        let Some(slot) = open else {
            return Err(event.place.wrong(format!(
                "process {process} has {} without a call; expected its :invoke before",
                kind.name()
            )));
        };
        let entry = slot.as_mut().expect("only the end of an operation empties its slot");
        entry.must_match(event)?;
        match kind {
            Kind::Invoke => unreachable!("a call is no end"),
            Kind::Ok => entry.returned = Some((time, answer(event)?)),
            // The answer is that the value was another one: a fact about the register.
            Kind::Fail if event.is_no() => {
                entry.returned = Some((time, Answer::Swapped(false)));
            }
            // A failed read tells nothing; any other failed operation did not happen.
            Kind::Fail => *slot = None,
            Kind::Info => {}
        }
        Ok(())
    }
}

impl Entry {
    /// Whether `event` can be the end of this operation.
    fn must_match(&self, event: &Event) -> Result<(), BadInput> {
        let (line, called) = (self.place.line, self.input.function());
        if called != event.function {
            return Err(event.place.wrong(format!(
                "the end of a :{}, but process {} called :{} in line {line}",
                event.function.name(),
                self.client,
                called.name(),
            )));
        }
        if event.key.is_some() && event.key != self.key {
            let written = |key: &Option<Key>| key.as_ref().map_or("none".to_string(), Key::written);
            return Err(event.place.wrong(format!(
                "the end of a call with key {}, but process {} called with {} in line {line}",
                written(&event.key),
                self.client,
                written(&self.key),
            )));
        }
        Ok(())
    }
}

/// What a call asks for.
fn input(event: &Event) -> Result<Input, BadInput> {
    let wrong = |expected: &str| {
        let name = event.function.name();
        Err(event.value_place.wrong(format!("the value of a :{name} is expected to be {expected}")))
    };
    Ok(match (event.function, &event.value) {
        (Function::Get, _) => Input::Get,
        (Function::Read, _) => Input::Read,
        (Function::Put, EventValue::One(Value::Text(value))) => {
            Input::Put { value: value.clone(), version: None }
        }
        (Function::Append, EventValue::One(Value::Text(value))) => {
            Input::Append { value: value.clone() }
        }
        (Function::Put | Function::Append, _) => return wrong("a string"),
        (Function::Write, EventValue::One(value)) => Input::Write { value: value.clone() },
        (Function::Write, _) => return wrong("nil, a whole number or a string"),
        (Function::Cas, EventValue::Pair(from, to)) => {
            Input::Cas { from: from.clone(), to: to.clone() }
        }
        (Function::Cas, _) => return wrong("a pair [from to] of numbers, strings or nil"),
    })
}

/// What an `:ok` answers.
fn answer(event: &Event) -> Result<Answer, BadInput> {
    Ok(match (event.function, &event.value) {
        (Function::Get | Function::Read, EventValue::One(value)) => Answer::Value(value.clone()),
        (Function::Get | Function::Read, _) => {
            let name = event.function.name();
            let what = format!("the :ok of a :{name} has no value that could have been read");
            return Err(event.value_place.wrong(what));
        }
        (Function::Cas, _) => Answer::Swapped(true),
        (Function::Put | Function::Append | Function::Write, _) => Answer::Done,
    })
}
