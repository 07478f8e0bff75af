//! `raftlab merge`: puts the shards of a campaign together, and shows the results of all of them.
//!
//! Only one shard's lines are in memory at a time. A merged report has its lines by shard, and in
//! the order of the plan within a shard. So it is the same file whatever the order of the inputs,
//! and it can be merged again without sorting it.

mod files;
mod gather;
mod missing;
#[cfg(feature = "solutions")]
mod parts;

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::exit::{Status, Trouble};
use crate::cli::report::ReportFile;
use crate::cli::shard::Plan;
use crate::cli::tally::Tally;
use crate::cli::{output, program, table, test};
use crate::lab::{Scenario, find_design, find_scenario};
use crate::runtime::Clock;
use files::Files;
use gather::{Found, Gathered};
use missing::Missing;

const STATUS_HELP: &str = "Exit status:
  0  all runs of the plan are there, and none failed
  1  all are there, and one failed
  2  the files cannot be used together
  3  all are there, none failed, and a history could not be judged
  5  runs are missing, whether or not one failed: do the shards that are named, and merge again";

/// Arguments of `raftlab merge`.
#[derive(Debug, Args)]
#[command(after_help = STATUS_HELP)]
pub(super) struct MergeArgs {
    /// Reports of `raftlab test --job-index` and of merge, or of `raftlab zoo` or `raftlab grade`
    /// with --job-index, in any order; of a folder, all *.jsonl
    #[arg(value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// Write all runs to FILE, as one report: the same whatever the order of the files. Of a zoo or
    /// of a class, write the rows as FILE.csv
    #[arg(long, value_name = "FILE.jsonl|csv")]
    report: Option<PathBuf>,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// Reads the reports, and shows the results and what is missing.
pub(super) fn merge(args: &MergeArgs) -> Result<Status, Trouble> {
    let paths = files::listed(&args.files)?;
    #[cfg(feature = "solutions")]
    if paths.iter().any(|path| parts::is_part(path)) {
        return parts::merge(&paths, args.report.as_deref());
    }
    let files = Files::open(&paths)?;
    let tests = tests(&files.plan)?;
    let mut tally = Tally::new(&tests, files.plan.seed);
    let mut missing = Missing::new(files.plan.shards());
    let report = args.report.as_deref();
    let merged = |to| ReportFile::create_whole(to, &files.plan.merged());
    let mut report = report.map(merged).transpose()?;
    let bar = bar(files.bytes, args.quiet);
    let added = add(&files, &mut tally, &mut missing, &mut report, &bar);
    bar.finish_and_clear();
    added?;
    report.map_or(Ok(()), |report| report.end(&tally, false))?;

    let table = table::of_results(&tally, Clock::Virtual);
    test::print(&table, &tally, &[], (Clock::Virtual, None))?;
    output::print(&missing.text(&files))?;
    Ok(match (missing.is_empty(), tally.failed(), tally.undecided()) {
        (false, ..) => Status::Incomplete,
        (true, 1.., _) => Status::Failed,
        (true, 0, 1..) => Status::Undecided,
        (true, 0, 0) => Status::Passed,
    })
}

/// Adds the runs of all shards, each run once.
fn add(
    files: &Files,
    tally: &mut Tally,
    missing: &mut Missing,
    report: &mut Option<ReportFile>,
    bar: &ProgressBar,
) -> Result<(), Trouble> {
    let design = find_design(program::designs(), &files.plan.design);
    // The leak happens once per process.
    let design = design.map_or_else(|_| &*files.plan.design.clone().leak(), |known| known.name);
    let mut gathered = Gathered::new(files, bar)?;
    while let Some((index, runs)) = gathered.shard()? {
        if runs.len() as u64 == files.plan.size(index) {
            missing.is_complete(index);
        }
        for (number, found) in runs {
            let place = number / u128::from(files.plan.runs.get());
            let place = usize::try_from(place).expect("less than the number of tests");
            let scenario = tally.tests[place].scenario;
            tally.add(read(&found, scenario, design, files.plan.strict)?);
            report.as_mut().map_or(Ok(()), |report| report.bytes(found.line))?;
        }
    }
    Ok(())
}

fn read(
    found: &Found,
    scenario: &'static Scenario,
    design: &'static str,
    strict: bool,
) -> Result<crate::lab::Report, Trouble> {
    let report = found.run.report(scenario, design, strict);
    report.map_err(|what| unusable(&found.path, found.at, &what))
}

/// The tests of the plan.
fn tests(plan: &Plan) -> Result<Vec<&'static Scenario>, Trouble> {
    let test = |name: &String| {
        find_scenario(name).ok_or_else(|| {
            let (theirs, ours) = (&plan.raftlab, env!("CARGO_PKG_VERSION"));
            Trouble::Input(format!(
                "the plan has the test {name:?}, which this program does not have; the files are \
                 of raftlab {theirs}, this is {ours}: merge with the program that wrote them"
            ))
        })
    };
    plan.tests.iter().map(test).collect()
}

/// A line that cannot be used, and what to do about it.
fn unusable(path: &Path, line: u64, what: &str) -> Trouble {
    let path = path.display();
    Trouble::Input(format!(
        "line {line} of {path}: {what}; leave the file out, and merge names the shards to do again"
    ))
}

fn bar(bytes: u64, quiet: bool) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}");
    let bar = ProgressBar::new(bytes).with_style(style.expect("the template is in this file"));
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}
