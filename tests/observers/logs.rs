//! Tests of the rules for logs: the entries that servers store, send and delete.

use bytes::Bytes;
use raftlab::api::{Entry, Index, Position, ServerId, Term};
use raftlab::persister::Write;

use super::play::*;

#[test]
fn entries_of_one_index_and_term_have_one_command() {
    let message = breaks("LogMatching", |play| {
        play.saves(S0, 1, &[1]);
        let other = Bytes::from_static(b"other");
        let entry = Entry { term: Term(1), index: Index(1), data: other };
        play.write(S1, &Write::Append(&[entry]));
    });
    assert_eq!(message, "S1 and S0 stored different commands at 1/1");
}

#[test]
fn equal_entries_follow_equal_entries() {
    let message = breaks("LogMatching", |play| {
        play.saves(S0, 1, &[1, 2, 2]);
        play.saves(S1, 1, &[1, 1, 2]);
    });
    let before = "before it S1 has an entry of term 1 and S0 one of term 2";
    assert!(message.ends_with(before), "{message}");
    // This holds even when another term's entry was there first.
    breaks("LogMatching", |play| {
        play.saves(S0, 1, &[1, 1, 1]);
        play.saves(S1, 1, &[1, 2, 3]);
        play.saves(S2, 1, &[1, 1, 3]);
    });
}

#[test]
fn logs_may_part_and_meet_again() {
    holds(|play| {
        play.saves(S0, 1, &[1, 1, 1]);
        play.saves(S1, 1, &[1, 2]);
        play.saves(S2, 1, &[1]);
        play.saves(S0, 2, &[2, 3]);
        play.saves(S1, 3, &[3]);
        // Whole suffixes, written again.
        play.saves(S0, 1, &[1, 2, 3]);
        // A log that begins with a snapshot.
        play.saves(S2, 2, &[2]);
        play.arrives(play.unsent(S0, S2, installs(S0, 3, at(2, 2))));
        play.saves_snapshot(S2, at(2, 2));
        play.saves(S2, 3, &[3]);
    });
}

/// S0 leads term 3 with the log 1 1 3, of which S1 has the first two entries.
fn led_by_s0_in_term_3(play: &mut Play) {
    for server in [S0, S1] {
        play.saves(server, 1, &[1, 1]);
        play.saves_vote(server, 2, None);
    }
    play.wins(S0, 3, S1, at(1, 2));
    play.saves(S0, 3, &[3]);
}

#[test]
fn a_leader_sends_what_it_stored() {
    for (prev, first, terms) in [
        (at(1, 1), 2, &[1, 3][..]),
        (at(1, 2), 3, &[3]),
        (at(3, 3), 4, &[]),
        // Entries that are not stored yet.
        (at(3, 3), 4, &[3, 3]),
        (at(1, 2), 3, &[3, 3]),
    ] {
        holds(move |play| {
            led_by_s0_in_term_3(play);
            play.sends(S0, S2, carries(S0, 3, prev, &entries(first, terms)));
        });
    }
}

