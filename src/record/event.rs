//! The events of a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Topic;
use crate::api::{Facts, Host, Index, Position, ServerId, Term};

/// An event with the time at which it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamped {
    /// Time since the run began; in a file, nanoseconds.
    #[serde(with = "nanoseconds")]
    pub at: Duration,
    /// What happened, and at which server or client.
    #[serde(flatten)]
    pub event: Event,
}

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The server or client at which it happened; `None` if the scenario did it, or if the event
    /// belongs to the whole run.
    pub who: Option<Host>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A request leaves.
    Sent {
        /// The call's number within the run.
        call: u64,
        /// The called host.
        to: Host,
        /// The called method, e.g. `append_entries`.
        method: String,
        /// The request's content.
        facts: Facts,
        /// Whether the scenario plays the sender.
        #[serde(default, skip_serializing_if = "is_false")]
        played: bool,
    },
    /// A request has reached the called server; its handler runs next. A repeated request is
    /// delivered twice.
    Delivered {
        /// The call's number.
        call: u64,
        /// The caller.
        from: Host,
    },
    /// A handler has returned, and its reply leaves.
    Answered {
        /// The call's number.
        call: u64,
        /// The caller.
        to: Host,
        /// The reply's content.
        facts: Facts,
        /// Whether the scenario plays the server that replies.
        #[serde(default, skip_serializing_if = "is_false")]
        played: bool,
    },
    /// A call is over for its caller.
    Ended {
        /// The call's number.
        call: u64,
        /// The called host.
        to: Host,
        /// Whether a reply came.
        replied: bool,
    },
    /// The network did something to a message of a call. The event belongs to the caller.
    Fate {
        /// The call's number.
        call: u64,
        /// The called host.
        to: Host,
        /// Whether the message is the request or the reply.
        leg: Leg,
        /// What the network did to it.
        fate: Fate,
    },
    /// The server wrote its term and vote.
    Voted {
        /// The term.
        term: Term,
        /// The server that has the vote in this term.
        vote: Option<ServerId>,
    },
    /// The server wrote entries. They replace everything in its log after the index `after`.
    Appended {
        /// The index before the first new entry.
        after: Index,
        /// The terms of the new entries.
        runs: Runs,
    },
    /// The server wrote a snapshot.
    Covered {
        /// The last entry that it covers.
        position: Position,
    },
    /// All earlier writes of the server are durable now.
    Synced,
    /// The service above the server has received a command.
    Applied {
        /// The command's term and index. If the design numbers commands and not entries, the
        /// index is the command's number.
        position: Position,
        /// The beginning of the command, in quotes.
        command: String,
    },
    /// The service above the server has received a snapshot.
    Installed {
        /// The last entry that it covers.
        position: Position,
    },
    /// The server starts from its disk.
    Started {
        /// The content of its disk.
        disk: Disk,
    },
    /// The server has crashed, and lost all writes that were not durable.
    Crashed,
    /// The network opened or cut the link to another host, for calls in this direction.
    Linked {
        /// The called host.
        to: Host,
        /// Whether calls arrive from now on.
        up: bool,
    },
    /// The scenario does something, waits for something or asserts something.
    Step {
        /// The step in the scenario's words.
        text: String,
        /// When the step was over; `None` if it took no time, or did not end.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_nanoseconds")]
        until: Option<Duration>,
    },
    /// The scenario's story is over; what follows stops the servers.
    Over,
    /// A client begins an operation.
    Called {
        /// The operation.
        text: String,
    },
    /// A client's operation has its answer.
    Returned {
        /// The answer.
        text: String,
    },
    /// A rule was broken, a wait took too long, or a limit was exceeded. The run ends with this
    /// event.
    Broken {
        /// The rule's name.
        rule: String,
        /// The mistake, with the values.
        message: String,
    },
    /// The schedule held a task of the server back.
    Stalled {
        /// For how long.
        #[serde(with = "nanoseconds")]
        span: Duration,
        /// Where in the source the task was.
        place: String,
    },
    /// What the tasks of the server did when the run failed.
    Waiting {
        /// A line per task, or per group of tasks that did the same.
        tasks: Vec<String>,
    },
    /// A line that the server's own code has added, with [`note!`](crate::note).
    Note {
        /// What the line is about.
        topic: Topic,
        /// The line.
        text: String,
    },
}

