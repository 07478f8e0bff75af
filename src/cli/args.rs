//! The arguments of the command line, and a one-line message for each mistake in them.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use crate::api::Host;
use crate::history::ModelName;
use crate::record::Topic;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

#[cfg(feature = "solutions")]
use crate::cli::compare::CompareArgs;
use crate::cli::course::{CourseArgs, RunArgs, seed};
use crate::cli::exit::Trouble;
use crate::cli::explain::ExplainArgs;
#[cfg(feature = "solutions")]
use crate::cli::grade::GradeArgs;
#[cfg(feature = "solutions")]
use crate::cli::handout::NewArgs;
use crate::cli::hint::HintArgs;
use crate::cli::merge::MergeArgs;
use crate::cli::program;
use crate::cli::shard::ShardArgs;
use crate::cli::standing::ProgressArgs;
#[cfg(feature = "solutions")]
use crate::cli::zoo::ZooArgs;

const STATUS_HELP: &str = "Exit status:
  0    nothing failed
  1    a run failed
  2    the arguments or a file cannot be used
  3    nothing failed, but a history could not be judged
  4    the machine failed during the runs: a full disk, no more threads
  5    merge: runs are missing, whether or not one failed
  130  stopped by Ctrl-C";

const RECORD_HELP: &str =
    "The record has one line per event: virtual seconds, the server or client, what happened.
  → S2 #7   a request is sent to S2; 7 is the number of the call
  ⇢ S1 #7   the request from S1 has arrived (--all)
  ↩ S1 #7   the reply to S1 is sent
  ← S2 #7   the reply from S2 has arrived (--all); ✗ instead: no reply will come
  · S2 #7   what the network did to the call to S2
Entries are written term/index. Lines without a server are the test's own steps.

Topics: timer vote leader term log log2 apply disk snapshot network client test info warn error
trace, or the four letters of each: TIMR VOTE LEAD TERM LOG1 LOG2 CMIT PERS SNAP DROP CLNT TEST
INFO WARN ERRO TRCE.";

