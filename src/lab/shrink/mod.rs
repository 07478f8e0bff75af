//! Makes a failing run smaller: fewer steps of the scenario, stalls, faults and switches, fewer
//! entries between snapshots, shorter pauses and waits.
//!
//! A smaller run leaves out some of the choices that its seed makes ([`Kept`]). It counts if it
//! fails in the same way and makes no more calls. The search first tries other tests, then a few
//! steps with other seeds, then other seeds, since one of them may fail much sooner. Then it leaves
//! out choices, one kind after the other: all of them, halves, quarters (delta debugging; Zeller
//! and Hildebrandt, 2002), until it finds no smaller run. A run with shorter waits counts only if
//! it fails with the long ones too.

#[cfg(test)]
mod tests;

use super::cluster::{CHECKED_EVERYWHERE, WAITS_IN_VAIN};
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

/// Number of seeds with which another test is tried if it is cheap.
const SEEDS_OF_CHEAP: u64 = 30;

/// A test is cheap if its run makes fewer calls than the failing run, divided by this, or than
/// [`FEW_CALLS`].
const CHEAP: u64 = 4;

/// So many calls take a millisecond.
const FEW_CALLS: u64 = 200;

/// With fewer calls, a failing run is small enough: no other test is tried with many seeds.
const SMALL: u64 = 30;

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
    let failed = before.test;
    let mut search = Search {
        scenario,
        failed,
        design,
        config,
        best,
        smallest: None,
        tried: 0,
        go_on,
        over: false,
    };
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

/// Whether the failure means the same in any test. A limit, or a check of one test, does not.
fn is_general(report: &Report) -> bool {
    report.failure.as_ref().is_some_and(|failure| match failure.kind {
        FailureKind::Observer => true,
        FailureKind::Panic | FailureKind::Deadlock | FailureKind::Livelock => {
            failure.label.is_some() && !failure.place.is_empty()
        }
        FailureKind::Assertion => CHECKED_EVERYWHERE.contains(&failure.name.as_str()),
        FailureKind::Limit => false,
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

/// The run with fewer calls; `other` if both have as many.
fn smaller<'r>(one: Option<&'r Report>, other: &'r Report) -> &'r Report {
    one.filter(|one| one.rpcs < other.rpcs).unwrap_or(other)
}

struct Search<'a, G> {
    /// The test of the smallest run.
    scenario: &'a Scenario,
    /// The name of the test that failed.
    failed: &'static str,
    design: &'a Design,
    config: &'a RunConfig,
    /// The run that is made smaller.
    best: Report,
    /// A run that may be smaller than `best` for a while.
    smallest: Option<Report>,
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
        let smallest = smaller(self.smallest.as_ref(), &self.best);
        self.over = self.over || !(self.go_on)(smallest, self.tried);
        if self.over {
            return None;
        }
        self.tried += 1;
        let config = RunConfig { seed, kept, record: false, ..self.config.clone() };
        Some(run_scenario(scenario, self.design, &config))
    }

    /// Looks for the test in which the same rule breaks with the fewest calls.
    fn try_others(&mut self, others: &[&'a Scenario]) {
        if self.config.kept.is_all() && is_general(&self.best) {
            let mut others = others.to_vec();
            others.retain(|other| other.name != self.scenario.name);
            let _ = self.try_all(&others).and_then(|costs| self.try_cheap(costs));
        }
    }

    /// Tries each test with a few seeds; returns the tests with the mean number of their calls.
    fn try_all(&mut self, others: &[&'a Scenario]) -> Option<Vec<(u64, &'a Scenario)>> {
        let mut costs = Vec::new();
        for scenario in others {
            let mut rpcs = 0;
            for ahead in 0..SEEDS_OF_OTHERS {
                rpcs += self.try_other(scenario, ahead)?;
            }
            costs.push((rpcs / SEEDS_OF_OTHERS, *scenario));
        }
        Some(costs)
    }

    /// Tries the cheap ones of these tests with more seeds, the cheapest first.
    fn try_cheap(&mut self, mut costs: Vec<(u64, &'a Scenario)>) -> Option<()> {
        costs.sort_by_key(|(rpcs, _)| *rpcs);
        for ahead in SEEDS_OF_OTHERS..SEEDS_OF_CHEAP {
            for (rpcs, scenario) in &costs {
                let best = self.best.rpcs;
                if best >= SMALL && *rpcs < FEW_CALLS.max(best / CHEAP) {
                    self.try_other(scenario, ahead)?;
                }
            }
        }
        Some(())
    }

    /// Runs another test once; returns the number of its calls. `None` if there is no time left.
    fn try_other(&mut self, scenario: &'a Scenario, ahead: u64) -> Option<u64> {
        let seed = self.config.seed.wrapping_add(ahead);
        let report = self.run_of(scenario, seed, Kept::default())?;
        let rpcs = report.rpcs;
        // If it saves little, it is better to leave out choices of the test that failed.
        let is_first = self.best.test == self.failed;
        let most = if is_first { self.best.rpcs * 2 / 3 } else { self.best.rpcs };
        if alike_elsewhere(&report, &self.best) && rpcs < most {
            (self.best, self.scenario) = (report, scenario);
        }
        Some(rpcs)
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

    /// Leaves out choices of each kind, as many as it can. Then the same with short gaps between
    /// snapshots: such a run may make more calls at first, but it needs fewer steps.
    ///
    /// Gaps stay if the failure may rely on them, as a check of the test may.
    fn leave_out(&mut self) {
        self.leave_out_of_each();
        if self.numbers(Choice::Gap).is_empty() || !is_general(&self.best) {
            return;
        }
        self.smallest = Some(self.best.clone());
        if self.try_within(u64::MAX, Choice::Gap, &[]) {
            self.leave_out_of_each();
        }
        self.best = smaller(self.smallest.as_ref(), &self.best).clone();
    }

    /// Leaves out choices of each kind but gaps; first the long waits, so that the other tries take
    /// less time.
    ///
    /// A pause is left out only if the failure cannot rely on it, as a check of the test may.
    fn leave_out_of_each(&mut self) {
        self.leave_out_of(Choice::Wait);
        let others = Choice::ALL.into_iter().filter(|choice| match choice {
            Choice::Wait | Choice::Gap => false,
            Choice::Pause => is_general(&self.best) || is_wait_in_vain(&self.best),
            Choice::Step | Choice::Stall | Choice::Switch | Choice::Fault => true,
        });
        let others: Vec<Choice> = others.collect();
        for _ in 0..PASSES {
            let before = self.best.kept.clone();
            for &choice in &others {
                self.leave_out_of(choice);
            }
            self.leave_out_of(Choice::Wait);
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
        self.try_within(self.best.rpcs, choice, numbers)
    }

    /// The same for runs of at most `calls` calls.
    fn try_within(&mut self, calls: u64, choice: Choice, numbers: &[u64]) -> bool {
        let numbers = Numbers::only(numbers.iter().copied());
        let kept = self.best.kept.clone().with(choice, numbers);
        let Some(report) = self.run(self.best.seed, kept) else { return false };
        let smaller = alike(&report, &self.best)
            && report.rpcs <= calls
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
