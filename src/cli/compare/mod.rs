//! `raftlab compare`: measures the designs, and shows their figures side by side.

mod args;
mod figures;
mod folder;
mod lines;
mod page;
mod plot;
mod table;
mod work;

use std::num::NonZeroU64;

use crate::compare::{Comparison, EXPERIMENTS};
use crate::lab::Design;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::exit::{Status, Trouble};
use crate::cli::{output, program};
pub(super) use args::CompareArgs;
use figures::Figures;
use folder::Folder;
use work::{Plan, Run};

/// The default number of runs of each measurement: enough for a stable median of the election
/// times, which depend on chance.
const RUNS: NonZeroU64 = NonZeroU64::new(20).expect("not 0");

/// Measures the chosen designs and shows the figures.
pub(super) fn compare(args: &CompareArgs) -> Result<Status, Trouble> {
    let plan = plan(args)?;
    let folder = args.out.as_deref().map(Folder::open).transpose()?;
    let designs: Vec<_> = plan.designs.iter().map(|design| design.name).collect();
    let mut comparison = Comparison::new(designs);
    let bar = bar(&plan, args.quiet);
    let measured = work::run(plan, args.jobs.unwrap_or_else(work::cores), |run| {
        bar.set_message(run.experiment.name);
        bar.inc(1);
        add(&mut comparison, run)
    });
    bar.finish_and_clear();
    let status = measured?;
    if status == Status::Interrupted {
        output::complain("warning", "stopped by Ctrl-C: there is nothing to compare");
        return Ok(status);
    }
    for (slot, name) in comparison.designs().to_vec().into_iter().enumerate() {
        comparison.add(slot, &lines::of(name));
    }
    let figures = Figures::new(&comparison, args.seed, args.runs);
    output::print(&if args.json { figures.json() } else { table::of(&figures) })?;
    let written = folder.map(|folder| folder.write(&figures)).transpose()?;
    if let Some(where_to) = written.filter(|_| !args.json) {
        output::print(&format!("\n{where_to}"))?;
    }
    Ok(status)
}

/// Adds the values of a run, or reports its failure; returns whether it succeeded.
fn add(comparison: &mut Comparison, run: Run) -> bool {
    match run.outcome {
        Ok(values) => comparison.add(run.slot, &values),
        Err(failure) => {
            let (design, name) = (comparison.designs()[run.slot], run.experiment.name);
            let what = format!("{design}, {name}, seed {}: {failure}", run.seed);
            output::complain("error", &what);
            return false;
        }
    }
    true
}

fn plan(args: &CompareArgs) -> Result<Plan, Trouble> {
    let (runs, seed) = (args.runs.get(), args.seed);
    if seed.checked_add(runs - 1).is_none() {
        let largest = u64::MAX;
        return Err(Trouble::Input(format!(
            "{runs} seeds from {seed} on exceed the largest seed, {largest}; lower --seed or --runs"
        )));
    }
    // Each design is measured once, in the order of the list, whatever the order of the arguments.
    let is_wanted = |design: &&Design| {
        args.designs.is_empty() || args.designs.iter().any(|it| it.name == design.name)
    };
    let designs = program::designs().iter().filter(is_wanted).collect();
    Ok(Plan {
        designs,
        experiments: EXPERIMENTS.iter().collect(),
        seeds: (seed..=seed + (runs - 1)).collect(),
    })
}

fn bar(plan: &Plan, quiet: bool) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}");
    let bar = ProgressBar::new(plan.len() as u64)
        .with_style(style.expect("the template is in this file"));
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}
