//! Tests of the rule that servers apply committed entries within a second, unless stalled.

use std::time::Duration;

use raftlab::runtime;

use super::play::*;

/// Commits an entry, so that S0 and S1 know it.
fn committed(play: &mut Play) {
    play.let_s0_lead(1);
    let told = play.deliver(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
    play.reply(told, append_reply(1, true));
    play.end(told, true);
}

#[test]
fn a_follower_that_applies_nothing_is_found_out() {
    let message = breaks("AppliedPromptly", |play| {
        committed(play);
        play.apply(S0, &command(1, 1));
        play.sleep_ms(1100);
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
    });
    assert!(message.starts_with("S1 has known"), "{message}");
}

#[test]
fn a_leader_that_applies_nothing_is_found_out_at_the_end() {
    let message = breaks("AppliedPromptly", |play| {
        committed(play);
        play.apply(S1, &command(1, 1));
        play.sleep_ms(1100);
    });
    assert!(message.starts_with("S0 has known"), "{message}");
}

#[test]
fn a_second_is_allowed() {
    holds(|play| {
        committed(play);
        play.sleep_ms(900);
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
        play.apply(S0, &command(1, 1));
        play.apply(S1, &command(1, 1));
        play.sleep_ms(5000);
    });
}

#[test]
fn a_server_that_is_held_up_has_a_second_from_then_on() {
    holds_though_stalled(|play| {
        play.run_tasks(S1);
        committed(play);
        play.apply(S0, &command(1, 1));
        play.sleep_ms(1100);
        let stalled = runtime::last_stall(S1.0).unwrap_or_default();
        let known = runtime::time::since_start() - Duration::from_millis(1100);
        assert!(stalled > known, "the seed must stall S1 after {known:?}: {stalled:?}");
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
        play.apply(S1, &command(1, 1));
    });
}

#[test]
fn a_slow_reader_is_no_fault_as_long_as_it_gets_on() {
    holds(|play| {
        play.let_s0_lead(4);
        play.send(S0, S1, heartbeat(S0, 1, 4, at(1, 4)));
        for index in 1..=4 {
            play.sleep_ms(900);
            play.send(S0, S1, heartbeat(S0, 1, 4, at(1, 4)));
            play.apply(S0, &command(1, index));
        }
        play.sleep_ms(5000);
    });
}

#[test]
fn nothing_is_owed_by_the_dead_the_unread_and_the_uninformed() {
    holds(|play| {
        committed(play);
        play.crash(S0);
        play.set_reading(S1, false);
        play.sleep_ms(2000);
        play.save_vote(S2, 1, None);
        play.boot(S0, 1, Some(S0), &[1]);
        // In its new life, S0 knows no commit index yet. S2 knows none either, because it refused
        // the heartbeat.
        play.call(S0, S2, heartbeat(S0, 1, 0, at(1, 1)), append_reply(1, false));
        play.sleep_ms(2000);
        play.send(S0, S1, heartbeat(S0, 1, 0, at(1, 1)));
        play.set_reading(S1, true);
        play.apply(S1, &command(1, 1));
        play.sleep_ms(2000);
    });
}

#[test]
fn nothing_is_owed_when_schedules_are_hostile() {
    holds_when_hostile(|play| {
        committed(play);
        play.sleep_ms(60_000);
    });
}

#[test]
fn a_snapshot_delivers_what_it_covers() {
    holds(|play| {
        committed(play);
        play.apply(S0, &command(1, 1));
        play.apply(S1, &snapshot(at(1, 1)));
        play.sleep_ms(2000);
    });
}

#[test]
fn a_server_is_owed_nothing_that_its_snapshot_has() {
    holds(|play| {
        committed(play);
        play.apply(S0, &command(1, 1));
        play.apply(S1, &command(1, 1));
        play.crash(S1);
        play.boot_from(S1, 1, at(1, 1));
        let told = play.deliver(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
        play.reply(told, append_reply(1, true));
        play.sleep_ms(2000);
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
    });
}

#[test]
fn a_follower_knows_what_a_snapshot_covers_to_be_committed() {
    let message = breaks("AppliedPromptly", |play| {
        committed(play);
        play.apply(S0, &command(1, 1));
        play.apply(S1, &command(1, 1));
        play.save_snapshot(S0, at(1, 1));
        play.save_vote(S2, 1, None);
        let offered = play.deliver(S0, S2, install(S0, 1, at(1, 1)));
        play.save_snapshot(S2, at(1, 1));
        play.reply(offered, append_reply(1, true));
        play.sleep_ms(1100);
    });
    assert!(message.starts_with("S2 has known"), "{message}");
}
