//! `raftlab diff`: the first event at which two recorded runs differ.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::cli::args::DiffArgs;
use crate::cli::exit::{Status, Trouble};
use crate::cli::output;
use crate::record::{self, Record};
use crate::view;

/// Compares two records. Different records give status 1.
pub(super) fn diff(args: &DiffArgs) -> Result<Status, Trouble> {
    let (one, other) = (read(&args.one)?, read(&args.other)?);
    match view::diff(&one, &other) {
        None => {
            output::print(&format!("the same {} events\n", one.events.len()))?;
            Ok(Status::Passed)
        }
        Some(text) => {
            output::print(&text)?;
            Ok(Status::Failed)
        }
    }
}

fn read(path: &Path) -> Result<Record, Trouble> {
    let shown = path.display();
    let file = File::open(path)
        .map_err(|error| Trouble::Input(format!("cannot open the record {shown}: {error}")))?;
    record::read(BufReader::new(file))
        .map_err(|error| Trouble::Input(format!("cannot read the record {shown}: {error}")))
}
