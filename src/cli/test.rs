//! `raftlab test`: runs tests with many seeds, and prints the results.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

use crate::lab::{self, Design, Part, Report, Unfit};
use crate::runtime::{Clock, Failure, RunConfig, time};

use crate::cli::args::{self, TestArgs};
use crate::cli::campaign::{self, Campaign, LeftBehind, Until};
use crate::cli::exit::{Status, Trouble};
use crate::cli::output::{self, BAD};
use crate::cli::progress::Progress;
use crate::cli::report::ReportFile;
use crate::cli::select;
use crate::cli::shard::{Plan, PlanLine};
use crate::cli::table;
use crate::cli::tally::{Tally, TestTally};

/// Runs the chosen tests and prints the results.
pub(super) fn test(args: &TestArgs) -> Result<Status, Trouble> {
    let campaign = plan(args)?;
    let (design, clock) = (campaign.design, campaign.config.clock);
    let size = campaign.shard.and(campaign.runs());
    let mut report_file = args.report.as_deref().map(|to| create(to, &campaign)).transpose()?;
    let mut tally = Tally::new(&campaign.tests, args.seed);
    let mut left_behind = LeftBehind::default();
    let mut progress = Progress::new(&campaign, args.quiet);

    let began = time::since_start();
    let status = campaign::run(campaign, |report| {
        let written = report_file.as_mut().map_or(Ok(()), |file| file.run(&report));
        progress.ended(&report);
        left_behind.add(&report);
        tally.add(report);
        written
    });
    let wall = time::since_start() - began;
    progress.clear();
    let status = status.and_then(|status| {
        let interrupted = status == Status::Interrupted;
        report_file.map_or(Ok(()), |file| file.end(&tally, interrupted))?;
        Ok(of_shard(status, size == Some(tally.runs())))
    });
    // The results so far are printed even if the machine failed in the end.
    with_records(&mut tally, design);
    let table = match args.classic {
        true => table::as_the_course(&tally),
        false => table::of_results(&tally, clock),
    };
    let whole = select::whole_parts(&tally.tests_run(), design);
    print(&table, &tally, &whole, (clock, Some(wall)))?;
    if let Some(line) = left_behind.last_straw() {
        let why = "the campaign ended early: runs left threads behind that cannot be stopped and \
                   would slow down all later runs; to repeat the last such run:";
        output::complain("warning", &format!("{why} {}", output::here(line)));
    }
    for why in [Unfit::RaftRpc, Unfit::Service] {
        let left_out = select::left_out(&args.names, design, why);
        if !left_out.is_empty() {
            let count = counted(left_out.len() as u64, "test");
            let why = select::reason(why, design);
            output::print(&format!("{count} not run: {why}\n  {}\n", left_out.join("\n  ")))?;
        }
    }
    status
}

/// The exit status of a campaign that ended with `status`, of which `complete_shard` says whether
/// it is a shard and did all its runs. A scheduler would repeat a job that fails, and the same runs
/// would fail again; so the failures are in the report only.
const fn of_shard(status: Status, complete_shard: bool) -> Status {
    match status {
        Status::Failed | Status::Undecided if complete_shard => Status::Passed,
        status => status,
    }
}

/// The report file at `path`: of a shard as a whole, otherwise line by line.
fn create(path: &Path, campaign: &Campaign) -> Result<ReportFile, Trouble> {
    match Plan::of(campaign) {
        Some(plan) => ReportFile::create_whole(path, &PlanLine { plan }),
        None => ReportFile::create(path),
    }
}

/// Makes the campaign from the arguments, with defaults for arguments that were left out.
pub(super) fn plan(args: &TestArgs) -> Result<Campaign, Trouble> {
    let real = args.clock == args::Clock::Real;
    let runs = args.runs.unwrap_or(NonZeroU64::new(if real { 1 } else { 10 }).expect("not 0"));
    let until = args.until_fail.map_or(Until::Runs(runs), Until::Failures);
    if matches!(until, Until::Runs(runs) if args.seed.checked_add(runs.get() - 1).is_none()) {
        let largest = u64::MAX;
        return Err(Trouble::Input(format!(
            "{runs} seeds from {} on exceed the largest seed, {largest}; lower --seed or --runs",
            args.seed
        )));
    }
    let shard = args.shard.shard()?;
    if real && shard.is_some() {
        return Err(Trouble::Input(
            "shards need the virtual clock: on the real one no run is like another, so two copies \
             of a shard cannot be compared; leave out --job-index or --clock real"
                .to_string(),
        ));
    }
    let design = args.course.design();
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let jobs = || if real { 4 } else { u16::try_from(cores()).unwrap_or(u16::MAX) };
    Ok(Campaign {
        tests: select::tests(&args.names, design)?,
        design,
        config: RunConfig {
            clock: if real { Clock::Real } else { Clock::Virtual },
            seed: args.seed,
            schedule: args.course.schedule(),
            ..RunConfig::default()
        },
        jobs: args.jobs.unwrap_or_else(jobs),
        until,
        fail_fast: args.fail_fast,
        shard,
    })
}

