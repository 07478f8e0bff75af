//! The files to merge: which belong to which shard, and which are complete.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::unusable;
use crate::cli::exit::Trouble;
use crate::cli::report_lines::SummaryLine;
use crate::cli::shard::Plan;

/// Maximum length of a line in bytes: no run has so much to say.
const LINE_MAX: u64 = 1 << 24;

/// The length in bytes of the end of a file in which its summary is looked for.
const SUMMARY_MAX: u64 = 1 << 12;

/// The files of one plan.
pub(super) struct Files {
    /// The plan, as the first file has it.
    pub plan: Plan,
    /// The complete files of each shard.
    pub shards: BTreeMap<u64, Vec<PathBuf>>,
    /// Merged reports.
    pub merged: Vec<PathBuf>,
    /// Files without the end that a report has: no run in them counts.
    pub cut: Vec<Cut>,
    /// The size in bytes of all files that count.
    pub bytes: u64,
}

/// A file without its end.
pub(super) struct Cut {
    pub path: PathBuf,
    /// The shard, unless the file ends before its plan does, or is a merged report.
    pub index: Option<u64>,
}

impl Files {
    /// Looks at the beginning and the end of each file.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Files, Trouble> {
        let mut first: Option<(PathBuf, Plan)> = None;
        let (mut shards, mut merged, mut cut) = (BTreeMap::<_, Vec<_>>::new(), vec![], vec![]);
        let mut bytes = 0;
        for path in paths.iter().cloned() {
            let Beginning { plan, complete, size } = beginning(&path)?;
            let index = plan.as_ref().and_then(|plan| plan.job_index);
            if let Some(plan) = plan {
                let (one, known) = first.get_or_insert_with(|| (path.clone(), plan.clone()));
                same_plan((one, known), (&path, &plan))?;
            }
            if !complete {
                cut.push(Cut { path, index });
                continue;
            }
            bytes += size;
            match index {
                Some(index) => shards.entry(index).or_default().push(path),
                None => merged.push(path),
            }
        }
        let Some((_, plan)) = first else {
            let names: Vec<_> = cut.iter().map(|cut| cut.path.display().to_string()).collect();
            let names = names.join(", ");
            return Err(Trouble::Input(format!(
                "no file has a complete first line, so there is no plan: {names}; do the shards \
                 again"
            )));
        };
        Ok(Files { plan, shards, merged, cut, bytes })
    }

    /// The file for shard `index`: the one that is not complete, or one in the same folder.
    pub(super) fn name(&self, index: u64) -> PathBuf {
        let cut = || self.cut.iter().filter(|cut| cut.index == Some(index)).map(|cut| &cut.path);
        if let Some(known) = self.shards.get(&index).into_iter().flatten().chain(cut()).next() {
            return known.clone();
        }
        let any = self.shards.values().flatten().chain(self.cut.iter().map(|cut| &cut.path));
        let folder = any.chain(&self.merged).next().and_then(|path| path.parent());
        folder.unwrap_or(Path::new("")).join(format!("shard-{index}.jsonl"))
    }
}

