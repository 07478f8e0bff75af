//! Tests of the rules for terms, votes and leaders.

use raftlab::api::{ServerId, Term};
use raftlab::persister::Write;

use super::play::*;

#[test]
fn two_leaders_of_a_term_break_election_safety() {
    let message = breaks("ElectionSafety", |play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.send(S2, S1, heartbeat(S2, 1, 0, at(0, 0)));
    });
    assert_eq!(message, "S0 and S2 both act as leader of term 1");
}

#[test]
fn a_deposed_leader_may_send_messages_of_its_old_term() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.elect(S2, 2, S1, at(0, 0));
        // S0 has not heard of term 2, and still sends messages of term 1.
        play.call(S0, S1, heartbeat(S0, 1, 0, at(0, 0)), append_reply(2, false));
        play.send(S0, S2, heartbeat(S0, 1, 0, at(0, 0)));
        // The same server may lead again.
        play.elect(S0, 3, S1, at(0, 0));
    });
}

#[test]
fn without_a_majority_of_votes_no_server_leads() {
    breaks("ElectedByMajority", |play| {
        play.save_vote(S0, 1, Some(S0));
        let refused = play.deliver(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.save_vote(S1, 1, Some(S2));
        play.reply(refused, vote_reply(1, false));
        play.send(S0, S1, heartbeat(S0, 1, 0, at(0, 0)));
    });
}

#[test]
fn votes_of_an_earlier_term_do_not_count() {
    breaks("ElectedByMajority", |play| {
        play.save_vote(S0, 1, Some(S0));
        let late = play.deliver(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.save_vote(S1, 1, Some(S0));
        play.reply(late, vote_reply(1, true));
        play.save_vote(S0, 2, Some(S0));
        play.send(S0, S1, heartbeat(S0, 2, 0, at(0, 0)));
    });
}

#[test]
fn a_vote_may_be_late() {
    holds(|play| {
        play.save_vote(S0, 1, Some(S0));
        let slow = play.deliver(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.sleep_ms(5000);
        play.save_vote(S1, 1, Some(S0));
        play.sleep_ms(5000);
        play.reply(slow, vote_reply(1, true));
        play.sleep_ms(5000);
        play.send(S0, S1, heartbeat(S0, 1, 0, at(0, 0)));
        // The same request arrives again, and gets the same vote.
        play.arrive(slow);
        play.reply(slow, vote_reply(1, true));
    });
}

#[test]
fn a_server_votes_once_in_a_term() {
    breaks("OneVotePerTerm", |play| {
        play.ask_for_vote(S0, S1, 1);
        // S1 crashes, and its vote is not on its disk.
        play.crash(S1);
        play.boot(S1, 1, None, &[]);
        play.ask_for_vote(S2, S1, 1);
    });
}

#[test]
fn a_candidate_votes_only_for_itself() {
    breaks("OneVotePerTerm", |play| {
        play.save_vote(S0, 1, Some(S0));
        play.send(S0, S1, vote_request(S0, 1, at(0, 0)));
        // S0 has voted for itself, and now writes a vote for another server.
        play.write(S0, &Write::Vote { term: Term(1), voted_for: Some(S2) });
    });
}

#[test]
fn a_candidate_does_not_forget_its_own_vote() {
    breaks("OneVotePerTerm", |play| {
        play.save_vote(S0, 1, Some(S0));
        play.send(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.crash(S0);
        play.boot(S0, 1, None, &[]);
        play.ask_for_vote(S2, S0, 1);
    });
}

#[test]
fn a_vote_is_not_taken_back() {
    breaks("OneVotePerTerm", |play| {
        play.save_vote(S0, 1, Some(S1));
        play.save_vote(S0, 1, None);
    });
}

#[test]
fn a_vote_that_was_lost_before_its_reply_may_go_to_another_candidate() {
    holds(|play| {
        play.save_vote(S0, 1, Some(S0));
        let unanswered = play.deliver(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.write(S1, &Write::Vote { term: Term(1), voted_for: Some(S0) });
        play.crash(S1);
        // S1's handler still runs after the crash, but its reply reaches no server.
        play.reply(unanswered, vote_reply(1, true));
        play.boot(S1, 0, None, &[]);
        play.ask_for_vote(S2, S1, 1);
        // In a new term, S1 may vote for another candidate.
        play.ask_for_vote(S0, S1, 2);
    });
}

#[test]
fn no_vote_goes_to_an_outdated_log() {
    for behind in [at(1, 1), at(0, 0)] {
        breaks("VoteOnlyUpToDate", move |play| {
            play.let_s0_lead(2);
            play.save_vote(S2, 2, Some(S2));
            let asked = play.deliver(S2, S1, vote_request(S2, 2, behind));
            play.save_vote(S1, 2, Some(S2));
            play.reply(asked, vote_reply(2, true));
        });
    }
}

#[test]
fn a_voters_log_may_grow_before_its_reply_leaves() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        // S2 asks while S1's log is empty, and S1 votes in term 2.
        play.save_vote(S2, 2, Some(S2));
        let asked = play.deliver(S2, S1, vote_request(S2, 2, at(0, 0)));
        play.save_vote(S1, 2, Some(S2));
        play.win(S2, 2, S0, at(0, 0));
        play.save(S2, 1, &[2]);
        let grown = play.deliver(S2, S1, append(S2, 2, 0, at(0, 0), at(2, 1)));
        play.save(S1, 1, &[2]);
        play.reply(grown, append_reply(2, true));
        play.reply(asked, vote_reply(2, true));
    });
}

#[test]
fn a_candidate_names_the_end_of_its_own_log() {
    // Two positions after the end of the log, one before the end, and that of an empty log.
    for wrong in [at(1, 3), at(2, 2), at(1, 1), at(0, 0)] {
        let message = breaks("CandidateNamesOwnLog", move |play| {
            play.save(S2, 1, &[1, 1]);
            play.save_vote(S2, 3, Some(S2));
            play.send(S2, S1, vote_request(S2, 3, wrong));
        });
        assert!(message.contains("but its stored log ended at 1/2"), "{message}");
    }
}

#[test]
fn no_log_has_an_entry_of_the_candidates_term() {
    let message = breaks("CandidateNamesOwnLog", |play| {
        play.save_vote(S2, 3, Some(S2));
        play.send(S2, S1, vote_request(S2, 3, at(3, 0)));
    });
    assert!(message.contains("its log ends at 3/0"), "{message}");
}

#[test]
fn a_log_with_only_a_snapshot_is_not_empty() {
    holds(|play| {
        play.boot_from(S2, 1, at(1, 2));
        play.save_vote(S2, 2, Some(S2));
        play.send(S2, S1, vote_request(S2, 2, at(1, 2)));
    });
    breaks("CandidateNamesOwnLog", |play| {
        play.boot_from(S2, 1, at(1, 2));
        play.save_vote(S2, 2, Some(S2));
        play.send(S2, S1, vote_request(S2, 2, at(0, 0)));
    });
}

#[test]
fn a_vote_request_may_leave_after_the_log_has_changed() {
    holds(|play| {
        play.let_s0_lead(2);
        play.save_vote(S1, 2, Some(S1));
        // S1 is slow to ask S2. Meanwhile it leads, adds an entry, and is deposed.
        play.win(S1, 2, S0, at(1, 2));
        play.save(S1, 3, &[2]);
        play.send(S1, S2, vote_request(S1, 2, at(1, 2)));
        play.save_vote(S1, 3, None);
        play.send(S1, S2, vote_request(S1, 2, at(1, 2)));
    });
}

#[test]
fn a_candidates_log_may_be_ahead_of_its_storage() {
    // S1 has received entries of S0, and has not stored them yet.
    holds(|play| {
        play.let_s0_lead(2);
        play.save(S0, 3, &[1]);
        play.deliver(S0, S1, append(S0, 1, 0, at(1, 2), at(1, 3)));
        play.save_vote(S1, 2, Some(S1));
        play.send(S1, S2, vote_request(S1, 2, at(1, 3)));
    });
    // S0 led, and has an entry of its own that it has not stored yet.
    holds(|play| {
        play.let_s0_lead(2);
        play.save_vote(S0, 2, None);
        play.save_vote(S0, 3, Some(S0));
        play.send(S0, S2, vote_request(S0, 3, at(1, 3)));
    });
    // S2 stores only its votes, and no entries.
    holds(|play| {
        play.save_vote(S2, 3, Some(S2));
        play.send(S2, S1, vote_request(S2, 3, at(1, 2)));
    });
}

#[test]
fn a_term_never_goes_down_in_storage() {
    breaks("MonotonicTerm", |play| {
        play.save_vote(S0, 2, None);
        play.save_vote(S0, 1, None);
    });
}

#[test]
fn a_term_may_go_down_in_messages_and_after_a_crash() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.elect(S0, 3, S1, at(0, 0));
        play.call(S0, S1, heartbeat(S0, 1, 0, at(0, 0)), append_reply(3, false));
        play.write(S0, &Write::Vote { term: Term(9), voted_for: None });
        play.crash(S0);
        play.boot(S0, 3, Some(S0), &[]);
        play.save_vote(S0, 4, Some(S0));
    });
}