/// Repeats the first failed run of each test with a record, so that the text can show its last
/// events. Two kinds of runs are not repeated: a run on the real clock cannot be, and a run that
/// left a thread behind would leave another one.
fn with_records(tally: &mut Tally, design: &Design) {
    for test in &mut tally.tests {
        let Some(report) = test.first_failure.as_deref_mut() else { continue };
        if report.clock == Clock::Real || report.thread_left {
            continue;
        }
        let config = RunConfig {
            clock: report.clock,
            seed: report.seed,
            schedule: report.schedule,
            record: true,
            ..RunConfig::default()
        };
        let again = lab::run_scenario(test.scenario, design, &config);
        if again.hash == report.hash {
            report.record = again.record;
        } else {
            let advice = "the code under test depends on something besides the seed, such as a \
                          real clock, its own random numbers or a hash map's order";
            let (test, seed) = (report.test, report.seed);
            output::complain("warning", &format!("{test}, seed {seed}, ran differently: {advice}"));
        }
    }
}

/// Prints [`text`], and warns of tests that were hardly judged.
pub(super) fn print(
    table: &str,
    tally: &Tally,
    whole: &[Part],
    took: (Clock, Option<Duration>),
) -> Result<(), Trouble> {
    output::print(&text(table, tally, whole, took))?;
    for test in table::hardly_judged(tally) {
        output::complain(
            "warning",
            &format!(
                "{}: {} of {} runs were cut short, so this schedule hardly judges the test",
                test.scenario.name, test.cut_short, test.runs
            ),
        );
    }
    Ok(())
}

/// The table, the first failure of each failed test, and the situations that no run exercised, of
/// the parts in `whole`, which were run as a whole. `took` is the clock of the runs, and the wall
/// time that they took, if they are of one campaign on one machine.
fn text(table: &str, tally: &Tally, whole: &[Part], took: (Clock, Option<Duration>)) -> String {
    if tally.runs() == 0 {
        return "no run has ended\n".to_string();
    }
    let mut text = table.to_string();
    text.push_str(&failures(tally));
    for test in &tally.tests {
        if let Some(report) = &test.first_undecided {
            in_full(&mut text, "UNDECIDED", test, test.undecided, report);
        }
    }
    let situations = table::of_situations(tally, whole);
    if !situations.is_empty() {
        let _ = write!(text, "\n{situations}");
    }
    let _ = writeln!(text, "\n{}", verdict(tally, took.0, took.1));
    text
}

/// Maximum number of further tests of a group that are named.
const SAME_MAX: usize = 3;

/// The first failure of each test that failed. Tests that fail by the same rule at the same place
/// are a group: its first test is shown in full, the next few as a line each, the rest as a number.
/// The groups whose first test always fails come first: it fails in the same way in every run.
fn failures(tally: &Tally) -> String {
    let mut groups: BTreeMap<(usize, Cause), (String, usize)> = BTreeMap::new();
    let mut first: BTreeMap<Cause, usize> = BTreeMap::new();
    for (number, test) in tally.tests.iter().enumerate() {
        let Some(report) = &test.first_failure else { continue };
        let Some(cause) = report.failure.as_ref().map(cause) else { continue };
        let group = *first.entry(cause.clone()).or_insert(number);
        let (text, same) = groups.entry((group, cause)).or_default();
        if group == number {
            in_full(text, "FAILED", test, test.failed, report);
            continue;
        }
        *same += 1;
        if *same <= SAME_MAX {
            let (name, line) = (test.scenario.name, output::here(&report.replay_line()));
            let _ = writeln!(
                text,
                "{BAD}same{BAD:#}     {name}: {} of {}; {line}",
                test.failed, test.runs
            );
        }
    }
    let whole = |(mut text, same): (String, usize)| {
        if let Some(more @ 1..) = same.checked_sub(SAME_MAX) {
            let _ = writeln!(text, "{BAD}same{BAD:#}     {}", counted(more as u64, "more test"));
        }
        text
    };
    let mut groups: Vec<_> = groups.into_iter().collect();
    let sometimes = |test: usize| tally.tests[test].failed < tally.tests[test].runs;
    groups.sort_by_key(|((first, _), _)| sometimes(*first));
    groups.into_iter().map(|(_, group)| whole(group)).collect()
}

