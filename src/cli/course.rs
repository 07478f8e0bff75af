//! The arguments that determine a run: the test, the seed, and what shapes its course.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};

use crate::cli::program;
use crate::lab::{self, Design, NoSuchDesign};
use crate::runtime::{self, Kept, RunConfig, Turns};

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

/// One run of a test.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The test
    pub name: String,
    /// The seed
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seed)]
    pub seed: u64,
    #[command(flatten)]
    pub course: CourseArgs,
    /// Keep only these of the seed's choices, as shrink prints them
    #[arg(long, value_name = "CHOICES", default_value = "all", hide_default_value = true)]
    pub keep: Kept,
    /// Let these timers go first, as step prints them
    #[arg(long, value_name = "TURNS", default_value = "none", hide_default_value = true)]
    pub turns: Turns,
}

impl RunArgs {
    /// The configuration of the run, on the virtual clock.
    pub(super) fn config(&self) -> RunConfig {
        RunConfig {
            clock: runtime::Clock::Virtual,
            seed: self.seed,
            schedule: self.course.schedule(),
            kept: self.keep.clone(),
            turns: self.turns.clone(),
            ..RunConfig::default()
        }
    }
}

impl CourseArgs {
    /// The design to run.
    pub(super) fn design(&self) -> &'static Design {
        let design = self.design.unwrap_or(&program::designs()[0]);
        // The leak happens once per process.
        if self.strict { Box::leak(Box::new(design.strict())) } else { design }
    }

    /// These arguments, for another process of the same program.
    pub(super) fn arguments(&self) -> Vec<String> {
        let design = ["--design".to_string(), self.design().name.to_string()];
        let schedule = ["--schedule".to_string(), self.schedule().to_string()];
        let strict = self.strict.then(|| "--strict".to_string());
        design.into_iter().chain(schedule).chain(strict).collect()
    }

    /// The schedule to run under.
    pub(super) fn schedule(&self) -> runtime::Schedule {
        self.schedule.into()
    }
}

/// A schedule, by its name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Schedule {
    Fifo,
    Random,
    Hostile,
}

impl From<Schedule> for runtime::Schedule {
    fn from(schedule: Schedule) -> runtime::Schedule {
        match schedule {
            Schedule::Fifo => runtime::Schedule::Fifo,
            Schedule::Random => runtime::Schedule::Random,
            Schedule::Hostile => runtime::Schedule::Hostile,
        }
    }
}

/// The design called `name`.
pub(super) fn design(name: String) -> Result<&'static Design, NoSuchDesign> {
    lab::find_design(program::designs(), &name)
}

/// Reads a seed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("give a whole number from 0 to {}", u64::MAX))
}
