//! Turns: a timer that goes before those that are due sooner.

use std::time::Duration;

use raftlab::runtime::{self, Outcome, Pending, RunConfig, Turn, Turns, channel, thread, time};

const MS: Duration = Duration::from_millis(1);

/// Runs three tasks that sleep for 10, 20 and 30 ms, the first two as servers 1 and 2. Returns when
/// each woke, in the order in which they did.
fn sleepers(config: &RunConfig) -> Outcome<Vec<(u32, Duration)>> {
    runtime::run(config, || {
        let (woke, wakings) = channel::unbounded();
        for number in 1..=3 {
            let woke = woke.clone();
            let sleep = move || {
                thread::sleep(MS * 10 * number);
                woke.send((number, time::since_start())).unwrap();
            };
            let name = format!("sleeper/{number}");
            match number {
                3 => drop(thread::spawn(name, sleep)),
                _ => thread::under_test(number, || drop(thread::spawn(name, sleep))),
            }
        }
        drop(woke);
        let all = wakings.iter().collect();
        assert_eq!(runtime::last_stall(3), None, "no task has the label 3");
        all
    })
}

/// The timers of a run at a moment.
fn pending(config: &RunConfig, at: Duration) -> Vec<Pending> {
    let mut pending = sleepers(&RunConfig { look_at: Some(at), ..config.clone() }).notes.pending;
    pending.retain(|timer| timer.what.contains("sleeper"));
    pending
}

fn with_turn(config: &RunConfig, timer: u64, at: Duration) -> RunConfig {
    RunConfig { turns: Turns::default().then(Turn { timer, at }), ..config.clone() }
}

#[test]
fn the_timers_of_a_moment_are_listed_soonest_first() {
    let config = RunConfig::default();
    let all = pending(&config, MS);
    assert_eq!(all.iter().map(|timer| timer.label).collect::<Vec<_>>(), [Some(1), Some(2), None]);
    assert!(all.is_sorted_by_key(|timer| timer.due), "{all:?}");
    assert!(all[0].what.starts_with("S1 sleeper sleeps at "), "{all:?}");
    assert!(all[0].what.contains("turns.rs:"), "{all:?}");
    assert_eq!(pending(&config, MS * 15).len(), 2, "one is over");
}

#[test]
fn looking_changes_nothing() {
    let config = RunConfig::default();
    let look = RunConfig { look_at: Some(MS * 15), ..config.clone() };
    assert_eq!(sleepers(&look).hash, sleepers(&config).hash);
}

#[test]
fn a_turn_holds_back_what_was_due_sooner_and_nothing_comes_too_soon() {
    let config = RunConfig::default();
    let third = pending(&config, MS * 15)[1].clone();
    let outcome = sleepers(&with_turn(&config, third.timer, MS * 15));
    assert_eq!(outcome.notes.turns_taken, 1);
    let woke = outcome.result.unwrap();
    assert_eq!(woke.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3, 2]);
    let (third_at, second_at) = (woke[1].1, woke[2].1);
    assert!(third_at < MS * 31, "as it would: {third_at:?}");
    // At 10 ms the first one woke. From then on 30 ms took 20 ms more.
    assert!(second_at > MS * 39 && second_at < MS * 41, "held back for 20 ms: {second_at:?}");
}

#[test]
fn a_server_that_is_held_back_is_stalled_and_the_record_says_so() {
    let config = RunConfig { record: true, ..RunConfig::default() };
    let second = pending(&config, MS)[1].timer;
    let stalls = |config: &RunConfig| sleepers(config).notes.stalls;
    let more: Vec<_> = stalls(&with_turn(&config, second, MS))
        .into_iter()
        .filter(|stall| stall.label == 1 && stall.span > MS * 5)
        .collect();
    let [held] = &more[..] else { panic!("{more:?}") };
    assert!(held.at < MS * 11 && held.place.contains("turns.rs"), "{held:?}");
}

#[test]
fn a_run_is_the_same_until_the_turn_and_a_function_of_its_turns() {
    let config = RunConfig::default();
    let third = pending(&config, MS * 15)[1].timer;
    let with = with_turn(&config, third, MS * 15);
    let (one, again) = (sleepers(&with), sleepers(&with));
    assert_eq!(one.hash, again.hash);
    assert_ne!(one.hash, sleepers(&config).hash);
    let first = |outcome: Outcome<Vec<(u32, Duration)>>| outcome.result.unwrap()[0];
    assert_eq!(first(one), first(sleepers(&config)));
}

#[test]
fn a_turn_that_cannot_be_taken_changes_nothing_and_is_not_counted() {
    let config = RunConfig::default();
    let (hash, first) = (sleepers(&config).hash, pending(&config, MS)[0].timer);
    // Over at that time; never set; after the end of the run.
    for (timer, at) in [(first, MS * 15), (1000, MS), (first, MS * 1000)] {
        let outcome = sleepers(&with_turn(&config, timer, at));
        assert_eq!((outcome.hash, outcome.notes.turns_taken), (hash, 0), "{timer} at {at:?}");
    }
}
