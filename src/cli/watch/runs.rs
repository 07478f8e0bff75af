//! Runs tests with the program that was just built, and reads its report as it grows.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempPath;

use crate::cli::exit::Trouble;

/// A campaign of the built program. It is killed when this is dropped.
pub(super) struct Runs {
    child: Child,
    report: File,
    /// The beginning of a line that is not complete yet.
    rest: Vec<u8>,
}

impl Runs {
    /// Starts `program` with `arguments`, and with a report in the file `report`.
    pub(super) fn start(
        program: &Path,
        arguments: &[String],
        report: &Report,
    ) -> Result<Runs, Trouble> {
        let failed = |error: io::Error| {
            Trouble::Machine(format!("cannot run {}: {error}", program.display()))
        };
        // Of an earlier campaign.
        File::create(&report.0).map_err(failed)?;
        let child = Command::new(program)
            .args(arguments)
            .args(["--quiet", "--report"])
            .arg(&report.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let report = File::open(&report.0).map_err(failed)?;
        Ok(Runs { child, report, rest: Vec::new() })
    }

    /// The lines of the report that are new, and how the program ended if it has.
    pub(super) fn news(&mut self) -> (Vec<String>, Option<ExitStatus>) {
        // First the end: what was written before it is read after it.
        let end = self.child.try_wait().ok().flatten();
        // A file that cannot be read has no news.
        let _ = self.report.read_to_end(&mut self.rest);
        // As bytes: what is there may end inside a character.
        let complete = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..complete).collect();
        (String::from_utf8_lossy(&lines).lines().map(str::to_string).collect(), end)
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file for the reports, which other users cannot write. It is removed when this is dropped.
pub(super) struct Report(TempPath);

impl Report {
    pub(super) fn new() -> Result<Report, Trouble> {
        let file = tempfile::Builder::new().prefix("raftlab-watch-").suffix(".jsonl").tempfile();
        let failed = |error| Trouble::Machine(format!("cannot make a temporary file: {error}"));
        file.map(|file| Report(file.into_temp_path())).map_err(failed)
    }
}
