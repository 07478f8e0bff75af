//! A campaign: many runs on several OS threads.
//!
//! Runs are started seed by seed: every test with the first seed, then every test with the second.
//! So when a campaign ends early, all tests have been run about equally often. Reports arrive in
//! the order in which runs end; a caller that needs another order sorts them by seed.

#![allow(
    clippy::disallowed_methods,
    reason = "this code is outside any run: its task is to hand whole runs to OS threads"
)]

use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};

use crate::lab::{self, Design, Report, Scenario};
use crate::runtime::{Failure, FailureKind, RunConfig};

use crate::cli::exit::{Status, Trouble};
use crate::cli::interrupt;
use crate::cli::shard::Shard;

/// Number of OS threads, left behind by runs, at which the campaign ends.
const THREADS_LEFT_MAX: u64 = 16;

/// When a campaign is over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// Every test has had this many runs.
    Runs(NonZeroU64),
    /// This many runs have failed.
    Failures(NonZeroU64),
}

/// The runs to do.
pub(super) struct Campaign {
    /// The tests.
    pub tests: Vec<&'static Scenario>,
    /// The design that they run on.
    pub design: &'static Design,
    /// Clock and schedule, and the first seed.
    pub config: RunConfig,
    /// Runs at a time.
    pub jobs: u16,
    /// When to stop.
    pub until: Until,
    /// Whether to stop at the first failure.
    pub fail_fast: bool,
    /// The only shard to do, if not all runs. A shard goes test by test.
    pub shard: Option<Shard>,
}

impl Campaign {
    /// The place of the test and the number of the seed of run `number`; `None` if there are fewer
    /// runs.
    fn run(&self, number: u64) -> Option<(usize, u64)> {
        let tests = self.tests.len() as u64;
        let (place, round) = match (self.shard, self.until) {
            (Some(shard), Until::Runs(runs)) => shard.run(number, runs),
            _ => (number % tests, number / tests),
        };
        let over = place >= tests || matches!(self.until, Until::Runs(runs) if round >= runs.get());
        let place = usize::try_from(place).ok()?;
        (!over).then_some((place, round))
    }

    /// The number of all runs; `None` if the campaign ends with failures.
    pub(super) fn runs(&self) -> Option<u64> {
        let runs = (0..self.tests.len()).map(|place| self.runs_of(place));
        runs.reduce(|one, two| Some(one?.saturating_add(two?))).flatten()
    }

    /// The number of runs of the test at `place`; `None` if the campaign ends with failures.
    pub(super) fn runs_of(&self, place: usize) -> Option<u64> {
        let place = place as u64;
        match (self.shard, self.until) {
            (_, Until::Failures(_)) => None,
            (None, Until::Runs(runs)) => Some(runs.get()),
            (Some(shard), Until::Runs(runs)) => {
                Some(shard.runs_before(place + 1, runs) - shard.runs_before(place, runs))
            }
        }
    }
}

/// A message to the thread that collects the reports.
enum Message {
    Ended(Box<Report>),
    Broken(String),
    NothingLeft,
    CtrlC,
}

/// The progress of all workers together.
struct Desk {
    campaign: Campaign,
    /// Number of runs that were started.
    taken: AtomicU64,
    /// Number of runs that failed.
    failed: AtomicU64,
    /// Number of runs that could not be judged.
    undecided: AtomicU64,
    /// The sum of [`left_behind`] over all runs.
    left_behind: AtomicU64,
}

/// Counts the OS threads that a run left behind and that cannot be ended. [`THREADS_LEFT_MAX`]
/// limits their sum. A thread that may spin counts as the whole limit, since it takes a processor
/// from every later run.
fn left_behind(report: &Report) -> u64 {
    let livelock = |failure: &Failure| failure.kind == FailureKind::Livelock;
    match (report.thread_left, report.failure.as_ref().is_some_and(livelock)) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => THREADS_LEFT_MAX,
    }
}

/// Finds the run after which the number of threads left behind reached the limit, so that the
/// campaign ended.
#[derive(Default)]
pub(super) struct LeftBehind {
    count: u64,
    last_straw: Option<String>,
}