#[test]
fn a_leader_sends_no_other_entries_than_it_stored() {
    for (prev, first, terms, what) in [
        (at(1, 1), 2, &[1, 2][..], "tells S2 that its log has the entry 2/3"),
        (at(2, 2), 3, &[3], "tells S2 that its log has the entry 2/2"),
        (at(2, 2), 3, &[3, 3], "tells S2 that its log has the entry 2/2"),
        (at(0, 0), 1, &[1, 3, 3], "other entries after 0/0, up to 3/3"),
        (at(1, 1), 3, &[3], "the entry 3/3 right after 1/1"),
        (at(1, 2), 2, &[1, 3], "the entry 1/2 right after 1/2"),
        (at(1, 2), 3, &[3, 2], "the entry 2/4 right after 3/3"),
        (at(3, 3), 4, &[4], "the entry 4/4, of a later term"),
    ] {
        let message = breaks("SendsOwnLog", move |play| {
            led_by_s0_in_term_3(play);
            play.sends(S0, S2, carries(S0, 3, prev, &entries(first, terms)));
        });
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn a_leader_sends_the_commands_that_it_stored() {
    breaks("SendsOwnLog", |play| {
        led_by_s0_in_term_3(play);
        let mut sent = entries(2, &[1, 3]);
        sent[0].data = Bytes::from_static(b"other");
        play.sends(S0, S2, carries(S0, 3, at(1, 1), &sent));
    });
}

#[test]
fn what_a_leader_has_not_stored_in_its_term_may_be_out_of_date() {
    // The log that it stored as a follower may lag behind its log in memory.
    holds(|play| {
        play.saves(S0, 1, &[1, 1]);
        for server in [S0, S1] {
            play.saves_vote(server, 2, None);
        }
        play.wins(S0, 3, S1, at(1, 2));
        play.sends(S0, S2, carries(S0, 3, at(2, 2), &entries(3, &[3])));
    });
    // But entries that were committed before are certain.
    breaks("SendsOwnLog", |play| {
        play.led_by_s0(2);
        play.sends(S0, S1, beat(S0, 1, 2, at(1, 2)));
        for server in [S0, S1] {
            play.saves_vote(server, 2, None);
        }
        play.wins(S0, 3, S1, at(1, 2));
        play.sends(S0, S2, carries(S0, 3, at(2, 2), &[]));
    });
}

#[test]
fn a_message_of_an_earlier_term_says_nothing_of_the_log_now() {
    holds(|play| {
        led_by_s0_in_term_3(play);
        let late = carries(S0, 3, at(1, 2), &entries(3, &[3]));
        play.saves_vote(S0, 4, None);
        play.saves(S0, 3, &[4]);
        play.sends(S0, S2, late);
    });
}

#[test]
fn what_a_snapshot_covers_may_still_be_sent() {
    holds(|play| {
        play.led_by_s0(2);
        play.applies(S0, &command(1, 1));
        play.applies(S0, &command(1, 2));
        for server in [S0, S1] {
            play.saves_vote(server, 2, None);
        }
        play.wins(S0, 3, S1, at(1, 2));
        play.saves(S0, 3, &[3]);
        play.saves_snapshot(S0, at(1, 2));
        play.sends(S0, S2, carries_commit(S0, 3, 2, at(0, 0), &entries(1, &[1, 1, 3])));
        play.sends(S0, S2, carries_commit(S0, 3, 2, at(1, 2), &entries(3, &[3])));
    });
}

#[test]
fn a_server_that_stores_nothing_is_not_judged_by_that() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.sends(S0, S2, carries(S0, 1, at(0, 0), &entries(1, &[1, 1])));
    });
}

#[test]
fn a_leader_deletes_nothing() {
    breaks("LeaderAppendOnly", |play| {
        play.led_by_s0(2);
        play.saves(S0, 2, &[]);
        play.saves(S0, 1, &[1]);
    });
}

#[test]
fn a_leader_that_has_sent_no_more_than_a_snapshot_deletes_nothing() {
    breaks("LeaderAppendOnly", |play| {
        for server in [S0, S1] {
            play.saves(server, 1, &[1, 1]);
            play.saves_vote(server, 1, None);
        }
        play.wins(S0, 2, S1, at(1, 2));
        play.sends(S0, S2, installs(S0, 2, at(1, 1)));
        play.saves(S0, 2, &[]);
        play.saves(S0, 1, &[1]);
    });
}

#[test]
fn a_log_may_be_written_again() {
    holds(|play| {
        play.led_by_s0(3);
        play.saves(S0, 2, &[1, 1]);
        play.write(S0, &Write::Append(&entries(1, &[1, 1, 1])));
        play.write(S0, &Write::Append(&entries(1, &[1, 1, 1, 1])));
        play.sync(S0);
    });
}

#[test]
fn a_log_that_is_written_again_has_gaps_at_no_moment() {
    // A crash may keep only the first of two writes.
    fn in_two(play: &Play, server: ServerId) {
        play.write(server, &Write::Append(&entries(1, &[1])));
        play.write(server, &Write::Append(&entries(2, &[1, 1])));
        play.sync(server);
    }
    breaks("LeaderAppendOnly", |play| {
        play.led_by_s0(3);
        in_two(play, S0);
    });
    breaks("AcknowledgedStays", |play| {
        play.led_by_s0(3);
        in_two(play, S1);
    });
}

#[test]
fn a_deposed_leader_deletes_what_conflicts() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1, 1]);
        play.elects(S2, 2, S1, at(0, 0));
        play.saves(S2, 1, &[2]);
        let sent = play.delivers(S2, S0, acts(S2, 2, 0, at(0, 0), at(2, 1)));
        // Entries before the term: one sync makes both durable.
        play.write(S0, &Write::Append(&entries(1, &[2])));
        play.write(S0, &Write::Vote { term: Term(2), voted_for: None });
        play.sync(S0);
        play.replies(sent, matches(2, true));
        // A late message, which S0 made while it led.
        play.sends(S0, S1, beat(S0, 1, 0, at(0, 0)));
    });
}

