//! Does the runs of a comparison: on several OS threads, or one by one if they measure CPU time.

#![allow(
    clippy::disallowed_methods,
    reason = "this code is outside any run: its task is to hand whole runs to OS threads"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::compare::{Experiment, Value};
use crate::lab::Design;
use crate::runtime::Failure;

use crate::cli::exit::{Status, Trouble};
use crate::cli::interrupt;

/// The runs to do: every experiment on every design with every seed.
pub(super) struct Plan {
    /// The designs, in the order in which they are shown.
    pub designs: Vec<&'static Design>,
    /// The experiments.
    pub experiments: Vec<&'static Experiment>,
    /// The seeds.
    pub seeds: Vec<u64>,
}

/// One run, and its result.
pub(super) struct Run {
    /// The design's position in the plan.
    pub slot: usize,
    /// The experiment.
    pub experiment: &'static Experiment,
    /// The seed.
    pub seed: u64,
    /// The measured values.
    pub outcome: Result<Vec<Value>, Failure>,
}

/// A run that is still to be done.
#[derive(Clone, Copy)]
struct Task {
    slot: usize,
    design: &'static Design,
    experiment: &'static Experiment,
    seed: u64,
}

impl Plan {
    /// Number of runs.
    pub(super) fn len(&self) -> usize {
        self.designs.len() * self.experiments.len() * self.seeds.len()
    }

    /// The runs that need the whole machine, or the runs that do not. The designs take turns, so
    /// that a machine that is slow for a while slows down all of them.
    fn tasks(&self, wants_machine: bool) -> Vec<Task> {
        let mut tasks = Vec::new();
        let wanted = self.experiments.iter().filter(|it| it.wants_machine == wants_machine);
        for &experiment in wanted {
            for &seed in &self.seeds {
                let designs = self.designs.iter().copied().enumerate();
                tasks.extend(designs.map(|(slot, design)| Task { slot, design, experiment, seed }));
            }
        }
        tasks
    }
}

impl Task {
    fn run(self) -> Run {
        let Task { slot, design, experiment, seed } = self;
        Run { slot, experiment, seed, outcome: experiment.run(design, seed) }
    }
}

/// A message to the thread that collects the results.
enum Message {
    Ended(Box<Run>),
    /// A run that could not even begin: the panic's message says why.
    Broken(String),
    NothingLeft,
    CtrlC,
}

/// One job per core.
pub(super) fn cores() -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    u16::try_from(cores).unwrap_or(u16::MAX)
}

/// Does the runs of `plan`, and gives each to `take`, which returns whether the run succeeded. Does
/// `jobs` runs at a time, but only one if it needs the whole machine.
pub(super) fn run(
    plan: Plan,
    jobs: u16,
    mut take: impl FnMut(Run) -> bool,
) -> Result<Status, Trouble> {
    let (results, inbox) = channel();
    interrupt::watch(results.clone(), || Message::CtrlC)?;
    let mut status = Status::Passed;
    for (tasks, jobs) in [(plan.tasks(false), jobs), (plan.tasks(true), 1)] {
        start(tasks, jobs, &results)?;
        match collect(&inbox, jobs, &mut take)? {
            Status::Passed => {}
            Status::Interrupted => return Ok(Status::Interrupted),
            other => status = other,
        }
    }
    Ok(status)
}

/// Starts `jobs` threads that do `tasks`.
fn start(tasks: Vec<Task>, jobs: u16, results: &Sender<Message>) -> Result<(), Trouble> {
    let desk = Arc::new((tasks, AtomicUsize::new(0)));
    for number in 0..jobs {
        let (desk, results) = (desk.clone(), results.clone());
        let work = move || {
            let (tasks, taken) = &*desk;
            while let Some(task) = tasks.get(taken.fetch_add(1, Ordering::Relaxed)) {
                let message = match catch_unwind(AssertUnwindSafe(|| task.run())) {
                    Ok(run) => Message::Ended(Box::new(run)),
                    Err(_) => Message::Broken(task.experiment.name.to_string()),
                };
                if results.send(message).is_err() {
                    return;
                }
            }
            // An error means that the collecting thread has ended.
            let _ = results.send(Message::NothingLeft);
        };
        std::thread::Builder::new().name(format!("job {number}")).spawn(work).map_err(|error| {
            Trouble::Machine(format!("no thread for job {number} ({error}); lower --jobs"))
        })?;
    }
    Ok(())
}

/// Collects results until all `working` threads have nothing left to do.
fn collect(
    inbox: &Receiver<Message>,
    mut working: u16,
    take: &mut impl FnMut(Run) -> bool,
) -> Result<Status, Trouble> {
    let mut status = Status::Passed;
    while working > 0 {
        match inbox.recv().expect("our own sender is alive") {
            Message::Ended(run) => {
                if !take(*run) {
                    status = Status::Failed;
                }
            }
            Message::Broken(run) => {
                let advice = "its panic message says why; fewer --jobs need fewer threads";
                return Err(Trouble::Machine(format!("{run} could not be run; {advice}")));
            }
            Message::NothingLeft => working -= 1,
            Message::CtrlC => return Ok(Status::Interrupted),
        }
    }
    Ok(status)
}