const HISTORY_HELP: &str = "Formats, recognized by their content:
  {\"client\":0,\"call\":10,\"return\":25,\"op\":\"put\",\"key\":\"a\",\"value\":\"1\"}   one operation per line
  {:process 0, :type :invoke, :f :put, :key \"a\", :value \"1\"}            one event per line
  INFO  jepsen.util - 0  :invoke  :write  1                            a Jepsen log

Models and their operations:
  register      read, write, cas; initially nil
  kv            get, put, append; a missing key reads as \"\"
  kv-versioned  get, put, with versions

Exit status:
  0  linearizable
  1  not linearizable
  2  the file or the arguments cannot be used
  3  undecided: time or memory ran out";

/// Runs the Raft lab's suite, on real threads or on a seeded virtual clock.
#[derive(Debug, Parser)]
#[command(name = program::name(), version, after_help = STATUS_HELP, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a student's project: skeletons, the suite, and no solution
    #[cfg(feature = "solutions")]
    New(NewArgs),
    /// Shows the tests, their parts and what they are about
    List(ListArgs),
    /// Tells the story of one test, and what it catches
    Explain(ExplainArgs),
    /// Says what usually causes a failure, from a nudge to nearly the answer
    Hint(HintArgs),
    /// Runs tests with many seeds, and reports which fail
    Test(TestArgs),
    /// Puts the reports of many machines together, and shows the results
    Merge(MergeArgs),
    /// Shows how many tests of each part pass, and what to do next
    Progress(ProgressArgs),
    /// Runs one test with one seed, and shows what happened
    Replay(ReplayArgs),
    /// Makes a failing run smaller
    Shrink(ShrinkArgs),
    /// Walks through one run event by event, and tries other courses of it
    Step(StepArgs),
    /// Builds and tests after each save, and shows all tests on one screen
    Watch(WatchArgs),
    /// Shows a record that replay wrote, or a log of lines TIME TOPIC S1 text
    Log(LogArgs),
    /// Compares two records, and shows the first event at which they part
    Diff(DiffArgs),
    /// Measures the cost and the speed of the designs, side by side
    #[cfg(feature = "solutions")]
    Compare(CompareArgs),
    /// Checks whether a recorded history is linearizable
    Check(CheckArgs),
    /// Marks students' submissions, each in an untouched project
    #[cfg(feature = "solutions")]
    Grade(GradeArgs),
    /// Does the runs that `raftlab grade` orders
    #[command(hide = true)]
    Exam,
    /// Plants bugs in our servers, and shows which tests catch them
    #[cfg(feature = "solutions")]
    Zoo(ZooArgs),
}

/// Arguments of `raftlab list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Parts, or words in the names of tests, e.g. 2A or figure8 (default: all tests)
    #[arg(value_name = "WORD|PART")]
    pub words: Vec<String>,
    /// Print a JSON array with one object per test
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `raftlab test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Tests or parts, e.g. figure8_2c or 2C, in upper or lower case (default: all tests)
    #[arg(value_name = "NAME|PART")]
    pub names: Vec<String>,
    /// Runs of each test, with seeds S, S+1, … (default: 10; on the real clock 1)
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one)]
    pub runs: Option<NonZeroU64>,
    /// Runs at a time (default: one per core; on the real clock 4)
    #[arg(long, value_name = "J", allow_negative_numbers = true, value_parser = jobs)]
    pub jobs: Option<u16>,
    /// The first seed
    #[arg(long, value_name = "S", default_value = "1", allow_negative_numbers = true, value_parser = seed)]
    pub seed: u64,
    /// Seeded virtual time, or real threads and wall time
    #[arg(long, default_value = "virtual")]
    pub clock: Clock,
    #[command(flatten)]
    pub course: CourseArgs,
    /// Run until K runs have failed or Ctrl-C is pressed
    #[arg(long, value_name = "K", conflicts_with = "runs",
          allow_negative_numbers = true, value_parser = at_least_one)]
    pub until_fail: Option<NonZeroU64>,
    /// Print the results as the course's tests do, for scripts that read those lines
    #[arg(long)]
    pub classic: bool,
    /// Begin no further run once a run has failed
    #[arg(long, conflicts_with = "until_fail")]
    pub fail_fast: bool,
    /// Write one JSON object per run to FILE, as soon as the run ends
    #[arg(long, value_name = "FILE.jsonl")]
    pub report: Option<PathBuf>,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub shard: ShardArgs,
}

/// Arguments of `raftlab replay`.
#[derive(Debug, Args)]
#[command(after_help = RECORD_HELP)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub view: ViewArgs,
    /// Write the record to FILE, for `raftlab log` and `raftlab diff`
    #[arg(long, value_name = "FILE.jsonl", help_heading = "Files")]
    pub record: Option<PathBuf>,
    /// Write the clients' operations to FILE, for `raftlab check`
    #[arg(long, value_name = "FILE.jsonl", help_heading = "Files")]
    pub history: Option<PathBuf>,
}

/// Arguments of `raftlab shrink`.
#[derive(Debug, Args)]
pub(super) struct ShrinkArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// How long to look for a smaller run
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = span)]
    pub time: Duration,
    /// Do not look for another test that breaks the same rule with fewer calls
    #[arg(long)]
    pub same_test: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

/// Arguments of `raftlab step`.
#[derive(Debug, Args)]
pub(super) struct StepArgs {
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `raftlab watch`.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Tests or parts, e.g. figure8_2c or 2C, in upper or lower case (default: all tests)
    #[arg(value_name = "NAME|PART")]
    pub names: Vec<String>,
    /// Runs of each test, with seeds S, S+1, …
    #[arg(long, value_name = "N", default_value = "10", allow_negative_numbers = true,
          value_parser = at_least_one)]
    runs: NonZeroU64,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true,
          value_parser = seed)]
    seed: u64,
    #[command(flatten)]
    pub course: CourseArgs,
}

impl WatchArgs {
    /// The arguments that run the tests with these names.
    pub(super) fn arguments(&self, names: &[&str]) -> Vec<String> {
        let mut words = vec!["test".to_string()];
        words.extend(names.iter().map(ToString::to_string));
        words.extend(["--runs".to_string(), self.runs.to_string()]);
        words.extend(["--seed".to_string(), self.seed.to_string()]);
        words.extend(self.course.arguments());
        words
    }
}

/// Arguments of `raftlab log`.
#[derive(Debug, Args)]
#[command(after_help = RECORD_HELP)]
pub(super) struct LogArgs {
    /// The record or log; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub view: ViewArgs,
}

/// Arguments of `raftlab diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// One record
    #[arg(value_name = "FILE")]
    pub one: PathBuf,
    /// The other record
    #[arg(value_name = "FILE")]
    pub other: PathBuf,
}

