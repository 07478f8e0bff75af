//! Tests of the rules for terms, votes and leaders.

use raftlab::api::{ServerId, Term};
use raftlab::persister::Write;

use super::play::*;

#[test]
fn two_leaders_of_a_term_break_election_safety() {
    let message = breaks("ElectionSafety", |play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.sends(S2, S1, beat(S2, 1, 0, at(0, 0)));
    });
    assert_eq!(message, "S0 and S2 both act as leader of term 1");
}

#[test]
fn a_deposed_leader_may_go_on_in_its_own_term() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.elects(S2, 2, S1, at(0, 0));
        // S0 has not heard of term 2; its messages are late, repeated, and of term 1.
        play.calls(S0, S1, beat(S0, 1, 0, at(0, 0)), matches(2, false));
        play.sends(S0, S2, beat(S0, 1, 0, at(0, 0)));
        // The same server may lead again.
        play.elects(S0, 3, S1, at(0, 0));
    });
}

#[test]
fn a_leader_without_a_majority_of_votes_is_none() {
    breaks("ElectedByMajority", |play| {
        play.saves_vote(S0, 1, Some(S0));
        let refused = play.delivers(S0, S1, asks(S0, 1, at(0, 0)));
        play.saves_vote(S1, 1, Some(S2));
        play.replies(refused, votes(1, false));
        play.sends(S0, S1, beat(S0, 1, 0, at(0, 0)));
    });
}

#[test]
fn votes_of_an_earlier_term_do_not_elect() {
    breaks("ElectedByMajority", |play| {
        play.saves_vote(S0, 1, Some(S0));
        let late = play.delivers(S0, S1, asks(S0, 1, at(0, 0)));
        play.saves_vote(S1, 1, Some(S0));
        play.replies(late, votes(1, true));
        play.saves_vote(S0, 2, Some(S0));
        play.sends(S0, S1, beat(S0, 2, 0, at(0, 0)));
    });
}

#[test]
fn a_vote_may_take_its_time() {
    holds(|play| {
        play.saves_vote(S0, 1, Some(S0));
        let slow = play.delivers(S0, S1, asks(S0, 1, at(0, 0)));
        play.passes(5000);
        play.saves_vote(S1, 1, Some(S0));
        play.passes(5000);
        play.replies(slow, votes(1, true));
        play.passes(5000);
        play.sends(S0, S1, beat(S0, 1, 0, at(0, 0)));
        // The same request once more, and the same vote.
        play.arrives(slow);
        play.replies(slow, votes(1, true));
    });
}

#[test]
fn a_server_votes_once_in_a_term() {
    breaks("OneVotePerTerm", |play| {
        play.calls_for_vote(S0, S1, 1);
        // It crashes, and forgets.
        play.crashes(S1);
        play.boots(S1, 1, None, &[]);
        play.calls_for_vote(S2, S1, 1);
    });
}

#[test]
fn a_candidate_votes_for_itself_alone() {
    breaks("OneVotePerTerm", |play| {
        play.saves_vote(S0, 1, Some(S0));
        play.sends(S0, S1, asks(S0, 1, at(0, 0)));
        // It also writes a vote for another server.
        play.write(S0, &Write::Vote { term: Term(1), voted_for: Some(S2) });
    });
}

#[test]
fn a_candidate_that_forgets_its_own_vote_gives_another() {
    breaks("OneVotePerTerm", |play| {
        play.saves_vote(S0, 1, Some(S0));
        play.sends(S0, S1, asks(S0, 1, at(0, 0)));
        play.crashes(S0);
        play.boots(S0, 1, None, &[]);
        play.calls_for_vote(S2, S0, 1);
    });
}

#[test]
fn a_vote_is_not_taken_back() {
    breaks("OneVotePerTerm", |play| {
        play.saves_vote(S0, 1, Some(S1));
        play.saves_vote(S0, 1, None);
    });
}

#[test]
fn a_vote_lost_before_it_was_promised_may_go_elsewhere() {
    holds(|play| {
        play.saves_vote(S0, 1, Some(S0));
        let unanswered = play.delivers(S0, S1, asks(S0, 1, at(0, 0)));
        play.write(S1, &Write::Vote { term: Term(1), voted_for: Some(S0) });
        play.crashes(S1);
        // Its handler continues, but the reply reaches no server.
        play.replies(unanswered, votes(1, true));
        play.boots(S1, 0, None, &[]);
        play.calls_for_vote(S2, S1, 1);
        // A new term, a new vote.
        play.calls_for_vote(S0, S1, 2);
    });
}

