//! A client of the key/value service, as scenarios use it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::history::Recorder;
use crate::api::{PutError, ServerId};
use crate::checker::models::{KvInput, KvOutput, VersionedInput, VersionedOutput};
use crate::lab::KvClient;
use crate::lab::cluster::Cluster;
use crate::lab::observe::kv::{Answer, Asked, Call, KvObservers};
use crate::labrpc::Host;
use crate::record::{self, Event, What};

/// The state that all clients of a cluster share.
pub(in crate::lab) struct Clients {
    made: AtomicU32,
    recorder: Arc<Recorder>,
    observers: Option<Arc<KvObservers>>,
}

impl Clients {
    pub(in crate::lab) fn new(recorder: Arc<Recorder>, observed: bool) -> Arc<Clients> {
        let observers = observed.then(KvObservers::new);
        Arc::new(Clients { made: AtomicU32::new(0), recorder, observers })
    }

    /// The number of the next client.
    pub(in crate::lab) fn next_number(&self) -> u32 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs `ask`, which reads `key`, and records the value, which `text` extracts.
    pub(in crate::lab) fn reads<T>(
        &self,
        client: u32,
        key: &str,
        ask: impl FnOnce() -> T,
        text: impl Fn(&T) -> String,
    ) -> T {
        let client = u64::from(client);
        let call = self.begins(client, key, Asked::Get);
        let log = &self.recorder.classic;
        let place = log.record_call(client, KvInput::Get { key: key.to_string() });
        let found = ask();
        let text = text(&found);
        log.record_return(place, KvOutput::Value(text.clone()));
        self.ends(client, call, Answer::Value(&text));
        found
    }

    /// Runs `ask`, which reads many keys at once, and records one read of each key.
    #[cfg(feature = "store")]
    pub(in crate::lab) fn scans(
        &self,
        client: u32,
        ask: impl FnOnce() -> Vec<(String, String)>,
    ) -> Vec<(String, String)> {
        let log = &self.recorder.classic;
        tell(client.into(), || What::Called { text: "scan".to_string() });
        let moment = log.moment();
        let found = ask();
        let reads = found.iter().map(|(key, value)| {
            (KvInput::Get { key: key.clone() }, KvOutput::Value(value.clone()))
        });
        log.record_together(client.into(), moment, reads);
        tell(client.into(), || What::Returned { text: format!("{} keys", found.len()) });
        found
    }

    /// Runs `ask`, which carries out `input`, a put or an append, and records the operation.
    pub(in crate::lab) fn writes(&self, client: u32, input: KvInput, ask: impl FnOnce()) {
        let client = u64::from(client);
        let asked = match &input {
            KvInput::Get { .. } => Asked::Get,
            KvInput::Put { value, .. } => Asked::Put(value),
            KvInput::Append { value, .. } => Asked::Append(value),
        };
        let call = self.begins(client, input.key(), asked);
        let log = &self.recorder.classic;
        let place = log.record_call(client, input);
        ask();
        log.record_return(place, KvOutput::Done);
        self.ends(client, call, Answer::Done);
    }

    fn begins(&self, client: u64, key: &str, asked: Asked<'_>) -> Option<Call> {
        tell(client, || What::Called { text: format!("{asked:?} of {key:?}") });
        self.observers.as_ref().map(|observers| observers.begins(client, key, asked))
    }

    fn ends(&self, client: u64, call: Option<Call>, answer: Answer<'_>) {
        tell(client, || What::Returned { text: format!("{answer:?}") });
        if let (Some(observers), Some(call)) = (&self.observers, call) {
            observers.ends(call, answer);
        }
    }
}

fn tell(client: u64, what: impl FnOnce() -> What) {
    record::emit(|| Event {
        who: Some(Host::Client(u32::try_from(client).unwrap_or(u32::MAX))),
        what: what(),
    });
}

/// A client: a clerk whose operations are recorded.
///
/// It runs one operation at a time. Each operation waits for its answer, for ever if no answer
/// comes.
pub struct Client {
    number: u32,
    clerk: Box<dyn KvClient>,
    shared: Arc<Clients>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.number)
    }
}

