//! `raftlab exam`: the runs that a grader asks for, in a process of their own.
//!
//! Only `raftlab grade` calls it. The grader writes one line to standard input, an [`Order`], and
//! reads sealed lines from standard output: a first one, one per run, in order, and a last one.
//! What is missing was not done. The order is read and the first line is written before any code of
//! the server runs. The order is in no argument and in no variable.

mod seal;

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

pub(super) use seal::Key;

use crate::cli::exit::{Status, Trouble};
use crate::cli::program;
use crate::cli::report;
use crate::lab;
use crate::runtime::{RunConfig, Schedule};

/// The line before the first run: from here on, the server can be the cause of what happens.
pub(super) const BEGUN: &str = "begun";

/// The line after the last run.
pub(super) const END: &str = "end";

/// The line after a run that left a thread behind, which would slow down the next run.
pub(super) const LEFT: &str = "left";

/// What the grader asks for.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    /// The digits of the [`Key`].
    pub(super) key: String,
    /// The runs, in order.
    pub(super) runs: Vec<Run>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// The test's name.
    pub(super) test: String,
    /// The seed.
    pub(super) seed: u64,
    /// The schedule's name.
    pub(super) schedule: String,
}

/// Does the runs that standard input orders, until one leaves a thread behind.
pub(super) fn exam() -> Result<Status, Trouble> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(|error| refused(&error.to_string()))?;
    let order: Order = serde_json::from_str(&line).map_err(|error| refused(&error.to_string()))?;
    let key = Key::received(order.key);
    drop(line);
    let design = program::designs().first().expect("main has checked it");
    let count = order.runs.len();
    say(&key.seal(0, BEGUN))?;
    for (number, run) in (1..).zip(&order.runs) {
        let test = lab::find_scenario(&run.test)
            .ok_or_else(|| refused(&format!("no test is called {}", run.test)))?;
        let config = RunConfig { seed: run.seed, schedule: schedule(run)?, ..RunConfig::default() };
        let report = lab::run_scenario(test, design, &config);
        say(&key.seal(number, &report::line(&report)))?;
        if report.thread_left && number < count {
            say(&key.seal(number + 1, LEFT))?;
            return Ok(Status::Passed);
        }
    }
    say(&key.seal(count + 1, END))?;
    Ok(Status::Passed)
}

fn schedule(run: &Run) -> Result<Schedule, Trouble> {
    let all = [Schedule::Fifo, Schedule::Random, Schedule::Hostile];
    let named = all.into_iter().find(|schedule| schedule.to_string() == run.schedule);
    named.ok_or_else(|| refused(&format!("no schedule is called {}", run.schedule)))
}

fn refused(why: &str) -> Trouble {
    Trouble::Input(format!("the order on standard input: {why}; `raftlab grade` writes it"))
}

/// Writes a line. The server may have left one without an end.
fn say(line: &str) -> Result<(), Trouble> {
    let mut output = io::stdout().lock();
    output
        .write_all(format!("\n{line}\n").as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| Trouble::Machine(format!("cannot write to the grader: {error}")))
}
