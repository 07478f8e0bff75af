//! The state that all observers share: the servers' storage, their lives, the calls they handle.

use std::time::Duration;

use super::committed::Committed;
use super::facts::{committed_by, leads_in, promised};
use super::numbered::Numbered;
use super::shadow::{Ballot, Shadow, Stored};
use crate::api::{ApplyMsg, Index, Position, ServerId, Term, quorum_size};
use crate::lab::{Facts, Numbering};
use crate::persister::Persisted;

/// One request that a server is handling; copies of it count as one.
#[derive(Debug, Clone)]
pub(super) struct Handling {
    pub(super) call: u64,
    pub(super) from: ServerId,
    pub(super) request: Facts,
    pub(super) since: Duration,
    /// Term in the server's storage when the request arrived.
    pub(super) term_before: Term,
    /// Whether, at some moment since then, the durable log had all entries that `success` promises.
    pub(super) held: bool,
    /// Whether, meanwhile, the server was also handling a later leader's request that replaces the
    /// last entry of this request.
    pub(super) rivalled: bool,
    /// Whether, at some moment since then, the candidate's log was as up-to-date as the server's.
    pub(super) up_to_date: bool,
    /// Whether, at every moment since then, the log had the entry before the request's entries.
    pub(super) prev_fits: bool,
    copies: u32,
}

impl Handling {
    /// Whether `self` is a later leader's request that replaces the last entry of `other`.
    fn rivals(&self, other: &Handling) -> bool {
        let (Some(theirs), Some(last)) = (leads_in(&other.request), promised(&other.request))
        else {
            return false;
        };
        match self.request {
            Facts::Append { term, prev, last: new, .. } => {
                term > theirs && prev.index < last.index && prev != new
            }
            _ => false,
        }
    }

    fn update(&mut self, shadow: &Shadow) {
        let durable = &shadow.durable;
        let written = &shadow.written.log;
        self.held |= promised(&self.request).is_some_and(|last| durable.log.holds(last));
        match self.request {
            Facts::VoteRequest { last, .. } => self.up_to_date |= last >= written.last(),
            Facts::Append { prev, .. } => {
                self.prev_fits &= written.term_at(prev.index) == Some(prev.term);
            }
            _ => {}
        }
    }
}

/// One server: its storage, and the state of its latest life.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) shadow: Shadow,
    pub(super) alive: bool,
    /// The number of its lives so far.
    pub(super) life: u64,
    /// Number of calls that the network had counted when this life began.
    calls_before: u64,
    /// The highest term in which it acted as leader in this life.
    pub(super) led: Option<Term>,
    /// The highest term of its requests and replies in this life.
    shown: Term,
    /// The latest vote that it gave in a reply in this life.
    gave: Option<(Term, ServerId)>,
    /// Last index that its apply channel's reader received in this life; at first its snapshot's.
    pub(super) delivered: Index,
    /// The commits that it was told or reported itself in this life, by term.
    pub(super) knows: Committed,
    /// Whether its apply channel's reader reads, and is not paused.
    pub(super) reading: bool,
    handling: Vec<Handling>,
    /// Upper bound on the index that it may have committed by counting in this life; at least the
    /// end of any snapshot that its service received, whether from a leader or from its own disk.
    counted: Index,
}

impl Server {
    /// Whether the call `id`, which this server made, was made in this life.
    pub(super) fn makes(&self, id: u64) -> bool {
        self.alive && id > self.calls_before
    }

    /// Its term as seen from outside: the highest in its storage and its messages. A server that
    /// stores nothing yet shows its term only in messages.
    pub(super) fn term(&self) -> Term {
        self.shadow.written.ballot.term.max(self.shown)
    }

    /// Whether its storage has `term`, or a newer one.
    pub(super) fn has_stored(&self, term: Option<Term>) -> bool {
        Some(self.shadow.written.ballot.term) >= term
    }

    /// Its vote in `term`, as its storage or its replies have it.
    pub(super) fn vote_in(&self, term: Term) -> Option<ServerId> {
        let Ballot { term: stored, voted_for } = self.shadow.written.ballot;
        let stored = voted_for.filter(|_| stored == term);
        stored.or_else(|| self.gave.filter(|(given, _)| *given == term).map(|(_, vote)| vote))
    }

    /// Whether it leads as seen from outside: it acted as leader of the term in its storage.
    pub(super) fn leads(&self) -> bool {
        self.led == Some(self.shadow.written.ballot.term)
    }

    /// Whether it is handling a request of a newer term than its storage has: then it may already
    /// obey that term's leader.
    pub(super) fn hears_of_newer_term(&self) -> bool {
        let term = Some(self.shadow.written.ballot.term);
        self.handling.iter().any(|handling| handling.request.term() > term)
    }

    /// Whether it is handling a leader's request, which may have changed its log in memory.
    pub(super) fn hears_of_entries(&self) -> bool {
        self.handling.iter().any(|handling| leads_in(&handling.request).is_some())
    }