/// One of the two messages of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// From the caller to the handler.
    Request,
    /// From the handler back to the caller.
    Reply,
}

/// What the network did to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// The rule of this name lost it.
    Lost(String),
    /// It arrives later.
    Delayed {
        /// The sum of the delays of all rules.
        #[serde(with = "nanoseconds")]
        by: Duration,
        /// The rules that delay it.
        rules: Vec<String>,
    },
    /// A copy of it will arrive later.
    Repeated {
        /// How long after this event.
        #[serde(with = "nanoseconds")]
        after: Duration,
    },
    /// A copy of it arrives now.
    Again,
    /// It reaches no host, because its link is cut or its host is down.
    Unreachable,
    /// The called server disappeared while the call was in flight, so no reply can arrive.
    Gone,
}

/// The terms of consecutive entries. Each pair stands for a run of equal terms: the number of
/// entries, and their term.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Runs(pub Vec<(u64, Term)>);

/// The content of a server's disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Disk {
    /// The term.
    pub term: Term,
    /// The vote in this term.
    pub vote: Option<ServerId>,
    /// The last entry that the snapshot covers.
    pub base: Position,
    /// The terms of the entries after it.
    pub runs: Runs,
}

impl Runs {
    /// The runs of `terms`, one term per entry.
    pub fn of(terms: impl IntoIterator<Item = Term>) -> Runs {
        let mut runs: Vec<(u64, Term)> = Vec::new();
        for term in terms {
            match runs.last_mut() {
                Some((count, last)) if *last == term => *count += 1,
                _ => runs.push((1, term)),
            }
        }
        Runs(runs)
    }

    /// The number of entries.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(count, _)| count).sum()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The term of the last entry.
    pub fn last_term(&self) -> Option<Term> {
        self.0.last().map(|(_, term)| *term)
    }

    /// The term of the `nth` entry, from 1.
    pub fn term_of(&self, nth: u64) -> Option<Term> {
        let mut end: u64 = 0;
        let holds = |(count, _): &&(u64, Term)| {
            end += *count;
            nth <= end
        };
        self.0.iter().find(holds).map(|(_, term)| *term)
    }

    /// Keeps the first `count` entries.
    pub fn truncate(&mut self, count: u64) {
        let mut left = count;
        self.0.retain_mut(|(run, _)| {
            *run = (*run).min(left);
            left -= *run;
            *run > 0
        });
    }

    /// Removes the first `count` entries.
    pub fn drop_first(&mut self, count: u64) {
        let mut left = count;
        self.0.retain_mut(|(run, _)| {
            let gone = (*run).min(left);
            left -= gone;
            *run -= gone;
            *run > 0
        });
    }

    /// Adds entries at the end.
    pub fn extend(&mut self, other: &Runs) {
        for (count, term) in &other.0 {
            match self.0.last_mut() {
                Some((run, last)) if last == term => *run += count,
                _ => self.0.push((*count, *term)),
            }
        }
    }
}

impl What {
    /// Marks a step as over.
    pub(super) fn end_step(&mut self, now: Duration) {
        if let What::Step { until, .. } = self {
            *until = Some(now);
        }
    }

    /// The number of the call that the event belongs to, and the host at its other end.
    pub const fn call(&self) -> Option<(u64, Host)> {
        match self {
            What::Sent { call, to, .. }
            | What::Answered { call, to, .. }
            | What::Ended { call, to, .. }
            | What::Fate { call, to, .. } => Some((*call, *to)),
            What::Delivered { call, from } => Some((*call, *from)),
            _ => None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A span of time as whole nanoseconds.
mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

/// An optional span of time as whole nanoseconds.
mod maybe_nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes a reference")]
    pub(super) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let ns = span.map(|span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
        ns.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_nanos))
    }
}