#[test]
fn entries_of_a_new_leader_may_be_durable_before_its_term() {
    // A deposed leader may store them in this order, ...
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1]);
        play.replaces(S1, S0);
    });
    // ... and a follower that has an entry that its leader lost.
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.write(S0, &Write::Append(&entries(1, &[1])));
        play.delivers(S0, S1, acts(S0, 1, 0, at(0, 0), at(1, 1)));
        play.saves(S1, 1, &[1]);
        play.crashes(S0);
        play.boots(S0, 1, Some(S0), &[]);
        play.replaces(S0, S1);
    });
}

impl Play {
    /// S2, leader of term 2 by the vote of `voter`, has `server` store its entry, then its term.
    fn replaces(&mut self, voter: ServerId, server: ServerId) {
        self.elects(S2, 2, voter, at(0, 0));
        self.saves(S2, 1, &[2]);
        let sent = self.delivers(S2, server, acts(S2, 2, 0, at(0, 0), at(2, 1)));
        self.saves(server, 1, &[2]);
        self.saves_vote(server, 2, None);
        self.replies(sent, matches(2, true));
    }
}

#[test]
fn a_stale_request_cuts_nothing() {
    let message = breaks("AcknowledgedStays", |play| {
        play.led_by_s0(3);
        // A late message has only the first entry, and S1 cuts everything after it.
        let late = play.delivers(S0, S1, acts(S0, 1, 0, at(0, 0), at(1, 1)));
        play.saves(S1, 1, &[1]);
        play.replies(late, matches(1, true));
    });
    assert!(message.starts_with("S1, in term 1, deleted its durable entries from 1/2 to 1/3"));
}

#[test]
fn old_entries_that_were_acknowledged_stay_too() {
    breaks("AcknowledgedStays", |play| {
        play.led_by_s0(3);
        play.elects(S0, 2, S1, at(1, 3));
        let beat = play.delivers(S0, S1, beat(S0, 2, 0, at(1, 3)));
        play.replies(beat, matches(2, true));
        play.saves(S1, 2, &[2]);
    });
}

#[test]
fn the_last_entry_that_was_acknowledged_stays_too() {
    breaks("AcknowledgedStays", |play| {
        play.led_by_s0(3);
        play.elects(S0, 2, S1, at(1, 3));
        let beat = play.delivers(S0, S1, beat(S0, 2, 0, at(1, 3)));
        play.replies(beat, matches(2, true));
        play.saves(S1, 3, &[2]);
    });
}

#[test]
fn entries_of_the_term_stay_even_unacknowledged() {
    breaks("AcknowledgedStays", |play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1, 1]);
        play.delivers(S0, S1, acts(S0, 1, 0, at(0, 0), at(1, 2)));
        play.saves(S1, 1, &[1, 1]);
        play.saves(S1, 1, &[1]);
    });
}

#[test]
fn what_was_refused_was_not_acknowledged() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1]);
        play.elects(S2, 2, S1, at(0, 0));
        play.saves(S2, 1, &[2, 2]);
        play.elects(S0, 3, S1, at(1, 1));
        let sent = play.delivers(S0, S1, acts(S0, 3, 0, at(0, 0), at(1, 1)));
        play.saves(S1, 1, &[1]);
        play.replies(sent, matches(3, true));
        play.elects(S2, 4, S1, at(2, 2));
        play.calls(S2, S1, acts(S2, 4, 0, at(2, 1), at(2, 2)), matches(4, false));
        play.saves(S1, 1, &[2, 2]);
    });
}

#[test]
fn what_a_newer_leader_replaces_was_acknowledged_to_an_older_one() {
    holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1]);
        play.elects(S2, 2, S1, at(0, 0));
        play.saves(S2, 1, &[2]);
        play.elects(S0, 3, S1, at(1, 1));
        let sent = play.delivers(S0, S1, acts(S0, 3, 0, at(0, 0), at(1, 1)));
        play.saves(S1, 1, &[1]);
        play.replies(sent, matches(3, true));
        play.elects(S2, 4, S1, at(2, 1));
        play.saves(S1, 1, &[2]);
    });
}

#[test]
fn a_committed_entry_is_not_deleted() {
    breaks("CommittedStays", |play| {
        play.led_by_s0(2);
        play.sends(S0, S1, beat(S0, 1, 2, at(1, 2)));
        // S1 has moved on to a term in which it has sent nothing.
        play.saves_vote(S1, 5, None);
        play.saves(S1, 2, &[5]);
    });
}

