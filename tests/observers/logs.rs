//! Tests of the rules for logs: the entries that servers store, send and delete.

use bytes::Bytes;
use raftlab::api::{Entry, Index, Position, ServerId, Term};
use raftlab::persister::Write;

use super::play::*;

#[test]
fn entries_of_one_index_and_term_have_one_command() {
    let message = breaks("LogMatching", |play| {
        play.save(S0, 1, &[1]);
        let other = Bytes::from_static(b"other");
        let entry = Entry { term: Term(1), index: Index(1), data: other };
        play.write(S1, &Write::Append(&[entry]));
    });
    assert_eq!(message, "S1 and S0 stored different commands at 1/1");
}

#[test]
fn equal_entries_follow_equal_entries() {
    let message = breaks("LogMatching", |play| {
        play.save(S0, 1, &[1, 2, 2]);
        play.save(S1, 1, &[1, 1, 2]);
    });
    let before = "before it S1 has an entry of term 1 and S0 one of term 2";
    assert!(message.ends_with(before), "{message}");
    // S1 and S2 have the same entry 3/3 after different entries. It makes no difference that S0
    // stored another entry at index 3 first.
    breaks("LogMatching", |play| {
        play.save(S0, 1, &[1, 1, 1]);
        play.save(S1, 1, &[1, 2, 3]);
        play.save(S2, 1, &[1, 1, 3]);
    });
}

#[test]
fn logs_may_differ_and_become_equal_again() {
    holds(|play| {
        play.save(S0, 1, &[1, 1, 1]);
        play.save(S1, 1, &[1, 2]);
        play.save(S2, 1, &[1]);
        play.save(S0, 2, &[2, 3]);
        play.save(S1, 3, &[3]);
        // A server may write entries again that it already has.
        play.save(S0, 1, &[1, 2, 3]);
        // A log may also begin with a snapshot.
        play.save(S2, 2, &[2]);
        play.arrive(play.unsent(S0, S2, install(S0, 3, at(2, 2))));
        play.save_snapshot(S2, at(2, 2));
        play.save(S2, 3, &[3]);
    });
}

/// S0 leads term 3 with the log 1 1 3, of which S1 has the first two entries.
fn let_s0_lead_term_3(play: &mut Play) {
    for server in [S0, S1] {
        play.save(server, 1, &[1, 1]);
        play.save_vote(server, 2, None);
    }
    play.win(S0, 3, S1, at(1, 2));
    play.save(S0, 3, &[3]);
}

#[test]
fn a_leader_may_send_stored_entries_and_new_entries() {
    for (prev, first, terms) in [
        (at(1, 1), 2, &[1, 3][..]),
        (at(1, 2), 3, &[3]),
        (at(3, 3), 4, &[]),
        // Entries that are not stored yet.
        (at(3, 3), 4, &[3, 3]),
        (at(1, 2), 3, &[3, 3]),
    ] {
        holds(move |play| {
            let_s0_lead_term_3(play);
            play.send(S0, S2, append_with(S0, 3, prev, &entries(first, terms)));
        });
    }
}

#[test]
fn a_leader_sends_no_entry_that_contradicts_its_stored_log() {
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
            let_s0_lead_term_3(play);
            play.send(S0, S2, append_with(S0, 3, prev, &entries(first, terms)));
        });
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn a_leader_sends_the_commands_that_it_stored() {
    breaks("SendsOwnLog", |play| {
        let_s0_lead_term_3(play);
        let mut sent = entries(2, &[1, 3]);
        sent[0].data = Bytes::from_static(b"other");
        play.send(S0, S2, append_with(S0, 3, at(1, 1), &sent));
    });
}

