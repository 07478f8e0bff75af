//! The state of every server at each moment of a run, computed from the record's events.
//!
//! It is what the servers show from outside, so every design has it: a server leads once it acts
//! as leader, and knows a commit index once a message or its service shows it. A server whose role
//! has changed but that has not acted yet still has its earlier role here.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Disk, Event, Runs, What};
use crate::api::{Facts, Host, Index, Position, ServerId, Term};

/// The role of a server, as its messages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It follows a leader, or waits for one.
    #[default]
    Follower,
    /// It asks for votes.
    Candidate,
    /// It acts as leader.
    Leader,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Follower => "follower",
            Role::Candidate => "candidate",
            Role::Leader => "leader",
        })
    }
}

/// One server at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerState {
    /// Whether it runs.
    pub up: bool,
    /// Whether the scenario plays it. Then its disk, commit index and service are unknown.
    pub played: bool,
    /// Its role.
    pub role: Role,
    /// The highest term that it wrote to its disk or put into a message.
    pub term: Term,
    /// Its vote in this term, as its disk or its messages have it.
    pub vote: Option<ServerId>,
    /// The last entry that its snapshot covers.
    pub base: Position,
    /// The terms of the entries after it, as written.
    pub runs: Runs,
    /// The last index whose entry would survive a crash at this moment.
    pub durable: Index,
    /// Its commit index, as far as its messages and its service show it.
    pub commit: Index,
    /// The last index that its service received.
    pub applied: Index,
    /// The servers that it cannot call, because the link to them is cut.
    pub cut_from: Vec<ServerId>,
}

/// Fields of a server that an event changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one mark per field")]
pub struct Change {
    /// It started or crashed.
    pub up: bool,
    /// Its role changed.
    pub role: bool,
    /// Its term changed.
    pub term: bool,
    /// Its vote changed.
    pub vote: bool,
    /// Its snapshot changed.
    pub base: bool,
    /// The first index at which its log changed, if it changed.
    pub log: Option<Index>,
    /// The last durable index changed.
    pub durable: bool,
    /// Its commit index changed.
    pub commit: bool,
    /// The last index that its service received changed.
    pub applied: bool,
}

impl Change {
    /// Whether nothing changed.
    pub fn is_none(&self) -> bool {
        *self == Change::default()
    }
}

impl ServerState {
    /// The last entry of its log, or of its snapshot.
    pub fn last(&self) -> Position {
        match self.runs.last_term() {
            Some(term) => Position { term, index: Index(self.base.index.0 + self.runs.len()) },
            None => self.base,
        }
    }

    /// The term at `index`, from the snapshot's last entry to the log's last entry.
    fn term_at(&self, index: Index) -> Option<Term> {
        match index.0.checked_sub(self.base.index.0)? {
            0 => Some(self.base.term),
            nth => self.runs.term_of(nth),
        }
    }

    fn start(&mut self, disk: &Disk) {
        *self = ServerState {
            up: true,
            term: disk.term,
            vote: disk.vote,
            base: disk.base,
            runs: disk.runs.clone(),
            commit: disk.base.index,
            applied: disk.base.index,
            cut_from: std::mem::take(&mut self.cut_from),
            ..ServerState::default()
        };
        self.durable = self.last().index;
    }

    fn enter(&mut self, term: Term) {
        if term > self.term {
            self.term = term;
            self.vote = None;
            self.role = Role::Follower;
        }
    }

    /// Becomes candidate, unless the server leads already.
    fn campaign(&mut self) {
        if self.role != Role::Leader {
            self.role = Role::Candidate;
        }
    }

    /// Leads in `term`, unless the message that shows it is older than the server's present term.
    fn lead(&mut self, term: Term) {
        self.enter(term);
        if term == self.term {
            self.role = Role::Leader;
        }
    }

    fn append(&mut self, after: Index, runs: &Runs) {
        self.runs.truncate(after.0.saturating_sub(self.base.index.0));
        self.runs.extend(runs);
        self.durable = self.durable.min(after);
    }

