//! The tally of situations: it counts them, and judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Event, leads_in, term_of};
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

impl Tally {
    pub(super) fn see(&mut self, event: &Event<'_>, world: &World) {
        match event {
            Event::Sent { from, facts, .. } => self.sent(*from, facts),
            Event::Delivered { to, facts, .. } => self.delivered(*to, facts, world),
            Event::Answered { by, handling, reply } => self.answered(*by, handling, reply, world),
            Event::Ended { caller, request, got_reply: true } => {
                self.replied(*caller, request, world);
            }
            Event::Voted { server, before, after } => {
                let led = world.server(*server).led == Some(before.term);
                if led && after.term > before.term {
                    self.counts.count(Situation::LeaderDeposed);
                }
            }
            Event::Covered { server, at, there, .. } => self.covered(*server, *at, *there, world),
            Event::Synced { lost: Some(_), .. } => self.counts.count(Situation::LogTruncated),
            Event::Committed { by, term, position } => {
                self.committed(*by, *term, position.index, world);
            }
            Event::Crashed { server } => self.crashed(*server, world),
            Event::Finished => self.finished(),
            _ => {}
        }
    }

    fn sent(&mut self, from: ServerId, facts: &Facts) {
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
    }

    fn replied(&mut self, caller: ServerId, request: &Facts, world: &World) {
        if term_of(request) < Some(world.written(caller).ballot.term) {
            self.counts.count(Situation::StaleReply);
        }
    }

    fn delivered(&mut self, to: ServerId, facts: &Facts, world: &World) {
        let server = world.server(to);
        if term_of(facts) < Some(server.shadow.written.ballot.term) {
            self.counts.count(Situation::StaleRequest);
        }
        if matches!(facts, Facts::Snapshot { last_included, .. }
            if last_included.index <= server.delivered)
        {
            self.counts.count(Situation::StaleSnapshotOffered);
        }
    }

    fn answered(&mut self, by: ServerId, handling: &Handling, reply: &Facts, world: &World) {
        match (&handling.request, reply) {
            (Facts::VoteRequest { term, .. }, Facts::VoteReply { term: now, granted: false })
                if term == now =>
            {
                let voted_for = world.written(by).ballot.voted_for;
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
    }

    fn covered(&mut self, server: ServerId, at: Position, there: Option<Term>, world: &World) {
        if at.index <= world.server(server).delivered {
            self.counts.count(Situation::SnapshotTaken);
            return;
        }
        self.counts.count(Situation::SnapshotInstalled);
        if there.is_some_and(|term| term != at.term) {
            self.counts.count(Situation::SnapshotOverConflict);
        }
        if world.written(server).log.last().index > at.index {
            self.counts.count(Situation::SnapshotKeptSuffix);
        }
    }

    fn committed(&mut self, by: ServerId, term: Term, index: Index, world: &World) {
        let first = world.written(by).log.term_at(self.committed.next());
        if index > self.committed && world.server(by).leads() && first < Some(term) {
            self.counts.count(Situation::OldEntriesCommitted);
        }
        self.committed = self.committed.max(index);
    }

    fn crashed(&mut self, server: ServerId, world: &World) {
        let known = world.server(server);
        if known.shadow.unsynced {
            self.counts.count(Situation::CrashedUnsynced);
        }
        if !known.leads() {
            return;
        }
        self.counts.count(Situation::LeaderCrashed);
        let last = known.shadow.written.log.last();
        if known.led == Some(last.term) && last.index > self.committed {
            self.counts.count(Situation::LeaderCrashedUncommitted);
        }
    }

    fn finished(&mut self) {
        let (candidates, leaders) = (&self.candidates, &self.leaders);
        let without = candidates.keys().filter(|term| !leaders.contains_key(term)).count();
        (0..without).for_each(|_| self.counts.count(Situation::NoLeaderElected));
    }
}