#[test]
fn a_server_that_has_not_heard_may_delete_what_others_commit() {
    holds(|play| {
        // Figure 8 again: S2 has S0's entry of term 1 from term 1, ...
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1]);
        play.delivers(S0, S2, acts(S0, 1, 0, at(0, 0), at(1, 1)));
        play.saves_vote(S2, 1, None);
        play.saves(S2, 1, &[1]);
        // ... which S0 commits in term 3, with an entry of its own and the help of S1.
        play.elects(S0, 3, S1, at(1, 1));
        play.saves(S0, 2, &[3]);
        let sent = play.delivers(S0, S1, acts(S0, 3, 0, at(0, 0), at(3, 2)));
        play.saves(S1, 1, &[1, 3]);
        play.replies(sent, matches(3, true));
        play.sends(S0, S1, beat(S0, 3, 2, at(3, 2)));
        // S2 still follows a leader of term 2 that no other server follows.
        play.saves_vote(S2, 2, None);
        play.saves(S2, 1, &[2]);
        // In term 3 it deletes that leader's entry, which is not the entry that is committed at
        // that index.
        play.saves_vote(S2, 3, None);
        play.saves(S2, 1, &[1, 3]);
    });
}

#[test]
fn what_an_older_leader_had_deleted_may_be_stored_with_a_newer_term() {
    fn story(play: &mut Play, older: Position) {
        // S2 has S0's entry of term 1, which S0 commits in term 3 with the help of S1.
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1]);
        let first = play.delivers(S0, S2, acts(S0, 1, 0, at(0, 0), at(1, 1)));
        play.saves_vote(S2, 1, None);
        play.saves(S2, 1, &[1]);
        play.replies(first, matches(1, true));
        play.elects(S1, 2, S2, at(1, 1));
        play.elects(S0, 3, S1, at(1, 1));
        play.saves(S0, 2, &[3]);
        let sent = play.delivers(S0, S1, acts(S0, 3, 0, at(0, 0), at(3, 2)));
        play.saves(S1, 1, &[1, 3]);
        play.replies(sent, matches(3, true));
        play.sends(S0, S1, beat(S0, 3, 2, at(3, 2)));
        // S2 accepts an append of term 2 and hears of term 3, then stores both.
        let late = play.unsent(S1, S2, acts(S1, 2, 0, at(0, 0), older));
        play.arrives(late);
        play.write(S2, &Write::Vote { term: Term(3), voted_for: None });
        play.saves(S2, 1, &[2]);
    }
    holds(|play| story(play, at(2, 1)));
    // The append of term 2 had no entry for that index.
    breaks("CommittedStays", |play| story(play, at(0, 0)));
}

#[test]
fn a_follower_takes_what_follows_its_log() {
    breaks("MatchingPrefixAccepted", |play| {
        play.led_by_s0(2);
        play.calls(S0, S1, beat(S0, 1, 0, at(1, 2)), matches(1, false));
    });
    // A candidate does not step down for its term's leader.
    breaks("MatchingPrefixAccepted", |play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves_vote(S2, 1, Some(S2));
        play.calls(S0, S2, beat(S0, 1, 0, at(0, 0)), matches(1, false));
    });
}

#[test]
fn a_follower_that_agrees_up_to_the_entry_before_refuses_nothing() {
    breaks("MatchingPrefixAccepted", |play| {
        play.led_by_s0(3);
        play.calls(S0, S1, acts(S0, 1, 0, at(1, 2), at(1, 3)), agrees(1, 1));
    });
    holds(|play| {
        play.led_by_s0(3);
        // S1 keeps its log as it is, and says so. The leader cannot count such a reply, but it is
        // no refusal.
        play.calls(S0, S1, acts(S0, 1, 0, at(1, 1), at(1, 3)), agrees(1, 2));
        play.calls(S0, S1, acts(S0, 1, 0, at(1, 1), at(1, 3)), agrees(1, 1));
    });
}

#[test]
fn a_follower_refuses_what_it_cannot_place() {
    holds(|play| {
        play.led_by_s0(2);
        play.saves_vote(S2, 1, None);
        // The log is too short; it has another term at that index; the request is of an older term.
        play.calls(S0, S2, beat(S0, 1, 0, at(1, 2)), matches(1, false));
        play.saves(S2, 1, &[0]);
        play.calls(S0, S2, beat(S0, 1, 0, at(1, 1)), matches(1, false));
        play.saves_vote(S2, 2, None);
        play.calls(S0, S2, beat(S0, 1, 0, at(0, 0)), matches(2, false));
    });
    holds(|play| {
        play.led_by_s0(2);
        play.saves_vote(S2, 1, None);
        // Decided while the log was too short; sent after another request has made it long enough.
        let slow = play.delivers(S0, S2, beat(S0, 1, 0, at(1, 2)));
        play.saves(S2, 1, &[1, 1]);
        play.replies(slow, matches(1, false));
    });
}
