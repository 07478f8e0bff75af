//! Small scenarios that fail, and what is left of them.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::api::ServerId;
use crate::lab::{Cluster, DESIGNS, steps};
use crate::runtime::sync::Mutex;
use crate::runtime::{Schedule, fail, thread};

/// Fails if its third and its seventh command are both there. Stalls do not matter.
fn two_are_too_many(cluster: &mut Cluster) {
    let mut seen = Vec::new();
    for number in steps(0..10) {
        cluster.agree(&format!("command {number}"));
        seen.push(number);
    }
    if seen.contains(&2) && seen.contains(&6) {
        fail(FailureKind::Assertion, "two", format!("{seen:?}"));
    }
}

static TWO: Scenario = Scenario::new("two_2b", two_are_too_many).servers(3);

#[test]
fn only_what_the_failure_needs_is_left() {
    let shrunk = shrink(&TWO, &[], &DESIGNS[0], &RunConfig::default(), |_, _| true).unwrap();
    let failure = shrunk.after.failure.as_ref().unwrap();
    assert_eq!((failure.name.as_str(), failure.message.as_str()), ("two", "[2, 6]"));
    assert_eq!(shrunk.after.kept.of(Choice::Step), &Numbers::only([2, 6]));
    assert!(shrunk.after.rpcs < shrunk.before.rpcs, "{} calls", shrunk.after.rpcs);
}

/// Breaks a rule at the end, with one seed of thirty or so, and with other seeds if it leaves
/// out a step.
fn breaks_by_chance(cluster: &mut Cluster) {
    for _ in steps(0..200) {
        cluster.draw(30);
        cluster.sleep_ms(50);
    }
    if cluster.draw(30) == 0 {
        fail(FailureKind::Observer, "TheRule", "it is broken".to_string());
    }
}

#[test]
fn few_steps_with_another_seed_are_found() {
    let chance = Scenario::new("chance_2b", breaks_by_chance).servers(3);
    let mut seeds = (1..).map(|seed| RunConfig { seed, ..in_turn() });
    let fails = |config: &RunConfig| run_scenario(&chance, &DESIGNS[0], config).failure.is_some();
    let late = seeds.find(fails).unwrap();
    let shrunk = shrink(&chance, &[], &DESIGNS[0], &late, |_, _| true).unwrap();
    assert!(shrunk.after.elapsed < Duration::from_secs(1), "{:?}", shrunk.after.elapsed);
}

#[test]
fn the_smaller_run_is_repeated_by_its_line() {
    let shrunk = shrink(&TWO, &[], &DESIGNS[0], &RunConfig::default(), |_, _| true).unwrap();
    let (after, line) = (&shrunk.after, shrunk.after.replay_line());
    let (_, kept) = line.split_once(" --keep ").unwrap();
    let kept = kept.parse().unwrap();
    let config = RunConfig { seed: after.seed, kept, ..RunConfig::default() };
    assert_eq!(run_scenario(&TWO, &DESIGNS[0], &config).hash, after.hash);
}

/// Fails once there is a snapshot.
fn needs_a_snapshot(cluster: &mut Cluster, kind: FailureKind) {
    for number in steps(0..20) {
        cluster.agree(&format!("command {number}"));
    }
    cluster.sleep_ms(100);
    if cluster.snapshot_size() > 0 {
        fail(kind, "TheRule", "it is broken".to_string());
    }
}

#[test]
fn one_command_makes_a_snapshot_unless_the_test_itself_judges() {
    let rule = |cluster: &mut Cluster| needs_a_snapshot(cluster, FailureKind::Observer);
    let check = |cluster: &mut Cluster| needs_a_snapshot(cluster, FailureKind::Assertion);
    for (story, left) in [(rule as fn(&mut Cluster), 1), (check, 9)] {
        let story = Scenario::new("snapshot_2d", story).servers(3);
        let shrunk = shrink(&story, &[], &DESIGNS[0], &in_turn(), |_, _| true).unwrap();
        let steps = shrunk.after.kept.of(Choice::Step);
        let kept = (0..20).filter(|number| steps.has(*number)).count();
        assert_eq!(kept, left, "{steps:?}");
        let line = shrunk.after.replay_line();
        let kept = line.split_once(" --keep ").unwrap().1.parse().unwrap();
        let config = RunConfig { seed: shrunk.after.seed, kept, ..in_turn() };
        assert_eq!(run_scenario(&story, &DESIGNS[0], &config).hash, shrunk.after.hash);
    }
}

