//! `raftlab replay`: repeats one run, and prints its record.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::history;
use crate::lab::{self, Report};
use crate::record;
use crate::runtime::RunConfig;

use crate::cli::args::ReplayArgs;
use crate::cli::exit::{Status, Trouble};
use crate::cli::output::{self, BAD};
use crate::cli::{select, test, view};

/// Runs one test once and prints what happened. A run that fails again gives status 1.
pub(super) fn replay(args: &ReplayArgs) -> Result<Status, Trouble> {
    let design = args.run.course.design();
    let scenario = select::test(&args.run.name, design)?;
    let config = RunConfig { record: true, ..args.run.config() };
    let history_file = args.history.as_deref().map(HistoryFile::create).transpose()?;
    let record_file = args.record.as_deref().map(|path| create("record", path)).transpose()?;
    let report = lab::run_scenario(scenario, design, &config);
    let record = report.to_record();
    if report.missed_turns > 0 {
        let (missed, all) = (report.missed_turns, report.turns.iter().count());
        let why = "the run did not come so far, or no task waited for the timer";
        output::complain("warning", &format!("{missed} of {all} turns not taken: {why}"));
    }
    // First the files that are open: what follows may still find a bad argument.
    if let (Some(file), Some(path)) = (record_file, &args.record) {
        record::write(BufWriter::new(file), &record)
            .map_err(|error| cannot_write("record", path, &error))?;
    }
    if let Some(file) = history_file {
        file.write(&report)?;
    }
    view::show(&record, &report.histories, &args.view, args.record.is_none())?;
    output::print(&summary(&report))?;
    Ok(match (&report.failure, &report.undecided) {
        (Some(_), _) => Status::Failed,
        (None, Some(_)) => Status::Undecided,
        (None, None) => Status::Passed,
    })
}

/// The file for the history of the clients' operations.
struct HistoryFile {
    path: PathBuf,
    file: File,
}

impl HistoryFile {
    fn create(path: &Path) -> Result<HistoryFile, Trouble> {
        Ok(HistoryFile { path: path.to_path_buf(), file: create("history", path)? })
    }

    fn write(self, report: &Report) -> Result<(), Trouble> {
        let path = self.path.display();
        if report.histories.is_empty() {
            let test = report.test;
            output::complain(
                "warning",
                &format!("{test} has no client operations: {path} is empty"),
            );
        }
        let mut out = BufWriter::new(self.file);
        let mut histories = report.histories.iter();
        let written: io::Result<()> =
            histories.try_for_each(|it| history::write(&mut out, it)).and_then(|()| out.flush());
        written.map_err(|error| cannot_write("history", &self.path, &error))
    }
}

/// Creates a file. To be called before the run, so that a bad path costs no time.
fn create(what: &str, path: &Path) -> Result<File, Trouble> {
    File::create(path).map_err(|error| {
        let path = path.display();
        Trouble::Input(format!(
            "cannot create the {what} file {path}: {error}; give --{what} a file in a folder \
             that exists and can be written to"
        ))
    })
}

fn cannot_write(what: &str, path: &Path, error: &io::Error) -> Trouble {
    Trouble::Machine(format!(
        "cannot write to the {what} file {}: {error}; make room",
        path.display()
    ))
}

/// The verdict, and the failure if there is one.
fn summary(report: &Report) -> String {
    let mut text = String::from("\n");
    let how = match &report.cut_short {
        _ if report.failure.is_some() => format!("{BAD}failed{BAD:#}"),
        _ if report.undecided.is_some() => format!("{BAD}undecided{BAD:#}"),
        Some(wait) => format!("cut short by the schedule: {wait}"),
        None => "nothing failed".to_string(),
    };
    let (test, seed, elapsed) = (report.test, report.seed, report.elapsed.as_secs_f64());
    let _ = writeln!(
        text,
        "{test}, seed {seed}: {how} ({elapsed:.6} virtual s, {} RPCs, hash {:016x})",
        report.rpcs, report.hash
    );
    text.push_str(&test::failure(report));
    text
}