impl Cluster {
    /// Makes a new client that reaches all servers.
    pub fn client(&self) -> Client {
        let all: Vec<ServerId> = self.servers().collect();
        self.client_of(&all)
    }

    /// Makes a new client that reaches only `servers`, until [`Cluster::let_reach`] changes that.
    pub fn client_of(&self, servers: &[ServerId]) -> Client {
        let shared = self.clients().clone();
        let number = shared.next_number();
        let host = Host::Client(number);
        let make = self.kv_design().client;
        let clerk = make(number.into(), self.network(), host, self.server_count());
        self.let_reach(number, servers);
        Client { number, clerk, shared }
    }

    /// Lets the client with the number `client` reach only `servers`.
    pub fn let_reach(&self, client: u32, servers: &[ServerId]) {
        for server in self.servers() {
            let on = servers.contains(&server);
            self.network().enable(Host::Client(client), Host::Server(server), on);
        }
    }
}

impl Client {
    /// The client's number, which is unique in the run.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Reads the value of `key`; a missing key has an empty one.
    pub fn get(&mut self, key: &str) -> String {
        self.shared.reads(self.number, key, || self.clerk.get(key), String::clone)
    }

    /// Sets the value of `key`.
    pub fn put(&mut self, key: &str, value: &str) {
        let input = KvInput::Put { key: key.to_string(), value: value.to_string() };
        self.shared.writes(self.number, input, || self.clerk.put(key, value));
    }

    /// Appends to the value of `key`.
    pub fn append(&mut self, key: &str, value: &str) {
        let input = KvInput::Append { key: key.to_string(), value: value.to_string() };
        self.shared.writes(self.number, input, || self.clerk.append(key, value));
    }

    /// Reads the value and version of `key`; `None` if it is missing.
    pub fn get_versioned(&mut self, key: &str) -> Option<(String, u64)> {
        let call = self.begins(key, Asked::Get);
        let log = &self.shared.recorder.versioned;
        let place =
            log.record_call(self.number.into(), VersionedInput::Get { key: key.to_string() });
        let found = self.clerk.get_versioned(key);
        let (output, answer) = match &found {
            None => (VersionedOutput::NoKey, Answer::Missing),
            Some((value, version)) => (
                VersionedOutput::Found { value: value.clone(), version: *version },
                Answer::Versioned(value, *version),
            ),
        };
        log.record_return(place, output);
        self.ends(call, answer);
        found
    }

    /// Sets the value of `key` if it has the version `expected`; 0 creates the key.
    ///
    /// # Errors
    /// [`PutError`] says whether the put has happened.
    pub fn put_versioned(&mut self, key: &str, value: &str, expected: u64) -> Result<(), PutError> {
        let call = self.begins(key, Asked::PutAt(value, expected));
        let log = &self.shared.recorder.versioned;
        let (key_text, value_text) = (key.to_string(), value.to_string());
        let input = VersionedInput::Put { key: key_text, value: value_text, version: expected };
        let place = log.record_call(self.number.into(), input);
        let outcome = self.clerk.put_versioned(key, value, expected);
        let (output, answer) = match outcome {
            Ok(()) => (VersionedOutput::Done, Answer::Done),
            Err(PutError::Version) => (VersionedOutput::WrongVersion, Answer::WrongVersion),
            Err(PutError::NoKey) => (VersionedOutput::NoKey, Answer::Missing),
            Err(PutError::Maybe) => (VersionedOutput::Maybe, Answer::Maybe),
        };
        log.record_return(place, output);
        self.ends(call, answer);
        outcome
    }

    fn begins(&self, key: &str, asked: Asked<'_>) -> Option<Call> {
        self.shared.begins(self.number.into(), key, asked)
    }

    fn ends(&self, call: Option<Call>, answer: Answer<'_>) {
        self.shared.ends(self.number.into(), call, answer);
    }
}
