//! The command line: reads the arguments, calls `lab`, `compare` or `checker`, and prints.
//!
//! Scripts and graders may rely on the arguments (`args`), the exit status (`exit`), the report
//! file (`report_lines`) and a comparison's figures (`compare`). The tables are for people and may
//! change.
//!
//! The program `raftlab` consists of [`main`] and the guard. A program for servers of your own
//! needs the same two lines:
//!
//! ```no_run
//! # use raftlab::lab::Design;
//! # const MINE: Design = raftlab::lab::DESIGNS[0];
//! raftlab::guard!();
//!
//! fn main() -> std::process::ExitCode {
//!     raftlab::cli::main(&[MINE])
//! }
//! ```

mod args;
mod campaign;
mod check;
#[cfg(feature = "solutions")]
mod compare;
mod course;
mod diff;
mod exam;
mod exit;
mod explain;
#[cfg(feature = "solutions")]
mod grade;
#[cfg(feature = "solutions")]
mod handout;
mod hint;
mod history_page;
mod interrupt;
mod list;
mod log;
mod marks;
mod merge;
mod output;
mod program;
mod progress;
mod replay;
mod report;
mod report_lines;
#[cfg(test)]
mod sample;
mod select;
mod shard;
mod shrink;
mod standing;
mod step;
mod table;
mod tally;
mod terminal;
mod test;
mod verdict;
mod view;
mod watch;
#[cfg(feature = "solutions")]
mod zoo;

use std::process::ExitCode;

use args::Action;
use exit::{Status, Trouble};

use crate::lab::Design;
use crate::runtime;

/// Runs the command that the arguments of the process name, on the design of `designs` that
/// `--design` names, by default the first.
///
/// # Panics
/// If `designs` is empty.
pub fn main(designs: &'static [Design]) -> ExitCode {
    assert!(!designs.is_empty(), "give the command line a design: raftlab::cli::main(&[MINE])");
    program::set(designs);
    runtime::keep_freed_memory();
    let status = match args::parse() {
        #[cfg(feature = "solutions")]
        Ok(Action::New(args)) => handout::new(&args),
        Ok(Action::List(list)) => list::list(&list),
        Ok(Action::Explain(args)) => explain::explain(&args),
        Ok(Action::Hint(args)) => hint::hint(&args),
        Ok(Action::Test(test)) => test::test(&test),
        Ok(Action::Merge(args)) => merge::merge(&args),
        Ok(Action::Progress(args)) => standing::progress(args),
        Ok(Action::Replay(replay)) => replay::replay(&replay),
        Ok(Action::Shrink(args)) => shrink::shrink(&args),
        Ok(Action::Step(args)) => step::step(&args),
        Ok(Action::Watch(args)) => watch::watch(&args),
        Ok(Action::Log(args)) => log::log(&args),
        Ok(Action::Diff(args)) => diff::diff(&args),
        #[cfg(feature = "solutions")]
        Ok(Action::Compare(args)) => compare::compare(&args),
        Ok(Action::Check(check)) => check::check(&check),
        #[cfg(feature = "solutions")]
        Ok(Action::Grade(args)) => grade::grade(&args),
        Ok(Action::Exam) => exam::exam(),
        #[cfg(feature = "solutions")]
        Ok(Action::Zoo(args)) => zoo::zoo(&args),
        Ok(Action::Say(text)) => output::print(&text).map(|()| Status::Passed),
        Err(trouble) => Err(trouble),
    };
    status
        .unwrap_or_else(|trouble: Trouble| {
            output::complain("error", &trouble.to_string());
            trouble.status()
        })
        .into()
}
