//! One seed of the whole suite per iteration, on the virtual clock and one core.

use criterion::{Criterion, criterion_group, criterion_main};
use raftlab::lab::{DESIGNS, Observing, SCENARIOS, Scenario, run_scenario_observing};
use raftlab::runtime::{RunConfig, Schedule};

/// Runs each of `scenarios` once, with the next seed.
fn run<'a>(
    scenarios: impl Iterator<Item = &'a Scenario>,
    seed: &mut u64,
    schedule: Schedule,
    observing: Observing,
) {
    *seed += 1;
    let config = RunConfig { seed: *seed, schedule, ..RunConfig::default() };
    for scenario in scenarios {
        let report = run_scenario_observing(scenario, &DESIGNS[0], &config, observing);
        assert!(report.ok, "{} fails with seed {seed}: {:?}", scenario.name, report.failure);
    }
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("suite");
    group.sample_size(20);
    let cases = [
        ("random", Schedule::Random, Observing::On),
        ("random, no observers", Schedule::Random, Observing::Off),
        ("fifo", Schedule::Fifo, Observing::On),
        ("hostile", Schedule::Hostile, Observing::On),
    ];
    for (name, schedule, observing) in cases {
        let mut seed = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| run(SCENARIOS.iter(), &mut seed, schedule, observing));
        });
    }
    group.finish();
}

/// Where the suite's time goes.
fn each(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scenario");
    group.sample_size(20);
    for scenario in SCENARIOS {
        let mut seed = 0;
        group.bench_function(scenario.name, |bencher| {
            let one = || std::iter::once(scenario);
            bencher.iter(|| run(one(), &mut seed, Schedule::Random, Observing::On));
        });
    }
    group.finish();
}

criterion_group!(benches, whole, each);
criterion_main!(benches);
