//! Tests of the rules for snapshots: the entries that they cover, and the leaders that send them.

use super::play::*;

#[test]
fn a_snapshot_covers_what_is_committed() {
    breaks("SnapshotCoversCommitted", |play| {
        play.led_by_s0(1);
        play.saves(S0, 2, &[1]);
        // S2 is sent a snapshot of more than S0 could commit, and installs it.
        play.arrives(play.unsent(S0, S2, installs(S0, 1, at(1, 2))));
        play.saves_vote(S2, 1, None);
        play.saves_snapshot(S2, at(1, 2));
    });
}

#[test]
fn a_snapshot_does_not_move_backwards() {
    breaks("SnapshotForward", |play| {
        play.led_by_s0(3);
        (1..=3).for_each(|index| play.applies(S0, &command(1, index)));
        play.saves_snapshot(S0, at(1, 3));
        play.saves_snapshot(S0, at(1, 2));
    });
}

#[test]
fn a_deposed_leaders_snapshot_is_not_installed() {
    breaks("SnapshotOfCurrentLeader", |play| {
        play.led_by_s0(2);
        play.applies(S0, &command(1, 1));
        play.applies(S0, &command(1, 2));
        play.saves_snapshot(S0, at(1, 2));
        play.saves_vote(S2, 2, None);
        play.delivers(S0, S2, installs(S0, 1, at(1, 2)));
        play.saves_snapshot(S2, at(1, 2));
    });
}

#[test]
fn what_was_offered_to_an_earlier_life_is_not_installed() {
    breaks("SnapshotOfCurrentLeader", |play| {
        play.led_by_s0(2);
        play.applies(S0, &command(1, 1));
        play.applies(S0, &command(1, 2));
        play.saves_snapshot(S0, at(1, 2));
        play.saves_vote(S2, 1, None);
        play.delivers(S0, S2, installs(S0, 1, at(1, 2)));
        play.crashes(S2);
        play.boots(S2, 1, None, &[]);
        play.saves_snapshot(S2, at(1, 2));
    });
}

#[test]
fn a_snapshot_is_offered_as_it_is() {
    breaks("SnapshotTermCorrect", |play| {
        play.led_by_s0(2);
        play.applies(S0, &command(1, 1));
        play.applies(S0, &command(1, 2));
        play.wins(S0, 2, S1, at(1, 2));
        play.saves_snapshot(S0, at(1, 2));
        play.sends(S0, S2, installs(S0, 2, at(2, 2)));
    });
}

#[test]
fn an_older_snapshot_may_be_offered_when_a_newer_one_is_stored() {
    holds(|play| {
        play.led_by_s0(1);
        play.wins(S0, 2, S1, at(1, 1));
        play.saves(S0, 2, &[2]);
        let sent = play.delivers(S0, S1, acts(S0, 2, 0, at(1, 1), at(2, 2)));
        play.saves(S1, 2, &[2]);
        play.replies(sent, matches(2, true));
        play.applies(S0, &command(1, 1));
        play.applies(S0, &command(2, 2));
        play.saves_snapshot(S0, at(2, 2));
        play.sends(S0, S2, installs(S0, 2, at(1, 1)));
    });
}

#[test]
fn snapshots_are_taken_offered_late_and_installed() {
    holds(|play| {
        play.led_by_s0(4);
        (1..=4).for_each(|index| play.applies(S0, &command(1, index)));
        play.saves_snapshot(S0, at(1, 2));
        let early = play.sends(S0, S2, installs(S0, 1, at(1, 2)));
        play.saves_snapshot(S0, at(1, 4));
        let late = play.sends(S0, S2, installs(S0, 1, at(1, 2)));
        play.arrives(early);
        play.saves_vote(S2, 1, None);
        play.saves_snapshot(S2, at(1, 2));
        play.replies(early, matches(1, true));
        play.applies(S2, &snapshot(at(1, 2)));
        // The same snapshot arrives again: there is nothing to do.
        play.arrives(late);
        play.replies(late, matches(1, true));
        // The same snapshot, written again, does no harm.
        play.saves_snapshot(S2, at(1, 2));
        // A request that came in time may be carried out when its term is over.
        play.delivers(S0, S2, installs(S0, 1, at(1, 4)));
        play.saves_vote(S2, 2, None);
        play.saves_snapshot(S2, at(1, 4));
    });
}
