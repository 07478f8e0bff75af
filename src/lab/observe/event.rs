//! The events that observers see, and the trait of an observer.

use std::time::Duration;

use super::shadow::{Ballot, Lost};
use super::world::{Handling, World};
use crate::api::{ApplyMsg, Entry, Index, Position, ServerId, Term};
use crate::lab::Facts;

/// An event that is visible in every implementation.
///
/// The [`World`] is updated before the event is shown. So an event carries the earlier state if a
/// rule compares the two.
pub(super) enum Event<'a> {
    /// A request leaves.
    Sent { from: ServerId, to: ServerId, facts: &'a Facts },
    /// A request has arrived; the handler runs next.
    Delivered { to: ServerId, facts: &'a Facts },
    /// A reply leaves the server that handled the request.
    Answered { by: ServerId, handling: &'a Handling, reply: &'a Facts },
    /// A reply has reached the server that made the call, or the call has failed.
    Ended { caller: ServerId, request: &'a Facts, got_reply: bool },
    /// Term and vote were written.
    Voted { server: ServerId, before: Ballot, after: Ballot },
    /// Entries were written after an entry of term `prev`; they replace all entries from the first
    /// new index on.
    Appended { server: ServerId, prev: Option<Term>, entries: &'a [Entry] },
    /// A snapshot up to `at` was written. The log began at `before`, and its entry at the index of
    /// `at` had the term `there`.
    Covered { server: ServerId, before: Position, at: Position, there: Option<Term> },
    /// A write was made. If a crash keeps it but no later write, the durable entries in `lost` are
    /// gone.
    Torn { server: ServerId, lost: Lost },
    /// All writes are durable; the entries in `lost`, which were durable before, are gone.
    Synced { server: ServerId, lost: Option<Lost> },
    /// The apply channel's reader received a message.
    Applied { server: ServerId, msg: &'a ApplyMsg },
    /// A server in term `term` reported that the log up to `position` is committed.
    Committed { by: ServerId, term: Term, position: Position },
    /// A server has started, so a life of it has begun.
    Booted { server: ServerId },
    /// The reader of a server's apply channel paused or resumed.
    Reading { server: ServerId },
    /// A server has crashed, so its life is over.
    Crashed { server: ServerId },
    /// The run is over.
    Finished,
}

/// The kind of an event. A rule sees only the kinds that it needs: most events concern few rules.
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
    /// All kinds, for a rule that judges by the clock.
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

    /// A number in which only this kind's bit is set.
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

/// One rule that must hold for every implementation.
pub(super) trait Observer: Send {
    /// The rule's name, as a failure shows it.
    fn name(&self) -> &'static str;

    /// The kinds of events that the rule needs; it sees no others.
    fn kinds(&self) -> &'static [Kind];

    /// Judges one event. `Err` has a description of the mistake, with the values.
    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String>;

    /// After `see` has failed: the server that broke the rule by doing nothing, if there is one.
    /// The event itself may then be another server's.
    fn blamed(&self) -> Option<ServerId> {
        None
    }
}

/// A moment as failure texts show it.
pub(super) fn at(moment: Duration) -> String {
    format!("{:.6} s", moment.as_secs_f64())
}

/// The leader's term in `facts`, if a leader sent them.
pub(super) fn leads_in(facts: &Facts) -> Option<Term> {
    match facts {
        Facts::Append { term, .. }
        | Facts::Heartbeat { term, .. }
        | Facts::Snapshot { term, .. } => Some(*term),
        _ => None,
    }
}

/// The sender's term in `facts`.
pub(super) fn term_of(facts: &Facts) -> Option<Term> {
    match facts {
        Facts::None => None,
        Facts::Append { term, .. }
        | Facts::Heartbeat { term, .. }
        | Facts::VoteRequest { term, .. }
        | Facts::VoteReply { term, .. }
        | Facts::AppendReply { term, .. }
        | Facts::MatchReply { term, .. }
        | Facts::Snapshot { term, .. } => Some(*term),
    }
}

/// The last entry of the leader's log that a follower has once it accepts `facts`.
pub(super) fn promised(facts: &Facts) -> Option<Position> {
    match facts {
        Facts::Append { last, .. } => Some(*last),
        Facts::Snapshot { last_included, .. } => Some(*last_included),
        _ => None,
    }
}

/// The last index that a follower knows to be committed once it accepts `facts`.
pub(super) fn committed_by(facts: &Facts) -> Option<Index> {
    match facts {
        Facts::Append { commit, last, .. } => Some((*commit).min(last.index)),
        Facts::Heartbeat { commit, .. } => Some(*commit),
        Facts::Snapshot { last_included, .. } => Some(last_included.index),
        _ => None,
    }
}
