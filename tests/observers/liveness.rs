//! Tests of the rule that servers apply committed entries within a second, unless stalled.

use std::time::Duration;

use raftlab::runtime;

use super::play::*;

/// Commits an entry, and lets S0 and S1 know the commit index.
fn committed(play: &mut Play) {
    play.let_s0_lead(1);
    let told = play.deliver(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
    play.reply(told, append_reply(1, true));
    play.end(told, true);
}

#[test]
fn a_follower_that_applies_nothing_is_noticed() {
    let message = breaks("AppliedPromptly", |play| {
        committed(play);
        play.apply(S0, &command(1, 1));
        play.sleep_ms(1100);
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
    });
    assert!(message.starts_with("S1 has known"), "{message}");
}

#[test]
fn a_leader_that_applies_nothing_is_noticed_at_the_end() {
    let message = breaks("AppliedPromptly", |play| {
        committed(play);
        play.apply(S1, &command(1, 1));
        play.sleep_ms(1100);
    });
    assert!(message.starts_with("S0 has known"), "{message}");
}

#[test]
fn a_run_without_long_waits_shows_it_sooner() {
    let message = breaks_soon("AppliedPromptly", |play| {
        committed(play);
        play.apply(S0, &command(1, 1));
        play.sleep_ms(300);
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
    });
    assert!(message.contains("nothing for 0.2 s in which"), "{message}");
}

#[test]
fn a_server_has_a_second_to_apply_an_entry() {
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
fn a_stalled_server_has_a_second_after_the_stall() {
    holds_though_stalled(|play| {
        play.run_tasks(S1);
        committed(play);
        play.apply(S0, &command(1, 1));
        play.sleep_ms(1100);
        let stalled = runtime::last_stall(S1.0).unwrap_or_default();
        let known = runtime::time::since_start() - Duration::from_millis(1100);
        assert!(stalled > known, "S1 must stall after {known:?}; its last stall: {stalled:?}");
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
        play.apply(S1, &command(1, 1));
    });
}

#[test]
fn a_slow_service_is_no_fault_if_it_applies_an_entry_every_second() {
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
fn servers_that_are_dead_or_not_read_or_know_no_commit_index_need_not_apply() {
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
fn servers_need_not_apply_in_time_under_a_hostile_schedule() {
    holds_when_hostile(|play| {
        committed(play);
        play.sleep_ms(60_000);
    });
}

#[test]
fn an_applied_snapshot_counts_as_the_entries_that_it_covers() {
    holds(|play| {
        committed(play);
        play.apply(S0, &command(1, 1));
        play.apply(S1, &snapshot(at(1, 1)));
        play.sleep_ms(2000);
    });
}

#[test]
fn a_server_need_not_apply_entries_that_its_snapshot_covers() {
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
fn a_follower_knows_that_entries_in_a_snapshot_are_committed() {
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
