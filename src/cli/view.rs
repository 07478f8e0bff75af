//! Shows a record as the arguments ask: on the terminal, and in files.

use std::fs;
use std::path::Path;

use crate::api::Host;
use crate::cli::args::ViewArgs;
use crate::cli::exit::Trouble;
use crate::cli::{marks, output};
use crate::history::History;
use crate::lab::{Hint, SCENARIOS, find_hint};
use crate::record::Record;
use crate::view::{self, Beside, Filter, Table};

/// The width of the columns if standard output is no terminal.
const WIDTH: usize = 160;

/// Writes the files that were asked for. If there are none, prints the record's events, unless
/// `prints` is false.
///
/// `histories` are the operations of the run's clients, if they are known.
pub(super) fn show(
    record: &Record,
    histories: &[History],
    args: &ViewArgs,
    prints: bool,
) -> Result<(), Trouble> {
    let filter = filter(record, args)?;
    let test = SCENARIOS.iter().find(|scenario| scenario.name == record.header.test);
    let title = test.map_or("", |scenario| scenario.title);
    if let Some(path) = &args.html {
        let (hint, marks) = (hint(record), marks::of(histories));
        let replay = output::here(&record.header.again);
        let (hint, replay) = (hint.as_deref(), &replay[..]);
        let beside = Beside { title, replay, hint, marks: &marks, verdict: "" };
        write(path, &view::page(record, &filter, &beside))?;
    }
    if let Some(path) = &args.trace {
        write(path, &view::trace(record, &filter))?;
    }
    if let Some(path) = &args.shiviz {
        write(path, &view::shiviz(record, &filter))?;
    }
    if prints && !writes_files(args) {
        print(&Table::of(record, &filter), args)?;
    }
    Ok(())
}

/// The first step of the hint for the record's failure, if there is one.
fn hint(record: &Record) -> Option<String> {
    let hint = find_hint(&record.header.failure.as_ref()?.rule)?;
    Some(Hint::lines(hint.steps[0]).collect::<Vec<_>>().join(" "))
}

/// Whether files were asked for instead of text.
fn writes_files(args: &ViewArgs) -> bool {
    args.html.is_some() || args.trace.is_some() || args.shiviz.is_some()
}

/// Prints the rows of `table`.
pub(super) fn print(table: &Table, args: &ViewArgs) -> Result<(), Trouble> {
    let text = match (args.columns, args.state) {
        (true, _) => view::columns(table, width()),
        (_, true) => view::lines_with_state(table),
        _ => view::lines(table),
    };
    output::print(&text)
}

fn filter(record: &Record, args: &ViewArgs) -> Result<Filter, Trouble> {
    let servers = record.header.servers;
    let is_missing = |host: &&Host| host.server().is_some_and(|it| it.slot() >= servers);
    if let Some(host) = args.only.iter().find(is_missing) {
        let message = format!("--only: this run has {servers} servers, from S0 on, and no {host}");
        return Err(Trouble::Input(message));
    }
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        return Err(Trouble::Input("--from is later than --to".to_string()));
    }
    let filter = Filter {
        only: args.only.clone(),
        topics: args.topics.clone(),
        from: args.from,
        to: args.to,
        all: args.all,
    };
    match args.around_failure {
        None => Ok(filter),
        Some(span) => filter
            .around_failure(record, span)
            .map_err(|error| Trouble::Input(format!("--around-failure: {error}"))),
    }
}

/// Writes `text` to a file, and says so.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    let shown = path.display();
    fs::write(path, text).map_err(|error| {
        Trouble::Input(format!(
            "cannot write {shown}: {error}; give a file in a folder that exists and can be \
             written to"
        ))
    })?;
    output::print(&format!("wrote {shown} ({} KB)\n", text.len().div_ceil(1024)))
}

/// The width of the terminal.
fn width() -> usize {
    let columns =
        console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| columns.into());
    columns.max(40)
}
