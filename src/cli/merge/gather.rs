//! Brings the runs of all files into the order of the plan, one shard after the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indicatif::ProgressBar;

use super::files::{Files, Lines};
use super::unusable;
use crate::cli::exit::Trouble;
use crate::cli::report_lines::RunLine;
use crate::cli::shard::{Plan, Shard};

/// A run, and where it was found.
pub(super) struct Found {
    /// The line as it is in the file.
    pub line: Vec<u8>,
    pub run: RunLine,
    pub path: Rc<Path>,
    /// The number of the line, from 1.
    pub at: u64,
}

/// The runs of a shard by their numbers in the plan.
pub(super) type Runs = BTreeMap<u128, Found>;

/// The files while they are read.
pub(super) struct Gathered<'a> {
    reader: Reader<'a>,
    /// The files of the shards that have not been read.
    shards: BTreeMap<u64, Vec<PathBuf>>,
    /// Merged reports, which have their lines by shard.
    merged: Vec<Merged>,
}

/// A merged report.
struct Merged {
    source: Source,
    /// Its next run: shard, number in the plan, run.
    next: Option<(u64, u128, Found)>,
}

/// A file that is open.
struct Source {
    path: Rc<Path>,
    lines: Lines,
}

/// What it takes to understand a line.
struct Reader<'a> {
    plan: &'a Plan,
    /// The place of each test in the plan.
    places: BTreeMap<&'a str, u64>,
    bar: &'a ProgressBar,
}

impl<'a> Gathered<'a> {
    /// Opens the merged reports. `bar` counts the bytes that are read.
    pub(super) fn new(files: &'a Files, bar: &'a ProgressBar) -> Result<Gathered<'a>, Trouble> {
        let places = files.plan.tests.iter().map(String::as_str).zip(0..).collect();
        let reader = Reader { plan: &files.plan, places, bar };
        let open = |path: &PathBuf| {
            let mut source = Source::open(path)?;
            let next = reader.next(&mut source)?;
            Ok(Merged { source, next })
        };
        let merged = files.merged.iter().map(open).collect::<Result<_, Trouble>>()?;
        Ok(Gathered { reader, shards: files.shards.clone(), merged })
    }

    /// The next shard of which there are runs, and these runs, each once; `None` after the last.
    pub(super) fn shard(&mut self) -> Result<Option<(u64, Runs)>, Trouble> {
        let of_merged = self.merged.iter().filter_map(|merged| merged.next.as_ref());
        let first = of_merged.map(|(index, ..)| *index).min();
        let first = first.into_iter().chain(self.shards.keys().next().copied()).min();
        let Some(index) = first else { return Ok(None) };
        let mut runs = Runs::new();
        for path in self.shards.remove(&index).unwrap_or_default() {
            let mut source = Source::open(&path)?;
            while let Some((of, number, found)) = self.reader.next(&mut source)? {
                if of != index {
                    let what = format!("the run is of shard {of}, but the file of shard {index}");
                    return Err(unusable(&found.path, found.at, &what));
                }
                keep(&mut runs, number, found)?;
            }
        }
        for merged in &mut self.merged {
            while let Some((of, number, found)) = merged.next.take_if(|(of, ..)| *of == index) {
                merged.next = self.reader.next(&mut merged.source)?;
                let after = merged.next.as_ref().is_none_or(|next| (next.0, next.1) > (of, number));
                if !after {
                    let what = "the runs are not in the order of a merged report";
                    return Err(unusable(&found.path, found.at + 1, what));
                }
                keep(&mut runs, number, found)?;
            }
        }
        Ok(Some((index, runs)))
    }
}

/// Adds a run. Of two copies, which differ in the machine's time only, the lesser line is kept, so
/// that the order of the files makes no difference.
fn keep(runs: &mut Runs, number: u128, found: Found) -> Result<(), Trouble> {
    let Some(known) = runs.get(&number) else {
        runs.insert(number, found);
        return Ok(());
    };
    if !known.run.agrees_with(&found.run) {
        return Err(disagreement(known, &found));
    }
    if found.line < known.line {
        runs.insert(number, found);
    }
    Ok(())
}

fn disagreement(one: &Found, other: &Found) -> Trouble {
    let said = |found: &Found| {
        let run = &found.run;
        let outcome = match &run.failure {
            Some(failure) => failure.name.as_str(),
            None if run.undecided => "undecided",
            None => "passed",
        };
        let hash = run.hash.as_deref().unwrap_or("none");
        format!("line {} of {} has {outcome}, hash {hash}", found.at, found.path.display())
    };
    let (test, seed) = (&one.run.test, one.run.seed);
    Trouble::Input(format!(
        "two copies of one run differ, {test} with seed {seed}: {}; {}; the code under test is \
         not a function of its seed, or the two were not built from the same source",
        said(one),
        said(other)
    ))
}

impl Source {
    fn open(path: &Path) -> Result<Source, Trouble> {
        Ok(Source { path: path.into(), lines: Lines::open(path)? })
    }
}

impl Reader<'_> {
    /// The next run of a file: its shard, its number in the plan, the run.
    fn next(&self, source: &mut Source) -> Result<Option<(u64, u128, Found)>, Trouble> {
        let Some((line, at)) = source.lines.next()? else { return Ok(None) };
        self.bar.inc(line.len() as u64 + 1);
        let trouble = |what: String| unusable(&source.path, at, &what);
        let run = serde_json::from_slice(&line);
        let run: RunLine = run.map_err(|error| trouble(format!("this is no run ({error})")))?;
        let place = self.places.get(run.test.as_str()).copied();
        let number = self.plan.number(place, &run).map_err(trouble)?;
        let index = Shard::of(number, self.plan.job_count);
        Ok(Some((index, number, Found { line, run, path: source.path.clone(), at })))
    }
}
