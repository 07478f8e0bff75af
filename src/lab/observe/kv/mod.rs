//! Observers of key/value clients, which fail the run at once when an answer cannot be right.
//!
//! They see each operation begin and end.
//!
//! The checker judges a whole history, after the run and at some cost. A broken service breaks
//! these three rules first. Each rule is a cheap check per answer and names the operation:
//!
//! | Rule | Fails when |
//! | --- | --- |
//! | `ExactlyOnce` | a piece is twice in a value, or was never sent; two puts get one version |
//! | `ClientOrder` | a client's pieces are in a value in another order than it sent them |
//! | `NoReadFromThePast` | an answer misses an operation that had returned before the call |
//!
//! A *piece* is a text that a client writes in the classic tests: `x 3 17 y`, the 18th of client 3.
//! The first two rules ignore any other text.
//!
//! Promised: these observers never blame a linearizable service. Not promised: they do not find
//! every service that is not linearizable.

mod pieces;
mod values;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use values::{Since, Values};
use versions::Versions;

use crate::runtime::sync::Quiet;
use crate::runtime::{self, FailureKind};

/// A client's request for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Read the value; in the versioned service, also the version.
    Get,
    /// Replace the value.
    Put(&'a str),
    /// Append to the value.
    Append(&'a str),
    /// Replace the value if the key has this version.
    PutAt(&'a str, u64),
}

/// The answer that a client finally gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The value was written.
    Done,
    /// The value, in the classic service; a missing key has an empty one.
    Value(&'a str),
    /// Value and version.
    Versioned(&'a str, u64),
    /// There is no such key: answers a versioned get, or a put at a version other than 0.
    Missing,
    /// The key has another version, so nothing was written.
    WrongVersion,
    /// Unknown: the value was written, or the key had another version.
    Maybe,
}

/// Identifies an operation from its call ([`KvObservers::begins`]) to its return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call(u64);

/// The observers of one run's clients. All clients share them.
#[derive(Default)]
pub struct KvObservers {
    state: Quiet<State>,
}

#[derive(Default)]
struct State {
    calls: u64,
    open: BTreeMap<Call, Open>,
    keys: BTreeMap<String, Key>,
}

/// An operation that has not returned.
struct Open {
    client: u64,
    key: String,
    asked: Asking,
    values: Since,
    version: u64,
}

/// An owned [`Asked`].
enum Asking {
    Get,
    Put(String),
    Append(String),
    PutAt(String, u64),
}

/// The known state of a key, in the classic service and in the versioned one.
#[derive(Default)]
struct Key {
    values: Values,
    versions: Versions,
}

/// Maximum number of characters of a value that a failure text shows.
const SHOWN_MAX: usize = 60;

/// A rule's name, and how it was broken.
type Broken = (&'static str, String);

impl KvObservers {
    /// Observers that have seen nothing.
    pub fn new() -> Arc<KvObservers> {
        Arc::default()
    }

    /// Records that `client` calls an operation on `key`. Call this before the request can leave.
    pub fn begins(&self, client: u64, key: &str, asked: Asked<'_>) -> Call {
        self.update(|state| Ok(state.begins(client, key, asked)))
    }

    /// Records that the operation has returned. An operation that never returns stays open.
    pub fn ends(&self, call: Call, answer: Answer<'_>) {
        self.update(|state| state.ends(call, answer));
    }

    /// Changes the state. If that breaks a rule, ends the run after releasing the lock.
    fn update<R>(&self, see: impl FnOnce(&mut State) -> Result<R, Broken>) -> R {
        match self.state.with(see) {
            Ok(result) => result,
            Err((name, message)) => runtime::fail(FailureKind::Observer, name, message),
        }
    }
}

impl State {
    fn begins(&mut self, client: u64, key: &str, asked: Asked<'_>) -> Call {
        self.calls += 1;
        let of_key = self.keys.entry(key.to_string()).or_default();
        let asked = match asked {
            Asked::Get => Asking::Get,
            Asked::Put(text) => {
                of_key.values.sends(client, self.calls, text);
                of_key.values.put_begins();
                Asking::Put(text.to_string())
            }
            Asked::Append(text) => {
                of_key.values.sends(client, self.calls, text);
                Asking::Append(text.to_string())
            }
            Asked::PutAt(text, version) => {
                of_key.versions.put_begins(text, version);
                Asking::PutAt(text.to_string(), version)
            }
        };
        let (values, version) = (of_key.values.now(), of_key.versions.now());
        let open = Open { client, key: key.to_string(), asked, values, version };
        self.open.insert(Call(self.calls), open);
        Call(self.calls)
    }

    fn ends(&mut self, call: Call, answer: Answer<'_>) -> Result<(), Broken> {
        let open = self.open.remove(&call).expect("an operation returns once, after its call");
        let Open { client, key, asked, values: since, version: known } = open;
        let of_key = self.keys.entry(key.clone()).or_default();
        let (values, versions) = (&mut of_key.values, &mut of_key.versions);
        let judged = match (&asked, answer) {
            (Asking::Get, Answer::Value(text)) => values.get_ends(text, since),
            (Asking::Get, Answer::Versioned(text, version)) => {
                versions.get_ends(text, version, known)
            }
            (Asking::Get | Asking::PutAt(..), Answer::Missing) => Versions::missing(known),
            (Asking::Put(text), _) => values.put_ends(text),
            (Asking::Append(text), _) => {
                values.append_ends(text, since);
                Ok(())
            }
            (Asking::PutAt(text, version), Answer::Done) => {
                versions.put_done(client, text, *version, known)
            }
            (Asking::PutAt(text, version), Answer::WrongVersion) => {
                versions.put_refused(text, *version)
            }
            (Asking::Get | Asking::PutAt(..), _) => Ok(()),
        };
        judged.map_err(|(name, what)| (name, format!("client {client}, key {key:?}: {what}")))
    }
}

/// A value as a failure text shows it: if it is long, only its end.
fn shown(value: &str) -> String {
    match value.char_indices().rev().nth(SHOWN_MAX - 1) {
        Some((from, _)) if from > 0 => format!("\"…{}\"", &value[from..]),
        _ => format!("\"{value}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_shown_by_its_end() {
        let whole = "é".repeat(SHOWN_MAX);
        assert_eq!(shown(&whole), format!("\"{whole}\""));
        assert_eq!(shown(&format!("x{whole}")), format!("\"…{whole}\""));
        assert_eq!(shown("short"), "\"short\"");
    }
}