    /// Whether it is handling entries that a leader of a term before `term` sent for `index`.
    pub(super) fn hears_of_older_leader(&self, term: Term, index: Index) -> bool {
        self.handling.iter().any(|handling| match handling.request {
            Facts::Append { term: asked, prev, last, .. } => {
                asked < term && prev.index < index && prev != last
            }
            _ => false,
        })
    }

    /// Upper bound on the index that it may have committed by counting in an earlier term of this
    /// life, or in the life that wrote its snapshot.
    pub(super) fn may_have_counted(&self) -> Index {
        self.counted
    }

    fn act(&mut self, term: Term) {
        if self.led < Some(term) {
            self.led = Some(term);
        }
    }

    /// Updates the requests that it is handling with the present state of its storage.
    pub(super) fn update(&mut self) {
        for handling in &mut self.handling {
            handling.update(&self.shadow);
        }
    }

    fn learn(&mut self, term: Term, index: Index) {
        self.knows.note(term, Position { term: Term(0), index });
    }
}

/// The cluster as seen from outside.
pub(super) struct World {
    pub(super) now: Duration,
    pub(super) servers: Vec<Server>,
    pub(super) committed: Committed,
    numbered: Numbered,
}

impl World {
    pub(super) fn new(servers: usize, numbering: Numbering) -> World {
        World {
            now: Duration::ZERO,
            servers: (0..servers).map(|_| Server::default()).collect(),
            committed: Committed::default(),
            numbered: Numbered::new(numbering),
        }
    }

    pub(super) fn server(&self, server: ServerId) -> &Server {
        &self.servers[server.slot()]
    }

    pub(super) fn server_mut(&mut self, server: ServerId) -> &mut Server {
        &mut self.servers[server.slot()]
    }

    /// The content of a server's storage, as written.
    pub(super) fn written(&self, server: ServerId) -> &Stored {
        &self.server(server).shadow.written
    }

    /// The content of a server's storage after a crash that loses all unsynced writes.
    pub(super) fn durable(&self, server: ServerId) -> &Stored {
        &self.server(server).shadow.durable
    }

    /// Whether the indices that a service receives are those of the log.
    pub(super) fn counts_entries(&self) -> bool {
        self.numbered.counts_entries()
    }

    /// The size of a majority.
    pub(super) fn quorum(&self) -> usize {
        quorum_size(self.servers.len())
    }

    /// The servers whose durable log or snapshot has the entry at `position`.
    pub(super) fn holders(&self, position: Position) -> impl Iterator<Item = ServerId> + '_ {
        let holds = move |server: &Server| server.shadow.durable.log.holds(position);
        let slots = self.servers.iter().enumerate().filter(move |(_, server)| holds(server));
        slots.map(|(slot, _)| ServerId::from_slot(slot))
    }

    pub(super) fn boot(&mut self, server: ServerId, persisted: &Persisted, calls: u64) -> u64 {
        let known = self.server_mut(server);
        let life = known.life + 1;
        *known = Server {
            shadow: Shadow::of(persisted),
            alive: true,
            life,
            calls_before: calls,
            delivered: persisted.last_included.index,
            reading: true,
            ..Server::default()
        };
        life
    }

    pub(super) fn crash(&mut self, server: ServerId) {
        let known = self.server_mut(server);
        known.alive = false;
        known.handling.clear();
    }

    /// Updates the sender's state with a request that leaves `from`.
    pub(super) fn sent(&mut self, from: ServerId, facts: &Facts) {
        let known = self.server_mut(from);
        known.shown = known.shown.max(facts.term().unwrap_or_default());
        match facts {
            Facts::Append { term, commit, .. } | Facts::Heartbeat { term, commit, .. } => {
                known.act(*term);
                known.learn(*term, *commit);
            }
            Facts::Snapshot { term, .. } => known.act(*term),
            _ => {}
        }
    }

    /// Records that a server writes term and vote; returns the earlier term and vote.
    pub(super) fn voted(&mut self, server: ServerId, after: Ballot) -> Ballot {
        let before = self.written(server).ballot;
        if after.term > before.term && self.server(server).leads() {
            let reached = self.reach(before.term);
            let known = self.server_mut(server);
            known.counted = known.counted.max(reached);
        }
        self.server_mut(server).shadow.vote(after);
        before
    }

    /// The last index up to which a majority's durable logs have entries of `term`, or a snapshot.
    fn reach(&self, term: Term) -> Index {
        let last_of = |server: &Server| server.shadow.durable.log.last_of(term);
        let has = |index: Index| self.servers.iter().filter(|it| last_of(it) >= index).count();
        let reached = self.servers.iter().map(last_of).filter(|last| has(*last) >= self.quorum());
        reached.max().unwrap_or_default()
    }

    /// Records that a request reaches `to`'s handler. Copies of one request count as one handling.
    pub(super) fn delivered(&mut self, to: ServerId, from: ServerId, call: u64, facts: &Facts) {
        let now = self.now;
        let known = self.server_mut(to);
        if let Some(handling) = known.handling.iter_mut().find(|handling| handling.call == call) {
            handling.copies += 1;
            return;
        }
        let mut handling = Handling {
            call,
            from,
            request: *facts,
            since: now,
            term_before: known.shadow.written.ballot.term,
            held: false,
            rivalled: false,
            up_to_date: false,
            prev_fits: true,
            copies: 1,
        };
        handling.update(&known.shadow);
        for other in &mut known.handling {
            other.rivalled |= handling.rivals(other);
            handling.rivalled |= other.rivals(&handling);
        }
        known.handling.push(handling);
    }

    /// Records that a reply leaves `by`. Returns the handling of its request, and the reply in
    /// terms of that request; `None` if the handler's life is over.
    pub(super) fn answered(
        &mut self,
        by: ServerId,
        call: u64,
        reply: &Facts,
    ) -> Option<(Handling, Facts)> {
        let known = self.server_mut(by);
        let slot = known.handling.iter().position(|handling| handling.call == call)?;
        known.handling[slot].copies -= 1;
        let handling = known.handling[slot].clone();
        if handling.copies == 0 {
            known.handling.swap_remove(slot);
        }
        known.shown = known.shown.max(reply.term().unwrap_or_default());
        if let Facts::VoteReply { term, granted: true } = reply {
            known.gave = Some((*term, handling.from));
        }
        let reply = in_answer_to(&handling.request, reply);
        if accepts(&handling, &reply) {
            let term = handling.request.term().unwrap_or_default();
            if let Some(index) = committed_by(&handling.request) {
                known.learn(term, index);
            }
        }
        Some((handling, reply))
    }

    /// Records that the apply channel's reader received `msg`. Returns the message in the log's
    /// indices, and the entry up to which the log is thereby committed.
    pub(super) fn applied(&mut self, server: ServerId, msg: &ApplyMsg) -> (ApplyMsg, Position) {
        let log = &self.servers[server.slot()].shadow.written.log;
        let msg = self.numbered.in_log(msg, log);
        let position = match &msg {
            ApplyMsg::Command { index, term, .. } => Position { term: *term, index: *index },
            ApplyMsg::Snapshot { last_included, .. } => *last_included,
        };
        let known = self.server_mut(server);
        known.delivered = position.index;
        if let ApplyMsg::Snapshot { .. } = msg {
            // A snapshot from a leader or at a start may end at an index that no other server has
            // reported as committed.
            known.counted = known.counted.max(position.index);
        }
        known.learn(known.term(), position.index);
        (msg, position)
    }

    /// The last index that `server` knows to be committed, if its service has not received all
    /// entries up to there.
    pub(super) fn owed(&self, server: ServerId) -> Option<Index> {
        let known = self.server(server);
        let (index, log) = (known.knows.last().index, &known.shadow.written.log);
        self.numbered.is_owed(known.delivered, index, log).then_some(index)
    }
}