#[test]
fn a_stale_request_is_refused() {
    breaks("StaleTermRefused", |play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save_vote(S1, 2, None);
        play.call(S0, S1, heartbeat(S0, 1, 0, at(0, 0)), append_reply(2, true));
    });
    breaks("StaleTermRefused", |play| {
        play.save_vote(S0, 1, Some(S0));
        play.save_vote(S1, 2, None);
        play.call(S0, S1, vote_request(S0, 1, at(0, 0)), vote_reply(2, true));
    });
}

#[test]
fn a_request_may_become_stale_while_its_reply_waits() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        let slow = play.deliver(S0, S1, heartbeat(S0, 1, 0, at(0, 0)));
        play.save_vote(S1, 2, None);
        // S1 handles the request in term 1, but its reply leaves after S1 has entered term 2. A
        // copy of the request arrives in term 2 and is refused.
        play.arrive(slow);
        play.reply(slow, append_reply(2, false));
        play.reply(slow, append_reply(1, true));
    });
}

#[test]
fn a_reply_has_the_newest_term() {
    // The server answers with its old term: it has not adopted the request's newer term.
    breaks("ReplyHasNewestTerm", |play| {
        play.elect(S0, 2, S2, at(0, 0));
        play.save_vote(S1, 1, None);
        play.call(S0, S1, heartbeat(S0, 2, 0, at(0, 0)), append_reply(1, false));
    });
    // The server answers with the request's term, which is older than its own.
    breaks("ReplyHasNewestTerm", |play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save_vote(S1, 2, None);
        play.call(S0, S1, heartbeat(S0, 1, 0, at(0, 0)), append_reply(1, false));
    });
}

#[test]
fn a_voter_that_hears_a_leader_may_ignore_a_candidates_term() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save_vote(S2, 2, Some(S2));
        play.call(S2, S1, vote_request(S2, 2, at(0, 0)), vote_reply(1, false));
    });
}

#[test]
fn a_stopped_server_may_reply_with_term_0() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.call(S0, S1, heartbeat(S0, 1, 0, at(0, 0)), append_reply(0, false));
        play.call(S0, S1, install(S0, 1, at(0, 0)), append_reply(0, true));
    });
    // But such a reply must promise nothing.
    breaks("ReplyHasNewestTerm", |play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.call(S0, S1, heartbeat(S0, 1, 0, at(0, 0)), append_reply(0, true));
    });
}

impl Play {
    /// `candidate` asks for a vote; `voter` stores the vote and grants it.
    fn ask_for_vote(&mut self, candidate: ServerId, voter: ServerId, term: u64) {
        self.save_vote(candidate, term, Some(candidate));
        let asked = self.deliver(candidate, voter, vote_request(candidate, term, at(0, 0)));
        self.save_vote(voter, term, Some(candidate));
        self.reply(asked, vote_reply(term, true));
    }
}
