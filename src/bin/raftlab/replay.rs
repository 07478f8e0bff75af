//! `raftlab replay`: one run again, with its record.

use std::fmt::Write;

use raftlab::lab::{self, Report};
use raftlab::record::Stamped;
use raftlab::runtime::{Clock, RunConfig};

use crate::args::ReplayArgs;
use crate::exit::{Status, Trouble};
use crate::output::{self, BAD};
use crate::{select, test};

/// Runs one test once and prints what happened. The failure, seen again, is status 1.
pub fn replay(args: &ReplayArgs) -> Result<Status, Trouble> {
    let design = args.course.design()?;
    let scenario = select::test(&args.name, design)?;
    let config = RunConfig {
        clock: Clock::Virtual,
        seed: args.seed,
        schedule: args.course.schedule(),
        record: true,
        ..RunConfig::default()
    };
    let report = lab::run_scenario(scenario, design, &config);
    output::print(&text(&report))?;
    Ok(if report.ok { Status::Passed } else { Status::Failed })
}

fn text(report: &Report) -> String {
    let mut text: String = report.record.iter().map(event).collect();
    if !report.record.is_empty() {
        text.push('\n');
    }
    let how = match &report.cut_short {
        _ if !report.ok => format!("{BAD}failed{BAD:#}"),
        Some(wait) => format!("cut short by the schedule: {wait}"),
        None => "nothing failed".to_string(),
    };
    let (test, seed, elapsed) = (report.test, report.seed, report.elapsed.as_secs_f64());
    let _ = writeln!(
        text,
        "{test}, seed {seed}: {how} ({elapsed:.6} virtual s, {} RPCs, hash {:016x})",
        report.rpcs, report.hash
    );
    text.push_str(&test::failure(report));
    text
}

/// One event in fixed columns: virtual time, server, what happened.
fn event(stamped: &Stamped) -> String {
    let server = stamped.event.server.map(|server| server.to_string()).unwrap_or_default();
    format!("{:>12.6}  {server:<3} {}\n", stamped.at.as_secs_f64(), stamped.event.what)
}
