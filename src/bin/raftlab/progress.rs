//! One bar per part while a campaign runs, on standard error, if that is a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use raftlab::lab::{Part, Report, Scenario};

use crate::campaign::Until;
use crate::table;

/// The bars of a campaign.
pub struct Progress {
    bars: Vec<(Part, ProgressBar, u64)>,
    all: MultiProgress,
}

impl Progress {
    /// Bars for the parts of `scenarios`; invisible if `quiet` or nobody looks.
    pub fn new(scenarios: &[&Scenario], until: Until, quiet: bool) -> Progress {
        let all = MultiProgress::new();
        if quiet {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let bar = |part: Part| {
            let tests = scenarios.iter().filter(|scenario| scenario.part == part).count() as u64;
            let bar = match until {
                Until::Runs(runs) => ProgressBar::new(tests.saturating_mul(runs.get()))
                    .with_style(style("{prefix} {bar:40} {pos}/{len}  {msg}")),
                Until::Failures(_) => {
                    ProgressBar::new_spinner().with_style(style("{prefix} {spinner} {pos}  {msg}"))
                }
            };
            (part, all.add(bar.with_prefix(part.name())), 0)
        };
        let bars = table::parts(scenarios).into_iter().map(bar).collect();
        Progress { bars, all }
    }

    /// One run has ended.
    pub fn ended(&mut self, report: &Report) {
        let bar = self.bars.iter_mut().find(|(part, ..)| *part == report.part);
        let Some((_, bar, failed)) = bar else { return };
        bar.inc(1);
        if !report.ok {
            *failed += 1;
            bar.set_message(format!("{failed} failed"));
        }
    }

    /// Takes the bars off the screen.
    pub fn clear(&self) {
        // A terminal that cannot be cleared shows a stale bar above the table: nothing to stop for.
        let _ = self.all.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are in this file")
}
