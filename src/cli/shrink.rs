//! `raftlab shrink`: makes a failing run smaller.

#![allow(clippy::disallowed_methods, reason = "this code is outside any run: it waits for Ctrl-C")]

use std::fmt::Write;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use indicatif::{ProgressBar, ProgressStyle};

use crate::lab::{self, Design, Report, SCENARIOS, Scenario, Shrunk};
use crate::runtime::{Choice, RunConfig, time};

use crate::cli::args::ShrinkArgs;
use crate::cli::exit::{Status, Trouble};
use crate::cli::{interrupt, output, select, table, test};

/// Searches until nothing smaller is found, the time is over, or Ctrl-C is pressed; then prints the
/// smallest run. Status 1 with one, 0 if the run does not fail.
pub(super) fn shrink(args: &ShrinkArgs) -> Result<Status, Trouble> {
    let design = args.run.course.design();
    let scenario = select::test(&args.run.name, design)?;
    let config = args.run.config();
    let (sender, pressed) = channel();
    interrupt::watch(sender, || ())?;

    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let style = ProgressStyle::with_template("{spinner} {msg}").expect("it is a template");
    bar.set_style(style);
    let began = time::since_start();
    let in_time = || time::since_start() - began < args.time;
    let others = others(scenario, design, args.same_test);
    let shrunk = lab::shrink(scenario, &others, design, &config, |best, tried| {
        let Report { test, rpcs, seed, .. } = best;
        bar.set_message(format!("{tried} runs; the smallest: {test}, seed {seed}, {rpcs} calls"));
        bar.tick();
        in_time() && !is_pressed(&pressed)
    });
    bar.finish_and_clear();
    let Some(shrunk) = shrunk else {
        let (test, seed) = (scenario.name, args.run.seed);
        output::print(&format!("{test} does not fail with seed {seed}: nothing to shrink\n"))?;
        return Ok(Status::Passed);
    };
    let took = (time::since_start() - began).as_secs_f64();
    let in_full = |report: &Report| {
        let (seed, kept) = (report.seed, report.kept.clone());
        lab::run_scenario(
            lab::find_scenario(report.test).unwrap_or(scenario),
            design,
            &RunConfig { seed, kept, record: true, ..config.clone() },
        )
    };
    output::print(&text(&shrunk, &in_full(&shrunk.before), &in_full(&shrunk.after), took))?;
    Ok(Status::Failed)
}

/// The other tests in which the same rule may break: those of the same part and of earlier ones.
fn others(scenario: &Scenario, design: &Design, same_test: bool) -> Vec<&'static Scenario> {
    let fits = |other: &&Scenario| other.part <= scenario.part && design.can_play(other);
    SCENARIOS.iter().filter(|other| !same_test && fits(other)).collect()
}

fn is_pressed(pressed: &Receiver<()>) -> bool {
    !matches!(pressed.try_recv(), Err(TryRecvError::Empty))
}

/// Both runs as a table, and the report of the smaller one.
fn text(shrunk: &Shrunk, before: &Report, after: &Report, took_s: f64) -> String {
    let mut rows = table::plain(["", "before", "after"]);
    let mut row = |what: &str, figure: &dyn Fn(&Report) -> String| {
        rows.add_row([what.to_string(), figure(before), figure(after)]);
    };
    row("test", &|run| run.test.to_string());
    row("seed", &|run| run.seed.to_string());
    row("events", &|run| run.record.len().to_string());
    row("calls", &|run| run.rpcs.to_string());
    row("virtual s", &|run| format!("{:.3}", run.elapsed.as_secs_f64()));
    for choice in Choice::ALL.into_iter().filter(|choice| before.choices.of(*choice) > 0) {
        row(choice.name(), &|run| kept(run, choice).to_string());
    }
    let mut text = format!("{}\n", table::finish(rows, 1..3));
    text.push_str(&test::failure(after));
    let _ = writeln!(text, "\n{} runs tried in {took_s:.1} s", shrunk.tried);
    if after.record.len() * 5 > before.record.len() * 4 {
        text.push_str("no run was found that fails like this and is much smaller\n");
    }
    text
}

/// How many choices of one kind a run makes and keeps.
fn kept(run: &Report, choice: Choice) -> usize {
    let kept = run.kept.of(choice);
    (0..run.choices.of(choice)).filter(|number| kept.has(*number)).count()
}
