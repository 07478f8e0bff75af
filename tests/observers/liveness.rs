//! Tests of the rule that servers apply committed entries within a second, unless stalled.

use std::time::Duration;

use raftlab::runtime;

use super::play::*;

/// Commits an entry, so that S0 and S1 know it.
fn committed(play: &mut Play) {
    play.led_by_s0(1);
    let told = play.delivers(S0, S1, beat(S0, 1, 1, at(1, 1)));
    play.replies(told, matches(1, true));
    play.ends(told, true);
}

#[test]
fn a_follower_that_applies_nothing_is_found_out() {
    let message = breaks("AppliedPromptly", |play| {
        committed(play);
        play.applies(S0, &command(1, 1));
        play.passes(1100);
        play.sends(S0, S1, beat(S0, 1, 1, at(1, 1)));
    });
    assert!(message.starts_with("S1 has known"), "{message}");
}

#[test]
fn a_leader_that_applies_nothing_is_found_out_at_the_end() {
    let message = breaks("AppliedPromptly", |play| {
        committed(play);
        play.applies(S1, &command(1, 1));
        play.passes(1100);
    });
    assert!(message.starts_with("S0 has known"), "{message}");
}

#[test]
fn a_second_is_allowed() {
    holds(|play| {
        committed(play);
        play.passes(900);
        play.sends(S0, S1, beat(S0, 1, 1, at(1, 1)));
        play.applies(S0, &command(1, 1));
        play.applies(S1, &command(1, 1));
        play.passes(5000);
    });
}

#[test]
fn a_server_that_is_held_up_has_a_second_from_then_on() {
    holds_though_stalled(|play| {
        play.works(S1);
        committed(play);
        play.applies(S0, &command(1, 1));
        play.passes(1100);
        let stalled = runtime::last_stall(S1.0).unwrap_or_default();
        let known = runtime::time::since_start() - Duration::from_millis(1100);
        assert!(stalled > known, "the seed must stall S1 after {known:?}: {stalled:?}");
        play.sends(S0, S1, beat(S0, 1, 1, at(1, 1)));
        play.applies(S1, &command(1, 1));
    });
}

#[test]
fn a_slow_reader_is_no_fault_as_long_as_it_gets_on() {
    holds(|play| {
        play.led_by_s0(4);
        play.sends(S0, S1, beat(S0, 1, 4, at(1, 4)));
        for index in 1..=4 {
            play.passes(900);
            play.sends(S0, S1, beat(S0, 1, 4, at(1, 4)));
            play.applies(S0, &command(1, index));
        }
        play.passes(5000);
    });
}

#[test]
fn nothing_is_owed_by_the_dead_the_unread_and_the_uninformed() {
    holds(|play| {
        committed(play);
        play.crashes(S0);
        play.reads(S1, false);
        play.passes(2000);
        play.saves_vote(S2, 1, None);
        play.boots(S0, 1, Some(S0), &[1]);
        // S0 has not heard again what it once knew; S2 has refused, so it knows nothing.
        play.calls(S0, S2, beat(S0, 1, 0, at(1, 1)), matches(1, false));
        play.passes(2000);
        play.sends(S0, S1, beat(S0, 1, 0, at(1, 1)));
        play.reads(S1, true);
        play.applies(S1, &command(1, 1));
        play.passes(2000);
    });
}

#[test]
fn nothing_is_owed_when_schedules_are_hostile() {
    holds_when_hostile(|play| {
        committed(play);
        play.passes(60_000);
    });
}

#[test]
fn a_snapshot_delivers_what_it_covers() {
    holds(|play| {
        committed(play);
        play.applies(S0, &command(1, 1));
        play.applies(S1, &snapshot(at(1, 1)));
        play.passes(2000);
    });
}

#[test]
fn a_server_is_owed_nothing_that_its_snapshot_has() {
    holds(|play| {
        committed(play);
        play.applies(S0, &command(1, 1));
        play.applies(S1, &command(1, 1));
        play.crashes(S1);
        play.boots_from(S1, 1, at(1, 1));
        let told = play.delivers(S0, S1, beat(S0, 1, 1, at(1, 1)));
        play.replies(told, matches(1, true));
        play.passes(2000);
        play.sends(S0, S1, beat(S0, 1, 1, at(1, 1)));
    });
}

#[test]
fn a_follower_knows_what_a_snapshot_covers_to_be_committed() {
    let message = breaks("AppliedPromptly", |play| {
        committed(play);
        play.applies(S0, &command(1, 1));
        play.applies(S1, &command(1, 1));
        play.saves_snapshot(S0, at(1, 1));
        play.saves_vote(S2, 1, None);
        let offered = play.delivers(S0, S2, installs(S0, 1, at(1, 1)));
        play.saves_snapshot(S2, at(1, 1));
        play.replies(offered, matches(1, true));
        play.passes(1100);
    });
    assert!(message.starts_with("S2 has known"), "{message}");
}
