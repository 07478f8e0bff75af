//! The rules of durability: what a server has told others must survive a crash.

use super::facts::{leads_in, promised};
use super::observer::{Judged, Observer, Sent, at};
use super::shadow::Ballot;
use super::world::{Handling, World, accepts};
use crate::api::{Position, ServerId, Term};
use crate::lab::Facts;

/// "Persistent state on all servers (updated on stable storage before responding to RPCs)" (Figure
/// 2): when a reply leaves, its term and its vote are durable, and the entries that it acknowledges
/// were durable at some moment since the request came.
///
/// Entries that a later leader has replaced need never have been durable: a server may handle the
/// requests of both leaders, store the combined result, and then answer both. After a crash it is
/// in the same state as if it had stored each step.
pub(super) struct PersistBeforeReply;

impl Observer for PersistBeforeReply {
    fn answered(
        &mut self,
        by: ServerId,
        handling: &Handling,
        reply: &Facts,
        world: &World,
    ) -> Judged {
        let durable = world.durable(by);
        let came = || at(handling.since);
        if let (Facts::VoteRequest { term, .. }, Facts::VoteReply { granted: true, .. }) =
            (&handling.request, reply)
            && !holds_vote(durable.ballot, *term, handling.from)
        {
            return Err(format!(
                "{by} grants {} its vote of term {term}, but only {} is durable; save the vote and \
                 sync before you answer; the request came at {}",
                handling.from,
                stored(durable.ballot),
                came()
            ));
        }
        if accepts(handling, reply)
            && !handling.held
            && !(handling.rivalled && handling.request.term() < Some(durable.ballot.term))
            && let Some(last) = promised(&handling.request)
        {
            return Err(format!(
                "{by} tells {} that it has the log up to {last}, but its durable log ends at {}{}; \
                 save the entries and sync before you answer; the request came at {}",
                handling.from,
                durable.log.last(),
                durable.log.term_at(last.index).map_or_else(String::new, |term| {
                    format!(" and has {} in its place", Position { term, index: last.index })
                }),
                came()
            ));
        }
        match reply.term() {
            Some(term) if durable.ballot.term < term => Err(format!(
                "{by} answers {} in term {term}, but only {} is durable; save the term and sync \
                 before you answer; the request came at {}",
                handling.from,
                stored(durable.ballot),
                came()
            )),
            _ => Ok(()),
        }
    }
}

/// A candidate's term and its vote for itself are durable before it asks for votes, and a leader's
/// term is durable before it sends anything.
///
/// This rule is ours: Figure 2 asks for it only "before responding to RPCs". A candidate that asks
/// first and stores its vote before it counts the replies is just as safe. But such a candidate
/// must know whether its vote was stored before the replies came, and a mistake gives two leaders
/// in one term. The candidate would gain only the time of one sync per election.
pub(super) struct PersistBeforeRequest;

impl Observer for PersistBeforeRequest {
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, world: &World) -> Judged {
        let durable = world.durable(from).ballot;
        match facts {
            Facts::VoteRequest { term, .. } if !holds_vote(durable, *term, from) => Err(format!(
                "{from} asks for votes in term {term}, but only {} is durable; save the vote for \
                 yourself and sync before you ask",
                stored(durable)
            )),
            _ => match leads_in(facts) {
                Some(term) if durable.term < term => Err(format!(
                    "{from} acts as leader of term {term}, but only {} is durable; save the term \
                     and sync before you act",
                    stored(durable)
                )),
                _ => Ok(()),
            },
        }
    }
}

/// Whether a server that stored `ballot` can vote only for `candidate` in `term`.
fn holds_vote(ballot: Ballot, term: Term, candidate: ServerId) -> bool {
    ballot.term > term || (ballot.term == term && ballot.voted_for == Some(candidate))
}

fn stored(ballot: Ballot) -> String {
    match ballot.voted_for {
        Some(candidate) => format!("term {} with a vote for {candidate}", ballot.term),
        None => format!("term {} without a vote", ballot.term),
    }
}
