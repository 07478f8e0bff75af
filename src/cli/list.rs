//! `raftlab list`: prints every test.

use crate::lab::Scenario;
use serde::Serialize;

use crate::cli::args::ListArgs;
use crate::cli::exit::{Status, Trouble};
use crate::cli::output;
use crate::cli::select;
use crate::cli::table;

/// One test, as `--json` shows it.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    part: &'static str,
    newer_part: &'static str,
    servers: usize,
    unreliable: bool,
    title: &'static str,
    catches: &'static str,
}

impl From<&Scenario> for Row {
    fn from(scenario: &Scenario) -> Row {
        Row {
            name: scenario.name,
            part: scenario.part.name(),
            newer_part: scenario.part.newer_name(),
            servers: scenario.servers,
            unreliable: scenario.unreliable,
            title: scenario.title,
            catches: scenario.catches,
        }
    }
}

/// Prints the tests that the words select.
pub(super) fn list(args: &ListArgs) -> Result<Status, Trouble> {
    let tests = select::matching(&args.words)?;
    let text = if args.json { json(&tests) } else { table::of_tests(&tests) };
    output::print(&text)?;
    Ok(Status::Passed)
}

/// A JSON array, one test per line.
fn json(tests: &[&Scenario]) -> String {
    let rows: Vec<String> = tests
        .iter()
        .map(|scenario| {
            serde_json::to_string(&Row::from(*scenario)).expect("a row has string keys only")
        })
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}
