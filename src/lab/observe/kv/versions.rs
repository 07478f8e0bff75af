//! One key of the versioned service: the legal answers to a get and a put.
//!
//! Each version is written only once, so it has one writer and one value.

use std::collections::BTreeMap;

use super::{Broken, shown};

/// The known state of one key's versions.
#[derive(Default)]
pub(super) struct Versions {
    /// For each version: its value, and the client whose put of it was answered with success.
    versions: BTreeMap<u64, Version>,
    /// For each pair of a version and a value that puts would create: the number of such puts that
    /// were called, and the number that were refused.
    puts: BTreeMap<(u64, String), Puts>,
    /// The highest version in any answer; 0 for none.
    known: u64,
}

#[derive(Default)]
struct Version {
    writer: Option<u64>,
    value: Option<String>,
}

#[derive(Default)]
struct Puts {
    called: u32,
    refused: u32,
}

impl Versions {
    /// Records that a put of `value` at `version` is called.
    pub(super) fn put_begins(&mut self, value: &str, version: u64) {
        self.puts.entry((version + 1, value.to_string())).or_default().called += 1;
    }

    /// The highest version known at this moment.
    pub(super) fn now(&self) -> u64 {
        self.known
    }

    /// Judges a successful put of `client` at `version`; at its call, version `since` was known.
    pub(super) fn put_done(
        &mut self,
        client: u64,
        value: &str,
        version: u64,
        since: u64,
    ) -> Result<(), Broken> {
        if version < since {
            let message = format!("a put at version {version} was done after {since} was known");
            return Err(("NoReadFromThePast", message));
        }
        let made = version + 1;
        let writer = &mut self.versions.entry(made).or_default().writer;
        if let Some(first) = writer.replace(client) {
            let message = format!("clients {first} and {client} both wrote version {made}");
            return Err(("ExactlyOnce", message));
        }
        self.is(made, value)
    }

    /// Judges the refusal of a put of `value` at `version`.
    pub(super) fn put_refused(&mut self, value: &str, version: u64) -> Result<(), Broken> {
        let made = (version + 1, value.to_string());
        self.puts.entry(made).or_default().refused += 1;
        let there = self.versions.get(&(version + 1)).and_then(|version| version.value.as_deref());
        if there == Some(value) { self.check_written(version + 1, value) } else { Ok(()) }
    }

    /// Judges a get that returned `value` of `version`; at its call, version `since` was known.
    pub(super) fn get_ends(&mut self, value: &str, version: u64, since: u64) -> Result<(), Broken> {
        Versions::check_age(version, since)?;
        self.check_written(version, value)?;
        self.is(version, value)
    }

    /// Judges a get or put that found no such key; at its call, version `since` was known.
    pub(super) fn missing(since: u64) -> Result<(), Broken> {
        Versions::check_age(0, since)
    }

    fn check_age(version: u64, since: u64) -> Result<(), Broken> {
        if version >= since {
            return Ok(());
        }
        let message = format!("version {version} was read, although {since} was known before");
        Err(("NoReadFromThePast", message))
    }

    /// Records that `version` has `value`; fails if it had another value.
    fn is(&mut self, version: u64, value: &str) -> Result<(), Broken> {
        self.known = self.known.max(version);
        let first = &mut self.versions.entry(version).or_default().value;
        let first = first.get_or_insert_with(|| value.to_string());
        if first == value {
            return Ok(());
        }
        let (first, value) = (shown(first), shown(value));
        Err(("ExactlyOnce", format!("version {version} was {first}, and now it is {value}")))
    }

    /// Fails unless a put that was not refused may have made `version`.
    fn check_written(&self, version: u64, value: &str) -> Result<(), Broken> {
        let broken = match self.puts.get(&(version, value.to_string())) {
            Some(puts) if puts.called > puts.refused => return Ok(()),
            Some(_) => "whose put was refused, as its client was told",
            None => "which no client put",
        };
        let value = shown(value);
        Err(("ExactlyOnce", format!("version {version} is {value}, {broken}")))
    }
}
