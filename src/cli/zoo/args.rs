//! The arguments of `raftlab zoo`.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;

use crate::cli::args::{at_least_one, jobs};
use crate::cli::course::{Schedule, seed};
use crate::cli::shard::PartArgs;

const ZOO_HELP: &str =
    "NAME is a patch of tests/zoo, of tests/zoo/tick or of tests/zoo/store, without \
.patch, or the word healthy.

The figures count seeds: a test that catches a bug with every second seed or so has a median of 1 or
2. In 95 of 100 cases no more seeds were needed than the column 95 % says. A bug that no test has
caught with its seeds gets more, up to 1,000.

Exit status:
  0    every bug that must be caught was caught, and no healthy server failed
  1    a bug that must be caught was not, or a healthy server failed
  2    the arguments cannot be used, or a patch no longer applies
  4    the machine failed: a full disk, no compiler
  130  stopped by Ctrl-C; the same command continues from there";

/// Arguments of `raftlab zoo`.
#[derive(Debug, Args)]
#[command(after_help = ZOO_HELP)]
pub(in crate::cli) struct ZooArgs {
    /// Bugs to plant (default: all of them, and servers without a bug)
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Seeds S, S+1, … for each bug and test (default: 20, or as many as the bug's patch says)
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one)]
    pub runs: Option<NonZeroU64>,
    /// The first seed
    #[arg(long, value_name = "S", default_value = "1", allow_negative_numbers = true, value_parser = seed)]
    pub seed: u64,
    /// Runs at a time (default: one per core)
    #[arg(long, value_name = "J", allow_negative_numbers = true, value_parser = jobs)]
    pub jobs: Option<u16>,
    /// The schedule for all bugs (default: the one that the bug's patch names)
    #[arg(long, value_name = "SCHEDULE")]
    pub schedule: Option<Schedule>,
    /// Leave the asserts of our own servers in; without them only the suite can catch a bug
    #[arg(long)]
    pub own_checks: bool,
    /// Show the bugs, and run nothing
    #[arg(long, conflicts_with_all = ["out", "fresh"])]
    pub list: bool,
    /// Write the figures of every bug and test to FILE
    #[arg(long, value_name = "FILE.json|csv", value_parser = table_file)]
    pub out: Option<PathBuf>,
    /// Forget the results of earlier calls
    #[arg(long)]
    pub fresh: bool,
    /// The checkout of raftlab's repository (default: this folder)
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub tree: PathBuf,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub part: PartArgs,
}

/// Reads the path of a file that can have figures.
fn table_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|it| it.to_str()) {
        Some("json" | "csv") => Ok(path),
        _ => Err("name a file that ends in .json or .csv".to_string()),
    }
}
