//! `raftlab log`: shows a record, or a log in the classic shape.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use crate::cli::args::{LogArgs, ViewArgs};
use crate::cli::exit::{Status, Trouble};
use crate::cli::view;
use crate::record;
use crate::view as views;

/// Shows the file's events as the arguments ask.
pub(super) fn log(args: &LogArgs) -> Result<Status, Trouble> {
    let text = read(&args.file)?;
    if text.trim_start().starts_with('{') {
        let record = record::read(text.as_bytes()).map_err(|error| {
            Trouble::Input(format!("cannot read the record {}: {error}", args.file.display()))
        })?;
        view::show(&record, &[], &args.view, true)?;
    } else {
        show_classic(&text, args)?;
    }
    Ok(Status::Passed)
}

/// Shows a log whose lines are only text.
fn show_classic(text: &str, args: &LogArgs) -> Result<(), Trouble> {
    if let Some(option) = needs_record(&args.view) {
        return Err(Trouble::Input(format!(
            "{option} needs a record; `raftlab replay NAME --seed S --record FILE` writes one"
        )));
    }
    let mut table = views::classic(text)
        .map_err(|error| Trouble::Input(format!("{}: {error}", args.file.display())))?;
    let (only, topics) = (&args.view.only, &args.view.topics);
    let lanes = table.lanes.clone();
    table.rows.retain(|row| {
        let lane = row.lane.is_none_or(|lane| {
            only.is_empty() || only.iter().any(|host| host.to_string() == lanes[lane])
        });
        lane && (topics.is_empty() || topics.contains(&row.topic))
    });
    view::print(&table, &args.view)
}

/// The first option that a log without typed events cannot serve.
fn needs_record(view: &ViewArgs) -> Option<&'static str> {
    let options = [
        ("--state", view.state),
        ("--from", view.from.is_some()),
        ("--to", view.to.is_some()),
        ("--around-failure", view.around_failure.is_some()),
        ("--html", view.html.is_some()),
        ("--trace", view.trace.is_some()),
        ("--shiviz", view.shiviz.is_some()),
    ];
    options.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
}

fn read(path: &Path) -> Result<String, Trouble> {
    let mut bytes = Vec::new();
    let read = match path.as_os_str().to_str() {
        Some("-") => io::stdin().lock().read_to_end(&mut bytes).map(drop),
        _ => fs::read(path).map(|read| bytes = read),
    };
    read.map_err(|error| Trouble::Input(format!("cannot read {}: {error}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