impl LeftBehind {
    /// Counts the thread that the next report's run left behind, if any.
    pub(super) fn add(&mut self, report: &Report) {
        let before = self.count;
        self.count += left_behind(report);
        if before < THREADS_LEFT_MAX && self.count >= THREADS_LEFT_MAX {
            self.last_straw = Some(report.replay_line());
        }
    }

    /// The command line that repeats the run after which the campaign ended early, if there is one.
    pub(super) fn last_straw(&self) -> Option<&str> {
        self.last_straw.as_deref()
    }
}

impl Desk {
    fn of(campaign: Campaign) -> Desk {
        let zero = || AtomicU64::new(0);
        Desk { campaign, taken: zero(), failed: zero(), undecided: zero(), left_behind: zero() }
    }

    /// The next run: a test and a seed.
    fn take(&self) -> Option<(&'static Scenario, RunConfig)> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let (place, round) = self.campaign.run(number)?;
        let failed = self.failed.load(Ordering::Relaxed);
        let over =
            matches!(self.campaign.until, Until::Failures(failures) if failed >= failures.get());
        let stop = self.campaign.fail_fast && failed > 0;
        if over || stop || self.left_behind.load(Ordering::Relaxed) >= THREADS_LEFT_MAX {
            return None;
        }
        let seed = self.campaign.config.seed.wrapping_add(round);
        Some((self.campaign.tests[place], RunConfig { seed, ..self.campaign.config.clone() }))
    }

    /// Does runs until none is left.
    fn work(&self, results: &Sender<Message>) {
        while let Some((test, config)) = self.take() {
            let run = || lab::run_scenario(test, self.campaign.design, &config);
            let message = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(report) => {
                    let (failed, undecided) =
                        (report.failure.is_some(), report.undecided.is_some());
                    self.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
                    self.undecided.fetch_add(u64::from(undecided), Ordering::Relaxed);
                    self.left_behind.fetch_add(left_behind(&report), Ordering::Relaxed);
                    Message::Ended(Box::new(report))
                }
                Err(_) => Message::Broken(format!("{} with seed {}", test.name, config.seed)),
            };
            if results.send(message).is_err() {
                return;
            }
        }
        let _ = results.send(Message::NothingLeft);
    }
}

/// Runs the campaign, and gives every report to `each`. Ctrl-C ends the campaign at once and
/// abandons the unfinished runs, since the process ends soon.
pub(super) fn run(
    campaign: Campaign,
    each: impl FnMut(Report) -> Result<(), Trouble>,
) -> Result<Status, Trouble> {
    let (results, inbox) = std::sync::mpsc::channel();
    interrupt::watch(results.clone(), || Message::CtrlC)?;
    collect(campaign, &results, &inbox, each)
}

