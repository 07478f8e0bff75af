//! Terms only rise, and what comes from an older one counts for nothing.

use super::event::{Event, Kind, Observer, at, term_of};
use super::world::{World, accepts};
use crate::api::Term;
use crate::lab::Facts;

/// "Each server stores a current term number, which increases monotonically over time"
/// (Raft §5.1), judged in its storage.
///
/// On the wire a term may go down: arguments are made under the lock and sent after it.
pub(super) struct MonotonicTerm;

impl Observer for MonotonicTerm {
    fn name(&self) -> &'static str {
        "MonotonicTerm"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Voted]
    }

    fn see(&mut self, event: &Event<'_>, _: &World) -> Result<(), String> {
        match event {
            Event::Voted { server, before, after } if after.term < before.term => Err(format!(
                "{server} wrote term {} after term {}: its term went down",
                after.term, before.term
            )),
            _ => Ok(()),
        }
    }
}

/// "If a server receives a request with a stale term number, it rejects the request" (Raft §5.1).
pub(super) struct StaleTermRefused;

impl Observer for StaleTermRefused {
    fn name(&self) -> &'static str {
        "StaleTermRefused"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Answered]
    }

    fn see(&mut self, event: &Event<'_>, _: &World) -> Result<(), String> {
        let Event::Answered { by, handling, reply } = event else { return Ok(()) };
        let accepted = match (&handling.request, reply) {
            (Facts::AsksVote { .. }, Facts::Votes { granted, .. }) => *granted,
            (Facts::Acts { .. }, Facts::Matches { success, .. }) => *success,
            _ => false,
        };
        let Some(asked) = term_of(&handling.request) else { return Ok(()) };
        if !accepted || asked >= handling.term_before {
            return Ok(());
        }
        Err(format!(
            "{by} accepts a request of {} from term {asked}, although it was in term {} when the \
             request came at {}",
            handling.from,
            handling.term_before,
            at(handling.since)
        ))
    }
}

/// "If RPC request contains term T > currentTerm: set currentTerm = T" (Figure 2, all servers):
/// no reply has a term below its request's, or below the one that the server was in.
///
/// But a server that hears a leader may disregard who asks for its vote, and then "it does not
/// update its term" (Raft §6): such a refusal may have the term that the server was in.
/// But for term 0 in an answer that promises nothing, as a server gives that has stopped.
pub(super) struct ReplyHasNewestTerm;

impl Observer for ReplyHasNewestTerm {
    fn name(&self) -> &'static str {
        "ReplyHasNewestTerm"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Answered]
    }

    fn see(&mut self, event: &Event<'_>, _: &World) -> Result<(), String> {
        let Event::Answered { by, handling, reply } = event else { return Ok(()) };
        let (Some(asked), Some(term)) = (term_of(&handling.request), term_of(reply)) else {
            return Ok(());
        };
        let may_disregard = matches!(reply, Facts::Votes { granted: false, .. });
        let asked_for = if may_disregard { Term(0) } else { asked };
        let voted = matches!(reply, Facts::Votes { granted: true, .. });
        let promises = voted || accepts(handling, reply);
        let newest = asked_for.max(handling.term_before);
        if term >= newest || (term == Term(0) && !promises) {
            return Ok(());
        }
        Err(format!(
            "{by} answers with term {term} to a request of {} from term {asked}; it was in term {} \
             when the request came at {}",
            handling.from,
            handling.term_before,
            at(handling.since)
        ))
    }
}
