//! The tally of situations: an observer that counts, and never finds a mistake.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::leads_in;
use super::observer::{Covered, Judged, Observer, Sent, Voted};
use super::world::{Handling, World};
use crate::api::{Index, Position, ServerId, Term};
use crate::lab::Facts;
use crate::lab::situations::{Situation, Situations};

/// The counts of a run, and the state needed for counting.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) counts: Situations,
    candidates: BTreeMap<Term, ServerId>,
    rivals: BTreeSet<Term>,
    leaders: BTreeMap<Term, ServerId>,
    /// The term of the last leader's message.
    latest: Option<Term>,
    committed: Index,
}

impl Observer for Tally {
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, _: &World) -> Judged {
        if let Facts::VoteRequest { term, .. } = facts
            && *self.candidates.entry(*term).or_insert(from) != from
            && self.rivals.insert(*term)
        {
            self.counts.count(Situation::RivalCandidates);
        }
        if let Some(term) = leads_in(facts)
            && self.latest.replace(term) != Some(term)
            && !self.leaders.contains_key(&term)
        {
            let last = self.leaders.last_key_value().map(|(_, leader)| *leader);
            let before = self.leaders.values().any(|leader| *leader == from);
            if before && last != Some(from) {
                self.counts.count(Situation::LeaderReturned);
            }
            self.leaders.insert(term, from);
        }
        Ok(())
    }

    fn delivered(&mut self, to: ServerId, request: &Facts, world: &World) -> Judged {
        let server = world.server(to);
        if request.term() < Some(server.term()) {
            self.counts.count(Situation::StaleRequest);
        }
        if matches!(request, Facts::Snapshot { last_included, .. }
            if last_included.index <= server.delivered)
        {
            self.counts.count(Situation::StaleSnapshotOffered);
        }
        Ok(())
    }

    fn answered(
        &mut self,
        by: ServerId,
        handling: &Handling,
        reply: &Facts,
        world: &World,
    ) -> Judged {
        // A server that stores its term is counted when it does.
        let known = world.server(by);
        if known.led.is_some() && known.led < reply.term() && !known.has_stored(reply.term()) {
            self.counts.count(Situation::LeaderDeposed);
        }
        match (&handling.request, reply) {
            (Facts::VoteRequest { term, .. }, Facts::VoteReply { term: now, granted: false })
                if term == now =>
            {
                let voted_for = world.server(by).vote_in(*now);
                if voted_for.is_some_and(|candidate| candidate != handling.from) {
                    self.counts.count(Situation::VoteTaken);
                } else if !handling.up_to_date {
                    self.counts.count(Situation::VoteToOutdatedRefused);
                }
            }
            (Facts::Append { term, .. }, Facts::AppendReply { term: now, success: false })
                if term == now =>
            {
                self.counts.count(Situation::MismatchRefused);
            }
            _ => {}
        }
        Ok(())
    }

    fn ended(
        &mut self,
        caller: ServerId,
        request: &Facts,
        got_reply: bool,
        world: &World,
    ) -> Judged {
        if got_reply && request.term() < Some(world.server(caller).term()) {
            self.counts.count(Situation::StaleReply);
        }
        Ok(())
    }

    fn voted(&mut self, Voted { server, before, after }: Voted, world: &World) -> Judged {
        if world.server(server).led == Some(before.term) && after.term > before.term {
            self.counts.count(Situation::LeaderDeposed);
        }
        Ok(())
    }

    fn covered(&mut self, Covered { server, at, there, .. }: Covered, world: &World) -> Judged {
        if at.index <= world.server(server).delivered {
            self.counts.count(Situation::SnapshotTaken);
            return Ok(());
        }
        self.counts.count(Situation::SnapshotInstalled);
        if there.is_some_and(|term| term != at.term) {
            self.counts.count(Situation::SnapshotOverConflict);
        }
        if world.written(server).log.last().index > at.index {
            self.counts.count(Situation::SnapshotKeptSuffix);
        }
        Ok(())
    }

    fn synced(&mut self, _: ServerId, truncated: bool, _: &World) -> Judged {
        if truncated {
            self.counts.count(Situation::LogTruncated);
        }
        Ok(())
    }

    fn committed(
        &mut self,
        by: ServerId,
        term: Term,
        Position { index, .. }: Position,
        world: &World,
    ) -> Judged {
        let first = world.written(by).log.term_at(self.committed.next());
        if index > self.committed && world.server(by).leads() && first < Some(term) {
            self.counts.count(Situation::OldEntriesCommitted);
        }
        self.committed = self.committed.max(index);
        Ok(())
    }

    fn crashed(&mut self, server: ServerId, world: &World) -> Judged {
        let known = world.server(server);
        if known.shadow.unsynced {
            self.counts.count(Situation::CrashedUnsynced);
        }
        if !known.leads() {
            return Ok(());
        }
        self.counts.count(Situation::LeaderCrashed);
        let last = known.shadow.written.log.last();
        if known.led == Some(last.term) && last.index > self.committed {
            self.counts.count(Situation::LeaderCrashedUncommitted);
        }
        Ok(())
    }

    fn finished(&mut self, _: &World) -> Judged {
        let (candidates, leaders) = (&self.candidates, &self.leaders);
        let without = candidates.keys().filter(|term| !leaders.contains_key(term)).count();
        (0..without).for_each(|_| self.counts.count(Situation::NoLeaderElected));
        Ok(())
    }
}