/// What to show of a record, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to show")]
pub(super) struct ViewArgs {
    /// One column per server and client
    #[arg(long, short, conflicts_with = "state")]
    pub columns: bool,
    /// Also the server's role, term, commit index, applied index and last index after each event
    #[arg(long)]
    pub state: bool,
    /// Only these servers and clients, e.g. S1,C0
    #[arg(long, value_name = "S1,…", value_delimiter = ',')]
    pub only: Vec<Host>,
    /// Only these topics, e.g. vote,log,apply
    #[arg(long, short = 'j', value_name = "TOPIC,…", value_delimiter = ',')]
    pub topics: Vec<Topic>,
    /// Nothing before this virtual time, e.g. 1.5s
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub from: Option<Duration>,
    /// Nothing after this virtual time
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub to: Option<Duration>,
    /// Only this long before and after the failure, e.g. 200ms
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with_all = ["from", "to"])]
    pub around_failure: Option<Duration>,
    /// Also heartbeats that change nothing, arrivals, syncs, links and stalls
    #[arg(long)]
    pub all: bool,
    /// Write a page that draws the run to FILE
    #[arg(long, value_name = "FILE.html", help_heading = "Files")]
    pub html: Option<PathBuf>,
    /// Write a trace for Perfetto to FILE
    #[arg(long, value_name = "FILE.json", help_heading = "Files")]
    pub trace: Option<PathBuf>,
    /// Write a log with vector clocks for ShiViz to FILE
    #[arg(long, value_name = "FILE.log", help_heading = "Files")]
    pub shiviz: Option<PathBuf>,
}

/// Arguments of `raftlab check`.
#[derive(Debug, Args)]
#[command(after_help = HISTORY_HELP)]
pub(super) struct CheckArgs {
    /// The history; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Model to judge by (default: inferred from the operations)
    #[arg(long)]
    pub model: Option<Model>,
    /// How long to try before giving up, e.g. 500ms or 2min
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = span)]
    pub timeout: Duration,
    /// Print the verdict as one JSON object
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// Write a page that draws the operations and the verdict to FILE
    #[arg(long, value_name = "FILE.html")]
    pub html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Clock {
    Virtual,
    Real,
}

/// The model that a history is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Model {
    Register,
    Kv,
    KvVersioned,
}

impl From<Model> for ModelName {
    fn from(model: Model) -> ModelName {
        match model {
            Model::Register => ModelName::Register,
            Model::Kv => ModelName::Kv,
            Model::KvVersioned => ModelName::KvVersioned,
        }
    }
}

/// The command that the user asked for.
#[derive(Debug)]
pub(super) enum Action {
    /// `raftlab new`.
    #[cfg(feature = "solutions")]
    New(NewArgs),
    /// `raftlab list`.
    List(ListArgs),
    /// `raftlab explain`.
    Explain(ExplainArgs),
    /// `raftlab hint`.
    Hint(HintArgs),
    /// `raftlab test`.
    Test(TestArgs),
    /// `raftlab merge`.
    Merge(MergeArgs),
    /// `raftlab progress`.
    Progress(ProgressArgs),
    /// `raftlab replay`.
    Replay(ReplayArgs),
    /// `raftlab shrink`.
    Shrink(ShrinkArgs),
    /// `raftlab step`.
    Step(StepArgs),
    /// `raftlab watch`.
    Watch(WatchArgs),
    /// `raftlab log`.
    Log(LogArgs),
    /// `raftlab diff`.
    Diff(DiffArgs),
    /// `raftlab compare`.
    #[cfg(feature = "solutions")]
    Compare(CompareArgs),
    /// `raftlab check`.
    Check(CheckArgs),
    /// `raftlab grade`.
    #[cfg(feature = "solutions")]
    Grade(GradeArgs),
    /// `raftlab exam`.
    Exam,
    /// `raftlab zoo`.
    #[cfg(feature = "solutions")]
    Zoo(ZooArgs),
    /// Print this text: the help, or the version.
    Say(String),
}

