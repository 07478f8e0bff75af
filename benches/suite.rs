//! Measures one seed of the whole suite, and of each scenario, on the virtual clock.
//!
//! It measures CPU time, not wall time, so that a busy machine does not matter.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use raftlab::lab::{DESIGNS, Observing, SCENARIOS, Scenario, run_scenario_observing};
use raftlab::runtime::{RunConfig, Schedule};

raftlab::guard!();

/// CPU time of `scenarios`, each with the seeds `1..=seed_count`, otherwise as `config` says.
fn cpu(
    scenarios: &[Scenario],
    seed_count: u64,
    config: &RunConfig,
    observing: Observing,
) -> Duration {
    let one = |(seed, scenario): (u64, &Scenario)| {
        let config = RunConfig { seed, ..config.clone() };
        let report = run_scenario_observing(scenario, &DESIGNS[0], &config, observing);
        assert!(report.ok, "{} fails with seed {seed}: {:?}", scenario.name, report.failure);
        report.cpu
    };
    let played = |it: &&Scenario| DESIGNS[0].can_play(it);
    let runs =
        (1..=seed_count).flat_map(|seed| scenarios.iter().filter(played).map(move |it| (seed, it)));
    runs.map(one).sum()
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("suite");
    group.sample_size(10);
    let cases = [
        ("random", Schedule::Random, Observing::On, false),
        ("random, with a record", Schedule::Random, Observing::On, true),
        ("random, no observers", Schedule::Random, Observing::Off, false),
        ("fifo", Schedule::Fifo, Observing::On, false),
        ("hostile", Schedule::Hostile, Observing::On, false),
    ];
    for (name, schedule, observing, record) in cases {
        let config = RunConfig { schedule, record, ..RunConfig::default() };
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|seed_count| cpu(SCENARIOS, seed_count, &config, observing));
        });
    }
    group.finish();
}

/// Measures each scenario by itself, to show where the suite's time goes.
fn each(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scenario");
    group.sample_size(10);
    for scenario in SCENARIOS.iter().filter(|scenario| DESIGNS[0].can_play(scenario)) {
        group.bench_function(scenario.name, |bencher| {
            bencher.iter_custom(|seed_count| {
                let config = RunConfig { schedule: Schedule::Random, ..RunConfig::default() };
                cpu(std::slice::from_ref(scenario), seed_count, &config, Observing::On)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, whole, each);
criterion_main!(benches);
