//! Divides a list of things (bugs of the zoo, submissions) among many machines.
//!
//! Each machine does every N-th thing, and writes a file of lines: the list as a whole, a row for
//! each thing that it did, and an end. `raftlab merge` makes one table of these files.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cli::args::at_least_one;
use crate::cli::course::seed;
use crate::cli::exit::Trouble;
use crate::cli::report::ReportFile;

/// Arguments that select one part of a list.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Many machines")]
pub(in crate::cli) struct PartArgs {
    /// Do only part I of the list, from 0 to N-1: every N-th of it
    #[arg(long, value_name = "I", allow_negative_numbers = true, value_parser = seed,
          requires_all = ["job_count", "report"])]
    job_index: Option<u64>,
    /// Divide the list into N parts
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one,
          requires = "job_index")]
    job_count: Option<NonZeroU64>,
    /// Write the rows to FILE when the part is complete, for `raftlab merge`
    #[arg(long, value_name = "FILE.jsonl", requires = "job_index")]
    report: Option<PathBuf>,
}

impl PartArgs {
    /// Whether the thing at `place` of the list is in the part.
    pub(in crate::cli) fn has(&self, place: usize) -> bool {
        match (self.job_index, self.job_count) {
            (Some(index), Some(count)) => place as u64 % count.get() == index,
            _ => true,
        }
    }

    /// Prepares the file, if a part is selected: `list` is the list as a whole. Call it before the
    /// work, so that a bad path costs no time.
    pub(in crate::cli) fn begin(&self, list: List) -> Result<Option<PartFile>, Trouble> {
        let (Some(index), Some(count), Some(path)) = (self.job_index, self.job_count, &self.report)
        else {
            return Ok(None);
        };
        if index >= count.get() {
            return Err(Trouble::Input(format!(
                "there is no part {index} of {count}: parts are counted from 0; give --job-index a \
                 number from 0 to {}",
                count.get() - 1
            )));
        }
        let part = Part { list, job_index: index, job_count: count };
        let file = ReportFile::create_whole(path, &PartLine { part })?;
        Ok(Some(PartFile { file, rows: 0 }))
    }
}

/// A list of things to do, and what determines the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct List {
    /// The version of raftlab.
    pub raftlab: String,
    /// The command.
    pub command: String,
    /// Its settings, in words.
    pub settings: String,
    /// The headings of the rows.
    pub columns: Vec<String>,
    /// The names of the things, in order.
    pub names: Vec<String>,
}

impl List {
    pub(in crate::cli) fn new(
        command: &str,
        settings: String,
        columns: &[&str],
        names: impl Iterator<Item = String>,
    ) -> List {
        List {
            raftlab: env!("CARGO_PKG_VERSION").to_string(),
            command: command.to_string(),
            settings,
            columns: columns.iter().map(ToString::to_string).collect(),
            names: names.collect(),
        }
    }
}

/// One part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Part {
    pub list: List,
    pub job_index: u64,
    pub job_count: NonZeroU64,
}

/// The first line of a part's file.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::cli) struct PartLine {
    pub part: Part,
}

/// What became of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Row {
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// A cell for each heading.
    pub cells: Vec<String>,
}

/// The last line of a part's file.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::cli) struct EndLine {
    /// The number of rows before it.
    pub rows: usize,
}

/// A part's file that is being written. It has its name only once it is complete.
pub(in crate::cli) struct PartFile {
    file: ReportFile,
    rows: usize,
}

impl PartFile {
    pub(in crate::cli) fn row(&mut self, row: &Row) -> Result<(), Trouble> {
        self.rows += 1;
        self.file.line(row)
    }

    pub(in crate::cli) fn end(mut self) -> Result<(), Trouble> {
        self.file.line(&EndLine { rows: self.rows })?;
        self.file.keep()
    }
}
