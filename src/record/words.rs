//! An event as one line of text.
//!
//! ```text
//! 0.490025  S2  → S0 #12 append_entries term=1 prev=1/2 last=1/3 commit=2    S2 sends a request
//! 0.490026  S0  ⇢ S2 #12                                                     it arrives at S0
//! 0.490028  S0  ↩ S2 #12 term=1 success=true                                 S0 sends its reply
//! 0.490029  S2  ← S0 #12                                                     it arrives at S2
//! ```
//!
//! `✗` in place of `←` means that no reply will arrive. `·` begins a line about the network.
//! `(played)` marks a message that the scenario sends. An entry is written `term/index`.

use std::fmt::{self, Write as _};

use super::{Disk, Fate, Leg, Runs, ServerState, Topic, What};
use crate::api::Facts;

impl What {
    /// What the event is about.
    pub const fn topic(&self) -> Topic {
        match self {
            What::Sent { facts, .. } | What::Answered { facts, .. } => match facts {
                Facts::VoteRequest { .. } | Facts::VoteReply { .. } => Topic::Vote,
                Facts::Append { .. } | Facts::Heartbeat { .. } => Topic::Log,
                Facts::AppendReply { .. } | Facts::MatchReply { .. } => Topic::Log2,
                Facts::Snapshot { .. } => Topic::Snap,
                Facts::None => Topic::Trace,
            },
            What::Delivered { .. } | What::Ended { .. } => Topic::Trace,
            What::Fate { .. } | What::Linked { .. } => Topic::Drop,
            What::Voted { .. } | What::Appended { .. } | What::Synced => Topic::Persist,
            What::Covered { .. } | What::Installed { .. } => Topic::Snap,
            What::Applied { .. } => Topic::Commit,
            What::Started { .. } | What::Crashed => Topic::Info,
            What::Stalled { .. } | What::Waiting { .. } => Topic::Trace,
            What::Step { .. } | What::Over => Topic::Test,
            What::Called { .. } | What::Returned { .. } => Topic::Client,
            What::Broken { .. } => Topic::Error,
            What::Note { topic, .. } => *topic,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Sent { call, to, method, facts, played } => {
                let method = OneLine(method);
                write!(f, "→ {to} #{call} {method}{}{}", Words(facts), mark(*played))
            }
            What::Delivered { call, from } => write!(f, "⇢ {from} #{call}"),
            What::Answered { call, to, facts, played } => {
                write!(f, "↩ {to} #{call}{}{}", Words(facts), mark(*played))
            }
            What::Ended { call, to, replied: true } => write!(f, "← {to} #{call}"),
            What::Ended { call, to, replied: false } => write!(f, "✗ {to} #{call}"),
            What::Fate { call, to, leg, fate } => write!(f, "· {to} #{call} {}", Fated(*leg, fate)),
            What::Voted { term, vote: Some(vote) } => write!(f, "writes term {term}, vote {vote}"),
            What::Voted { term, vote: None } => write!(f, "writes term {term}, no vote"),
            What::Appended { after, runs } => {
                write!(f, "writes {} after index {after}", Entries(runs))
            }
            What::Covered { position } => write!(f, "writes a snapshot up to {position}"),
            What::Synced => f.write_str("syncs its disk"),
            What::Applied { position, command } => {
                write!(f, "applies {position} {}", OneLine(command))
            }
            What::Installed { position } => write!(f, "installs a snapshot up to {position}"),
            What::Started { disk } => write!(f, "starts with {disk}"),
            What::Crashed => f.write_str("crashes"),
            What::Linked { to, up: true } => write!(f, "reaches {to} again"),
            What::Linked { to, up: false } => write!(f, "is cut off from {to}"),
            What::Step { text, .. } | What::Note { text, .. } => OneLine(text).fmt(f),
            What::Over => f.write_str("the test is over; its servers are stopped"),
            What::Called { text } => write!(f, "calls {}", OneLine(text)),
            What::Returned { text } => write!(f, "is answered {}", OneLine(text)),
            What::Stalled { span, place } => {
                write!(f, "is held back for {:.3} ms at {place}", span.as_secs_f64() * 1e3)
            }
            What::Waiting { tasks } => OneLine(&tasks.join("; ")).fmt(f),
            What::Broken { rule, message } => {
                let first = message.lines().next().unwrap_or_default();
                write!(f, "broken: {}: {}", OneLine(rule), OneLine(first))
            }
        }
    }
}

const fn mark(played: bool) -> &'static str {
    if played { " (played)" } else { "" }
}

/// A text of the code under test, with its control characters escaped: they could break the line,
/// or control the terminal.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => f.write_char(c),
        })
    }
}