fn collect(
    campaign: Campaign,
    results: &Sender<Message>,
    inbox: &Receiver<Message>,
    mut each: impl FnMut(Report) -> Result<(), Trouble>,
) -> Result<Status, Trouble> {
    let mut working = campaign.jobs;
    let desk = Arc::new(Desk::of(campaign));
    for number in 0..working {
        let (desk, results) = (desk.clone(), results.clone());
        std::thread::Builder::new()
            .name(format!("job {number}"))
            .spawn(move || desk.work(&results))
            .map_err(|error| {
                Trouble::Machine(format!("no thread for job {number} ({error}); lower --jobs"))
            })?;
    }
    while working > 0 {
        match inbox.recv().expect("our own sender is alive") {
            Message::Ended(report) => each(*report)?,
            Message::Broken(run) => {
                let advice = "its panic message says why; fewer --jobs need fewer threads";
                return Err(Trouble::Machine(format!("{run} could not be run; {advice}")));
            }
            Message::NothingLeft => working -= 1,
            Message::CtrlC => return Ok(Status::Interrupted),
        }
    }
    Ok(match (desk.failed.load(Ordering::Relaxed), desk.undecided.load(Ordering::Relaxed)) {
        (0, 0) => Status::Passed,
        (0, _) => Status::Undecided,
        _ => Status::Failed,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::channel;

    use crate::lab::{DESIGNS, find_scenario};

    use super::*;

    /// The reference, but its servers never start.
    static BROKEN: Design = Design { name: "broken", make: |_| panic!("no start"), ..DESIGNS[0] };

    /// Tests and seeds of a campaign in the order of arrival, and how it ended.
    fn ran(
        design: &'static Design,
        jobs: u16,
        until: Until,
    ) -> (Vec<(&'static str, u64)>, Result<Status, Trouble>) {
        ran_fast(design, jobs, until, false)
    }

    /// Like [`ran`]; with `fail_fast` the campaign stops at the first failure.
    fn ran_fast(
        design: &'static Design,
        jobs: u16,
        until: Until,
        fail_fast: bool,
    ) -> (Vec<(&'static str, u64)>, Result<Status, Trouble>) {
        let tests = ["basic_agree_2b", "rpc_bytes_2b"].map(|name| find_scenario(name).unwrap());
        let config = RunConfig { seed: 5, ..RunConfig::default() };
        let (tests, shard) = (tests.to_vec(), None);
        let campaign = Campaign { tests, design, config, jobs, until, fail_fast, shard };
        let (results, inbox) = channel();
        let mut seen = Vec::new();
        let status = collect(campaign, &results, &inbox, |report| {
            seen.push((report.test, report.seed));
            Ok(())
        });
        (seen, status)
    }

    const fn count(number: u64) -> NonZeroU64 {
        NonZeroU64::new(number).expect("not 0")
    }

    #[test]
    fn every_test_has_a_seed_before_any_has_the_next() {
        let (seen, status) = ran(&DESIGNS[0], 1, Until::Runs(count(2)));
        let (one, other) = ("basic_agree_2b", "rpc_bytes_2b");
        assert_eq!(seen, [(one, 5), (other, 5), (one, 6), (other, 6)]);
        assert_eq!(status.unwrap(), Status::Passed);
    }

    #[test]
    fn every_run_is_done_once_whatever_the_jobs() {
        let (mut seen, _) = ran(&DESIGNS[0], 3, Until::Runs(count(3)));
        seen.sort_unstable_by_key(|&(test, seed)| (seed, test));
        let (in_order, _) = ran(&DESIGNS[0], 1, Until::Runs(count(3)));
        assert_eq!(seen, in_order);
    }

    #[test]
    fn a_run_that_fails_makes_the_campaign_fail() {
        let (seen, status) = ran(&BROKEN, 2, Until::Runs(count(2)));
        assert_eq!((seen.len(), status.unwrap()), (4, Status::Failed));
    }

    #[test]
    fn a_campaign_that_fails_fast_begins_nothing_after_a_failure() {
        let (seen, status) = ran_fast(&BROKEN, 1, Until::Runs(count(2)), true);
        assert_eq!((seen.len(), status.unwrap()), (1, Status::Failed));
        let (seen, status) = ran_fast(&DESIGNS[0], 1, Until::Runs(count(2)), true);
        assert_eq!((seen.len(), status.unwrap()), (4, Status::Passed));
    }

    #[test]
    fn a_campaign_ends_with_the_first_thread_that_spins() {
        static STOP: AtomicBool = AtomicBool::new(false);
        fn spin() -> ! {
            while !STOP.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
            panic!("the campaign is over")
        }
        static SPINNING: Design = Design { name: "spinning", make: |_| spin(), ..DESIGNS[0] };
        let (seen, status) = ran(&SPINNING, 1, Until::Failures(count(3)));
        STOP.store(true, Ordering::Relaxed);
        assert_eq!((seen.len(), status.unwrap()), (1, Status::Failed));
    }

    #[test]
    fn a_campaign_bears_some_threads_that_are_parked() {
        let failed = crate::cli::sample::failed(1);
        let parked = Report { thread_left: true, ..failed.clone() };
        let mut left = LeftBehind::default();
        (1..THREADS_LEFT_MAX).for_each(|_| left.add(&parked));
        left.add(&failed);
        assert_eq!(left.last_straw(), None);
        left.add(&Report { seed: 7, ..parked });
        left.add(&failed);
        assert_eq!(left.last_straw(), Some("raftlab replay figure8_2c --seed 7 --design rpc"));
    }

    #[test]
    fn a_campaign_until_failures_ends_with_them() {
        let (seen, status) = ran(&BROKEN, 1, Until::Failures(count(3)));
        assert_eq!((seen.len(), status.unwrap()), (3, Status::Failed));
    }
}
