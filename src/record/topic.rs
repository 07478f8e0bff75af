//! What a line of a record is about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a line of a record is about. It is printed as four letters, as in the logs of many
/// students.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// A timer: it was set, or it has run out.
    #[serde(rename = "TIMR")]
    Timer,
    /// A vote: it is asked for, given or refused.
    #[serde(rename = "VOTE")]
    Vote,
    /// A server begins or ceases to lead.
    #[serde(rename = "LEAD")]
    Leader,
    /// A server enters a newer term.
    #[serde(rename = "TERM")]
    Term,
    /// Entries are sent.
    #[serde(rename = "LOG1")]
    Log,
    /// Entries are received, stored or refused.
    #[serde(rename = "LOG2")]
    Log2,
    /// Entries are committed or applied.
    #[serde(rename = "CMIT")]
    Commit,
    /// Something is stored.
    #[serde(rename = "PERS")]
    Persist,
    /// A snapshot is taken, sent or installed.
    #[serde(rename = "SNAP")]
    Snap,
    /// A message is lost, late or repeated, or a link is cut.
    #[serde(rename = "DROP")]
    Drop,
    /// A client asks, or is answered.
    #[serde(rename = "CLNT")]
    Client,
    /// The scenario does something.
    #[serde(rename = "TEST")]
    Test,
    /// Anything else.
    #[serde(rename = "INFO")]
    Info,
    /// Something is odd.
    #[serde(rename = "WARN")]
    Warn,
    /// Something is wrong.
    #[serde(rename = "ERRO")]
    Error,
    /// Details.
    #[serde(rename = "TRCE")]
    Trace,
}

impl Topic {
    /// All topics.
    pub const ALL: [Topic; 16] = [
        Topic::Timer,
        Topic::Vote,
        Topic::Leader,
        Topic::Term,
        Topic::Log,
        Topic::Log2,
        Topic::Commit,
        Topic::Persist,
        Topic::Snap,
        Topic::Drop,
        Topic::Client,
        Topic::Test,
        Topic::Info,
        Topic::Warn,
        Topic::Error,
        Topic::Trace,
    ];

    /// The four letters.
    pub const fn letters(self) -> &'static str {
        match self {
            Topic::Timer => "TIMR",
            Topic::Vote => "VOTE",
            Topic::Leader => "LEAD",
            Topic::Term => "TERM",
            Topic::Log => "LOG1",
            Topic::Log2 => "LOG2",
            Topic::Commit => "CMIT",
            Topic::Persist => "PERS",
            Topic::Snap => "SNAP",
            Topic::Drop => "DROP",
            Topic::Client => "CLNT",
            Topic::Test => "TEST",
            Topic::Info => "INFO",
            Topic::Warn => "WARN",
            Topic::Error => "ERRO",
            Topic::Trace => "TRCE",
        }
    }

    /// The word by which a user may choose the topic, besides the four letters.
    const fn word(self) -> &'static str {
        match self {
            Topic::Timer => "timer",
            Topic::Vote => "vote",
            Topic::Leader => "leader",
            Topic::Term => "term",
            Topic::Log => "log",
            Topic::Log2 => "log2",
            Topic::Commit => "apply",
            Topic::Persist => "disk",
            Topic::Snap => "snapshot",
            Topic::Drop => "network",
            Topic::Client => "client",
            Topic::Test => "test",
            Topic::Info => "info",
            Topic::Warn => "warn",
            Topic::Error => "error",
            Topic::Trace => "trace",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letters())
    }
}

/// Why a text is not a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no topic is called {name:?}; the topics are {}", all())]
pub struct NoSuchTopic {
    name: String,
}

fn all() -> String {
    let names: Vec<_> = Topic::ALL.iter().map(|it| format!("{} ({it})", it.word())).collect();
    names.join(", ")
}

impl FromStr for Topic {
    type Err = NoSuchTopic;

    /// Reads four letters or a word, in upper or lower case.
    fn from_str(text: &str) -> Result<Topic, NoSuchTopic> {
        let named = |it: &&Topic| {
            it.letters().eq_ignore_ascii_case(text) || it.word().eq_ignore_ascii_case(text)
        };
        let refused = || NoSuchTopic { name: text.to_string() };
        Topic::ALL.iter().find(named).copied().ok_or_else(refused)
    }
}
