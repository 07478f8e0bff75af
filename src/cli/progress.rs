//! The progress bars of a campaign, one per part, on standard error, if that is a terminal.

use crate::lab::{Part, Report};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::campaign::Campaign;
use crate::cli::table;

/// The bars of a campaign.
pub(super) struct Progress {
    /// For each part its bar, and the number of its runs that have failed.
    bars: Vec<(Part, ProgressBar, u64)>,
}

impl Progress {
    /// Bars for the campaign's parts; invisible if `quiet` or if standard error is no terminal.
    pub(super) fn new(campaign: &Campaign, quiet: bool) -> Progress {
        let all = MultiProgress::new();
        if quiet {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let bar = |part: Part| {
            let tests = campaign.tests.iter().enumerate();
            let of_part = tests.filter(|(_, test)| test.part == part);
            let runs = of_part.map(|(place, _)| campaign.runs_of(place));
            let bar =
                match runs.reduce(|one, two| Some(one?.saturating_add(two?))).flatten() {
                    Some(runs) => ProgressBar::new(runs)
                        .with_style(style("{prefix} {bar:40} {pos}/{len}  {msg}")),
                    None => ProgressBar::new_spinner()
                        .with_style(style("{prefix} {spinner} {pos}  {msg}")),
                };
            let bar = all.add(bar.with_prefix(part.name()));
            bar.tick();
            (part, bar, 0)
        };
        Progress { bars: table::parts(&campaign.tests).into_iter().map(bar).collect() }
    }

    /// Counts a run that has ended.
    pub(super) fn ended(&mut self, report: &Report) {
        let bar = self.bars.iter_mut().find(|(part, ..)| *part == report.part);
        let Some((_, bar, failed)) = bar else { return };
        bar.inc(1);
        if report.failure.is_some() {
            *failed += 1;
            bar.set_message(format!("{failed} failed"));
        }
    }

    /// Removes the bars from the screen. A bar that is only dropped would draw itself once more.
    pub(super) fn clear(&self) {
        self.bars.iter().for_each(|(_, bar, _)| bar.finish_and_clear());
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are in this file")
}
