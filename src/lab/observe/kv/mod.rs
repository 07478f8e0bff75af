//! Observers of key/value clients: they see operations begin and end, and end the run at once
//! when an answer cannot be right.
//!
//! The checker judges a whole history, after the run and at some cost. These three rules are what
//! a broken service breaks first; each needs a glance per answer, and names the operation:
//!
//! | Rule | Fails when |
//! | --- | --- |
//! | `ExactlyOnce` | a piece is twice in a value, or was never sent; two puts get one version |
//! | `ClientOrder` | a client's pieces are in a value in another order than it sent them |
//! | `NoReadFromThePast` | an answer misses what had returned before its operation was called |
//!
//! A *piece* is what a client writes in the classic tests: `x 3 17 y`, the 18th of client 3. Other
//! text is no piece, and says nothing to the first two rules.
//!
//! What they promise: a service that is linearizable is never blamed. What they do not: to blame
//! every one that is not.

mod pieces;
mod values;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use values::{Since, Values};
use versions::Versions;

use crate::runtime::sync::Quiet;
use crate::runtime::{self, FailureKind};

/// What a client asks about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Its value; in the versioned service, also its version.
    Get,
    /// To replace its value.
    Put(&'a str),
    /// To add to its value.
    Append(&'a str),
    /// To replace its value if its version is this one.
    PutAt(&'a str, u64),
}

/// What a client is told in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The value was written.
    Done,
    /// The value, in the classic service; that of a missing key is empty.
    Value(&'a str),
    /// Value and version.
    Versioned(&'a str, u64),
    /// No such key: to a versioned get, or to a put at a version other than 0.
    Missing,
    /// The version was another one, so nothing was written.
    WrongVersion,
    /// The value was written, or the version was another one: nobody knows.
    Maybe,
}

/// An operation that was called. Given back when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call(u64);

/// The observers of one run's clients. A handle to share: they see the operations of all.
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

/// [`Asked`], kept.
enum Asking {
    Get,
    Put(String),
    Append(String),
    PutAt(String, u64),
}

/// What is known of a key, in the classic service and in the versioned one.
#[derive(Default)]
struct Key {
    values: Values,
    versions: Versions,
}

/// How many characters of a value a message shows.
const SHOWN_MAX: usize = 60;

/// A rule's name, and what broke it.
type Broken = (&'static str, String);

impl KvObservers {
    /// Observers that have seen nothing.
    pub fn new() -> Arc<KvObservers> {
        Arc::default()
    }

    /// `client` calls an operation on `key`. To be told before the request can leave.
    pub fn begins(&self, client: u64, key: &str, asked: Asked<'_>) -> Call {
        self.look(|state| Ok(state.begins(client, key, asked)))
    }

    /// The operation has returned. One that never does is left open.
    pub fn ends(&self, call: Call, answer: Answer<'_>) {
        self.look(|state| state.ends(call, answer));
    }

    /// Ends the run, once nothing is locked, if what was seen broke a rule.
    fn look<R>(&self, see: impl FnOnce(&mut State) -> Result<R, Broken>) -> R {
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

/// A value as a message shows it: its end, where it is long.
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
