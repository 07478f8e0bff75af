//! The rules for terms: they only rise, and requests of older terms are rejected.

use super::observer::{Judged, Observer, Voted, at};
use super::world::{Handling, World, accepts};
use crate::api::{ServerId, Term};
use crate::lab::Facts;

/// "Each server stores a current term number, which increases monotonically over time"
/// (Raft §5.1), judged by its storage.
///
/// On the wire a term may go down: a server makes arguments under its lock and sends them after
/// releasing it.
pub(super) struct MonotonicTerm;

impl Observer for MonotonicTerm {
    fn voted(&mut self, Voted { server, before, after }: Voted, _: &World) -> Judged {
        if after.term >= before.term {
            return Ok(());
        }
        Err(format!(
            "{server} wrote term {} after term {}: its term went down",
            after.term, before.term
        ))
    }
}

/// "If a server receives a request with a stale term number, it rejects the request" (Raft §5.1).
pub(super) struct StaleTermRefused;

impl Observer for StaleTermRefused {
    fn answered(&mut self, by: ServerId, handling: &Handling, reply: &Facts, _: &World) -> Judged {
        let accepted = match (&handling.request, reply) {
            (Facts::VoteRequest { .. }, Facts::VoteReply { granted, .. }) => *granted,
            (Facts::Append { .. }, Facts::AppendReply { success, .. }) => *success,
            _ => false,
        };
        let Some(asked) = handling.request.term() else { return Ok(()) };
        if !accepted || asked >= handling.term_before {
            return Ok(());
        }
        Err(format!(
            "{by} accepts a request of term {asked} from {}, although it was in term {} when the \
             request came at {}",
            handling.from,
            handling.term_before,
            at(handling.since)
        ))
    }
}

/// "If RPC request contains term T > currentTerm: set currentTerm = T" (Figure 2, all servers): no
/// reply has a term below its request's, or below the server's own term when the request arrived.
///
/// Two exceptions: A server that hears from a leader may disregard a candidate, and then "it does
/// not update its term" (Raft §6), so its refusal may have the server's own, older term. And a
/// server that has stopped may reply with term 0, if that reply promises nothing.
pub(super) struct ReplyHasNewestTerm;

impl Observer for ReplyHasNewestTerm {
    fn answered(&mut self, by: ServerId, handling: &Handling, reply: &Facts, _: &World) -> Judged {
        let (Some(asked), Some(term)) = (handling.request.term(), reply.term()) else {
            return Ok(());
        };
        let may_disregard = matches!(reply, Facts::VoteReply { granted: false, .. });
        let asked_for = if may_disregard { Term(0) } else { asked };
        let voted = matches!(reply, Facts::VoteReply { granted: true, .. });
        let promises = voted || accepts(handling, reply);
        let newest = asked_for.max(handling.term_before);
        if term >= newest || (term == Term(0) && !promises) {
            return Ok(());
        }
        Err(format!(
            "{by} answers with term {term} to a request of term {asked} from {}; it was in term {} \
             when the request came at {}",
            handling.from,
            handling.term_before,
            at(handling.since)
        ))
    }
}
