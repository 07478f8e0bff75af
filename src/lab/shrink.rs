//! Makes a failing run smaller: fewer steps of the scenario, stalls, faults and switches, shorter
//! pauses and waits.
//!
//! A smaller run leaves out some of the choices that its seed makes ([`Kept`]). It counts if it
//! fails in the same way and makes no more calls. The search first tries other tests, then a few
//! steps with other seeds, then other seeds, since one of them may fail much sooner. Then it leaves
//! out choices, one kind after the other: all of them, halves, quarters (delta debugging; Zeller
//! and Hildebrandt, 2002), until it finds no smaller run. A run with shorter waits counts only if
//! it fails with the long ones too.

use super::cluster::WAITS_IN_VAIN;
use super::{Design, Report, Scenario, run_scenario};
use crate::runtime::{Choice, FailureKind, Kept, Numbers, RunConfig};

/// Number of other seeds that are tried.
const SEEDS: u64 = 200;

/// The shares of the steps that are tried with other seeds: one of 256, and so on.
const SHARES: [u64; 4] = [256, 64, 16, 4];

/// Number of seeds with which each share is tried.
const SEEDS_OF_A_SHARE: u64 = 40;

/// Number of seeds with which each other test is tried.
const SEEDS_OF_OTHERS: u64 = 3;

/// Maximum number of passes over all kinds of choices: once choices of one kind are left out, the
/// failure may no longer need some choices of another kind.
const PASSES: usize = 3;

/// A failing run, and the smallest one found that fails in the same way.
#[derive(Debug)]
#[non_exhaustive]
pub struct Shrunk {
    /// The run as it was.
    pub before: Report,
    /// The smallest run.
    pub after: Report,
    /// How many runs were tried.
    pub tried: u64,
}

/// Looks for a smaller run that fails as the run with `config` does; `None` if that run does not
/// fail. Stops when `go_on` returns false; before each run it gets the smallest one so far, and the
/// number of runs tried.
///
/// The smallest run may be of one of the tests in `others`, if an observer reports the same rule
/// there, or if the code under test panics or hangs at the same place. A check or a limit of a test
/// means something else in another test, so it does not count.
///
/// On the virtual clock only: on the real clock no run can be repeated.
pub fn shrink<'a>(
    scenario: &'a Scenario,
    others: &[&'a Scenario],
    design: &'a Design,
    config: &'a RunConfig,
    go_on: impl FnMut(&Report, u64) -> bool,
) -> Option<Shrunk> {
    let before = run_scenario(scenario, design, config);
    before.failure.as_ref()?;
    let best = before.clone();
    let mut search = Search { scenario, design, config, best, tried: 0, go_on, over: false };
    search.try_others(others);
    search.try_first_steps();
    search.try_seeds();
    search.leave_out();
    Some(Shrunk { before, after: search.best, tried: search.tried })
}

/// Whether both runs failed because of the same rule, limit or check, at the same place.
fn alike(one: &Report, other: &Report) -> bool {
    let what = |report: &Report| {
        let failure = report.failure.as_ref()?;
        Some((failure.kind, failure.name.clone(), failure.place.clone()))
    };
    what(one) == what(other)
}

/// Whether a run of another test broke the same rule, or failed at the same place of the code under
/// test.
fn alike_elsewhere(one: &Report, other: &Report) -> bool {
    is_general(one) && alike(one, other)
}

/// Whether the failure means the same in any test. A check or a limit of a test does not.
fn is_general(report: &Report) -> bool {
    report.failure.as_ref().is_some_and(|failure| match failure.kind {
        FailureKind::Observer => true,
        FailureKind::Panic | FailureKind::Deadlock | FailureKind::Livelock => {
            failure.label.is_some() && !failure.place.is_empty()
        }
        FailureKind::Assertion | FailureKind::Limit => false,
    })
}

/// Whether both runs waited in vain for the same thing, as far as their messages tell: a command at
/// all, or an index on a number of servers.
fn is_same_wait(one: &Report, other: &Report) -> bool {
    let awaited = |report: &Report| {
        let failure = report.failure.as_ref()?;
        let names_it = ["no_agreement", "wait"].contains(&failure.name.as_str());
        names_it.then(|| failure.message.split(": ").next().map(str::to_string))
    };
    awaited(one).is_some_and(|it| Some(it) == awaited(other))
}

fn is_wait_in_vain(report: &Report) -> bool {
    let failure = report.failure.as_ref();
    failure.is_some_and(|failure| WAITS_IN_VAIN.contains(&failure.name.as_str()))
}

struct Search<'a, G> {
    scenario: &'a Scenario,
    design: &'a Design,
    config: &'a RunConfig,
    best: Report,
    tried: u64,
    go_on: G,
    /// Whether `go_on` has returned false.
    over: bool,
}

impl<'a, G: FnMut(&Report, u64) -> bool> Search<'a, G> {
    /// Runs once; `None` if there is no time left.
    fn run(&mut self, seed: u64, kept: Kept) -> Option<Report> {
        self.run_of(self.scenario, seed, kept)
    }

    /// Runs one of the tests once; `None` if there is no time left.
    fn run_of(&mut self, scenario: &Scenario, seed: u64, kept: Kept) -> Option<Report> {
        self.over = self.over || !(self.go_on)(&self.best, self.tried);
        if self.over {
            return None;
        }
        self.tried += 1;
        let config = RunConfig { seed, kept, record: false, ..self.config.clone() };
        Some(run_scenario(scenario, self.design, &config))
    }