#[test]
fn a_leader_that_has_stored_nothing_in_its_term_may_send_other_entries() {
    // S0 may have received 2/2 as a follower and not stored it yet: its log in memory may be ahead
    // of its log on disk.
    holds(|play| {
        play.save(S0, 1, &[1, 1]);
        for server in [S0, S1] {
            play.save_vote(server, 2, None);
        }
        play.win(S0, 3, S1, at(1, 2));
        play.send(S0, S2, append_with(S0, 3, at(2, 2), &entries(3, &[3])));
    });
    // But every leader's log has the committed entry 1/2, so the entry 2/2 is a mistake here.
    breaks("SendsOwnLog", |play| {
        play.let_s0_lead(2);
        play.send(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
        for server in [S0, S1] {
            play.save_vote(server, 2, None);
        }
        play.win(S0, 3, S1, at(1, 2));
        play.send(S0, S2, append_with(S0, 3, at(2, 2), &[]));
    });
}

#[test]
fn a_message_of_an_earlier_term_is_not_compared_with_the_current_log() {
    holds(|play| {
        let_s0_lead_term_3(play);
        let late = append_with(S0, 3, at(1, 2), &entries(3, &[3]));
        play.save_vote(S0, 4, None);
        play.save(S0, 3, &[4]);
        play.send(S0, S2, late);
    });
}

#[test]
fn entries_that_a_snapshot_covers_may_still_be_sent() {
    holds(|play| {
        play.let_s0_lead(2);
        play.apply(S0, &command(1, 1));
        play.apply(S0, &command(1, 2));
        for server in [S0, S1] {
            play.save_vote(server, 2, None);
        }
        play.win(S0, 3, S1, at(1, 2));
        play.save(S0, 3, &[3]);
        play.save_snapshot(S0, at(1, 2));
        play.send(S0, S2, append_with_commit(S0, 3, 2, at(0, 0), &entries(1, &[1, 1, 3])));
        play.send(S0, S2, append_with_commit(S0, 3, 2, at(1, 2), &entries(3, &[3])));
    });
}

#[test]
fn a_server_that_stores_no_entries_may_send_entries() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.send(S0, S2, append_with(S0, 1, at(0, 0), &entries(1, &[1, 1])));
    });
}

#[test]
fn a_leader_deletes_nothing() {
    breaks("LeaderAppendOnly", |play| {
        play.let_s0_lead(2);
        play.save(S0, 2, &[]);
        play.save(S0, 1, &[1]);
    });
}

#[test]
fn a_leader_that_has_sent_only_a_snapshot_deletes_nothing() {
    breaks("LeaderAppendOnly", |play| {
        for server in [S0, S1] {
            play.save(server, 1, &[1, 1]);
            play.save_vote(server, 1, None);
        }
        play.win(S0, 2, S1, at(1, 2));
        play.send(S0, S2, install(S0, 2, at(1, 1)));
        play.save(S0, 2, &[]);
        play.save(S0, 1, &[1]);
    });
}

#[test]
fn a_log_may_be_written_again() {
    holds(|play| {
        play.let_s0_lead(3);
        play.save(S0, 2, &[1, 1]);
        play.write(S0, &Write::Append(&entries(1, &[1, 1, 1])));
        play.write(S0, &Write::Append(&entries(1, &[1, 1, 1, 1])));
        play.sync(S0);
    });
}

#[test]
fn a_log_that_is_written_again_is_never_too_short() {
    // Between the two writes the log is too short, and a crash may keep only the first write.
    fn in_two(play: &Play, server: ServerId) {
        play.write(server, &Write::Append(&entries(1, &[1])));
        play.write(server, &Write::Append(&entries(2, &[1, 1])));
        play.sync(server);
    }
    breaks("LeaderAppendOnly", |play| {
        play.let_s0_lead(3);
        in_two(play, S0);
    });
    breaks("AcknowledgedStays", |play| {
        play.let_s0_lead(3);
        in_two(play, S1);
    });
}

#[test]
fn a_deposed_leader_deletes_what_conflicts() {
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save(S0, 1, &[1, 1]);
        play.elect(S2, 2, S1, at(0, 0));
        play.save(S2, 1, &[2]);
        let sent = play.deliver(S2, S0, append(S2, 2, 0, at(0, 0), at(2, 1)));
        // S0 writes the entries before the new term, but one sync makes both durable.
        play.write(S0, &Write::Append(&entries(1, &[2])));
        play.write(S0, &Write::Vote { term: Term(2), voted_for: None });
        play.sync(S0);
        play.reply(sent, append_reply(2, true));
        // A message that S0 made while it led leaves only now.
        play.send(S0, S1, heartbeat(S0, 1, 0, at(0, 0)));
    });
}

#[test]
fn entries_of_a_new_leader_may_be_durable_before_its_term() {
    // A deposed leader may store the entries first and the term afterwards.
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save(S0, 1, &[1]);
        play.replace(S1, S0);
    });
    // So may a follower. Here S1 replaces an entry that its earlier leader has lost in a crash.
    holds(|play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.write(S0, &Write::Append(&entries(1, &[1])));
        play.deliver(S0, S1, append(S0, 1, 0, at(0, 0), at(1, 1)));
        play.save(S1, 1, &[1]);
        play.crash(S0);
        play.boot(S0, 1, Some(S0), &[]);
        play.replace(S0, S1);
    });
}