    /// As the disk does it: the entries after `at` stay only if the log has the entry at `at`
    /// (Figure 13, step 6).
    fn cover(&mut self, at: Position) {
        if self.term_at(at.index) == Some(at.term) {
            self.runs.drop_first(at.index.0 - self.base.index.0);
        } else {
            self.runs = Runs::default();
        }
        self.base = at;
        self.durable = self.durable.min(self.last().index);
    }
}

/// Every server at one moment of a run.
#[derive(Debug, Clone, Default)]
pub struct State {
    servers: Vec<ServerState>,
    /// The requests of leaders that are in flight.
    asked: BTreeMap<u64, Told>,
}

/// What a leader's request tells its receiver.
#[derive(Debug, Clone, Copy)]
struct Told {
    term: Term,
    commit: Index,
}

impl State {
    /// The state before the first event of a cluster of `servers` servers, all of them down.
    pub fn new(servers: usize) -> State {
        State { servers: vec![ServerState::default(); servers], asked: BTreeMap::new() }
    }

    /// The state of all servers, in the order of their numbers.
    pub fn servers(&self) -> &[ServerState] {
        &self.servers
    }

    /// Updates the state with `event`. Returns the changes at the server where it happened.
    pub fn see(&mut self, event: &Event) -> Change {
        let Some(Host::Server(me)) = event.who else { return Change::default() };
        let Some(server) = self.servers.get(me.slot()) else { return Change::default() };
        let before = Brief::of(server);
        let log = self.carry_out(me, &event.what);
        let server = &self.servers[me.slot()];
        before.change_to(&Brief::of(server), log)
    }

    /// Changes the state of `me`; returns the first index at which its log changed.
    fn carry_out(&mut self, me: ServerId, what: &What) -> Option<Index> {
        let server = &mut self.servers[me.slot()];
        match what {
            What::Started { disk } => {
                server.start(disk);
                return Some(server.base.index.next());
            }
            What::Crashed => {
                server.up = false;
                server.role = Role::Follower;
            }
            What::Voted { term, vote } => {
                server.enter(*term);
                // Many servers write the vote again with every entry; only the first is news.
                if *vote == Some(me) && server.vote != *vote {
                    server.campaign();
                }
                server.vote = *vote;
            }
            What::Appended { after, runs } => {
                server.append(*after, runs);
                return Some(after.next());
            }
            What::Covered { position } => {
                server.cover(*position);
                return Some(position.index.next());
            }
            What::Synced => server.durable = server.last().index,
            // The reader of a dead server's apply channel may not have stopped yet.
            What::Applied { .. } | What::Installed { .. } if !server.up => {}
            What::Applied { position, .. } | What::Installed { position } => {
                server.applied = position.index;
                server.commit = server.commit.max(position.index);
            }
            // The record has no start of a server that the scenario plays.
            What::Sent { call, facts, played, .. } => {
                (server.up, server.played) = (true, *played);
                self.sent(me, *call, facts);
            }
            What::Answered { call, to, facts, played } => {
                (server.up, server.played) = (true, *played);
                self.answered(me, *call, *to, facts);
            }
            What::Ended { call, .. } => drop(self.asked.remove(call)),
            What::Linked { to: Host::Server(to), up } => {
                server.cut_from.retain(|other| other != to);
                if !up {
                    server.cut_from.push(*to);
                }
            }
            _ => {}
        }
        None
    }

