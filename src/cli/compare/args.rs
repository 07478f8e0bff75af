//! The arguments of `raftlab compare`.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::RUNS;
use crate::cli::args::{at_least_one, jobs};
use crate::cli::course::{design, seed};
use crate::cli::program;
use crate::lab::Design;

/// Arguments of `raftlab compare`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CompareArgs {
    /// Designs to compare, e.g. rpc,tick (default: all of this build)
    #[arg(long, value_name = "DESIGN,…", value_delimiter = ',',
          value_parser = PossibleValuesParser::new(program::design_names()).try_map(design))]
    pub designs: Vec<&'static Design>,
    /// Runs of each measurement, with seeds S, S+1, …
    #[arg(long, value_name = "N", default_value_t = RUNS,
          allow_negative_numbers = true, value_parser = at_least_one)]
    pub runs: NonZeroU64,
    /// Runs at a time (default: one per core); CPU time is measured in one run at a time
    #[arg(long, value_name = "J", allow_negative_numbers = true, value_parser = jobs)]
    pub jobs: Option<u16>,
    /// The first seed
    #[arg(long, value_name = "S", default_value = "1", allow_negative_numbers = true, value_parser = seed)]
    pub seed: u64,
    /// Write a page with plots and the figures as JSON to DIR
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the figures as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}
