//! `raftlab grade`: marks submissions, each in an untouched project and in a sandbox.
//!
//! ```text
//! submission.rs  the student's own folders ──────────┐
//! project.rs     the untouched project ──────────────┴─► a program
//! sandbox.rs     what the program may do
//! usage.rs       what a program used
//! trial.rs       its runs, in processes of their own, judged from sealed lines
//! mark.rs        points by the policy ──► words.rs, formats.rs
//! ```

#![allow(
    clippy::disallowed_types,
    reason = "this code is outside any run: threads wait for programs"
)]

mod fault;
mod formats;
mod mark;
mod policy;
mod project;
mod sandbox;
mod submission;
mod trial;
mod usage;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use clap::Args;
use indicatif::ProgressBar;

use crate::cli::args::jobs;
use crate::cli::exam::Run;
use crate::cli::exit::{Status, Trouble};
use crate::cli::output;
use crate::cli::shard::{List, PartArgs, PartFile, Row};
use fault::Fault;
use mark::{Grade, TestGrade, cents};
use policy::Policy;
use project::Project;
use sandbox::Sandbox;
use trial::{Examiner, Judged};

/// Arguments of `raftlab grade`.
#[derive(Debug, Args)]
pub(super) struct GradeArgs {
    /// Folders, archives (.tar, .tar.gz, .tgz, .zip) or repositories (file://…) of students
    #[arg(value_name = "SUBMISSION", required = true)]
    submissions: Vec<String>,
    /// What counts, and how much: see docs/grading.md
    #[arg(long, value_name = "FILE.toml")]
    policy: PathBuf,
    /// The folder for the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Processes at a time (default: one per core)
    #[arg(long, value_name = "J", allow_negative_numbers = true, value_parser = jobs)]
    jobs: Option<u16>,
    /// Days by which a submission is late that the policy does not name
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    days_late: u64,
    /// Print annotations for GitHub instead of the table
    #[arg(long)]
    github: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    part: PartArgs,
}

/// Grades the submissions one after the other, and writes the results. A submission that cannot be
/// graded has no points, and says why.
pub(super) fn grade(args: &GradeArgs) -> Result<Status, Trouble> {
    let policy = Policy::read(&args.policy)?;
    let all = names(&args.submissions)?;
    let settings = format!("policy {}, {} days late", policy.digest(), args.days_late);
    let class = List::new("grade", settings, &formats::COLUMNS, all.iter().cloned());
    let report = args.part.begin(class)?;
    let own = args.submissions.iter().zip(all).enumerate();
    let own = own.filter(|(place, _)| args.part.has(*place)).map(|(_, it)| it);
    let own: Vec<(&String, String)> = own.collect();
    let out = std::path::absolute(&args.out)
        .map_err(|error| Trouble::Input(format!("{}: {error}", args.out.display())))?;
    made(&out)?;
    let work = Work::begin(out.join("work"))?;
    let sandbox = Sandbox::best(&work.root);
    if let Some(what) = sandbox.missing() {
        output::complain("warning", what);
    }
    let bar = bar(own.len(), args.quiet);
    bar.set_message("building the project");
    let project = Project::lay_out(policy.track, &work.home)?;
    let jobs = args.jobs.map_or_else(cores, usize::from);
    let grader = Grader { policy: &policy, project: &project, work: &work, sandbox, jobs };
    let mut grades = Vec::new();
    let done = own.iter().try_for_each(|(place, name)| {
        bar.set_message(name.clone());
        let grade = grader.grade(place, name, args.days_late)?;
        write_all(&out.join(name), &grade, &policy)?;
        grades.push(grade);
        bar.inc(1);
        Ok(())
    });
    bar.finish_and_clear();
    if done.is_err() {
        let (graded, all) = (grades.len(), own.len());
        let what = format!("only {graded} of {all} submissions are graded, and in class.csv");
        output::complain("warning", &what);
    }
    let tables = write(&out.join("class.csv"), &formats::csv(&grades))
        .and_then(|()| write(&out.join("class.md"), &words::of_class(&grades)));
    done.and(tables)?;
    report.map_or(Ok(()), |report| write_part(report, &grades))?;
    let shown = match args.github {
        true => grades.iter().map(formats::annotations).collect(),
        false => words::of_class(&grades),
    };
    output::print(&shown)?;
    Ok(Status::Passed)
}

/// Writes the results of one submission to its folder.
fn write_all(folder: &Path, grade: &Grade, policy: &Policy) -> Result<(), Trouble> {
    made(folder)?;
    write(&folder.join("grade.json"), &pretty(grade)?)?;
    write(&folder.join("results.json"), &pretty(&formats::gradescope(grade, policy))?)?;
    write(&folder.join("junit.xml"), &formats::junit(grade))?;
    write(&folder.join("feedback.md"), &words::feedback(grade, policy))
}

/// Writes a row for each submission of this machine's part. A bad mark is no trouble.
fn write_part(mut report: PartFile, grades: &[Grade]) -> Result<(), Trouble> {
    for grade in grades {
        let (name, cells) = (grade.name.clone(), formats::cells(grade).into());
        report.row(&Row { name, ok: true, cells })?;
    }
    report.end()
}

/// Makes a folder for results.
fn made(path: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(path).map_err(|error| {
        Trouble::Input(format!("cannot make {}: {error}; name another --out", path.display()))
    })
}

