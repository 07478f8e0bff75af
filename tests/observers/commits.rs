//! Tests of the rules for commits: what commits an entry, which servers know it, what they apply.

use bytes::Bytes;
use raftlab::api::{ApplyMsg, Index, Term};
use raftlab::lab::Facts;

use super::play::*;

#[test]
fn a_leader_has_all_that_was_committed_before() {
    breaks("LeaderCompleteness", |play| {
        play.led_by_s0(2);
        play.sends(S0, S1, beat(S0, 1, 2, at(1, 2)));
        // S1 forgets, and votes for a log without the entries.
        play.crashes(S1);
        play.boots(S1, 1, Some(S0), &[]);
        play.elects(S2, 2, S1, at(0, 0));
    });
}

#[test]
fn a_snapshot_that_a_leader_sends_is_committed() {
    breaks("LeaderCompleteness", |play| {
        play.led_by_s0(2);
        play.sends(S0, S2, installs(S0, 1, at(1, 2)));
        play.crashes(S1);
        play.boots(S1, 1, Some(S0), &[]);
        play.elects(S2, 2, S1, at(0, 0));
    });
}

#[test]
fn what_is_found_committed_later_is_held_against_leaders_already_seen() {
    let message = breaks("LeaderCompleteness", |play| {
        play.led_by_s0(2);
        play.crashes(S1);
        play.boots(S1, 1, Some(S0), &[]);
        play.elects(S2, 2, S1, at(0, 0));
        play.saves(S2, 1, &[2]);
        // S0 committed in term 1, and says so late.
        play.sends(S0, S1, beat(S0, 1, 2, at(1, 2)));
    });
    assert!(message.contains("S2 became leader of term 2 without the entry 1/2"), "{message}");
}

#[test]
fn a_leader_needs_nothing_committed_in_its_own_term_or_later() {
    holds(|play| {
        play.led_by_s0(1);
        // S2 is elected in term 2 by S1, lags behind and never hears of term 3.
        play.saves_vote(S2, 1, None);
        play.saves(S2, 1, &[1]);
        play.wins(S2, 2, S1, at(1, 1));
        play.elects(S0, 3, S1, at(1, 1));
        play.saves(S0, 2, &[3]);
        let sent = play.delivers(S0, S1, acts(S0, 3, 0, at(1, 1), at(3, 2)));
        play.saves(S1, 2, &[3]);
        play.replies(sent, matches(3, true));
        play.sends(S0, S1, beat(S0, 3, 2, at(3, 2)));
        // S2's first message as leader, and another.
        play.sends(S2, S0, beat(S2, 2, 0, at(1, 1)));
        play.sends(S2, S0, beat(S2, 2, 1, at(1, 1)));
    });
}

#[test]
fn a_snapshot_holds_what_it_covers() {
    holds(|play| {
        play.led_by_s0(3);
        play.sends(S0, S1, beat(S0, 1, 3, at(1, 3)));
        play.applies(S1, &command(1, 1));
        play.applies(S1, &command(1, 2));
        play.applies(S1, &command(1, 3));
        play.saves_snapshot(S1, at(1, 3));
        play.wins(S1, 2, S0, at(1, 3));
        play.sends(S1, S0, beat(S1, 2, 3, at(1, 3)));
    });
}

#[test]
fn servers_apply_what_a_leader_committed() {
    breaks("StateMachineSafety", |play| {
        play.led_by_s0(1);
        play.sends(S0, S1, beat(S0, 1, 1, at(1, 1)));
        play.applies(S1, &command(2, 1));
    });
}

#[test]
fn servers_apply_the_same() {
    breaks("StateMachineSafety", |play| {
        play.led_by_s0(1);
        play.applies(S0, &command(1, 1));
        let command = Bytes::from_static(b"other");
        play.applies(S1, &ApplyMsg::Command { index: Index(1), term: Term(1), command });
    });
    breaks("StateMachineSafety", |play| {
        play.led_by_s0(1);
        play.applies(S0, &command(1, 1));
        play.applies(S1, &command(2, 1));
    });
    // It makes no difference that the leader's commit index came first.
    breaks("StateMachineSafety", |play| {
        play.led_by_s0(1);
        play.sends(S0, S1, beat(S0, 1, 1, at(1, 1)));
        play.applies(S0, &command(1, 1));
        let command = Bytes::from_static(b"other");
        play.applies(S1, &ApplyMsg::Command { index: Index(1), term: Term(1), command });
    });
    // A snapshot's end counts too.
    breaks("StateMachineSafety", |play| {
        play.led_by_s0(1);
        play.applies(S0, &command(1, 1));
        play.applies(S1, &snapshot(at(2, 1)));
    });
}

#[test]
fn servers_apply_in_their_own_time() {
    holds(|play| {
        play.led_by_s0(2);
        play.sends(S0, S1, beat(S0, 1, 2, at(1, 2)));
        play.applies(S0, &command(1, 1));
        play.applies(S0, &command(1, 2));
        play.applies(S1, &command(1, 1));
        play.saves_vote(S2, 1, None);
        play.applies(S2, &snapshot(at(1, 2)));
        // Once more, in a new life.
        play.crashes(S0);
        play.boots(S0, 1, Some(S0), &[1, 1]);
        play.applies(S0, &command(1, 1));
    });
}

