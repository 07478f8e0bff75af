//! The candidate's side of an election: asking for votes, counting them, winning (Raft §5.2).
//!
//! ```text
//!                          times out: new election
//!                                  ┌────┐
//!             times out            │    ▼
//! starts ► Follower ──────────► Candidate ── votes of a majority ──► Leader
//!            ▲  ▲                   │                                  │
//!            │  └───────────────────┘ a newer term, or                 │
//!            │                        this term's leader               │
//!            └──────────────────────────────────────────── a newer term┘
//! ```
//!
//! The voter's side is in `request_vote.rs`. The task at the end of this file starts an election
//! when the timer of `timing.rs` runs out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::server::Server;
use super::state::{Effects, Progress, Role, State};
use crate::api::raft_rpc::{RequestVoteArgs, RequestVoteReply};
use crate::api::{ServerId, Term, quorum_size};
use crate::labrpc;
use crate::note;
use crate::runtime::time::Instant;

impl State {
    /// Starts an election in a new term; returns the request for the others (Figure 2, Rules for
    /// Servers, Candidates).
    ///
    /// "Increment currentTerm; vote for self; reset election timer; send RequestVote RPCs to all
    /// other servers". Term and vote must be synced before a request leaves: a candidate that
    /// forgets its own vote in a crash can give it to another candidate.
    ///
    /// # Panics
    /// When this server leads: a leader's timer has no meaning.
    pub(super) fn start_election(&mut self, effects: &mut Effects) -> RequestVoteArgs {
        assert!(!self.is_leader(), "the leader of term {} starts an election", self.current_term);
        // keeps (candidate_voted_for_itself): because term, vote and role change together.
        self.current_term = self.current_term.next();
        self.voted_for = Some(self.me);
        self.leader_id = None;
        self.role = Role::Candidate { votes: BTreeSet::from([self.me]) };
        let term = self.current_term;
        note!(
            self.me,
            Timer,
            "is candidate of term {term}, since its election timer ran out; votes for itself"
        );
        effects.save_vote = true;
        effects.reset_election_timer = true;
        self.lead_if_elected();
        let last_log = self.log.last();
        RequestVoteArgs {
            term: self.current_term,
            candidate_id: self.me,
            last_log_index: last_log.index,
            last_log_term: last_log.term,
        }
    }

    /// Counts a vote, if it belongs to the current election (Figure 2, Rules for Servers,
    /// Candidates).
    ///
    /// `asked` is the term of our request. A vote counts only in that term: it may arrive seconds
    /// late, when we are a candidate of a newer term or already lead.
    pub(super) fn on_vote_reply(
        &mut self,
        voter: ServerId,
        asked: Term,
        reply: &RequestVoteReply,
        effects: &mut Effects,
    ) {
        self.observe_term(reply.term, voter, effects);
        let current = asked == self.current_term && reply.term == asked;
        if !(current && reply.vote_granted) {
            return;
        }
        if let Role::Candidate { votes } = &mut self.role {
            votes.insert(voter);
            self.lead_if_elected();
        }
    }

    /// Becomes leader with the votes of a majority: "If votes received from majority of servers:
    /// become leader" (Figure 2, Rules for Servers, Candidates).
    ///
    /// Any two majorities share a server, and a server votes once per term: the term has no other
    /// leader.
    ///
    /// Differs: a new leader adds no entry of its own (Raft §8 has a no-op), since the services of
    /// the lab count indices. An entry of an older term is committed only together with the
    /// next command.
    fn lead_if_elected(&mut self) {
        let Role::Candidate { votes } = &self.role else { return };
        if votes.len() < quorum_size(self.servers) {
            return;
        }
        let voters = votes.iter().map(ServerId::to_string).collect::<Vec<_>>().join(", ");
        note!(self.me, Leader, "is leader of term {}, elected by {voters}", self.current_term);
        // Reinitialized after election (Figure 2): we do not know yet what the others have.
        // keeps (match_is_in_the_log): because each `match_index` starts at 0, before any entry.
        let next_index = self.log.last().index.next();
        let followers = (0..self.servers).map(|_| Progress::new(next_index)).collect();
        // keeps (roles_change_in_order): because only a candidate gets here.
        self.role = Role::Leader { followers };
        self.leader_id = Some(self.me);
    }
}

/// Starts an election whenever the timer runs out, until the instance stops.
///
/// The task sleeps until the deadline that it knows and then checks again. A reset may draw an
/// earlier deadline than that: the election then starts late, but within the longest election
/// timeout after the reset. A leader's timer has no meaning: when it runs out, the task sets it
/// anew, and sleeps again.
pub(super) fn run(server: &Arc<Server>) {
    // Handout 2A: become a candidate when no leader was heard for an election timeout.
    let mut guard = server.lock();
    while !server.stop.is_stopped() {
        let deadline = guard.election_deadline();
        if Instant::now() < deadline {
            guard.wait_until(&server.election, deadline);
            continue;
        }
        if guard.is_leader() {
            guard.reset_election_timer();
            continue;
        }
        // The step saves and syncs term and vote, before any request is made.
        let Some(args) = guard.step(State::start_election) else { return };
        drop(guard);
        for peer in server.peers() {
            request_vote(server, peer, &args);
        }
        guard = server.lock();
    }
}

