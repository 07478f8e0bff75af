//! The command line: parse, call `lab`, print.
//!
//! What scripts and graders may rely on: the arguments (`args`), the exit status (`exit`), the
//! report file (`report`) and a comparison's figures (`compare`). The tables are for people and
//! may change.
//!
//! The program `raftlab` is `main` and the guard, and nothing else: other programs can be made of
//! the same parts.

mod args;
mod campaign;
mod check;
mod compare;
mod exit;
mod interrupt;
mod list;
mod output;
mod progress;
mod replay;
mod report;
#[cfg(test)]
mod sample;
mod select;
mod table;
mod tally;
mod test;
mod verdict;

use std::process::ExitCode;

use args::Action;
use exit::{Status, Trouble};

#[cfg(test)]
raftlab::guard!();

/// Does what the arguments of the process ask for.
pub fn main() -> ExitCode {
    let status = match args::parse() {
        Ok(Action::List(list)) => list::list(&list),
        Ok(Action::Test(test)) => test::test(&test),
        Ok(Action::Replay(replay)) => replay::replay(&replay),
        Ok(Action::Compare(args)) => compare::compare(&args),
        Ok(Action::Check(check)) => check::check(&check),
        Ok(Action::Explain(text)) => output::print(&text).map(|()| Status::Passed),
        Err(trouble) => Err(trouble),
    };
    status
        .unwrap_or_else(|trouble: Trouble| {
            output::complain("error", &trouble.to_string());
            trouble.status()
        })
        .into()
}