/// What broke and where in the code: kind, rule or limit, place.
type Cause = (String, String, String);

fn cause(failure: &Failure) -> Cause {
    (failure.kind.to_string(), failure.name.clone(), failure.place.clone())
}

/// The heading of a test that did not pass, and its first such run.
fn in_full(text: &mut String, what: &str, test: &TestTally, count: u64, report: &Report) {
    let (name, runs) = (test.scenario.name, test.runs);
    let _ = writeln!(text, "\n{BAD}{what}{BAD:#} {name}: {count} of {runs} runs; the first:");
    text.push_str(&failure(report));
}

/// A failure's text; its last line is a command that the user can type.
pub(super) fn failure(report: &Report) -> String {
    let lines = [Some(report.replay_line()), report.hint_line()];
    let here = |text: String, line: &String| text.replace(line, &output::here(line));
    lines.iter().flatten().fold(report.render(), here)
}

pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn verdict(tally: &Tally, clock: Clock, wall: Option<Duration>) -> String {
    let (runs, failed, tests) = (tally.runs(), tally.failed(), tally.tests.len());
    let mut outcome = match failed {
        0 => "none failed".to_string(),
        _ => format!("{BAD}{failed} failed{BAD:#}"),
    };
    if tally.undecided() > 0 {
        let _ = write!(outcome, ", {BAD}{} undecided{BAD:#}", tally.undecided());
    }
    let virtual_s = match clock {
        Clock::Virtual => Some(format!("{:.0} virtual s", tally.elapsed.as_secs_f64())),
        Clock::Real => None,
    };
    let wall = wall.map(|wall| format!("{:.1} s", wall.as_secs_f64()));
    let took: Vec<String> = virtual_s.into_iter().chain(wall).collect();
    let mut took = took.join(" in ");
    // If this is zero, the system does not report CPU time.
    if !tally.cpu.is_zero() {
        let _ = write!(took, ", {:.2} of CPU", tally.cpu.as_secs_f64());
    }
    let (runs, tests) = (counted(runs, "run"), counted(tests as u64, "test"));
    format!("{runs} of {tests}: {outcome} ({took})")
}

#[cfg(test)]
mod tests {
    use crate::lab::find_scenario;

    use super::*;
    use crate::api::{Host, ServerId};
    use crate::cli::sample;
    use crate::record::{Event, Stamped, What};

    /// The text without colours, and the same whether or not the tests run under cargo.
    fn plain(text: &str) -> String {
        let text = anstream::adapter::strip_str(text).to_string();
        text.replace("cargo run --release -- ", "raftlab ")
    }

    fn shown(reports: impl IntoIterator<Item = Report>) -> String {
        let mut tally = Tally::new(&[find_scenario("figure8_2c").unwrap()], 1);
        reports.into_iter().for_each(|report| tally.add(report));
        let table = table::of_results(&tally, Clock::Virtual);
        plain(&text(&table, &tally, &[Part::P2C], (Clock::Virtual, Some(Duration::from_secs(3)))))
    }