#[test]
fn an_entry_is_committed_by_a_majority() {
    breaks("CommitNeedsMajority", |play| {
        play.led_by_s0(1);
        play.saves(S0, 2, &[1]);
        play.sends(S0, S1, beat(S0, 1, 2, at(1, 2)));
    });
    // An applied entry counts as committed.
    breaks("CommitNeedsMajority", |play| {
        play.led_by_s0(1);
        play.saves(S0, 2, &[1]);
        play.applies(S0, &command(1, 1));
        play.applies(S0, &command(1, 2));
    });
}

#[test]
fn an_older_terms_entry_is_not_committed_by_counting() {
    breaks("CommitOnlyOwnTerm", |play| {
        // Figure 8, (a) to (c): S0's entry of term 1 reaches a majority in term 3.
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1]);
        play.elects(S2, 2, S1, at(0, 0));
        play.saves(S2, 1, &[2]);
        play.elects(S0, 3, S1, at(1, 1));
        let sent = play.delivers(S0, S1, acts(S0, 3, 0, at(0, 0), at(1, 1)));
        play.saves(S1, 1, &[1]);
        play.replies(sent, matches(3, true));
        play.sends(S0, S1, beat(S0, 3, 1, at(1, 1)));
    });
}

#[test]
fn a_leader_may_know_from_a_heartbeat_what_is_committed() {
    holds(|play| {
        play.led_by_s0(1);
        // S1 learns it from a message without entries, leads next, and has no entry of its own yet.
        play.delivers(S0, S1, Facts::Heartbeat { leader: S0, term: Term(1), commit: Index(1) });
        play.elects(S1, 2, S0, at(1, 1));
        play.sends(S1, S0, beat(S1, 2, 1, at(1, 1)));
    });
}

#[test]
fn an_older_terms_entry_is_committed_along_with_the_leaders_own() {
    holds(|play| {
        play.led_by_s0(1);
        play.elects(S1, 2, S0, at(1, 1));
        play.saves(S1, 2, &[2]);
        let sent = play.delivers(S1, S0, acts(S1, 2, 0, at(1, 1), at(2, 2)));
        play.saves(S0, 2, &[2]);
        play.replies(sent, matches(2, true));
        // It applies the older entry before it tells any server.
        play.applies(S1, &command(1, 1));
        play.sends(S1, S0, beat(S1, 2, 2, at(2, 2)));
        play.applies(S1, &command(2, 2));
    });
}

#[test]
fn a_leader_says_what_it_has_heard() {
    holds(|play| {
        play.led_by_s0(1);
        play.sends(S0, S1, beat(S0, 1, 1, at(1, 1)));
        play.wins(S1, 2, S0, at(1, 1));
        play.sends(S1, S0, beat(S1, 2, 1, at(1, 1)));
    });
    // A leader may not have had time to announce what it committed in an earlier term.
    holds(|play| {
        play.led_by_s0(1);
        play.wins(S0, 2, S1, at(1, 1));
        play.sends(S0, S1, beat(S0, 2, 1, at(1, 1)));
    });
    // It may have committed the entry in an earlier life, of which the log and the service's data
    // are left.
    holds(|play| {
        play.led_by_s0(1);
        play.crashes(S0);
        play.boots(S0, 1, Some(S0), &[1]);
        play.applies(S0, &snapshot(at(1, 1)));
        play.wins(S0, 2, S1, at(1, 1));
        play.sends(S0, S1, beat(S0, 2, 1, at(1, 1)));
    });
    // It may have committed the entry in an earlier life, of which a snapshot is left.
    holds(|play| {
        play.led_by_s0(1);
        play.applies(S0, &command(1, 1));
        play.saves_snapshot(S0, at(1, 1));
        play.crashes(S0);
        play.boots_from(S0, 1, at(1, 1));
        play.wins(S0, 2, S1, at(1, 1));
        play.sends(S0, S1, beat(S0, 2, 1, at(1, 1)));
    });
}

#[test]
fn a_new_leader_has_not_forgotten_what_is_committed() {
    breaks("CommitMonotonic", |play| {
        play.led_by_s0(2);
        let told = play.delivers(S0, S1, beat(S0, 1, 2, at(1, 2)));
        play.replies(told, matches(1, true));
        play.wins(S1, 2, S0, at(1, 2));
        play.sends(S1, S0, beat(S1, 2, 1, at(1, 2)));
    });
}

#[test]
fn what_an_earlier_life_said_is_not_the_new_ones_word_though_it_is_shown_late() {
    holds(|play| {
        play.led_by_s0(2);
        let late = play.opens(S0, S1, beat(S0, 1, 2, at(1, 2)));
        play.crashes(S0);
        play.boots(S0, 1, Some(S0), &[1, 1]);
        play.shows(late);
        play.wins(S0, 2, S1, at(1, 2));
        play.sends(S0, S1, beat(S0, 2, 0, at(1, 2)));
    });
}

#[test]
fn a_leaders_messages_may_overtake_each_other_and_a_crash_makes_it_forget() {
    holds(|play| {
        play.led_by_s0(2);
        play.sends(S0, S1, beat(S0, 1, 2, at(1, 2)));
        play.sends(S0, S1, beat(S0, 1, 1, at(1, 2)));
        // A follower knows a commit index of at most the last new entry.
        let told = play.delivers(S0, S1, beat(S0, 1, 2, at(1, 1)));
        play.replies(told, matches(1, true));
        play.wins(S1, 2, S0, at(1, 2));
        play.sends(S1, S0, beat(S1, 2, 1, at(1, 2)));
        play.crashes(S0);
        play.boots(S0, 2, Some(S1), &[1, 1]);
        play.wins(S0, 3, S1, at(1, 2));
        play.sends(S0, S1, beat(S0, 3, 0, at(1, 2)));
    });
}