    fn sent(&mut self, me: ServerId, call: u64, facts: &Facts) {
        let server = &mut self.servers[me.slot()];
        match facts {
            Facts::Append { term, commit, last, .. } => {
                server.lead(*term);
                server.commit = server.commit.max(*commit);
                let commit = (*commit).min(last.index);
                self.asked.insert(call, Told { term: *term, commit });
            }
            Facts::Heartbeat { term, commit, .. } => {
                server.lead(*term);
                self.asked.insert(call, Told { term: *term, commit: *commit });
            }
            Facts::Snapshot { term, .. } => {
                server.lead(*term);
                self.asked.insert(call, Told { term: *term, commit: Index(0) });
            }
            Facts::VoteRequest { term, .. } => {
                server.enter(*term);
                if *term == server.term {
                    server.campaign();
                    // A server that stores nothing yet shows its vote only in messages.
                    server.vote.get_or_insert(me);
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, me: ServerId, call: u64, to: Host, facts: &Facts) {
        let told = self.asked.get(&call).copied();
        let server = &mut self.servers[me.slot()];
        match facts {
            Facts::VoteReply { term, granted } => {
                server.enter(*term);
                if *granted && *term == server.term {
                    server.vote = server.vote.or(to.server());
                }
            }
            Facts::AppendReply { term, .. } | Facts::MatchReply { term, .. } => {
                server.enter(*term);
                let Some(told) = told.filter(|told| told.term == *term) else { return };
                // A candidate that answers its term's leader follows it.
                if server.role == Role::Candidate && server.term == *term {
                    server.role = Role::Follower;
                }
                let agreed = match facts {
                    Facts::AppendReply { success: false, .. } => return,
                    Facts::MatchReply { index, .. } => told.commit.min(*index),
                    _ => told.commit,
                };
                server.commit = server.commit.max(agreed.min(server.last().index));
            }
            _ => {}
        }
    }
}

/// The fields of a server that are compared to find what an event changed: all but the log.
struct Brief {
    up: bool,
    role: Role,
    term: Term,
    vote: Option<ServerId>,
    base: Position,
    durable: Index,
    commit: Index,
    applied: Index,
}

impl Brief {
    fn of(server: &ServerState) -> Brief {
        let ServerState { up, role, term, vote, base, durable, commit, applied, .. } = *server;
        Brief { up, role, term, vote, base, durable, commit, applied }
    }

    fn change_to(&self, now: &Brief, log: Option<Index>) -> Change {
        Change {
            up: self.up != now.up,
            role: self.role != now.role,
            term: self.term != now.term,
            vote: self.vote != now.vote,
            base: self.base != now.base,
            log,
            durable: self.durable != now.durable,
            commit: self.commit != now.commit,
            applied: self.applied != now.applied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(server: u32, what: What) -> Event {
        Event { who: Some(Host::Server(ServerId(server))), what }
    }

    fn position(term: u64, index: u64) -> Position {
        Position { term: Term(term), index: Index(index) }
    }

    fn started(term: u64, base: Position, runs: &[(u64, Term)]) -> What {
        let disk = Disk { term: Term(term), vote: None, base, runs: Runs(runs.to_vec()) };
        What::Started { disk }
    }

    #[test]
    fn a_server_leads_once_it_acts_as_leader() {
        let mut state = State::new(3);
        state.see(&at(1, started(0, Position::default(), &[])));
        let vote = What::Voted { term: Term(1), vote: Some(ServerId(1)) };
        let change = state.see(&at(1, vote));
        assert!(change.role && change.term && change.vote, "{change:?}");
        assert_eq!(state.servers()[1].role, Role::Candidate, "it voted for itself");
        let facts = Facts::Append {
            leader: ServerId(1),
            term: Term(1),
            commit: Index(0),
            prev: Position::default(),
            last: Position::default(),
            entries: crate::api::Digest::default(),
        };
        let to = Host::Server(ServerId(0));
        let sent =
            What::Sent { call: 1, to, method: "append_entries".into(), facts, played: false };
        state.see(&at(1, sent));
        assert_eq!(state.servers()[1].role, Role::Leader, "it sends as leader");
        state.see(&at(1, What::Voted { term: Term(2), vote: None }));
        assert_eq!(state.servers()[1].role, Role::Follower, "of a newer term");
    }

    #[test]
    fn what_a_server_says_again_or_too_late_does_not_change_its_role() {
        let mut state = State::new(3);
        let me = ServerId(1);
        let vote = |term| What::Voted { term: Term(term), vote: Some(me) };
        let sent = |facts| {
            let to = Host::Server(ServerId(0));
            What::Sent { call: 1, to, method: "m".into(), facts, played: false }
        };
        let beat = |term| sent(Facts::Heartbeat { leader: me, term: Term(term), commit: Index(0) });
        let ask = |term| {
            let last = Position::default();
            sent(Facts::VoteRequest { candidate: me, term: Term(term), last })
        };
        for (what, role) in [
            (vote(1), Role::Candidate),
            (beat(1), Role::Leader),
            (vote(1), Role::Leader),
            (ask(1), Role::Leader),
            (What::Voted { term: Term(2), vote: None }, Role::Follower),
            (beat(1), Role::Follower),
            (ask(1), Role::Follower),
            (ask(3), Role::Candidate),
            (What::Crashed, Role::Follower),
        ] {
            state.see(&at(1, what.clone()));
            assert_eq!(state.servers()[1].role, role, "{what:?}");
        }
    }

    #[test]
    fn a_server_that_stores_nothing_shows_term_and_vote_in_its_messages() {
        let mut state = State::new(3);
        let [voter, candidate, late] = [0, 1, 2].map(ServerId);
        (0..3).for_each(|server| _ = state.see(&at(server, started(0, Position::default(), &[]))));
        let last = Position::default();
        let facts = Facts::VoteRequest { candidate, term: Term(3), last };
        let to = Host::Server(voter);
        let asks = What::Sent { call: 1, to, method: "m".into(), facts, played: false };
        state.see(&at(1, asks));
        let of = |state: &State, server: ServerId| {
            let ServerState { role, term, vote, .. } = state.servers()[server.slot()];
            (role, term, vote)
        };
        assert_eq!(of(&state, candidate), (Role::Candidate, Term(3), Some(candidate)));
        let answers = |term, granted, to| {
            let facts = Facts::VoteReply { term: Term(term), granted };
            What::Answered { call: 1, to: Host::Server(to), facts, played: false }
        };
        state.see(&at(0, answers(3, false, late)));
        assert_eq!(of(&state, voter), (Role::Follower, Term(3), None), "it refused");
        state.see(&at(0, answers(3, true, candidate)));
        state.see(&at(0, answers(3, true, late)));
        assert_eq!(of(&state, voter), (Role::Follower, Term(3), Some(candidate)), "the first vote");
    }

    #[test]
    fn a_server_that_the_test_plays_has_a_role_and_nothing_else() {
        let mut state = State::new(2);
        let facts =
            Facts::VoteRequest { candidate: ServerId(1), term: Term(4), last: position(3, 9) };
        let to = Host::Server(ServerId(0));
        let what = What::Sent { call: 1, to, method: "m".into(), facts, played: true };
        state.see(&at(1, what));
        assert_eq!(state.servers()[1].to_string(), "played by the test, candidate of term 4");
        state.see(&at(0, started(2, position(0, 0), &[])));
        assert!(!state.servers()[0].to_string().contains("played"), "S0 is real");
    }

    #[test]
    fn a_snapshot_of_another_log_leaves_no_entry() {
        for other in [position(2, 6), position(1, 3)] {
            let mut state = State::new(1);
            state.see(&at(0, started(1, position(1, 4), &[(3, Term(1))])));
            state.see(&at(0, What::Covered { position: other }));
            assert_eq!(state.servers()[0].last(), other, "no entry of the log is left");
        }
    }

    #[test]
    fn a_log_is_cut_extended_and_covered() {
        let mut state = State::new(1);
        state.see(&at(0, started(1, position(1, 4), &[(3, Term(1))])));
        assert_eq!(state.servers()[0].last(), position(1, 7));
        let runs = Runs(vec![(1, Term(2)), (2, Term(3))]);
        state.see(&at(0, What::Appended { after: Index(5), runs }));
        let server = &state.servers()[0];
        assert_eq!(server.runs.0, [(1, Term(1)), (1, Term(2)), (2, Term(3))]);
        assert_eq!(server.durable, Index(5), "the new entries are not synced");
        state.see(&at(0, What::Synced));
        state.see(&at(0, What::Covered { position: position(2, 6) }));
        let server = &state.servers()[0];
        assert_eq!((server.base, &server.runs.0[..]), (position(2, 6), &[(2, Term(3))][..]));
        assert_eq!((server.durable, server.last()), (Index(8), position(3, 8)));
    }

    #[test]
    fn a_crash_leaves_what_the_next_start_reads() {
        let mut state = State::new(1);
        state.see(&at(0, started(3, Position::default(), &[(2, Term(3))])));
        let change = state.see(&at(0, What::Crashed));
        assert!(change.up && !state.servers()[0].up, "{change:?}");
        state.see(&at(0, started(3, Position::default(), &[(1, Term(3))])));
        assert_eq!(state.servers()[0].last(), position(3, 1), "the second entry was not durable");
    }
}