/// Asks one peer for its vote, in a new task: a call to a dead peer may take seconds.
///
/// Differs: a lost request is not retried (Raft §5.1 has servers retry); the next election, half a
/// second later, asks every peer again.
fn request_vote(server: &Arc<Server>, voter: ServerId, args: &RequestVoteArgs) {
    let (peer, args, asked) = (server.peer(voter), args.clone(), args.term);
    let call = async move { peer.request_vote(labrpc::context(), args).await };
    server.call(call, move |server, reply| {
        server.step(|state, effects| state.on_vote_reply(voter, asked, &reply, effects));
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ME, S1, S2, at, follower, leader, server};
    use super::*;
    use crate::api::Index;

    fn vote(state: &mut State, voter: ServerId, asked: u64, term: u64, vote_granted: bool) {
        let reply = RequestVoteReply { term: Term(term), vote_granted };
        state.on_vote_reply(voter, Term(asked), &reply, &mut Effects::default());
    }

    /// A candidate of term 4, one of five.
    fn candidate() -> State {
        let mut state = server(5, 3, &[1, 3]);
        state.start_election(&mut Effects::default());
        state
    }

    #[test]
    fn a_candidate_votes_for_itself_in_a_new_term_and_persists_both() {
        let mut state = follower(3, &[1, 2]);
        let mut effects = Effects::default();
        let args = state.start_election(&mut effects);
        assert_eq!((state.current_term, state.voted_for), (Term(4), Some(ME)));
        assert!(effects.save_vote, "a vote for ourselves is a vote");
        assert!(effects.reset_election_timer, "the next election needs a timeout of its own");
        assert_eq!((args.term, args.candidate_id, args.last_log()), (Term(4), ME, at(2, 2)));
    }

    #[test]
    fn an_election_without_a_winner_is_followed_by_one_in_a_newer_term() {
        let mut state = candidate();
        vote(&mut state, S1, 4, 4, true);
        let args = state.start_election(&mut Effects::default());
        assert_eq!((args.term, state.voted_for), (Term(5), Some(ME)));
        assert_eq!(state.role, Role::Candidate { votes: BTreeSet::from([ME]) });
    }

    #[test]
    fn the_votes_of_a_majority_make_a_leader() {
        let mut state = candidate();
        vote(&mut state, S1, 4, 4, true);
        assert!(!state.is_leader(), "two of five");
        vote(&mut state, S2, 4, 4, true);
        assert!(state.is_leader(), "three of five");
        assert_eq!(state.leader_id, Some(ME));
    }

    #[test]
    fn a_vote_counts_once_however_often_it_arrives() {
        let mut state = candidate();
        vote(&mut state, S1, 4, 4, true);
        vote(&mut state, S1, 4, 4, true);
        assert!(!state.is_leader(), "two of five");
    }

    #[test]
    fn a_refusal_does_not_count() {
        let mut state = candidate();
        vote(&mut state, S1, 4, 4, false);
        vote(&mut state, S2, 4, 4, false);
        assert!(!state.is_leader(), "one of five");
    }

    #[test]
    fn a_vote_of_an_earlier_election_does_not_count() {
        let mut state = candidate();
        state.start_election(&mut Effects::default());
        vote(&mut state, S1, 4, 4, true);
        vote(&mut state, S2, 4, 4, true);
        assert!(!state.is_leader(), "these votes were for term 4, and this is term 5");
    }

    #[test]
    fn a_vote_that_comes_after_stepping_down_does_not_count() {
        let mut state = candidate();
        state.follow(S1, &mut Effects::default());
        vote(&mut state, S1, 4, 4, true);
        vote(&mut state, S2, 4, 4, true);
        assert_eq!(state.role, Role::Follower);
    }

    #[test]
    fn a_newer_term_in_a_reply_ends_the_candidacy() {
        let mut state = candidate();
        let mut effects = Effects::default();
        let reply = RequestVoteReply { term: Term(6), vote_granted: false };
        state.on_vote_reply(S1, Term(4), &reply, &mut effects);
        assert_eq!((&state.role, state.current_term), (&Role::Follower, Term(6)));
        assert!(effects.save_vote, "term 6 was seen");
    }

    #[test]
    fn a_late_vote_does_not_reset_what_a_leader_knows() {
        let mut state = candidate();
        vote(&mut state, S1, 4, 4, true);
        vote(&mut state, S2, 4, 4, true);
        let Role::Leader { followers } = &mut state.role else { panic!("not elected") };
        followers[1].match_index = Index(2);
        let before = state.clone();
        vote(&mut state, ServerId(3), 4, 4, true);
        assert_eq!(state, before);
    }

    #[test]
    fn a_new_leader_knows_nothing_of_its_followers() {
        let state = leader(3, 4, &[1, 2]);
        let Role::Leader { followers } = &state.role else { panic!("not elected") };
        for follower in followers {
            assert_eq!((follower.next_index, follower.match_index), (Index(3), Index(0)));
        }
    }

    #[test]
    fn a_new_leader_adds_no_entry_of_its_own() {
        assert_eq!(leader(3, 4, &[1, 2]).log.last(), at(2, 2), "services count indices");
    }

    #[test]
    fn a_server_alone_elects_itself() {
        let mut state = server(1, 0, &[]);
        state.start_election(&mut Effects::default());
        assert!(state.is_leader(), "one of one");
    }
}