/// The files that the arguments name, each once, in order. Files in a folder count if their names
/// end in `.jsonl`.
pub(super) fn listed(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Trouble> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let entries = fs::read_dir(path).map_err(|error| cannot_read(path, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| cannot_read(path, &error))?.path();
            if entry.extension().is_some_and(|ext| ext == "jsonl") && !entry.is_dir() {
                files.push(entry);
            }
        }
        if files.len() == before {
            let path = path.display();
            return Err(Trouble::Input(format!(
                "no file in {path} ends in .jsonl; give the folder of the shards' reports, or \
                 their names"
            )));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// What the two ends of a file say.
struct Beginning {
    /// `None` if the file ends before its first line does.
    plan: Option<Plan>,
    /// Whether the file ends with a summary of all its runs.
    complete: bool,
    /// In bytes.
    size: u64,
}

fn beginning(path: &Path) -> Result<Beginning, Trouble> {
    let trouble = |error: &io::Error| cannot_read(path, error);
    let file = File::open(path).map_err(|error| trouble(&error))?;
    let size = file.metadata().map_err(|error| trouble(&error))?.len();
    let mut reader = BufReader::new(file);
    let Some(line) = line(&mut reader, path, 1)? else {
        return Ok(Beginning { plan: None, complete: false, size });
    };
    let plan = Plan::read(&line).map_err(|what| unusable(path, 1, &what))?;
    let mut end = Vec::new();
    reader
        .seek(SeekFrom::Start(size.saturating_sub(SUMMARY_MAX)))
        .and_then(|_| reader.read_to_end(&mut end))
        .map_err(|error| trouble(&error))?;
    Ok(Beginning { plan: Some(plan), complete: ends_with_summary(&end), size })
}

/// Whether the last line in `end` is a whole line and a summary of runs that were not interrupted.
fn ends_with_summary(end: &[u8]) -> bool {
    let Some(end) = end.strip_suffix(b"\n") else { return false };
    let last = end.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice::<SummaryLine>(last).is_ok_and(|line| !line.summary.interrupted)
}

/// Checks that two files are of one plan.
fn same_plan(one: (&Path, &Plan), other: (&Path, &Plan)) -> Result<(), Trouble> {
    let Some([one_has, other_has]) = one.1.difference(other.1) else { return Ok(()) };
    let (one, other) = (one.0.display(), other.0.display());
    Err(Trouble::Input(format!(
        "{one} and {other} are of different plans: the first has {one_has}, the second has \
         {other_has}; merge each plan by itself"
    )))
}

/// The lines between the plan and the summary of a complete file.
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    /// The number of the last line that was read, from 1.
    at: u64,
    /// The number of lines that are runs.
    runs: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Lines, Trouble> {
        let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
        let mut reader = BufReader::new(file);
        line(&mut reader, path, 1)?;
        Ok(Lines { path: path.to_path_buf(), reader, at: 1, runs: 0 })
    }

    /// The next line of a run and its number; `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<(Vec<u8>, u64)>, Trouble> {
        self.at += 1;
        let line = line(&mut self.reader, &self.path, self.at)?;
        let changed = |what: &str| unusable(&self.path, self.at, what);
        let line = line.ok_or_else(|| changed("the summary is missing: the file has changed"))?;
        if !line.starts_with(b"{\"summary\":") {
            self.runs += 1;
            return Ok(Some((line, self.at)));
        }
        let summary = serde_json::from_slice::<SummaryLine>(&line);
        let SummaryLine { summary } = summary.map_err(|error| changed(&error.to_string()))?;
        if summary.runs != self.runs {
            let (told, found) = (summary.runs, self.runs);
            return Err(changed(&format!("it tells of {told} runs, but {found} are in the file")));
        }
        match self.reader.fill_buf().map_err(|error| cannot_read(&self.path, &error))? {
            [] => Ok(None),
            _ => Err(changed("this is a summary, but there are lines after it")),
        }
    }
}

/// The line `at`, without its end; `None` if the file ends before the line does.
pub(super) fn line(
    reader: &mut impl BufRead,
    path: &Path,
    at: u64,
) -> Result<Option<Vec<u8>>, Trouble> {
    let mut line = Vec::new();
    let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
    read.map_err(|error| cannot_read(path, &error))?;
    match line.pop() {
        Some(b'\n') => Ok(Some(line)),
        Some(_) if line.len() as u64 + 1 == LINE_MAX => {
            Err(unusable(path, at, &format!("it has more than {LINE_MAX} bytes, so it is no run")))
        }
        _ => Ok(None),
    }
}

pub(super) fn cannot_read(path: &Path, error: &io::Error) -> Trouble {
    let path = path.display();
    Trouble::Input(format!("cannot read {path}: {error}; give the shards' reports or their folder"))
}