/// Whether `reply` says that the request's entries, or its snapshot, are now in the log.
///
/// The reply to a snapshot or a heartbeat has no `success`: such a reply accepts the request if it
/// has the request's term.
pub(super) fn accepts(handling: &Handling, reply: &Facts) -> bool {
    match (&handling.request, reply) {
        (Facts::Append { .. }, Facts::AppendReply { success, .. }) => *success,
        (
            Facts::Snapshot { term: asked, .. } | Facts::Heartbeat { term: asked, .. },
            Facts::AppendReply { term, .. },
        ) => asked == term,
        _ => false,
    }
}

/// Translates [`Facts::MatchReply`] into a success or a refusal of `request`.
///
/// The reply is a success if the logs agree up to the request's last entry. It is a refusal if they
/// do not agree at the entry before the request's first. Between these two cases it stays a
/// [`Facts::MatchReply`]: the follower has said that it did not accept all entries. It may leave
/// its log unchanged if the entries begin before its commit index.
fn in_answer_to(request: &Facts, reply: &Facts) -> Facts {
    let (Some(asked), Facts::MatchReply { term, index }) = (promised(request), *reply) else {
        return *reply;
    };
    match request {
        Facts::Append { prev, .. } if (prev.index..asked.index).contains(&index) => *reply,
        _ => Facts::AppendReply { term, success: index >= asked.index },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_stores_nothing_shows_term_and_vote_in_its_messages() {
        let mut world = World::new(3, Numbering::Entries);
        let [voter, candidate] = [0, 1].map(ServerId);
        for server in [voter, candidate] {
            world.boot(server, &Persisted::default(), 0);
        }
        let request = Facts::VoteRequest { candidate, term: Term(3), last: Position::default() };
        world.sent(candidate, &request);
        world.delivered(voter, candidate, 7, &request);
        assert_eq!(world.server(candidate).term(), Term(3));
        assert_eq!(world.server(voter).term(), Term(0), "it has said nothing");
        world.answered(voter, 7, &Facts::VoteReply { term: Term(3), granted: true });
        let voter = world.server(voter);
        assert_eq!(voter.term(), Term(3));
        assert_eq!(voter.vote_in(Term(3)), Some(candidate));
        assert_eq!(voter.vote_in(Term(2)), None);
        assert!(!voter.has_stored(Some(Term(3))));
        assert!(voter.has_stored(None));
    }
}