/// A name for each submission. Two of one name would share their results.
fn names(places: &[String]) -> Result<Vec<String>, Trouble> {
    let mut names: Vec<String> = Vec::new();
    for place in places {
        if !place.starts_with("file://") && !Path::new(place).exists() {
            let what = format!("{place}: there is no such folder, archive or repository");
            return Err(Trouble::Input(what));
        }
        let name = submission::name_of(place);
        if name.is_empty() || name == "work" || names.contains(&name) {
            let what = format!("{place}: its name, {name:?}, is empty, `work` or taken");
            return Err(Trouble::Input(format!("{what}; rename it")));
        }
        names.push(name);
    }
    Ok(names)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

fn bar(count: usize, quiet: bool) -> ProgressBar {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(count as u64) };
    let style = indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}");
    bar.with_style(style.expect("the template is right"))
}

/// The folders that grading needs. What it compiles is kept for the next time.
struct Work {
    home: PathBuf,
    /// An empty folder.
    root: PathBuf,
    /// Programs and unpacked submissions; removed in the end.
    scratch: tempfile::TempDir,
}

impl Work {
    fn begin(home: PathBuf) -> Result<Work, Trouble> {
        let failed = |error| Trouble::Machine(format!("cannot make {}: {error}", home.display()));
        let root = home.join("root");
        fs::create_dir_all(&root).map_err(failed)?;
        let scratch =
            tempfile::Builder::new().prefix("scratch").tempdir_in(&home).map_err(failed)?;
        Ok(Work { home, root, scratch })
    }
}

/// What all submissions have in common.
struct Grader<'a> {
    policy: &'a Policy,
    project: &'a Project,
    work: &'a Work,
    sandbox: Sandbox,
    jobs: usize,
}

impl Grader<'_> {
    fn grade(&self, place: &str, name: &str, days_late: u64) -> Result<Grade, Trouble> {
        let failed = |error| Trouble::Machine(format!("{name}: {error}"));
        let folder = tempfile::tempdir_in(self.work.scratch.path()).map_err(failed)?;
        let program = folder.path().join("program");
        let unpacked = folder.path().join("unpacked");
        fs::create_dir(&unpacked).map_err(failed)?;
        let mut ignored = Vec::new();
        let built = submission::take(place, self.policy.track, &unpacked).and_then(|submission| {
            ignored.clone_from(&submission.ignored);
            self.project.build(&submission, &program, &self.policy.limits)
        });
        let mut grade = match built {
            Ok(build) => {
                let (tests, memory_mb) = self.examine(&program, name)?;
                let mut grade = Grade::of(name, self.policy, days_late, tests);
                grade.build_cpu_s = cents(build.cpu_s);
                grade.memory_mb = memory_mb.max(build.memory_mb);
                grade
            }
            Err(Fault::Student(why)) => {
                let tests = self.marked(|_| Vec::new());
                let mut grade = Grade::of(name, self.policy, days_late, tests);
                grade.refused = Some(why);
                grade
            }
            Err(Fault::Machine(why)) => return Err(Trouble::Machine(why)),
        };
        grade.ignored = ignored;
        grade.sandbox = self.sandbox.missing();
        Ok(grade)
    }

    /// Examines the tests, a few at a time, and returns them with the most memory, in MB, that one
    /// process had. Fails if the machine cannot run programs.
    fn examine(&self, program: &Path, name: &str) -> Result<(Vec<TestGrade>, u64), Trouble> {
        let Policy { limits, schedule, public, twice, .. } = self.policy;
        let entries = self.policy.entries().expect("reading the policy has checked them");
        let tests: Vec<_> = entries.iter().flat_map(|entry| entry.tests.clone()).collect();
        let results: Vec<_> =
            tests.iter().map(|_| parking_lot::Mutex::new(Ok(Vec::new()))).collect();
        let (sandbox, root, memory_mb) = (self.sandbox, &self.work.root, &AtomicU64::new(0));
        let examiner = Examiner { sandbox, program, limits, root, memory_mb };
        let next = AtomicUsize::new(0);
        let work = || {
            while let number = next.fetch_add(1, Ordering::Relaxed)
                && let Some(test) = tests.get(number)
            {
                let seeds = self.policy.seeds(name, test.name);
                let run =
                    |seed| Run { test: test.name.to_string(), seed, schedule: schedule.clone() };
                let runs: Vec<Run> = seeds.into_iter().map(run).collect();
                let judged = examiner.test(&runs, *public, *twice);
                if judged.is_err() {
                    next.store(tests.len(), Ordering::Relaxed);
                }
                *results[number].lock() = judged;
            }
        };
        std::thread::scope(|scope| {
            (1..self.jobs).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        let results = results.into_iter().map(parking_lot::Mutex::into_inner);
        let mut results: Vec<Vec<Judged>> = results.collect::<Result<_, Trouble>>()?;
        let tests = self.marked(|name| {
            let number = tests.iter().position(|test| test.name == name);
            number.map(|number| std::mem::take(&mut results[number])).unwrap_or_default()
        });
        Ok((tests, memory_mb.load(Ordering::Relaxed)))
    }

    /// Marks all tests, given the runs of each.
    fn marked(&self, mut runs_of: impl FnMut(&str) -> Vec<Judged>) -> Vec<TestGrade> {
        let entries = self.policy.entries().expect("reading the policy has checked them");
        let marked = entries
            .iter()
            .flat_map(|entry| mark::entry(entry, self.policy, |test| runs_of(test.name)));
        marked.collect()
    }
}

fn pretty(value: &impl serde::Serialize) -> Result<String, Trouble> {
    serde_json::to_string_pretty(value).map_err(|error| Trouble::Machine(error.to_string()))
}

fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    fs::write(path, text).map_err(|error| {
        Trouble::Machine(format!("cannot write {}: {error}; make room", path.display()))
    })
}
