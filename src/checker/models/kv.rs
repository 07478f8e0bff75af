//! A store of texts under keys, with the operations get, put and append.

use super::text::Text;
use crate::checker::{Model, Sight};

/// A store of texts under keys. A key that is missing reads as the empty text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kv;

/// What a client asks of a [`Kv`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KvInput {
    /// Read the text under a key.
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
    },
    /// Append to the text under a key.
    Append {
        /// The key.
        key: String,
        /// The text to add at the end.
        value: String,
    },
}

impl KvInput {
    /// The key.
    pub fn key(&self) -> &str {
        let (KvInput::Get { key } | KvInput::Put { key, .. } | KvInput::Append { key, .. }) = self;
        key
    }
}

/// What a [`Kv`] answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KvOutput {
    /// The text that a get found.
    Value(String),
    /// A put or an append was done.
    Done,
}

impl Model for Kv {
    type State = Text;
    type Input = KvInput;
    type Output = KvOutput;
    type Key = String;

    fn initial(&self) -> Text {
        Text::new()
    }

    fn step(&self, state: &Text, input: &KvInput, output: Option<&KvOutput>) -> Option<Text> {
        match (input, output) {
            (KvInput::Get { .. }, None) => Some(state.clone()),
            (KvInput::Get { .. }, Some(KvOutput::Value(seen))) => {
                (state == seen.as_str()).then(|| state.clone())
            }
            (KvInput::Put { value, .. }, None | Some(KvOutput::Done)) => {
                Some(Text::new().append(value))
            }
            (KvInput::Append { value, .. }, None | Some(KvOutput::Done)) => {
                Some(state.append(value))
            }
            _ => None,
        }
    }

    fn key(&self, input: &KvInput) -> String {
        input.key().to_string()
    }

    fn reads_only(&self, input: &KvInput, _: Option<&KvOutput>) -> bool {
        matches!(input, KvInput::Get { .. })
    }

    fn sight(&self, state: &Text, _: &KvInput, output: Option<&KvOutput>) -> Sight {
        // After an append, the new text begins with the old text. A put replaces the old text.
        match output {
            Some(KvOutput::Value(seen)) if state.is_prefix_of(seen) => Sight::Can,
            Some(KvOutput::Value(_)) => Sight::Cannot,
            _ => Sight::Blind,
        }
    }

    fn provides(&self, by: &KvInput, _: &KvInput, output: &KvOutput) -> bool {
        match (by, output) {
            (KvInput::Put { value, .. }, KvOutput::Value(seen)) => seen.starts_with(value.as_str()),
            _ => false,
        }
    }

    fn overwrites(&self, input: &KvInput) -> bool {
        matches!(input, KvInput::Put { .. })
    }

    fn heap_bytes(&self, state: &Text) -> usize {
        state.own_bytes()
    }
}