impl Play {
    /// S2 leads term 2 with the vote of `voter`, and sends an entry to `server`, which stores the
    /// entry first and the term afterwards.
    fn replace(&mut self, voter: ServerId, server: ServerId) {
        self.elect(S2, 2, voter, at(0, 0));
        self.save(S2, 1, &[2]);
        let sent = self.deliver(S2, server, append(S2, 2, 0, at(0, 0), at(2, 1)));
        self.save(server, 1, &[2]);
        self.save_vote(server, 2, None);
        self.reply(sent, append_reply(2, true));
    }
}

#[test]
fn a_stale_request_deletes_no_entries() {
    let message = breaks("AcknowledgedStays", |play| {
        play.let_s0_lead(3);
        // A late request has only the first entry, and S1 wrongly deletes all entries after it.
        let late = play.deliver(S0, S1, append(S0, 1, 0, at(0, 0), at(1, 1)));
        play.save(S1, 1, &[1]);
        play.reply(late, append_reply(1, true));
    });
    assert!(message.starts_with("S1, in term 1, deleted its durable entries from 1/2 to 1/3"));
}

#[test]
fn old_entries_that_were_acknowledged_stay_too() {
    breaks("AcknowledgedStays", |play| {
        play.let_s0_lead(3);
        play.elect(S0, 2, S1, at(1, 3));
        let beat = play.deliver(S0, S1, heartbeat(S0, 2, 0, at(1, 3)));
        play.reply(beat, append_reply(2, true));
        play.save(S1, 2, &[2]);
    });
}

#[test]
fn the_last_entry_that_was_acknowledged_stays_too() {
    breaks("AcknowledgedStays", |play| {
        play.let_s0_lead(3);
        play.elect(S0, 2, S1, at(1, 3));
        let beat = play.deliver(S0, S1, heartbeat(S0, 2, 0, at(1, 3)));
        play.reply(beat, append_reply(2, true));
        play.save(S1, 3, &[2]);
    });
}

#[test]
fn entries_of_the_current_term_stay_even_without_an_acknowledgement() {
    breaks("AcknowledgedStays", |play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save(S0, 1, &[1, 1]);
        play.deliver(S0, S1, append(S0, 1, 0, at(0, 0), at(1, 2)));
        play.save(S1, 1, &[1, 1]);
        play.save(S1, 1, &[1]);
    });
}

#[test]
fn a_refusal_acknowledges_no_entry() {
    holds(|play| {
        let sent = play.let_two_lead();
        play.save(S1, 1, &[1]);
        play.reply(sent, append_reply(3, true));
        play.save(S2, 2, &[2]);
        play.elect(S2, 4, S1, at(2, 2));
        play.call(S2, S1, append(S2, 4, 0, at(2, 1), at(2, 2)), append_reply(4, false));
        play.save(S1, 1, &[2, 2]);
    });
}

#[test]
fn a_newer_leader_may_replace_entries_acknowledged_to_an_older_leader() {
    holds(|play| {
        let sent = play.let_two_lead();
        play.save(S1, 1, &[1]);
        play.reply(sent, append_reply(3, true));
        play.elect(S2, 4, S1, at(2, 1));
        play.save(S1, 1, &[2]);
    });
}