    #[test]
    fn a_failing_campaign_shows_the_first_failure_whatever_the_order() {
        let runs = [sample::failed(3), sample::passed(1), sample::failed(2), sample::passed(4)];
        let backwards = runs.iter().rev().cloned().collect::<Vec<_>>();
        let shown_text = shown(runs);
        assert_eq!(shown_text, shown(backwards), "the order of arrival changes the text");
        insta::assert_snapshot!(shown_text, @r"
        test        runs  failed  cut short     virtual s     CPU ms     RPCs      bytes  commits
        figure8_2c     4       2          0  31.20 ± 0.00  2.8 ± 0.0  959 ± 0  12390 ± 0   32 ± 0

        FAILED figure8_2c: 2 of 4 runs; the first:
        broken   LogMatching: S1 and S2 differ at 4/7
                 S1 has 3 bytes, S2 has 5
        where    S2, follower of term 0; task raft2/apply; virtual time 3.412078 s
        servers  S0  down, term 0, no vote, log up to 0/0, commit 0, applied 0
                 S1  leader of term 4, no vote, log up to 0/0, commit 6, applied 0
                 S2  down, term 0, no vote, log up to 0/0, commit 0, applied 0
        last     3.411900  S1  → S2 #31 append_entries term=4 prev=4/6 last=4/7 commit=6
        hint     An entry of one term and index comes from one leader and never changes. Find out which
                 server wrote its copy first. Did the other get its copy in an AppendEntries, or append it
                 as leader?
                 more: raftlab hint LogMatching --more
        again    raftlab replay figure8_2c --seed 2

        never exercised:
          a vote was refused because of the candidate's log;
          a server crashed with writes it had not synced; a follower's conflicting entries were deleted;
          entries of an older term were committed along with a leader's own

        4 runs of 1 test: 2 failed (125 virtual s in 3.0 s, 0.01 of CPU)
        ");
    }

    #[test]
    fn tests_that_fail_alike_are_one_group() {
        let tests = ["figure8_2c", "basic_agree_2b", "backup_2b"];
        let mut tally = Tally::new(&tests.map(|name| find_scenario(name).unwrap()), 1);
        let failed = |test: usize, rule: &str| {
            let mut report = Report { test: tests[test], ..sample::failed(2) };
            report.failure.as_mut().unwrap().name = rule.to_string();
            report
        };
        for report in [failed(0, "LogMatching"), failed(1, "panic"), failed(2, "LogMatching")] {
            tally.add(report);
        }
        let text = plain(&failures(&tally));
        let broken = text.lines().filter(|line| line.starts_with("broken")).count();
        assert_eq!(broken, 2, "one of each rule in full: {text}");
        let same = "same     backup_2b: 1 of 1; raftlab replay backup_2b --seed 2\n\nFAILED basic";
        assert!(text.contains(same), "{text}");
    }

    #[test]
    fn many_tests_that_fail_alike_are_a_number() {
        let of_2a = lab::SCENARIOS.iter().filter(|test| test.part == Part::P2A);
        let tests: Vec<_> = of_2a.collect();
        let mut tally = Tally::new(&tests, 1);
        tests.iter().for_each(|it| tally.add(Report { test: it.name, ..sample::failed(2) }));
        let text = plain(&failures(&tally));
        let same: Vec<_> = text.lines().filter(|line| line.starts_with("same")).collect();
        assert_eq!(same.len(), SAME_MAX + 1, "{text}");
        assert_eq!(same[SAME_MAX], format!("same     {} more tests", tests.len() - 1 - SAME_MAX));
        assert!(text.lines().count() < 40, "a student reads this: {text}");
    }

    #[test]
    fn a_failure_found_after_the_run_shows_the_story_and_not_the_end_of_the_servers() {
        let mut report = sample::failed(1);
        let (at, who) = (Duration::from_secs(4), Some(Host::Server(ServerId(1))));
        let over = Event { who: None, what: What::Over };
        let crash = Event { who, what: What::Crashed };
        report.record.extend([over, crash].map(|event| Stamped { at, event }));
        let text = report.render();
        assert!(text.contains("S1  leader of term 4"), "S1 led when the story ended: {text}");
        assert!(!text.contains("crashes"), "the crash is not part of the story: {text}");
    }

    #[test]
    fn a_task_that_the_message_names_is_not_listed_again() {
        let mut report = sample::failed(1);
        let (idle, busy) = ("S2 raft2/apply: waits", "S2 raft2/election: sleeps");
        let what = What::Waiting { tasks: vec![idle.to_string(), busy.to_string()] };
        let event = Event { who: Some(Host::Server(ServerId(2))), what };
        report.record.push(Stamped { at: Duration::from_secs(4), event });
        if let Some(failure) = &mut report.failure {
            failure.message = format!("S2 delivered nothing, and its tasks:\n  {idle}");
        }
        let text = report.render();
        let (before, _) = text.split_once("\nlast ").unwrap();
        assert_eq!(before.matches(idle).count(), 1, "{before}");
        assert_eq!(before.matches(busy).count(), 1, "{before}");
    }

    #[test]
    fn a_history_that_cannot_be_judged_is_no_pass() {
        let runs = [sample::undecided(3), sample::passed(1), sample::undecided(2)];
        insta::assert_snapshot!(shown(runs), @r"
        test        runs  failed  undecided  cut short     virtual s     CPU ms     RPCs      bytes  commits
        figure8_2c     3       0          2          0  31.20 ± 0.00  2.8 ± 0.0  959 ± 0  12390 ± 0   32 ± 0

        UNDECIDED figure8_2c: 2 of 3 runs; the first:
        unknown  Linearizability: 10000000 steps were not enough to judge 2718 operations
        again    raftlab replay figure8_2c --seed 2

        never exercised:
          a vote was refused because of the candidate's log;
          a server crashed with writes it had not synced; a follower's conflicting entries were deleted;
          entries of an older term were committed along with a leader's own

        3 runs of 1 test: none failed, 2 undecided (94 virtual s in 3.0 s, 0.01 of CPU)
        ");
    }

    #[test]
    fn a_failure_on_the_real_clock_says_that_it_cannot_be_replayed() {
        let report = Report { clock: Clock::Real, ..sample::failed(3) };
        let text = plain(&failure(&report));
        let advice = "again    a run on the real clock cannot be repeated; try\n         \
                      raftlab test figure8_2c --clock real --runs 100\n";
        assert!(text.ends_with(advice), "{text}");
    }

    #[test]
    fn a_first_failure_gets_the_record_of_its_own_course_only() {
        let (test, design) = (find_scenario("basic_agree_2b").unwrap(), &lab::DESIGNS[0]);
        let mut tally = Tally::new(&[test], 1);
        let real = lab::run_scenario(test, design, &RunConfig { seed: 3, ..RunConfig::default() });
        let failure = sample::failed(3).failure;
        tally.add(Report { ok: false, failure: failure.clone(), ..real.clone() });
        with_records(&mut tally, design);
        let events = |tally: &Tally| tally.tests[0].first_failure.as_ref().unwrap().record.len();
        assert!(events(&tally) > 0, "a run that is the same again has a record");

        let mut tally = Tally::new(&[test], 1);
        tally.add(Report { ok: false, failure, hash: !real.hash, ..real });
        with_records(&mut tally, design);
        assert_eq!(events(&tally), 0, "the second run differs, so it gives no record");
    }

    #[test]
    fn more_than_a_fifth_cut_short_is_remarked_upon() {
        let cut =
            |seed| Report { cut_short: Some("one: no leader".into()), ..sample::passed(seed) };
        let mut tally = Tally::new(&[find_scenario("figure8_2c").unwrap()], 1);
        (1..=4).for_each(|seed| tally.add(sample::passed(seed)));
        tally.add(cut(5));
        assert!(table::hardly_judged(&tally).is_empty(), "one of five is a fifth, not more");
        tally.add(cut(6));
        assert_eq!(table::hardly_judged(&tally).len(), 1);
    }

    #[test]
    fn a_complete_shard_is_a_success_and_trouble_is_none() {
        use Status::{Failed, Interrupted, Machine, Passed, Undecided};
        let seen = |complete| {
            [Passed, Failed, Undecided, Machine, Interrupted].map(|it| of_shard(it, complete))
        };
        assert_eq!(seen(true), [Passed, Passed, Passed, Machine, Interrupted]);
        assert_eq!(seen(false), [Passed, Failed, Undecided, Machine, Interrupted]);
    }

    #[test]
    fn a_script_that_reads_the_courses_lines_finds_them() {
        let mut tally = Tally::new(&[find_scenario("figure8_2c").unwrap()], 1);
        tally.add(sample::passed(1));
        let expected = "Test (2C): Figure 8 (reliable network)...\n  \
                        ... Passed --  time 31.2s #peers 5 #RPCs   959 #Ops   32\n";
        assert_eq!(table::as_the_course(&tally), expected);
        tally.add(sample::failed(2));
        let text = table::as_the_course(&tally);
        assert!(text.ends_with("network)...\n--- FAIL: figure8_2c (1 of 2 runs)\n"), "{text}");
    }
}
