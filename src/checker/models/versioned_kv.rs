//! A store of versioned texts: only a client that knows a key's version can replace its text.

use super::text::Text;
use crate::checker::{Model, NondeterministicModel, Sight};

/// A store of texts with versions, under keys.
///
/// A put names the version that it replaces, 0 for a missing key. Each put that is done raises the
/// version by one.
///
/// Every part of an answer is checked: the text, the version, and whether an error was due.
///
/// [`VersionedOutput::Maybe`] is the answer of a client that sent its put again and was then
/// refused. Either an earlier copy of the put was done, or the version really was wrong (the
/// version of a missing key is 0). So in a state with the right version, a put answered `Maybe` is
/// done; in a state with a wrong version, it is legal and changes nothing. If the key had not
/// reached the version, an earlier copy may still be in flight: then the put may be done at any
/// later time.
#[derive(Debug, Clone, Copy, Default)]
pub struct VersionedKv;

/// What a client asks of a [`VersionedKv`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VersionedInput {
    /// Read the text and the version under a key.
    Get {
        /// The key.
        key: String,
    },
    /// Replace the text under a key.
    Put {
        /// The key.
        key: String,
        /// The new text.
        value: String,
        /// The version that the key must have; 0: the key must be missing.
        version: u64,
    },
}

impl VersionedInput {
    /// The key.
    pub fn key(&self) -> &str {
        let (VersionedInput::Get { key } | VersionedInput::Put { key, .. }) = self;
        key
    }
}

/// What a [`VersionedKv`] answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VersionedOutput {
    /// The text that a get found, with its version.
    Found {
        /// The text.
        value: String,
        /// Its version, at least 1.
        version: u64,
    },
    /// There is no such key: the answer to a get, or to a put with a version other than 0.
    NoKey,
    /// The put was done.
    Done,
    /// The put was not done: the key has another version.
    WrongVersion,
    /// The put may have been done, or not.
    Maybe,
}

/// The text and the version under a key; `None` if the key is missing.
type State = Option<(Text, u64)>;

/// Returns the state after a put that is done; `None` if the version is wrong.
fn put(state: &State, value: &str, version: u64) -> Option<State> {
    let current = state.as_ref().map_or(0, |(_, version)| *version);
    (current == version).then(|| Some((Text::new().append(value), version + 1)))
}

impl Model for VersionedKv {
    type State = State;
    type Input = VersionedInput;
    type Output = VersionedOutput;
    type Key = String;

    fn initial(&self) -> State {
        None
    }

    fn step(
        &self,
        state: &State,
        input: &VersionedInput,
        output: Option<&VersionedOutput>,
    ) -> Option<State> {
        use VersionedOutput::{Done, Found, Maybe, NoKey, WrongVersion};
        let (value, version) = match input {
            VersionedInput::Put { value, version, .. } => (value, *version),
            VersionedInput::Get { .. } => {
                let right = match (output, state) {
                    (None, _) | (Some(NoKey), None) => true,
                    (Some(Found { value, version }), Some((text, current))) => {
                        current == version && text == value.as_str()
                    }
                    _ => false,
                };
                return right.then(|| state.clone());
            }
        };
        let unchanged = |right: bool| right.then(|| state.clone());
        let done = put(state, value, version);
        match output {
            None | Some(Done) => done,
            Some(Maybe) => done.or_else(|| unchanged(true)),
            Some(WrongVersion) => unchanged(state.is_some() && done.is_none()),
            Some(NoKey) => unchanged(state.is_none() && done.is_none()),
            Some(Found { .. }) => None,
        }
    }

    fn key(&self, input: &VersionedInput) -> String {
        input.key().to_string()
    }

    fn reads_only(&self, input: &VersionedInput, output: Option<&VersionedOutput>) -> bool {
        matches!(input, VersionedInput::Get { .. })
            || matches!(output, Some(VersionedOutput::WrongVersion | VersionedOutput::NoKey))
    }