    /// Looks for the test in which the same rule breaks with the fewest calls.
    fn try_others(&mut self, others: &[&'a Scenario]) {
        if !self.config.kept.is_all() {
            return;
        }
        for scenario in others.iter().filter(|other| other.name != self.scenario.name) {
            for ahead in 0..SEEDS_OF_OTHERS {
                let seed = self.config.seed.wrapping_add(ahead);
                let Some(report) = self.run_of(scenario, seed, Kept::default()) else { return };
                if alike_elsewhere(&report, &self.best) && report.rpcs < self.best.rpcs {
                    self.best = report;
                    self.scenario = scenario;
                }
            }
        }
    }

    /// Looks for a seed whose run fails with only its first steps.
    ///
    /// A failure that one run of ten has is rarely still there when some steps are left out. But
    /// short runs cost little, and each of them may fail.
    fn try_first_steps(&mut self) {
        if !self.config.kept.is_all() {
            return;
        }
        let steps = self.best.choices.of(Choice::Step);
        for first in SHARES.map(|share| steps / share).into_iter().filter(|first| *first > 0) {
            let kept = Kept::default().with(Choice::Step, Numbers::only(0..first));
            for ahead in 0..SEEDS_OF_A_SHARE {
                let seed = self.config.seed.wrapping_add(ahead);
                let Some(report) = self.run(seed, kept.clone()) else { return };
                if alike(&report, &self.best) && report.rpcs < self.best.rpcs {
                    self.best = report;
                }
            }
            if !self.best.kept.is_all() {
                return;
            }
        }
    }

    /// Looks for the seed whose run fails with the fewest calls.
    fn try_seeds(&mut self) {
        if !self.config.kept.is_all() || !self.best.kept.is_all() {
            // The numbers of the kept choices mean something else under another seed.
            return;
        }
        for ahead in 1..=SEEDS {
            let seed = self.config.seed.wrapping_add(ahead);
            let Some(report) = self.run(seed, Kept::default()) else { return };
            if alike(&report, &self.best) && report.rpcs < self.best.rpcs {
                self.best = report;
            }
        }
    }

    /// Leaves out choices of each kind, as many as it can; first the long waits, so that the other
    /// tries take less time.
    ///
    /// A pause is left out only if the failure cannot rely on it, as a check of the test may.
    fn leave_out(&mut self) {
        self.leave_out_of(Choice::Wait);
        let others = Choice::ALL.into_iter().filter(|choice| match choice {
            Choice::Wait => false,
            Choice::Pause => is_general(&self.best) || is_wait_in_vain(&self.best),
            Choice::Step | Choice::Stall | Choice::Switch | Choice::Fault => true,
        });
        let others: Vec<Choice> = others.collect();
        for _ in 0..PASSES {
            let before = self.best.kept.clone();
            for &choice in &others {
                self.leave_out_of(choice);
            }
            if self.over || self.best.kept == before {
                return;
            }
        }
    }

    /// Leaves out choices of one kind: all, then smaller and smaller parts.
    fn leave_out_of(&mut self, choice: Choice) {
        let mut numbers = self.numbers(choice);
        if numbers.is_empty() || self.try_with(choice, &[]) {
            return;
        }
        let mut parts = 2;
        while !self.over && numbers.len() > 1 {
            let size = numbers.len().div_ceil(parts);
            // Begin at the end: to leave out a late choice does not change the run before it.
            let smaller = (0..numbers.len().div_ceil(size)).rev().find_map(|part| {
                let gone = part * size..(part * size + size).min(numbers.len());
                let rest = [&numbers[..gone.start], &numbers[gone.end..]].concat();
                self.try_with(choice, &rest).then(|| self.numbers(choice))
            });
            match smaller {
                Some(smaller) => {
                    numbers = smaller;
                    parts = (parts - 1).max(2);
                }
                None if size == 1 => return,
                None => parts *= 2,
            }
        }
    }

    /// The numbers of the choices of this kind that the smallest run makes and keeps.
    fn numbers(&self, choice: Choice) -> Vec<u64> {
        let kept = self.best.kept.of(choice);
        (0..self.best.choices.of(choice)).filter(|number| kept.has(*number)).collect()
    }

    /// Whether the run still fails, with no more calls, if it keeps only these choices of one kind.
    /// If so, it becomes the smallest run.
    fn try_with(&mut self, choice: Choice, numbers: &[u64]) -> bool {
        let numbers = Numbers::only(numbers.iter().copied());
        let kept = self.best.kept.clone().with(choice, numbers);
        let Some(report) = self.run(self.best.seed, kept) else { return false };
        let smaller = alike(&report, &self.best)
            && report.rpcs <= self.best.rpcs
            && self.fails_with_all_waits(&report);
        if smaller {
            self.best = report;
        }
        smaller
    }

    /// Whether the run fails in the same way with waits of full length, and in the same wait. If
    /// not, it fails only because the test does not wait long enough.
    fn fails_with_all_waits(&mut self, short: &Report) -> bool {
        if *short.kept.of(Choice::Wait) == Numbers::All {
            return true;
        }
        let kept = short.kept.clone().with(Choice::Wait, Numbers::All);
        let long = self.run(self.best.seed, kept);
        let is_same = |long: &Report| is_general(short) || is_same_wait(short, long);
        long.is_some_and(|long| alike(&long, &self.best) && is_same(&long))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::ServerId;
    use crate::lab::{Cluster, DESIGNS, steps};
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
        let fails =
            |config: &RunConfig| run_scenario(&chance, &DESIGNS[0], config).failure.is_some();
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
}