#[test]
fn a_committed_entry_is_not_deleted() {
    breaks("CommittedStays", |play| {
        play.let_s0_lead(2);
        play.send(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
        // S1 enters term 5, and deletes a committed entry before it sends any message of that term.
        play.save_vote(S1, 5, None);
        play.save(S1, 2, &[5]);
    });
}

#[test]
fn a_server_may_delete_an_entry_that_others_commit_in_a_term_it_does_not_know() {
    holds(|play| {
        // As in Figure 8. In term 1, S0 sends its entry 1/1 to S2.
        play.elect(S0, 1, S1, at(0, 0));
        play.save(S0, 1, &[1]);
        play.deliver(S0, S2, append(S0, 1, 0, at(0, 0), at(1, 1)));
        play.save_vote(S2, 1, None);
        play.save(S2, 1, &[1]);
        // In term 3, S0 and S1 commit this entry together with S0's entry 3/2.
        play.elect(S0, 3, S1, at(1, 1));
        play.save(S0, 2, &[3]);
        let sent = play.deliver(S0, S1, append(S0, 3, 0, at(0, 0), at(3, 2)));
        play.save(S1, 1, &[1, 3]);
        play.reply(sent, append_reply(3, true));
        play.send(S0, S1, heartbeat(S0, 3, 2, at(3, 2)));
        // S2 has not heard of term 3. It follows a leader of term 2, and replaces 1/1 by 2/1.
        play.save_vote(S2, 2, None);
        play.save(S2, 1, &[2]);
        // In term 3 it deletes the entry 2/1 again. That is no mistake, because 1/1 is the
        // committed entry, and not 2/1.
        play.save_vote(S2, 3, None);
        play.save(S2, 1, &[1, 3]);
    });
}

#[test]
fn an_entry_of_an_older_leader_may_be_stored_after_a_newer_term() {
    fn story(play: &mut Play, older: Position) {
        // S2 stores the entry 1/1 in term 1. In term 3, S0 and S1 commit this entry.
        play.elect(S0, 1, S1, at(0, 0));
        play.save(S0, 1, &[1]);
        let first = play.deliver(S0, S2, append(S0, 1, 0, at(0, 0), at(1, 1)));
        play.save_vote(S2, 1, None);
        play.save(S2, 1, &[1]);
        play.reply(first, append_reply(1, true));
        play.elect(S1, 2, S2, at(1, 1));
        play.elect(S0, 3, S1, at(1, 1));
        play.save(S0, 2, &[3]);
        let sent = play.deliver(S0, S1, append(S0, 3, 0, at(0, 0), at(3, 2)));
        play.save(S1, 1, &[1, 3]);
        play.reply(sent, append_reply(3, true));
        play.send(S0, S1, heartbeat(S0, 3, 2, at(3, 2)));
        // S2 accepts a request of term 2, and hears of term 3 before it has stored the entry. So it
        // stores term 3 first, and then the entry of the leader of term 2.
        let late = play.unsent(S1, S2, append(S1, 2, 0, at(0, 0), older));
        play.arrive(late);
        play.write(S2, &Write::Vote { term: Term(3), voted_for: None });
        play.save(S2, 1, &[2]);
    }
    holds(|play| story(play, at(2, 1)));
    // Here the request of term 2 has no entry, so it does not explain why 1/1 is replaced.
    breaks("CommittedStays", |play| story(play, at(0, 0)));
}

#[test]
fn a_follower_accepts_entries_that_follow_its_log() {
    breaks("MatchingPrefixAccepted", |play| {
        play.let_s0_lead(2);
        play.call(S0, S1, heartbeat(S0, 1, 0, at(1, 2)), append_reply(1, false));
    });
    // Here S2 is a candidate, which refuses the leader of its own term.
    breaks("MatchingPrefixAccepted", |play| {
        play.elect(S0, 1, S1, at(0, 0));
        play.save_vote(S2, 1, Some(S2));
        play.call(S0, S2, heartbeat(S0, 1, 0, at(0, 0)), append_reply(1, false));
    });
}

#[test]
fn a_follower_that_has_the_previous_entry_does_not_refuse() {
    breaks("MatchingPrefixAccepted", |play| {
        play.let_s0_lead(3);
        play.call(S0, S1, append(S0, 1, 0, at(1, 2), at(1, 3)), match_reply(1, 1));
    });
    holds(|play| {
        play.let_s0_lead(3);
        // S1 has more entries than it confirms. Such a reply is of little use to the leader, but it
        // is no refusal, because S1 agrees up to the entry before the new ones.
        play.call(S0, S1, append(S0, 1, 0, at(1, 1), at(1, 3)), match_reply(1, 2));
        play.call(S0, S1, append(S0, 1, 0, at(1, 1), at(1, 3)), match_reply(1, 1));
    });
}

#[test]
fn a_follower_may_refuse_a_gap_a_conflict_or_an_older_term() {
    holds(|play| {
        play.let_s0_lead(2);
        play.save_vote(S2, 1, None);
        // Three reasons to refuse: the log is too short, the entry at that index has another term,
        // or the request is of an older term.
        play.call(S0, S2, heartbeat(S0, 1, 0, at(1, 2)), append_reply(1, false));
        play.save(S2, 1, &[0]);
        play.call(S0, S2, heartbeat(S0, 1, 0, at(1, 1)), append_reply(1, false));
        play.save_vote(S2, 2, None);
        play.call(S0, S2, heartbeat(S0, 1, 0, at(0, 0)), append_reply(2, false));
    });
    holds(|play| {
        play.let_s0_lead(2);
        play.save_vote(S2, 1, None);
        // S2 refuses while its log is too short. Before this reply leaves, another request makes
        // the log long enough.
        let slow = play.deliver(S0, S2, heartbeat(S0, 1, 0, at(1, 2)));
        play.save(S2, 1, &[1, 1]);
        play.reply(slow, append_reply(1, false));
    });
}
