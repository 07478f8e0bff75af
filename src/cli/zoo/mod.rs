//! `raftlab zoo`: plants each bug of `tests/zoo`, and shows which tests catch it, how soon.
//!
//! ```text
//! tests/zoo/*.patch ─ bugs.rs, header.rs      which bugs there are
//!   │
//!   ├► sources.rs     our source with the patch ─► layout.rs, copies.rs, programs.rs   programs
//!   │
//!   └► plan.rs        tests and seeds ─► judge.rs, work.rs   runs, in processes of their own
//!                                          │
//!                     figures.rs, table.rs, matrix.rs ◄─ results.rs   what they found
//! ```
//!
//! Our own servers have asserts that a student's server lacks; the copies are built without them,
//! so that only the suite can catch a bug.

mod args;
mod bugs;
mod copies;
mod fields;
mod figures;
mod header;
mod judge;
mod layout;
mod matrix;
mod plan;
mod programs;
mod results;
mod sources;
mod table;
mod work;

use std::collections::BTreeSet;
use std::env;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::exit::{Status, Trouble};
use crate::cli::output;
use crate::cli::shard::{List, PartFile, Row};
use crate::runtime;
pub(super) use args::ZooArgs;
use bugs::{Bug, Kind};
use figures::BugFigures;
use plan::Subject;
use programs::Programs;
use results::Results;
use work::{Task, Workers};

/// Runs the chosen bugs, and shows what caught them.
pub(super) fn zoo(args: &ZooArgs) -> Result<Status, Trouble> {
    let mut bugs = bugs::chosen(&args.tree, &args.names)?;
    if args.list {
        output::print(&table::of_bugs(&bugs))?;
        return Ok(Status::Passed);
    }
    let most = args.runs.map_or(plan::SEEDS_MAX, |runs| runs.get().max(plan::SEEDS_MAX));
    if args.seed.checked_add(most).is_none() {
        let what = format!("{most} seeds from {} on exceed the largest seed", args.seed);
        return Err(Trouble::Input(format!("{what}; lower --seed or --runs")));
    }
    let mut report = args.part.begin(list(args, &bugs))?;
    let mut place = 0..;
    bugs.retain(|_| place.next().is_some_and(|place| args.part.has(place)));
    let file = args.out.as_deref().map(matrix::File::open).transpose()?;
    let build = build_folder(&args.tree)?;
    let mut results = Results::open(&build.join("zoo/results.jsonl"), args.fresh)?;
    let mut subjects = subjects(args, &bugs, &build)?;
    let status = run(args, &mut subjects, &mut results)?;
    let figures: Vec<BugFigures> = subjects.iter().map(|it| it.figures(&results)).collect();
    output::print(&table::of(&figures, status == Status::Interrupted))?;
    file.map_or(Ok(()), |file| file.write(&figures, args.seed))?;
    if status == Status::Interrupted {
        output::complain("warning", "stopped by Ctrl-C; the same command continues from there");
    } else if let Some(report) = report.take() {
        write_part(report, &figures)?;
    } else if figures.iter().any(|it| !it.verdict.is_right()) {
        return Ok(Status::Failed);
    }
    Ok(status)
}

/// The list of all bugs, of which a machine may do a part.
fn list(args: &ZooArgs, bugs: &[Bug]) -> List {
    let runs = args.runs.map_or("the usual seeds".to_string(), |runs| format!("{runs} seeds"));
    let schedule = args.schedule.map(runtime::Schedule::from);
    let schedule = schedule.map_or("the schedule of each bug".to_string(), |it| it.to_string());
    let checks = if args.own_checks { "with" } else { "without" };
    let settings = format!("{runs} from {} on, {schedule}, {checks} our own checks", args.seed);
    List::new("zoo", settings, &table::COLUMNS, bugs.iter().map(|bug| bug.name().to_string()))
}

