//! The report file: one JSON object per run, written when the run ends, and a summary at the end.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::lab::Report;

use crate::cli::exit::Trouble;
use crate::cli::output;
use crate::cli::report_lines::{RunLine, SummaryLine};
use crate::cli::tally::Tally;

/// The line of one run, without its end.
pub(super) fn line(report: &Report) -> String {
    serde_json::to_string(&RunLine::from(report)).expect("it has plain fields")
}

/// A report file that is being written.
pub(super) struct ReportFile {
    path: PathBuf,
    lines: Lines,
}

/// Where the lines are written.
enum Lines {
    /// To the file itself, each at once: others may read it as it grows.
    Live(File),
    /// To a file beside it, which has its name only once it is complete.
    Whole(BufWriter<NamedTempFile>),
}

impl ReportFile {
    /// Creates the file. To be called before the first run, so that a bad path costs no time.
    pub(super) fn create(path: &Path) -> Result<ReportFile, Trouble> {
        let file = File::create(path).map_err(|error| cannot_create(path, &error))?;
        Ok(ReportFile { path: path.to_path_buf(), lines: Lines::Live(file) })
    }

    /// Prepares a file that appears with [`end`](ReportFile::end), as a whole, and that begins with
    /// the line `first`, its plan. A process that is killed leaves at most a file beside it, whose
    /// name does not end as a report's does.
    pub(super) fn create_whole(path: &Path, first: &impl Serialize) -> Result<ReportFile, Trouble> {
        if path.exists() && !path.is_file() {
            let error = io::Error::other("it exists, and is no file that can be replaced");
            return Err(cannot_create(path, &error));
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut prefix = path.file_name().unwrap_or_default().to_os_string();
        prefix.push(".");
        // Unlike tempfile's own way, this one gives the file the permissions of any new file, so
        // that the machine that merges can read it.
        let open = |path: &Path| File::options().write(true).create_new(true).open(path);
        let file = tempfile::Builder::new().prefix(&prefix).suffix(".part").make_in(folder, open);
        let file = file.map_err(|error| cannot_create(path, &error))?;
        let lines = Lines::Whole(BufWriter::new(file));
        let mut report = ReportFile { path: path.to_path_buf(), lines };
        report.line(first)?;
        Ok(report)
    }

    /// Adds the line of one run.
    pub(super) fn run(&mut self, report: &Report) -> Result<(), Trouble> {
        self.line(&RunLine::from(report))
    }

    pub(super) fn line(&mut self, line: &impl Serialize) -> Result<(), Trouble> {
        let bytes = serde_json::to_vec(line).map_err(|error| self.cannot_write(&error.into()))?;
        self.bytes(bytes)
    }

    /// Writes a line in one call, so that a program that reads the file meanwhile sees whole lines.
    pub(super) fn bytes(&mut self, mut line: Vec<u8>) -> Result<(), Trouble> {
        line.push(b'\n');
        let written = match &mut self.lines {
            Lines::Live(file) => file.write_all(&line).and_then(|()| file.flush()),
            Lines::Whole(file) => file.write_all(&line),
        };
        written.map_err(|error| self.cannot_write(&error))
    }

    /// Adds the last line, the summary of `tally`, and gives the file its name if it has another
    /// one until then. After Ctrl-C, which is `interrupted`, such a file is removed instead.
    pub(super) fn end(mut self, tally: &Tally, interrupted: bool) -> Result<(), Trouble> {
        self.line(&SummaryLine::of(tally, interrupted))?;
        if interrupted && matches!(self.lines, Lines::Whole(_)) {
            let path = self.path.display();
            output::complain("warning", &format!("{path} is not written: it would be incomplete"));
            return Ok(());
        }
        self.keep()
    }

    /// Gives the complete file its name, if it has another one until then.
    pub(super) fn keep(self) -> Result<(), Trouble> {
        let Lines::Whole(file) = self.lines else { return Ok(()) };
        let trouble = |error: &io::Error| cannot_write(&self.path, error);
        let file = file.into_inner().map_err(|error| trouble(error.error()))?;
        // On the disk before it has the name: a machine that loses power must not leave a name
        // without the lines.
        file.as_file().sync_all().map_err(|error| trouble(&error))?;
        file.persist(&self.path).map_err(|error| trouble(&error.error))?;
        Ok(())
    }

    fn cannot_write(&self, error: &io::Error) -> Trouble {
        cannot_write(&self.path, error)
    }
}

fn cannot_create(path: &Path, error: &io::Error) -> Trouble {
    let path = path.display();
    Trouble::Input(format!(
        "cannot create the report file {path}: {error}; give --report a file in a folder that \
         exists and can be written to"
    ))
}

fn cannot_write(path: &Path, error: &io::Error) -> Trouble {
    let path = path.display();
    Trouble::Machine(format!(
        "cannot write to the report file {path}: {error}; make room, or give --report a file \
         elsewhere"
    ))
}