/// Breaks a rule after `commands` commands.
fn breaks_a_rule(cluster: &mut Cluster, commands: u32, kind: FailureKind) {
    for number in 0..commands {
        cluster.agree(&format!("command {number}"));
    }
    fail(kind, "TheRule", "it is broken".to_string());
}

#[test]
fn another_test_counts_if_the_same_rule_breaks_there() {
    let long = |cluster: &mut Cluster| breaks_a_rule(cluster, 9, FailureKind::Observer);
    let short = |cluster: &mut Cluster| breaks_a_rule(cluster, 1, FailureKind::Observer);
    let check = |cluster: &mut Cluster| breaks_a_rule(cluster, 0, FailureKind::Assertion);
    let [long, short, check] =
        [("long_2b", long as fn(&mut Cluster)), ("short_2b", short), ("check_2b", check)]
            .map(|(name, story)| Scenario::new(name, story).servers(3));
    let config = RunConfig::default();
    let shrunk = shrink(&long, &[&check, &short], &DESIGNS[0], &config, |_, _| true).unwrap();
    assert_eq!((shrunk.before.test, shrunk.after.test), ("long_2b", "short_2b"));
    let check_again = shrink(&check, &[&short], &DESIGNS[0], &config, |_, _| true).unwrap();
    assert_eq!(check_again.after.test, "check_2b", "a check belongs to its test");
}

/// Breaks a rule soon, with one seed of ten.
fn breaks_rarely(cluster: &mut Cluster) {
    cluster.agree("x");
    if cluster.draw(10) == 0 {
        fail(FailureKind::Observer, "TheRule", "it is broken".to_string());
    }
}

#[test]
fn a_cheap_test_is_tried_with_more_seeds() {
    let long = |cluster: &mut Cluster| breaks_a_rule(cluster, 30, FailureKind::Observer);
    let long = Scenario::new("long_2b", long).servers(3);
    let rare = Scenario::new("rare_2b", breaks_rarely).servers(3);
    let fails = |seed: u64| {
        let config = RunConfig { seed, ..RunConfig::default() };
        run_scenario(&rare, &DESIGNS[0], &config).failure.is_some()
    };
    let late = |seed: &u64| !(*seed..seed + 3).any(fails) && (seed + 3..seed + 30).any(fails);
    let config = RunConfig { seed: (1..).find(late).unwrap(), ..RunConfig::default() };
    let shrunk = shrink(&long, &[&rare], &DESIGNS[0], &config, |_, _| true).unwrap();
    assert_eq!((shrunk.before.test, shrunk.after.test), ("long_2b", "rare_2b"));
}

/// A server's task waits for a lock that another one never gives back.
fn waits_for_a_lock(cluster: &mut Cluster) {
    let lock = Arc::new(Mutex::new(()));
    let of_server = |name: &'static str, span_s: u64| {
        let lock = lock.clone();
        let job = move || {
            let _held = lock.lock();
            thread::sleep(Duration::from_secs(span_s));
        };
        thread::under_test(0, || drop(thread::spawn(name, job)));
    };
    of_server("holder", 3600);
    cluster.sleep_ms(100);
    of_server("waiter", 0);
    cluster.sleep_ms(20_000);
}

#[test]
fn a_wait_for_a_lock_becomes_shorter() {
    let locked = Scenario::new("locked_2b", waits_for_a_lock).servers(3);
    let shrunk = shrink(&locked, &[], &DESIGNS[0], &in_turn(), |_, _| true).unwrap();
    let (before, after) = (&shrunk.before, &shrunk.after);
    assert_eq!(after.failure.as_ref().unwrap().name, "lock_wait");
    assert!(before.elapsed > Duration::from_secs(10), "{:?}", before.elapsed);
    assert!(after.elapsed < Duration::from_secs(1), "{:?}", after.elapsed);
}

/// Wants a command on all servers although one is cut off; then waits for what comes late.
fn waits_in_vain(cluster: &mut Cluster) {
    for _ in steps(0..4) {
        cluster.agree("x");
    }
    let leader = cluster.check_one_leader();
    cluster.disconnect(cluster.after(leader, 1));
    cluster.one(b"y", 3, true);
}

/// Without stalls and switches there is less to leave out.
fn in_turn() -> RunConfig {
    RunConfig { schedule: Schedule::Fifo, ..RunConfig::default() }
}

/// Breaks a rule after a pause that it does not need.
fn pauses(cluster: &mut Cluster) {
    cluster.agree("x");
    cluster.sleep_ms(2000);
    fail(FailureKind::Observer, "TheRule", "it is broken".to_string());
}

