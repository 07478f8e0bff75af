//! Many runs on several OS threads.
//!
//! Runs are handed out seed by seed, every test with the first seed, then every test with the
//! second: whatever ends a campaign early, all tests have been tried about equally often. Results
//! arrive as they come; whoever needs an order sorts by seed.

use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use raftlab::lab::{self, Design, Report, Scenario};
use raftlab::runtime::RunConfig;

use crate::exit::{Status, Trouble};

/// When a campaign is over.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// Every test has had this many runs.
    Runs(NonZeroU64),
    /// This many runs have failed.
    Failures(NonZeroU64),
}

/// What to run.
pub struct Campaign {
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
}

/// What reaches the thread that collects.
enum Message {
    Ended(Box<Report>),
    Broken(String),
    NothingLeft,
    CtrlC,
}

/// Where the workers stand, together.
struct Desk {
    campaign: Campaign,
    /// How many runs have been handed out.
    taken: AtomicU64,
    /// How many runs have failed.
    failed: AtomicU64,
}

impl Desk {
    /// The next run: a test and a seed.
    fn take(&self) -> Option<(&'static Scenario, RunConfig)> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let count = self.campaign.tests.len() as u64;
        let (round, place) = (number / count, number % count);
        let over = match self.campaign.until {
            Until::Runs(runs) => round >= runs.get(),
            Until::Failures(failures) => self.failed.load(Ordering::Relaxed) >= failures.get(),
        };
        if over {
            return None;
        }
        let seed = self.campaign.config.seed.wrapping_add(round);
        let place = usize::try_from(place).expect("less than the number of tests");
        Some((self.campaign.tests[place], RunConfig { seed, ..self.campaign.config.clone() }))
    }

    /// Does runs until none is left.
    fn work(&self, results: &Sender<Message>) {
        while let Some((test, config)) = self.take() {
            let run = || lab::run_scenario(test, self.campaign.design, &config);
            let message = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(report) => {
                    self.failed.fetch_add(u64::from(!report.ok), Ordering::Relaxed);
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

/// Runs the campaign, and hands every report to `each`. Ctrl-C ends it at once: runs that are
/// under way are given up, since the process ends soon.
#[allow(
    clippy::disallowed_methods,
    reason = "no run is on here: whole runs are handed to OS threads, which is the point"
)]
pub fn run(
    campaign: Campaign,
    mut each: impl FnMut(Report) -> Result<(), Trouble>,
) -> Result<Status, Trouble> {
    let jobs = campaign.jobs;
    let desk = Arc::new(Desk { campaign, taken: AtomicU64::new(0), failed: AtomicU64::new(0) });
    let (results, inbox) = std::sync::mpsc::channel();
    on_ctrl_c(results.clone())?;
    for number in 0..jobs {
        let (desk, results) = (desk.clone(), results.clone());
        std::thread::Builder::new()
            .name(format!("job {number}"))
            .spawn(move || desk.work(&results))
            .map_err(|error| {
                Trouble::Machine(format!("no thread for job {number} ({error}); lower --jobs"))
            })?;
    }

    let mut working = jobs;
    while working > 0 {
        match inbox.recv().expect("the handler of Ctrl-C holds a sender") {
            Message::Ended(report) => each(*report)?,
            Message::Broken(run) => {
                let advice = "what stands above says why; fewer --jobs need fewer threads";
                return Err(Trouble::Machine(format!("{run} could not be run; {advice}")));
            }
            Message::NothingLeft => working -= 1,
            Message::CtrlC => return Ok(Status::Interrupted),
        }
    }
    Ok(if desk.failed.load(Ordering::Relaxed) == 0 { Status::Passed } else { Status::Failed })
}

/// The first Ctrl-C asks for what there is so far; a second one does not wait for it.
fn on_ctrl_c(results: Sender<Message>) -> Result<(), Trouble> {
    let pressed = AtomicBool::new(false);
    let handler = move || {
        if pressed.swap(true, Ordering::Relaxed) || results.send(Message::CtrlC).is_err() {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Trouble::Machine(format!("cannot watch for Ctrl-C: {error}")))
}
