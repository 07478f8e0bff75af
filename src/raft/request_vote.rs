//! The voter's side of an election: the rule for this server's vote (Figure 2, RequestVote RPC).
//!
//! A server gives one vote per term, first come, first served, and only to a candidate whose log is
//! at least as up-to-date as its own (Raft §5.2, §5.4.1). Any two majorities share a server, so:
//!
//! - a term has at most one leader: two would share a voter, and it voted only once;
//! - a majority that stored a committed entry shares a server with the majority that elects a later
//!   leader, and that server votes for no candidate that lacks the entry.
//!
//! The candidate's side is in `election.rs`.

use super::state::{Effects, State};
use crate::api::raft_rpc::{RequestVoteArgs, RequestVoteReply};
use crate::note;

impl State {
    /// Answers one `RequestVote` (Figure 2, RequestVote RPC, steps 1 and 2).
    ///
    /// Gives at most one vote per term, and only to a candidate whose log is at least as
    /// up-to-date as ours. The vote must be synced before the reply leaves: a vote that a crash
    /// can forget can be given twice.
    pub(super) fn on_request_vote(
        &mut self,
        args: &RequestVoteArgs,
        effects: &mut Effects,
    ) -> RequestVoteReply {
        self.observe_term(args.term, args.candidate_id, effects);

        // Step 1: a candidate from an older term learns our term and nothing else.
        let vote_granted = args.term == self.current_term && self.may_vote_for(args);

        // Step 2: save the vote before the reply leaves. Only granting a vote resets our timer; a
        // candidate that cannot win must not delay us.
        if vote_granted {
            note!(self.me, Vote, "votes for {} in term {}", args.candidate_id, args.term);
            // keeps (a_vote_given_stays): because the vote was free, or this candidate's already.
            self.voted_for = Some(args.candidate_id);
            effects.save_vote = true;
            effects.reset_election_timer = true;
        }
        RequestVoteReply { term: self.current_term, vote_granted }
    }

    /// Whether our vote is free and the candidate's log is good enough for it (Raft §5.4.1).
    ///
    /// "If the logs have last entries with different terms, then the log with the later term is
    /// more up-to-date. If the logs end with the same term, then whichever log is longer".
    fn may_vote_for(&self, args: &RequestVoteArgs) -> bool {
        let free = self.voted_for.is_none_or(|server| server == args.candidate_id);
        free && args.last_log() >= self.log.last()
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Role;
    use super::super::testing::{S1, S2, at, follower, leader};
    use super::*;
    use crate::api::{Position, ServerId, Term};

    fn ask(candidate_id: ServerId, term: u64, last: Position) -> RequestVoteArgs {
        RequestVoteArgs {
            term: Term(term),
            candidate_id,
            last_log_index: last.index,
            last_log_term: last.term,
        }
    }

    fn granted(state: &mut State, args: &RequestVoteArgs) -> bool {
        state.on_request_vote(args, &mut Effects::default()).vote_granted
    }

    #[test]
    fn first_candidate_gets_the_vote_and_it_is_persisted() {
        let mut state = follower(3, &[1, 2]);
        let mut effects = Effects::default();
        let reply = state.on_request_vote(&ask(S1, 3, at(2, 2)), &mut effects);
        assert_eq!(reply, RequestVoteReply { term: Term(3), vote_granted: true });
        assert_eq!(state.voted_for, Some(S1));
        assert!(effects.save_vote, "the vote must survive a crash");
        assert!(effects.reset_election_timer, "a voter waits for the outcome");
    }

    #[test]
    fn second_candidate_of_a_term_is_refused() {
        let mut state = follower(3, &[]);
        assert!(granted(&mut state, &ask(S1, 3, at(0, 0))), "the vote was free");
        let mut effects = Effects::default();
        let reply = state.on_request_vote(&ask(S2, 3, at(9, 9)), &mut effects);
        assert!(!reply.vote_granted, "the vote is given");
        assert_eq!((state.voted_for, effects), (Some(S1), Effects::default()));
    }

    #[test]
    fn repeated_request_gets_the_same_vote() {
        let mut state = follower(3, &[]);
        assert!(granted(&mut state, &ask(S1, 3, at(0, 0))), "the vote was free");
        assert!(granted(&mut state, &ask(S1, 3, at(0, 0))), "the first reply may have been lost");
    }

    #[test]
    fn candidate_of_an_older_term_is_refused() {
        let mut state = follower(3, &[]);
        let reply = state.on_request_vote(&ask(S1, 2, at(2, 9)), &mut Effects::default());
        assert_eq!(reply, RequestVoteReply { term: Term(3), vote_granted: false });
        assert_eq!(state.voted_for, None);
    }

    #[test]
    fn newer_term_is_persisted_even_when_the_vote_is_refused() {
        let mut state = follower(3, &[3]);
        let mut effects = Effects::default();
        let reply = state.on_request_vote(&ask(S1, 4, at(2, 2)), &mut effects);
        assert_eq!(reply, RequestVoteReply { term: Term(4), vote_granted: false });
        assert!(effects.save_vote, "the reply says term 4");
    }

    #[test]
    fn newer_term_frees_the_vote() {
        let mut state = follower(3, &[]);
        assert!(granted(&mut state, &ask(S1, 3, at(0, 0))), "the vote was free");
        assert!(granted(&mut state, &ask(S2, 4, at(0, 0))), "each term has its own election");
    }

    #[test]
    fn refused_candidate_does_not_reset_the_timer() {
        let mut state = follower(3, &[3]);
        let mut effects = Effects::default();
        state.on_request_vote(&ask(S1, 4, at(2, 2)), &mut effects);
        assert!(!effects.reset_election_timer, "it would delay the candidates that can win");
    }

    #[test]
    fn the_log_must_be_at_least_as_up_to_date() {
        let ours = [1, 3, 3];
        let verdicts = [
            (at(3, 3), true),  // the same log
            (at(3, 4), true),  // longer
            (at(4, 1), true),  // shorter, but of a later term
            (at(3, 2), false), // shorter
            (at(2, 9), false), // longer, but of an earlier term
        ];
        for (theirs, expected) in verdicts {
            let verdict = granted(&mut follower(4, &ours), &ask(S1, 4, theirs));
            assert_eq!(verdict, expected, "their log ends at {theirs}, ours at 3/3");
        }
    }

    #[test]
    fn a_log_inside_a_snapshot_still_counts() {
        let mut state = follower(3, &[1, 3]);
        state.log.compact(at(3, 2));
        assert!(!granted(&mut state, &ask(S1, 4, at(3, 1))), "ours ends at 3/2, kept or not");
    }

    #[test]
    fn a_leader_refuses_its_own_term_and_steps_down_for_a_newer_one() {
        let mut state = leader(3, 4, &[1]);
        assert!(!granted(&mut state, &ask(S1, 4, at(9, 9))), "a leader has voted for itself");
        assert!(granted(&mut state, &ask(S1, 5, at(9, 9))), "a newer term frees the vote");
        assert_eq!(state.role, Role::Follower);
    }
}
