//! EDN maps, one per line, as in the histories of Jepsen and in Porcupine's test data.

use std::collections::BTreeMap;

use clojure_reader::edn::{self, Edn};
use clojure_reader::error::Code;

use super::entry::{Function, Key, Value};
use super::event::{Event, EventValue, Kind};
use super::place::{BadInput, Line};

/// The names of the functions, for messages.
const FUNCTIONS: &str = ":get, :put, :append, :read, :write or :cas";

/// Reads one line; `None` if it has no event: a blank line, a comment, or a line of the nemesis.
pub(super) fn event(line: Line<'_>) -> Result<Option<Event>, BadInput> {
    if is_blank(line.text) {
        return Ok(None);
    }
    let (form, rest) = first_form(line, line.text)?;
    if !is_blank(rest) {
        let offset = line.text.len() - rest.trim_start().len();
        return Err(line.wrong(offset, "more than one form; expected one map a line"));
    }
    let Edn::Map(map) = &form else {
        let offset = line.text.len() - line.text.trim_start().len();
        return Err(line.wrong(offset, "not a map; expected {:process 0, :type :invoke, …}"));
    };
    Fields { line, map }.event()
}

/// Whether there is nothing but space (in EDN a comma is space) and a comment.
fn is_blank(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    text.is_empty() || text.starts_with(';')
}

/// Reads the first form of `text`, which is a piece of `line`; returns it and the rest.
pub(super) fn first_form<'a>(
    line: Line<'a>,
    text: &'a str,
) -> Result<(Edn<'a>, &'a str), BadInput> {
    edn::read(text).map_err(|error| {
        let start = text.as_ptr().addr() - line.text.as_ptr().addr();
        line.wrong(
            start + error.ptr.unwrap_or(text.len()),
            match error.code {
                Code::UnexpectedEOF => "the line ends within a form".to_string(),
                Code::UnmatchedDelimiter(c) => format!("{c:?} closes nothing"),
                Code::HashMapDuplicateKey => "a key occurs twice in the map".to_string(),
                Code::SetDuplicateKey => "a member occurs twice in the set".to_string(),
                Code::InvalidNumber | Code::InvalidRadix(_) => {
                    "not a number of 64 bits".to_string()
                }
                Code::InvalidEscape => {
                    r#"an unknown escape; expected \t, \r, \n, \\ or \" in a string"#.to_string()
                }
                other => format!("not EDN ({other:?})"),
            },
        )
    })
}

/// Converts an EDN form to a value that functions use.
pub(super) fn value(form: &Edn<'_>) -> EventValue {
    let one = |form: &Edn<'_>| match form {
        Edn::Nil => Some(Value::Nil),
        Edn::Int(int) => Some(Value::Int(*int)),
        Edn::Str(text) => Some(Value::Text(text.to_string())),
        _ => None,
    };
    match form {
        Edn::Vector(items) | Edn::List(items) => match items.as_slice() {
            [from, to] => one(from)
                .zip(one(to))
                .map_or(EventValue::Other, |(from, to)| EventValue::Pair(from, to)),
            _ => EventValue::Other,
        },
        form => one(form).map_or(EventValue::Other, EventValue::One),
    }
}

/// The fields of one map. Fields that an event does not have are ignored.
struct Fields<'a> {
    line: Line<'a>,
    map: &'a BTreeMap<Edn<'a>, Edn<'a>>,
}

impl<'a> Fields<'a> {
    fn event(&self) -> Result<Option<Event>, BadInput> {
        let process = match self.expect("process")? {
            Edn::Int(process) if *process >= 0 => process.unsigned_abs(),
            // The nemesis, by which Jepsen kills and cuts off servers; it is not a client.
            Edn::Key(_) => return Ok(None),
            _ => return Err(self.wrong("process", "is expected to be a number from 0")),
        };
        let kind = self.keyword("type").and_then(|name| match Kind::named(name) {
            Some(kind) => Ok(kind),
            None => Err(self.unknown("type", name, ":invoke, :ok, :fail or :info")),
        })?;
        let function = self.keyword("f").and_then(|name| match Function::named(name) {
            Some(function) => Ok(function),
            None => Err(self.unknown("f", name, FUNCTIONS)),
        })?;
        let key = match self.get("key") {
            None | Some(Edn::Nil) => None,
            Some(Edn::Str(key)) => Some(Key::Text(key.to_string())),
            Some(Edn::Int(key)) => Some(Key::Int(*key)),
            Some(Edn::Key(key)) => Some(Key::Keyword(key.to_string())),
            Some(_) => return Err(self.wrong("key", "is expected to be a string or a number")),
        };
        Ok(Some(Event {
            place: self.line.at(self.line.text.find('{').unwrap_or(0)),
            process,
            kind,
            function,
            key,
            value: self.get("value").map_or(EventValue::One(Value::Nil), value),
            value_place: self.line.at(self.offset("value")),
            has_error: self.get("error").is_some_and(|error| *error != Edn::Nil),
        }))
    }

    fn get(&self, name: &'static str) -> Option<&Edn<'a>> {
        self.map.get(&Edn::key(name))
    }

    fn expect(&self, name: &'static str) -> Result<&Edn<'a>, BadInput> {
        self.get(name).ok_or_else(|| {
            let offset = self.line.text.find('{').unwrap_or(0);
            self.line.wrong(offset, format!("no :{name} in the map; expected :process, :type, :f"))
        })
    }

    fn keyword(&self, name: &'static str) -> Result<&str, BadInput> {
        match self.expect(name)? {
            Edn::Key(word) => Ok(word),
            _ => Err(self.wrong(name, "is expected to be a keyword")),
        }
    }

    /// Where the line has the key `name`: the reader keeps keywords as pieces of the line.
    fn offset(&self, name: &str) -> usize {
        let key = self.map.keys().find_map(|key| match key {
            Edn::Key(word) if word == name => Some(word.as_ptr().addr()),
            _ => None,
        });
        let start = self.line.text.as_ptr().addr();
        key.map_or(0, |key| key.saturating_sub(start + 1))
    }

    fn wrong(&self, name: &str, what: &str) -> BadInput {
        self.line.wrong(self.offset(name), format!(":{name} {what}"))
    }

    fn unknown(&self, name: &str, word: &str, expected: &str) -> BadInput {
        self.wrong(name, &format!("is :{word}; expected {expected}"))
    }
}