/// Writes a row for each bug of the part.
fn write_part(mut report: PartFile, figures: &[BugFigures]) -> Result<(), Trouble> {
    for it in figures {
        let (name, ok) = (it.bug.name().to_string(), it.verdict.is_right());
        report.row(&Row { name, ok, cells: table::cells(it).into() })?;
    }
    report.end()
}

/// The folder that cargo builds in.
fn build_folder(tree: &Path) -> Result<PathBuf, Trouble> {
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| tree.join("target"), PathBuf::from);
    std::path::absolute(&folder).map_err(|error| sources::failed(&folder, &error))
}

/// Builds the bugs.
fn subjects(args: &ZooArgs, bugs: &[Bug], build: &Path) -> Result<Vec<Subject>, Trouble> {
    let bar = spinner(args.quiet, format!("builds {} variants", bugs.len()));
    // The kinds are in order, and the last one has programs of its own.
    let (packaged, copied) = bugs.split_at(bugs.partition_point(|bug| bug.kind != Kind::Store));
    let layout = layout::write_all(&args.tree, build, packaged, args.own_checks)?;
    let programs = Programs::build(&layout, packaged)?;
    let copies: Vec<(PathBuf, u64)> =
        copied.iter().map(|bug| copies::build(&args.tree, build, bug)).collect::<Result<_, _>>()?;
    bar.finish_and_clear();

    let mut tests = programs.servers().map_or_else(|| Ok(Vec::new()), plan::tests)?;
    tests.extend(copies.first().map_or_else(|| Ok(Vec::new()), |it| plan::tests(&it.0))?);
    // Both programs have the tests of the other parts.
    tests.sort_by_key(|test| test.part == plan::STORE);
    let mut seen = BTreeSet::new();
    tests.retain(|test| seen.insert(test.name.clone()));

    let schedule = args.schedule.map(|it| runtime::Schedule::from(it).to_string());
    let seeds = (args.seed, args.runs.map(NonZeroU64::get));
    let packaged = packaged.iter().zip(layout.hashes);
    let packaged = packaged.map(|(bug, hash)| (bug, (programs.of(bug).to_path_buf(), hash)));
    let all = packaged.chain(copied.iter().zip(copies));
    let subject = |(bug, program)| Subject::new(bug, program, &tests, schedule.as_deref(), seeds);
    Ok(all.map(subject).collect())
}

/// Does all runs that have no result yet.
fn run(args: &ZooArgs, subjects: &mut [Subject], results: &mut Results) -> Result<Status, Trouble> {
    let workers = Workers::new(args.jobs.unwrap_or_else(cores))?;
    let bar = bar(subjects, args.quiet);
    loop {
        let tasks: Vec<_> = subjects.iter().flat_map(|subject| subject.tasks(results)).collect();
        bar.set_length(subjects.iter().map(Subject::len).sum::<usize>() as u64);
        bar.set_position(bar.length().unwrap_or(0) - tasks.len() as u64);
        let (keys, tasks): (Vec<String>, Vec<Task>) = tasks.into_iter().unzip();
        let done = workers.run(tasks, |place, block| {
            bar.set_message(keys[place].split(' ').next().unwrap_or_default().to_string());
            bar.inc(1);
            results.add(keys[place].clone(), block)
        });
        if !done.inspect_err(|_| bar.finish_and_clear())? {
            bar.finish_and_clear();
            return Ok(Status::Interrupted);
        }
        let mut more = false;
        for subject in subjects.iter_mut().filter(|subject| subject.needs_more(results)) {
            more |= subject.extend();
        }
        if !more {
            bar.finish_and_clear();
            return Ok(Status::Passed);
        }
    }
}

fn cores() -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    u16::try_from(cores).unwrap_or(u16::MAX)
}

fn spinner(quiet: bool, message: String) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_style(style("{spinner} {msg} ({elapsed})"));
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.set_message(message);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn bar(subjects: &[Subject], quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(subjects.len() as u64);
    let bar = bar.with_style(style("{bar:40} {pos}/{len} {eta}  {msg}"));
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are in this file")
}
