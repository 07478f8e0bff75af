//! What observers are told, and what they answer.

use std::time::Duration;

use super::shadow::{Ballot, Lost};
use super::world::{Handling, World};
use crate::api::{ApplyMsg, Entry, Index, Position, ServerId, Term};
use crate::lab::Facts;

/// Something that any implementation shows. The [`World`] already knows of it, so an event
/// carries what was there before where a rule compares the two.
pub(super) enum Event<'a> {
    /// A request leaves.
    Sent { from: ServerId, to: ServerId, facts: &'a Facts },
    /// A request has arrived; the handler runs next.
    Delivered { to: ServerId, facts: &'a Facts },
    /// A reply leaves the server that handled the request.
    Answered { by: ServerId, handling: &'a Handling, reply: &'a Facts },
    /// A reply has reached the server that made the call, or the call is given up.
    Ended { caller: ServerId, request: &'a Facts, got_reply: bool },
    /// Term and vote were written.
    Voted { server: ServerId, before: Ballot, after: Ballot },
    /// Entries were written, after an entry of term `prev`, in place of all from the first one on.
    Appended { server: ServerId, prev: Option<Term>, entries: &'a [Entry] },
    /// A snapshot was written over a log that began at `before` and had `there` at its index.
    Covered { server: ServerId, before: Position, at: Position, there: Option<Term> },
    /// A write was made that, if a crash leaves no later one, takes away from `lost` on what is
    /// durable.
    Torn { server: ServerId, lost: Lost },
    /// All writes are durable; from `lost` on, entries that were durable before are gone.
    Synced { server: ServerId, lost: Option<Lost> },
    /// The apply channel's reader received a message.
    Applied { server: ServerId, msg: &'a ApplyMsg },
    /// The log up to `position` is committed, on the word of a server in term `term`.
    Committed { by: ServerId, term: Term, position: Position },
    /// A server came to life.
    Booted { server: ServerId },
    /// A server's apply channel is read again, or no longer.
    Reading { server: ServerId },
    /// A server's life is over.
    Crashed { server: ServerId },
    /// The run is at its end.
    Finished,
}

/// What sort of event it is. There are many events, and most concern few rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sent,
    Delivered,
    Answered,
    Ended,
    Voted,
    Appended,
    Covered,
    Torn,
    Synced,
    Applied,
    Committed,
    Booted,
    Reading,
    Crashed,
    Finished,
}

impl Kind {
    /// All of them, for a rule that judges by the clock.
    pub(super) const ALL: &'static [Kind] = &[
        Kind::Sent,
        Kind::Delivered,
        Kind::Answered,
        Kind::Ended,
        Kind::Voted,
        Kind::Appended,
        Kind::Covered,
        Kind::Torn,
        Kind::Synced,
        Kind::Applied,
        Kind::Committed,
        Kind::Booted,
        Kind::Reading,
        Kind::Crashed,
        Kind::Finished,
    ];

    /// A number with a bit of its own.
    pub(super) const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl Event<'_> {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Event::Sent { .. } => Kind::Sent,
            Event::Delivered { .. } => Kind::Delivered,
            Event::Answered { .. } => Kind::Answered,
            Event::Ended { .. } => Kind::Ended,
            Event::Voted { .. } => Kind::Voted,
            Event::Appended { .. } => Kind::Appended,
            Event::Covered { .. } => Kind::Covered,
            Event::Torn { .. } => Kind::Torn,
            Event::Synced { .. } => Kind::Synced,
            Event::Applied { .. } => Kind::Applied,
            Event::Committed { .. } => Kind::Committed,
            Event::Booted { .. } => Kind::Booted,
            Event::Reading { .. } => Kind::Reading,
            Event::Crashed { .. } => Kind::Crashed,
            Event::Finished => Kind::Finished,
        }
    }
}

/// One rule that must hold, whatever the implementation.
pub(super) trait Observer: Send {
    /// The rule's name, as a failure shows it.
    fn name(&self) -> &'static str;

    /// What the rule looks at; it is shown nothing else.
    fn kinds(&self) -> &'static [Kind];

    /// Looks at one event. `Err` has what was wrong, with the values.
    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String>;

    /// The server that broke the rule by doing nothing, once `see` has said so: the event is then
    /// another server's.
    fn blamed(&self) -> Option<ServerId> {
        None
    }
}

/// A moment, as messages show it.
pub(super) fn at(moment: Duration) -> String {
    format!("{:.6} s", moment.as_secs_f64())
}

/// The leader's term in `facts`, if they are a leader's.
pub(super) fn leads_in(facts: &Facts) -> Option<Term> {
    match facts {
        Facts::Acts { term, .. } | Facts::Beats { term, .. } | Facts::Installs { term, .. } => {
            Some(*term)
        }
        _ => None,
    }
}

/// The sender's term in `facts`.
pub(super) fn term_of(facts: &Facts) -> Option<Term> {
    match facts {
        Facts::None => None,
        Facts::Acts { term, .. }
        | Facts::Beats { term, .. }
        | Facts::AsksVote { term, .. }
        | Facts::Votes { term, .. }
        | Facts::Matches { term, .. }
        | Facts::Agrees { term, .. }
        | Facts::Installs { term, .. } => Some(*term),
    }
}

/// How far a follower that accepts `facts` has the leader's log.
pub(super) fn promised(facts: &Facts) -> Option<Position> {
    match facts {
        Facts::Acts { last, .. } => Some(*last),
        Facts::Installs { last_included, .. } => Some(*last_included),
        _ => None,
    }
}

/// How far a follower that accepts `facts` knows the log to be committed.
pub(super) fn committed_by(facts: &Facts) -> Option<Index> {
    match facts {
        Facts::Acts { commit, last, .. } => Some((*commit).min(last.index)),
        Facts::Beats { commit, .. } => Some(*commit),
        Facts::Installs { last_included, .. } => Some(last_included.index),
        _ => None,
    }
}
