//! A run is a function of its seed: nothing else may influence it.

mod support;

use raftlab::lab::{self, DESIGNS, Observing, Report};
use raftlab::runtime::{RunConfig, Schedule};

raftlab::guard!();

/// One scenario of each part from 2A to 2D, and the wildest one.
const SAMPLE: [&str; 5] = [
    "reelection_2a",
    "backup_2b",
    "figure8_unreliable_2c",
    "unreliable_churn_2c",
    "snapshot_install_un_crash_2d",
];

fn config(seed: u64) -> RunConfig {
    RunConfig { seed, ..RunConfig::default() }
}

/// The parts of a report that must be equal when a seed runs again.
fn course(report: &Report) -> (u64, std::time::Duration, u64, u64, u64) {
    (report.hash, report.elapsed, report.rpcs, report.bytes, report.commits)
}

#[test]
fn a_seed_gives_the_same_run_twice() {
    let schedules = [Schedule::Fifo, Schedule::Random, Schedule::Hostile];
    for (design, schedule) in DESIGNS.iter().flat_map(|it| schedules.map(|other| (it, other))) {
        for name in SAMPLE {
            let (scenario, config) = (support::scenario(name), RunConfig { schedule, ..config(3) });
            let run = || course(&lab::run_scenario(scenario, design, &config));
            assert_eq!(
                run(),
                run(),
                "{name} ran differently the second time on {}, {schedule}",
                design.name
            );
        }
    }
}

/// The database is a third-party crate, which has hash maps of its own.
#[cfg(feature = "store")]
#[test]
fn a_server_with_a_database_takes_the_same_course_twice() {
    for name in ["torn_commits_store", "snapshot_unreliable_recover_concurrent_partition_store"] {
        let run = || {
            let tick = support::find_design("tick").expect("every build has it");
            course(&lab::run_scenario(support::scenario(name), tick, &config(3)))
        };
        let (here, there) = std::thread::scope(|scope| {
            let there = scope.spawn(run);
            (run(), there.join().expect("no run panics"))
        });
        assert_eq!(here, there, "{name} ran differently the second time");
    }
}

#[test]
fn another_seed_gives_another_run() {
    for name in SAMPLE {
        let (first, second) = (support::run(name, &config(3)), support::run(name, &config(4)));
        assert_ne!(first.hash, second.hash, "{name} does not depend on its seed");
    }
}

#[test]
fn runs_side_by_side_do_not_meet() {
    let alone: Vec<_> = SAMPLE.iter().map(|name| course(&support::run(name, &config(5)))).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let start =
            |name: &'static str| scope.spawn(move || course(&support::run(name, &config(5))));
        let handles: Vec<_> = SAMPLE.into_iter().map(start).collect();
        handles.into_iter().map(|handle| handle.join().expect("no run panics")).collect()
    });
    assert_eq!(alone, together, "concurrent runs influenced each other");
}

#[test]
fn observers_change_nothing() {
    for name in SAMPLE {
        let (scenario, design) = (support::scenario(name), &DESIGNS[0]);
        let off = lab::run_scenario_observing(scenario, design, &config(6), Observing::Off);
        assert_eq!(course(&support::run(name, &config(6))), course(&off), "{name} was changed");
    }
}

#[test]
fn the_record_changes_nothing() {
    for name in SAMPLE {
        let recorded = support::run(name, &RunConfig { record: true, ..config(7) });
        assert!(!recorded.record.is_empty(), "{name} left no record");
        assert_eq!(
            course(&support::run(name, &config(7))),
            course(&recorded),
            "the record changed {name}"
        );
    }
}