/// A message without its leader or candidate, which is always the sender.
struct Words<'a>(&'a Facts);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Facts::None => Ok(()),
            Facts::Append { leader: _, term, commit, prev, last, .. } if prev == last => {
                write!(f, " term={term} prev={prev} commit={commit}")
            }
            Facts::Append { leader: _, term, commit, prev, last, .. } => {
                write!(f, " term={term} prev={prev} last={last} commit={commit}")
            }
            Facts::Heartbeat { leader: _, term, commit } => {
                write!(f, " term={term} beat commit={commit}")
            }
            Facts::VoteRequest { candidate: _, term, last } => {
                write!(f, " term={term} last={last}")
            }
            Facts::VoteReply { term, granted } => write!(f, " term={term} granted={granted}"),
            Facts::AppendReply { term, success } => write!(f, " term={term} success={success}"),
            Facts::MatchReply { term, index } => write!(f, " term={term} agrees={index}"),
            Facts::Snapshot { leader: _, term, last_included } => {
                write!(f, " term={term} last_included={last_included}")
            }
        }
    }
}

struct Fated<'a>(Leg, &'a Fate);

impl fmt::Display for Fated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fated(leg, fate) = self;
        let message = match leg {
            Leg::Request => "request",
            Leg::Reply => "reply",
        };
        match fate {
            Fate::Lost(rule) => write!(f, "{message} lost ({rule})"),
            Fate::Delayed { by, rules } => {
                let ms = by.as_secs_f64() * 1e3;
                write!(f, "{message} delayed by {ms:.3} ms ({})", rules.join(", "))
            }
            Fate::Repeated { after } => {
                write!(f, "{message} repeated after {:.3} ms", after.as_secs_f64() * 1e3)
            }
            Fate::Again => write!(f, "{message} arrives again"),
            Fate::Unreachable => f.write_str("reaches no host"),
            Fate::Gone => f.write_str("waits for a server that is gone"),
        }
    }
}

/// Entries by count and term, e.g. `2 of term 1, 1 of term 3`.
struct Entries<'a>(&'a Runs);

impl fmt::Display for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (count, term)) in self.0.0.iter().enumerate() {
            let (comma, what) = match number {
                0 if *count == 1 => ("", " entry"),
                0 => ("", " entries"),
                _ => (", ", ""),
            };
            write!(f, "{comma}{count}{what} of term {term}")?;
        }
        Ok(())
    }
}

/// Maximum number of runs of equal terms that a server's line shows; it shows the last ones.
const RUNS_MAX: usize = 5;

impl ServerState {
    /// The role and the term, e.g. `leader of term 3`.
    pub fn role_and_term(&self) -> String {
        format!("{} of term {}", self.role, self.term)
    }
}

impl fmt::Display for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.played {
            return write!(f, "played by the test, {}", self.role_and_term());
        }
        match self.up {
            true => write!(f, "{}", self.role_and_term())?,
            false => write!(f, "down, term {}", self.term)?,
        }
        match self.vote {
            Some(vote) => write!(f, ", vote {vote}")?,
            None => f.write_str(", no vote")?,
        }
        if self.base.index.0 > 0 {
            write!(f, ", snapshot up to {}", self.base)?;
        }
        write!(f, ", log up to {}", self.last())?;
        if self.runs.0.len() > 1 {
            write!(f, " ({})", Terms(&self.runs))?;
        }
        if self.durable < self.last().index {
            write!(f, ", durable up to {}", self.durable)?;
        }
        write!(f, ", commit {}, applied {}", self.commit, self.applied)?;
        let names: Vec<_> = self.cut_from.iter().map(ToString::to_string).collect();
        match names.is_empty() {
            true => Ok(()),
            false => write!(f, "; cannot call {}", names.join(", ")),
        }
    }
}

/// The terms of a log, e.g. `3 of term 1, 1 of term 4`; a long log without its beginning.
struct Terms<'a>(&'a Runs);

impl fmt::Display for Terms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.0.len().saturating_sub(RUNS_MAX);
        if hidden > 0 {
            f.write_str("…, ")?;
        }
        let shown =
            self.0.0[hidden..].iter().map(|(count, term)| format!("{count} of term {term}"));
        f.write_str(&shown.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Disk { term, vote, base, runs } = self;
        write!(f, "term {term}, ")?;
        match vote {
            Some(vote) => write!(f, "vote {vote}, ")?,
            None => f.write_str("no vote, ")?,
        }
        if base.index.0 > 0 {
            write!(f, "a snapshot up to {base}, ")?;
        }
        match runs.is_empty() {
            true => f.write_str("no entry"),
            false => Entries(runs).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_its_text_has() {
        let text = "a\nb \u{1b}[2J ü".to_string();
        let note = What::Note { topic: Topic::Info, text };
        assert_eq!(note.to_string(), "a\\nb \\u{1b}[2J ü");
    }
}
