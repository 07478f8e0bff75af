//! The arguments that determine the course of a run, besides the test and the seed.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};

use crate::cli::program;
use crate::lab::{self, Design, NoSuchDesign};
use crate::runtime::{self, Kept, RunConfig};

/// The arguments that, besides the seed, determine the course of a run.
#[derive(Debug, Args)]
pub(super) struct CourseArgs {
    /// Implementation to test (default: the first one)
    #[arg(long, value_parser = PossibleValuesParser::new(program::design_names()).try_map(design))]
    design: Option<&'static Design>,
    /// How the virtual clock chooses the next task; hostile judges safety only
    #[arg(long, default_value = "random")]
    schedule: Schedule,
    /// Judge by the rules of all parts, not only of the test's own part and the parts before it
    #[arg(long)]
    strict: bool,
}

/// A smaller run, as `raftlab shrink` prints it.
#[derive(Debug, Args)]
pub(super) struct KeepArgs {
    /// Keep only these of the seed's choices, as shrink prints them
    #[arg(long, value_name = "CHOICES", default_value = "all", hide_default_value = true)]
    pub keep: Kept,
}

impl CourseArgs {
    /// The design to run.
    pub(super) fn design(&self) -> &'static Design {
        let design = self.design.unwrap_or(&program::designs()[0]);
        // The leak happens once per process.
        if self.strict { Box::leak(Box::new(design.strict())) } else { design }
    }

    /// The configuration of a run on the virtual clock.
    pub(super) fn config(&self, seed: u64, kept: &KeepArgs) -> RunConfig {
        RunConfig {
            clock: runtime::Clock::Virtual,
            seed,
            schedule: self.schedule(),
            kept: kept.keep.clone(),
            ..RunConfig::default()
        }
    }

    /// The schedule to run under.
    pub(super) fn schedule(&self) -> runtime::Schedule {
        match self.schedule {
            Schedule::Fifo => runtime::Schedule::Fifo,
            Schedule::Random => runtime::Schedule::Random,
            Schedule::Hostile => runtime::Schedule::Hostile,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Schedule {
    Fifo,
    Random,
    Hostile,
}

/// The design called `name`.
pub(super) fn design(name: String) -> Result<&'static Design, NoSuchDesign> {
    lab::find_design(program::designs(), &name)
}