    fn sight(
        &self,
        state: &State,
        input: &VersionedInput,
        output: Option<&VersionedOutput>,
    ) -> Sight {
        // Versions only rise, and no key is ever removed.
        let current = state.as_ref().map_or(0, |(_, version)| *version);
        let can = match (input, output) {
            (_, Some(VersionedOutput::NoKey)) => current == 0,
            (_, Some(VersionedOutput::Found { version, .. })) if current != *version => {
                current < *version
            }
            (_, Some(VersionedOutput::Found { value, .. })) => {
                state.as_ref().is_some_and(|(text, _)| text == value.as_str())
            }
            (VersionedInput::Put { version, .. }, None | Some(VersionedOutput::Done)) => {
                current <= *version
            }
            _ => true,
        };
        if can { Sight::Can } else { Sight::Cannot }
    }

    fn provides(&self, _: &VersionedInput, _: &VersionedInput, _: &VersionedOutput) -> bool {
        false
    }

    fn is_spent(&self, state: &State, input: &VersionedInput, output: &VersionedOutput) -> bool {
        // Versions only rise, so a put at an older version can no longer be done.
        match (state, input) {
            (Some((_, current)), VersionedInput::Put { version, .. }) => {
                *output == VersionedOutput::Maybe && version < current
            }
            _ => false,
        }
    }

    fn late_below(&self, input: &VersionedInput, output: &VersionedOutput) -> Option<u64> {
        match (input, output) {
            (VersionedInput::Put { version, .. }, VersionedOutput::Maybe) => Some(*version),
            _ => None,
        }
    }

    fn height(&self, input: &VersionedInput, output: &VersionedOutput) -> u64 {
        match (input, output) {
            (VersionedInput::Put { version, .. }, VersionedOutput::Done) => {
                version.saturating_add(1)
            }
            (_, VersionedOutput::Found { version, .. }) => *version,
            _ => 0,
        }
    }

    fn heap_bytes(&self, state: &State) -> usize {
        state.as_ref().map_or(0, |(text, _)| text.own_bytes())
    }
}

/// A [`VersionedKv`] with a weaker answer `Maybe`: it excludes no state.
///
/// With this answer a put was done before its return, or never will be, whatever the version was. A
/// put that may be done later must be recorded without an answer. Use the model as
/// [`PowerSet(UnsureVersionedKv)`](crate::checker::PowerSet).
#[derive(Debug, Clone, Copy, Default)]
pub struct UnsureVersionedKv;

impl NondeterministicModel for UnsureVersionedKv {
    type State = State;
    type Input = VersionedInput;
    type Output = VersionedOutput;
    type Key = String;

    fn initials(&self) -> Vec<State> {
        vec![None]
    }

    fn steps(
        &self,
        state: &State,
        input: &VersionedInput,
        output: Option<&VersionedOutput>,
    ) -> Vec<State> {
        match (input, output) {
            (VersionedInput::Put { value, version, .. }, Some(VersionedOutput::Maybe)) => {
                [put(state, value, *version), Some(state.clone())].into_iter().flatten().collect()
            }
            _ => VersionedKv.step(state, input, output).into_iter().collect(),
        }
    }

    fn key(&self, input: &VersionedInput) -> String {
        input.key().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(state: &State, version: u64, output: &VersionedOutput) -> Option<State> {
        let put = VersionedInput::Put { key: "k".to_string(), value: "new".to_string(), version };
        VersionedKv.step(state, &put, Some(output))
    }

    #[test]
    fn a_put_in_doubt_is_done_where_the_version_is_right_and_legal_where_it_is_not() {
        let missing = None;
        let held = Some((Text::new().append("old"), 3));
        let done = |version| Some(Some((Text::new().append("new"), version)));
        assert_eq!(step(&missing, 0, &VersionedOutput::Maybe), done(1));
        assert_eq!(step(&held, 3, &VersionedOutput::Maybe), done(4));
        assert_eq!(step(&missing, 1, &VersionedOutput::Maybe), Some(missing));
        assert_eq!(step(&held, 2, &VersionedOutput::Maybe), Some(held.clone()));
    }

    #[test]
    fn a_refusal_says_whether_the_key_is_there() {
        let missing = None;
        let held = Some((Text::new().append("old"), 3));
        assert_eq!(step(&missing, 1, &VersionedOutput::NoKey), Some(missing.clone()));
        assert_eq!(step(&missing, 1, &VersionedOutput::WrongVersion), None);
        assert_eq!(step(&held, 1, &VersionedOutput::WrongVersion), Some(held.clone()));
        assert_eq!(step(&held, 1, &VersionedOutput::NoKey), None);
        assert_eq!(step(&held, 3, &VersionedOutput::WrongVersion), None, "it was right");
    }
}