/// Reads the program's arguments.
pub(super) fn parse() -> Result<Action, Trouble> {
    match Cli::try_parse() {
        #[cfg(feature = "solutions")]
        Ok(Cli { command: Command::New(new) }) => Ok(Action::New(new)),
        Ok(Cli { command: Command::List(list) }) => Ok(Action::List(list)),
        Ok(Cli { command: Command::Explain(explain) }) => Ok(Action::Explain(explain)),
        Ok(Cli { command: Command::Hint(hint) }) => Ok(Action::Hint(hint)),
        Ok(Cli { command: Command::Test(test) }) => Ok(Action::Test(test)),
        Ok(Cli { command: Command::Merge(args) }) => Ok(Action::Merge(args)),
        Ok(Cli { command: Command::Progress(args) }) => Ok(Action::Progress(args)),
        Ok(Cli { command: Command::Replay(replay) }) => Ok(Action::Replay(replay)),
        Ok(Cli { command: Command::Shrink(shrink) }) => Ok(Action::Shrink(shrink)),
        Ok(Cli { command: Command::Step(step) }) => Ok(Action::Step(step)),
        Ok(Cli { command: Command::Watch(watch) }) => Ok(Action::Watch(watch)),
        Ok(Cli { command: Command::Log(log) }) => Ok(Action::Log(log)),
        Ok(Cli { command: Command::Diff(diff) }) => Ok(Action::Diff(diff)),
        #[cfg(feature = "solutions")]
        Ok(Cli { command: Command::Compare(compare) }) => Ok(Action::Compare(compare)),
        Ok(Cli { command: Command::Check(check) }) => Ok(Action::Check(check)),
        #[cfg(feature = "solutions")]
        Ok(Cli { command: Command::Grade(args) }) => Ok(Action::Grade(args)),
        Ok(Cli { command: Command::Exam }) => Ok(Action::Exam),
        #[cfg(feature = "solutions")]
        Ok(Cli { command: Command::Zoo(args) }) => Ok(Action::Zoo(args)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(Action::Say(error.render().ansi().to_string()))
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let help = error.render().to_string();
                Err(Trouble::Input(format!("say what to do: {}\n\n{help}", commands())))
            }
            _ => Err(Trouble::Input(one_line(&error))),
        },
    }
}

/// The names of all commands of this build: `list, explain or check`.
fn commands() -> String {
    let command = Cli::command();
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    let names: Vec<&str> = shown.map(clap::Command::get_name).collect();
    let (last, others) = names.split_last().expect("there are commands");
    format!("{} or {last}", others.join(", "))
}

/// The first paragraphs of clap's message on one line, without `error:` and the line about
/// `--help`.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let before_help = text.split("\nUsage:").next().unwrap_or(&text);
    let before_help = before_help.split("\nFor more information").next().unwrap_or(before_help);
    let words: Vec<&str> = before_help.split_whitespace().collect();
    let line = words.join(" ").trim_start_matches("error: ").replace(" tip: ", "; ");
    match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => line,
        _ => format!("{line}; see --help"),
    }
}

pub(super) fn at_least_one(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| format!("give a whole number from 1 to {}", u64::MAX))
}

fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "give a time with its unit, e.g. 20s".to_string())
}

/// Maximum of `--jobs`: more runs at a time would only exhaust the machine's threads.
const JOBS_MAX: u16 = 1024;

pub(super) fn jobs(text: &str) -> Result<u16, String> {
    let jobs = text.parse().ok().filter(|jobs| (1..=JOBS_MAX).contains(jobs));
    jobs.ok_or_else(|| format!("give a whole number from 1 to {JOBS_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bad_input_is_one_line_that_says_what_to_do() {
        for (arguments, words) in [
            (["test", "--seed", "x"], "give a whole number from 0 to 18446744073709551615"),
            (["test", "--jobs", "0"], "give a whole number from 1 to 1024"),
            (["test", "--runs", "-1"], "give a whole number from 1"),
            (["test", "--clock", "sundial"], "virtual, real"),
        ] {
            let error = Cli::try_parse_from(["raftlab"].into_iter().chain(arguments)).unwrap_err();
            let line = one_line(&error);
            assert!(line.contains(words), "{line:?} does not say {words:?}");
            assert_eq!(line.lines().count(), 1, "{line:?} is more than one line");
        }
    }
}