#[test]
fn a_vote_goes_to_no_log_behind_the_voters() {
    for behind in [at(1, 1), at(0, 0)] {
        breaks("VoteOnlyUpToDate", move |play| {
            play.led_by_s0(2);
            play.saves_vote(S2, 2, Some(S2));
            let asked = play.delivers(S2, S1, asks(S2, 2, behind));
            play.saves_vote(S1, 2, Some(S2));
            play.replies(asked, votes(2, true));
        });
    }
}

#[test]
fn a_voters_log_may_grow_before_its_reply_leaves() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        // S2 asks while S1's log is empty, and S1 votes in term 2.
        play.saves_vote(S2, 2, Some(S2));
        let asked = play.delivers(S2, S1, asks(S2, 2, at(0, 0)));
        play.saves_vote(S1, 2, Some(S2));
        play.wins(S2, 2, S0, at(0, 0));
        play.saves(S2, 1, &[2]);
        let grown = play.delivers(S2, S1, acts(S2, 2, 0, at(0, 0), at(2, 1)));
        play.saves(S1, 1, &[2]);
        play.replies(grown, matches(2, true));
        play.replies(asked, votes(2, true));
    });
}

#[test]
fn a_term_never_goes_down_in_storage() {
    breaks("MonotonicTerm", |play| {
        play.saves_vote(S0, 2, None);
        play.saves_vote(S0, 1, None);
    });
}

#[test]
fn a_term_may_go_down_on_the_wire_and_with_what_was_not_synced() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.elects(S0, 3, S1, at(0, 0));
        play.calls(S0, S1, beat(S0, 1, 0, at(0, 0)), matches(3, false));
        play.write(S0, &Write::Vote { term: Term(9), voted_for: None });
        play.crashes(S0);
        play.boots(S0, 3, Some(S0), &[]);
        play.saves_vote(S0, 4, Some(S0));
    });
}

#[test]
fn a_stale_request_is_refused() {
    breaks("StaleTermRefused", |play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves_vote(S1, 2, None);
        play.calls(S0, S1, beat(S0, 1, 0, at(0, 0)), matches(2, true));
    });
    breaks("StaleTermRefused", |play| {
        play.saves_vote(S0, 1, Some(S0));
        play.saves_vote(S1, 2, None);
        play.calls(S0, S1, asks(S0, 1, at(0, 0)), votes(2, true));
    });
}

#[test]
fn a_request_may_become_stale_while_its_reply_waits() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        let slow = play.delivers(S0, S1, beat(S0, 1, 0, at(0, 0)));
        play.saves_vote(S1, 2, None);
        // The reply is decided in term 1 and sent in term 2; a copy came in between.
        play.arrives(slow);
        play.replies(slow, matches(2, false));
        play.replies(slow, matches(1, true));
    });
}

#[test]
fn a_reply_has_the_newest_term() {
    // The request's term is not adopted.
    breaks("ReplyHasNewestTerm", |play| {
        play.elects(S0, 2, S2, at(0, 0));
        play.saves_vote(S1, 1, None);
        play.calls(S0, S1, beat(S0, 2, 0, at(0, 0)), matches(1, false));
    });
    // The reply does not have the server's own term.
    breaks("ReplyHasNewestTerm", |play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves_vote(S1, 2, None);
        play.calls(S0, S1, beat(S0, 1, 0, at(0, 0)), matches(1, false));
    });
}

#[test]
fn who_hears_a_leader_may_disregard_a_candidate_and_its_term() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves_vote(S2, 2, Some(S2));
        play.calls(S2, S1, asks(S2, 2, at(0, 0)), votes(1, false));
    });
}

#[test]
fn a_reply_of_a_server_that_has_stopped_has_no_term() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.calls(S0, S1, beat(S0, 1, 0, at(0, 0)), matches(0, false));
        play.calls(S0, S1, installs(S0, 1, at(0, 0)), matches(0, true));
    });
    // But such a reply must promise nothing.
    breaks("ReplyHasNewestTerm", |play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.calls(S0, S1, beat(S0, 1, 0, at(0, 0)), matches(0, true));
    });
}

impl Play {
    /// `candidate` asks; `voter` stores its vote and grants it.
    fn calls_for_vote(&mut self, candidate: ServerId, voter: ServerId, term: u64) {
        self.saves_vote(candidate, term, Some(candidate));
        let asked = self.delivers(candidate, voter, asks(candidate, term, at(0, 0)));
        self.saves_vote(voter, term, Some(candidate));
        self.replies(asked, votes(term, true));
    }
}
