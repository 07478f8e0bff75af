//! `raftlab progress`: how many tests of each part pass, and which test to work on next.

use std::fmt::Write;
use std::num::NonZeroU64;

use clap::Args;

use crate::lab::{Hint, find_hint};

use crate::cli::args::{Clock, TestArgs, at_least_one};
use crate::cli::campaign;
use crate::cli::course::{CourseArgs, seed};
use crate::cli::exit::{Status, Trouble};
use crate::cli::output;
use crate::cli::progress::Progress;
use crate::cli::shard::ShardArgs;
use crate::cli::table;
use crate::cli::tally::{Tally, TestTally};
use crate::cli::test;

/// Arguments of `raftlab progress`.
#[derive(Debug, Args)]
pub(super) struct ProgressArgs {
    /// Runs of each test, with seeds S, S+1, …; a test passes if all its runs do
    #[arg(long, value_name = "N", default_value = "3", allow_negative_numbers = true,
          value_parser = at_least_one)]
    runs: NonZeroU64,
    /// The first seed
    #[arg(long, value_name = "S", default_value = "1", allow_negative_numbers = true, value_parser = seed)]
    seed: u64,
    #[command(flatten)]
    course: CourseArgs,
    /// Show no progress bar
    #[arg(long)]
    quiet: bool,
}

impl ProgressArgs {
    /// The arguments that run all tests.
    fn all_tests(self) -> TestArgs {
        let ProgressArgs { runs, seed, course, quiet } = self;
        TestArgs {
            names: Vec::new(),
            runs: Some(runs),
            jobs: None,
            seed,
            clock: Clock::Virtual,
            course,
            until_fail: None,
            classic: false,
            fail_fast: false,
            report: None,
            quiet,
            shard: ShardArgs::default(),
        }
    }
}

/// Runs all tests with a few seeds, and shows the parts and the next step.
pub(super) fn progress(args: ProgressArgs) -> Result<Status, Trouble> {
    let args = args.all_tests();
    let campaign = test::plan(&args)?;
    let mut tally = Tally::new(&campaign.tests, args.seed);
    let mut bars = Progress::new(&campaign, args.quiet);
    let status = campaign::run(campaign, |report| {
        bars.ended(&report);
        tally.add(report);
        Ok(())
    });
    bars.clear();
    let status = status?;
    output::print(&text(&tally))?;
    Ok(status)
}

/// The parts, then the first test in the order of the course that does not pass.
fn text(tally: &Tally) -> String {
    let mut table = table::plain(["part", "passed", "of", "about"]);
    let scenarios: Vec<_> = tally.tests.iter().map(|test| test.scenario).collect();
    for part in table::parts(&scenarios) {
        let of_part = || tally.tests.iter().filter(|test| test.scenario.part == part);
        let passed = of_part().filter(|test| passes(test)).count();
        let (passed, all) = (passed.to_string(), of_part().count().to_string());
        table.add_row([part.name(), &passed, &all, part.title()]);
    }
    let mut text = table::finish(table, 1..3);
    match tally.tests.iter().find(|test| !passes(test)) {
        Some(test) => next(&mut text, test),
        None => every_test_passes(&mut text),
    }
    text
}

/// Whether all runs of a test ended well, and there were some.
const fn passes(test: &TestTally) -> bool {
    test.runs > 0 && test.failed == 0 && test.undecided == 0
}

/// Adds what the test asks for, how it fails, and the command that runs it.
fn next(text: &mut String, test: &TestTally) {
    let scenario = test.scenario;
    let _ = writeln!(text, "\nnext     {}: {}", scenario.name, scenario.title);
    let _ = writeln!(text, "catches  {}", scenario.catches);
    if let Some(report) = &test.first_failure
        && let Some(failure) = &report.failure
    {
        let first = failure.message.lines().next().unwrap_or_default();
        let _ = writeln!(text, "broken   {}: {first}", failure.name);
        let hint = find_hint(&failure.name);
        let lines = hint.iter().flat_map(|hint| Hint::lines(hint.steps[0]));
        for (row, line) in lines.enumerate() {
            let heading = if row == 0 { "hint" } else { "" };
            let _ = writeln!(text, "{heading:<8} {line}");
        }
    }
    for (heading, command) in [("story", "explain"), ("run it", "test")] {
        let line = output::here(&format!("raftlab {command} {}", scenario.name));
        let _ = writeln!(text, "{heading:<8} {line}");
    }
}

/// Says what else to try once nothing fails.
fn every_test_passes(text: &mut String) {
    let line = |line: &str| output::here(&format!("raftlab test {line}"));
    let _ = writeln!(text, "\nEvery test passes with these seeds. Try more of them:\n");
    let _ = writeln!(text, "  {}\n  {}", line("--runs 200"), line("--runs 50 --schedule hostile"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sample;
    use crate::lab::{Report, find_scenario};

    fn tally(reports: impl IntoIterator<Item = Report>) -> Tally {
        let tests = ["initial_election_2a", "reelection_2a", "figure8_2c"];
        let mut tally = Tally::new(&tests.map(|name| find_scenario(name).unwrap()), 1);
        reports.into_iter().for_each(|report| tally.add(report));
        tally
    }

    fn plain(tally: &Tally) -> String {
        text(tally).replace("cargo run --release -- ", "raftlab ")
    }

    fn of(test: &'static str, report: Report) -> Report {
        Report { test, ..report }
    }

    #[test]
    fn the_next_step_is_the_first_test_that_fails() {
        let reports = [
            of("initial_election_2a", sample::passed(1)),
            of("reelection_2a", sample::passed(1)),
            of("reelection_2a", sample::failed(2)),
            of("figure8_2c", sample::failed(1)),
        ];
        insta::assert_snapshot!(plain(&tally(reports)), @r"
        part  passed  of  about
        2A         1   2  leader election
        2C         0   1  persistence

        next     reelection_2a: election after network failure
        catches  no new leader after the old one is cut off; a leader without a majority
        broken   LogMatching: S1 and S2 differ at 4/7
        hint     An entry of one term and index comes from one leader and never changes. Find out which
                 server wrote its copy first. Did the other get its copy in an AppendEntries, or append it
                 as leader?
        story    raftlab explain reelection_2a
        run it   raftlab test reelection_2a
        ");
    }

    #[test]
    fn a_test_that_did_not_run_has_not_passed() {
        let text = plain(&tally([of("initial_election_2a", sample::passed(1))]));
        assert!(text.contains("\nnext     reelection_2a: "), "{text}");
        assert!(text.ends_with("run it   raftlab test reelection_2a\n"), "{text}");
    }

    #[test]
    fn when_every_test_passes_there_are_more_seeds() {
        let tests = ["initial_election_2a", "reelection_2a", "figure8_2c"];
        let text = plain(&tally(tests.map(|test| of(test, sample::passed(1)))));
        assert!(text.ends_with("raftlab test --runs 50 --schedule hostile\n"), "{text}");
    }
}