/// Fails a check of its own after a pause.
fn pauses_and_checks(cluster: &mut Cluster) {
    cluster.agree("x");
    cluster.sleep_ms(2000);
    fail(FailureKind::Assertion, "check", "it is wrong".to_string());
}

/// Waits in vain after a pause.
fn pauses_and_waits(cluster: &mut Cluster) {
    let leader = cluster.check_one_leader();
    cluster.disconnect(cluster.after(leader, 1));
    cluster.sleep_ms(3000);
    cluster.one(b"y", 3, true);
}

#[test]
fn a_pause_becomes_shorter_if_a_rule_broke_and_no_check_of_the_test() {
    let config = in_turn();
    let virtual_s = |story: fn(&mut Cluster)| {
        let scenario = Scenario::new("pauses_2b", story).servers(3);
        shrink(&scenario, &[], &DESIGNS[0], &config, |_, _| true).unwrap().after.elapsed
    };
    assert!(virtual_s(pauses) < Duration::from_secs(1));
    assert!(virtual_s(pauses_and_checks) > Duration::from_secs(2));
    assert!(virtual_s(pauses_and_waits) < Duration::from_millis(1500), "0.5 s are the wait");
}

#[test]
fn a_wait_in_vain_becomes_shorter() {
    let vain = Scenario::new("vain_2b", waits_in_vain).servers(3);
    let shrunk = shrink(&vain, &[], &DESIGNS[0], &in_turn(), |_, _| true).unwrap();
    let (before, after) = (&shrunk.before, &shrunk.after);
    assert_eq!(after.failure.as_ref().unwrap().name, "no_agreement");
    assert_eq!(after.kept.of(Choice::Wait), &Numbers::only([]));
    assert_eq!(after.kept.of(Choice::Step), &Numbers::only([]));
    assert!(after.elapsed * 2 < before.elapsed, "{:?}, {:?}", before.elapsed, after.elapsed);
}

fn connect_after(cluster: &Cluster, server: ServerId, span_ms: u64) {
    let cluster = cluster.clone();
    let connect = move || {
        cluster.sleep_ms(span_ms);
        cluster.connect(server);
    };
    drop(thread::spawn("healer", connect));
}

/// Wants a command on a server that is cut off: for ever with its only step, else for 3 s.
fn needs_its_step(cluster: &mut Cluster) {
    let leader = cluster.check_one_leader();
    let follower = cluster.after(leader, 1);
    cluster.disconnect(follower);
    if steps([()]).next().is_none() {
        connect_after(cluster, follower, 3000);
    }
    cluster.one(b"late", 3, true);
}

#[test]
fn a_run_that_only_lacks_patience_does_not_count() {
    let late = Scenario::new("late_2b", needs_its_step).servers(3);
    let shrunk = shrink(&late, &[], &DESIGNS[0], &in_turn(), |_, _| true).unwrap();
    assert_eq!(shrunk.after.kept.of(Choice::Wait), &Numbers::only([]));
    assert_eq!(shrunk.after.kept.of(Choice::Step), &Numbers::All, "the step is the reason");
}

/// Waits a second for one command, which comes, then for another one, which never comes.
fn waits_twice(cluster: &mut Cluster) {
    let leader = cluster.check_one_leader();
    let follower = cluster.after(leader, 1);
    cluster.disconnect(follower);
    connect_after(cluster, follower, 1000);
    cluster.one(b"late", 3, true);
    cluster.disconnect(follower);
    cluster.one(b"never", 3, true);
}

#[test]
fn the_wait_that_is_left_is_the_one_that_was_in_vain() {
    let twice = Scenario::new("twice_2b", waits_twice).servers(3);
    let shrunk = shrink(&twice, &[], &DESIGNS[0], &in_turn(), |_, _| true).unwrap();
    let message = &shrunk.after.failure.as_ref().unwrap().message;
    assert!(message.starts_with("\"never\""), "{message}");
}

#[test]
fn a_search_ends_when_it_is_told_to() {
    let soon = |_: &Report, tried: u64| tried < 3;
    let shrunk = shrink(&TWO, &[], &DESIGNS[0], &RunConfig::default(), soon).unwrap();
    assert_eq!(shrunk.tried, 3);
    assert!(shrunk.after.failure.is_some(), "what there is so far");
}

#[test]
fn what_does_not_fail_is_not_made_smaller() {
    fn calm(cluster: &mut Cluster) {
        cluster.agree("x");
    }
    let calm = Scenario::new("calm_2b", calm).servers(3);
    assert!(shrink(&calm, &[], &DESIGNS[0], &RunConfig::default(), |_, _| true).is_none());
}
