//! Tests of the durability rules: a promise is durable before the message with it leaves.

use raftlab::api::{Position, Term};
use raftlab::persister::{Watch, Write};

use super::play::*;

#[test]
fn a_promised_vote_is_durable() {
    breaks("PersistBeforeReply", |play| {
        play.save_vote(S0, 1, Some(S0));
        let asked = play.deliver(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.write(S1, &Write::Vote { term: Term(1), voted_for: Some(S0) });
        play.reply(asked, vote_reply(1, true));
    });
    // The voter stores the term, but not the vote.
    let message = breaks("PersistBeforeReply", |play| {
        play.save_vote(S0, 1, Some(S0));
        let asked = play.deliver(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.save_vote(S1, 1, None);
        play.reply(asked, vote_reply(1, true));
    });
    assert!(message.contains("term 1 without a vote"), "{message}");
}

#[test]
fn promised_entries_are_durable() {
    breaks("PersistBeforeReply", |play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save(S0, 1, &[1]);
        let sent = play.deliver(S0, S1, append(S0, 1, 0, at(0, 0), at(1, 1)));
        play.write(S1, &Write::Append(&entries(1, &[1])));
        play.reply(sent, append_reply(1, true));
    });
}

#[test]
fn a_promised_snapshot_is_durable() {
    breaks("PersistBeforeReply", |play| {
        play.let_s0_lead(2);
        play.apply(S0, &command(1, 1));
        play.apply(S0, &command(1, 2));
        play.save_snapshot(S0, at(1, 2));
        let offered = play.deliver(S0, S2, install(S0, 1, at(1, 2)));
        play.save_vote(S2, 1, None);
        play.write(S2, &Write::Snapshot(at(1, 2)));
        play.reply(offered, append_reply(1, true));
    });
}

#[test]
fn a_term_that_a_reply_shows_is_durable() {
    breaks("PersistBeforeReply", |play| {
        play.save(S1, 1, &[1]);
        play.save_vote(S0, 2, Some(S0));
        let asked = play.deliver(S0, S1, vote_request(S0, 2, at(0, 0)));
        play.write(S1, &Write::Vote { term: Term(2), voted_for: None });
        play.reply(asked, vote_reply(2, false));
    });
}

#[test]
fn a_durable_promise_may_be_replaced_before_its_reply_leaves() {
    holds(|play| {
        // Figure 8, (a) to (d): in term 3, S1 stores S0's entry of term 1.
        let slow = play.let_two_lead();
        play.save(S1, 1, &[1]);
        // Before the reply to S0 leaves, S1 replaces that entry by S2's entry, in term 4.
        play.elect(S2, 4, S1, at(2, 1));
        let quick = play.deliver(S2, S1, append(S2, 4, 0, at(0, 0), at(2, 1)));
        play.save(S1, 1, &[2]);
        play.reply(quick, append_reply(4, true));
        play.reply(slow, append_reply(3, true));
    });
    holds(|play| {
        play.save_vote(S0, 1, Some(S0));
        let slow = play.deliver(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.save_vote(S1, 1, Some(S0));
        // Before the reply leaves, the voter hears of term 2, and stores it without a vote.
        play.save_vote(S1, 2, None);
        play.reply(slow, vote_reply(1, true));
    });
}

/// S0 sends S1 an entry in term 3; before S1 has stored anything, S2 sends S1 entries up to `last`
/// in term 4. Returns the two calls, in this order.
fn sent_by_two(play: &mut Play, last: Position) -> (Played, Played) {
    let first = play.let_two_lead();
    play.save_vote(S2, 4, Some(S2));
    let asked = play.deliver(S2, S0, vote_request(S2, 4, at(2, 1)));
    play.save_vote(S0, 4, Some(S2));
    play.reply(asked, vote_reply(4, true));
    let second = play.deliver(S2, S1, append(S2, 4, 0, at(0, 0), last));
    (first, second)
}

#[test]
fn an_entry_that_a_later_leader_has_replaced_need_not_be_durable() {
    holds(|play| {
        let (first, second) = sent_by_two(play, at(2, 1));
        // S1 accepts both requests, and stores only the result of both.
        play.write(S1, &Write::Vote { term: Term(4), voted_for: None });
        play.save(S1, 1, &[2]);
        play.reply(first, append_reply(3, true));
        play.reply(second, append_reply(4, true));
    });
}

#[test]
fn an_entry_that_a_later_leader_has_not_replaced_yet_is_durable() {
    breaks("PersistBeforeReply", |play| {
        let (first, _) = sent_by_two(play, at(2, 1));
        play.reply(first, append_reply(3, true));
    });
    // Here the later leader sends only a heartbeat, which replaces no entry.
    breaks("PersistBeforeReply", |play| {
        let (first, _) = sent_by_two(play, at(0, 0));
        play.save_vote(S1, 4, None);
        play.reply(first, append_reply(3, true));
    });
}

#[test]
fn a_handler_of_an_earlier_life_promises_nothing() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save(S0, 1, &[1]);
        let sent = play.deliver(S0, S1, append(S0, 1, 0, at(0, 0), at(1, 1)));
        let dead = play.life(S1);
        play.crash(S1);
        play.boot(S1, 1, Some(S0), &[]);
        // The dead instance's writes are lost, and its reply reaches no server.
        dead.wrote(&Write::Append(&entries(1, &[1])));
        dead.wrote(&Write::Vote { term: Term(0), voted_for: None });
        dead.wrote(&Write::Synced);
        play.reply(sent, append_reply(1, true));
    });
}

#[test]
fn a_copy_of_a_request_is_judged_by_the_first_arrival() {
    holds(|play| {
        let twice = play.let_two_lead();
        play.save(S1, 1, &[1]);
        play.elect(S2, 4, S1, at(2, 1));
        play.save(S1, 1, &[2]);
        // S1 handled the request in term 3, but the reply leaves only after a copy has arrived. The
        // copy is refused, because S1 is in term 4.
        play.arrive(twice);
        play.reply(twice, append_reply(3, true));
        play.reply(twice, append_reply(4, false));
    });
}

#[test]
fn a_candidates_vote_is_durable_before_its_request() {
    breaks("PersistBeforeRequest", |play| {
        play.write(S0, &Write::Vote { term: Term(1), voted_for: Some(S0) });
        play.send(S0, S1, vote_request(S0, 1, at(0, 0)));
    });
    breaks("PersistBeforeRequest", |play| {
        play.save_vote(S0, 1, None);
        play.send(S0, S1, vote_request(S0, 1, at(0, 0)));
    });
}

#[test]
fn a_leader_sends_messages_only_in_a_durable_term() {
    breaks("PersistBeforeRequest", |play| {
        play.elect(S0, 1, S1, at(0, 0));
        // S1 sends its vote of term 2 in a message instead of a reply. S0 leads that term, but has
        // never stored it.
        play.save_vote(S1, 2, Some(S0));
        play.send(S1, S0, vote_reply(2, true));
        play.send(S0, S1, heartbeat(S0, 2, 0, at(0, 0)));
    });
}

#[test]
fn a_candidate_may_be_in_a_newer_term_when_its_request_leaves() {
    holds(|play| {
        play.save_vote(S0, 1, Some(S0));
        play.save_vote(S0, 2, None);
        play.send(S0, S1, vote_request(S0, 1, at(0, 0)));
        // A request that leaves after the crash does not count.
        play.crash(S0);
        play.send(S0, S1, vote_request(S0, 7, at(0, 0)));
    });
}
