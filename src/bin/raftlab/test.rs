//! `raftlab test`.

use std::fmt::Write;
use std::num::NonZeroU64;

use raftlab::lab::Report;
use raftlab::runtime::{Clock, RunConfig};

use crate::args::{self, TestArgs};
use crate::campaign::{self, Campaign, Until};
use crate::exit::{Status, Trouble};
use crate::output::{self, BAD};
use crate::progress::Progress;
use crate::report::ReportFile;
use crate::select;
use crate::table;
use crate::tally::Tally;

/// Runs the chosen tests and prints what came of it.
pub fn test(args: &TestArgs) -> Result<Status, Trouble> {
    let campaign = plan(args)?;
    let clock = campaign.config.clock;
    let mut report_file = args.report.as_deref().map(ReportFile::create).transpose()?;
    let mut tally = Tally::new(&campaign.tests, args.seed);
    let mut progress = Progress::new(&campaign.tests, campaign.until, args.quiet);

    let status = campaign::run(campaign, |report| {
        if let Some(file) = &mut report_file {
            file.run(&report)?;
        }
        progress.ended(&report);
        tally.add(report);
        Ok(())
    });
    progress.clear();
    let status = match status {
        Ok(status) => {
            report_file.map_or(Ok(()), |mut file| file.summary(&tally, status)).map(|()| status)
        }
        Err(trouble) => Err(trouble),
    };
    // What has been found is shown even if the machine failed us in the end.
    print(&tally, clock)?;
    status
}

/// Fills in what the user left open.
fn plan(args: &TestArgs) -> Result<Campaign, Trouble> {
    let real = args.clock == args::Clock::Real;
    let runs = args.runs.unwrap_or(NonZeroU64::new(if real { 1 } else { 10 }).expect("not 0"));
    let until = args.until_fail.map_or(Until::Runs(runs), Until::Failures);
    if matches!(until, Until::Runs(runs) if args.seed.checked_add(runs.get() - 1).is_none()) {
        let largest = u64::MAX;
        return Err(Trouble::Input(format!(
            "{runs} seeds from {} on pass the largest one, {largest}; lower --seed or --runs",
            args.seed
        )));
    }
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let jobs = || if real { 4 } else { u16::try_from(cores()).unwrap_or(u16::MAX) };
    Ok(Campaign {
        tests: select::tests(&args.names)?,
        design: args.course.design()?,
        config: RunConfig {
            clock: if real { Clock::Real } else { Clock::Virtual },
            seed: args.seed,
            schedule: args.course.schedule(),
            ..RunConfig::default()
        },
        jobs: args.jobs.unwrap_or_else(jobs),
        until,
    })
}

fn print(tally: &Tally, clock: Clock) -> Result<(), Trouble> {
    if tally.runs() == 0 {
        return output::print("no run has ended\n");
    }
    let mut text = table::of_results(tally, clock);
    for test in &tally.tests {
        let Some(report) = &test.first_failure else { continue };
        let name = test.scenario.name;
        let _ = writeln!(
            text,
            "\n{BAD}FAILED{BAD:#} {name}: {} of {} runs; the first:",
            test.failed, test.runs
        );
        text.push_str(&failure(report));
    }
    let situations = table::of_situations(tally);
    if !situations.is_empty() {
        let _ = write!(text, "\n{situations}");
    }
    let _ = writeln!(text, "\n{}", verdict(tally, clock));
    output::print(&text)?;
    for test in table::hardly_judged(tally) {
        output::complain(
            "warning",
            &format!(
                "{}: {} of {} runs were cut short, so this schedule hardly judges it",
                test.scenario.name, test.cut_short, test.runs
            ),
        );
    }
    Ok(())
}

/// A failure's text, with a last line that works where it is printed.
pub fn failure(report: &Report) -> String {
    let line = report.replay_line();
    report.render().replace(&line, &output::here(&line))
}

fn verdict(tally: &Tally, clock: Clock) -> String {
    let (runs, failed, tests) = (tally.runs(), tally.failed(), tally.tests.len());
    let outcome = match failed {
        0 => "none failed".to_string(),
        _ => format!("{BAD}{failed} failed{BAD:#}"),
    };
    let (elapsed, cpu) = (tally.elapsed.as_secs_f64(), tally.cpu.as_secs_f64());
    format!("{runs} runs of {tests} tests: {outcome} ({elapsed:.0} {clock} s, {cpu:.2} CPU s)")
}
