//! The cost of saving and committing an entry, by the length of the log: it must be constant.

mod cluster;

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group};
use raftlab::api::{Entry, Index, Position, Term};
use raftlab::persister::Persister;
use raftlab::runtime::{self, Clock, RunConfig};

use cluster::Cluster;

raftlab::guard!();

const LENGTHS: [u64; 3] = [1_000, 100_000, 1_000_000];

fn entry(index: u64) -> Entry {
    Entry { term: Term(3), index: Index(index), data: "sixteen bytes ok".into() }
}

/// Synced storage with a log of `length` small entries.
fn storage(length: u64) -> Persister {
    let persister = Persister::new();
    persister.save_vote(Term(3), None);
    for index in 1..=length {
        persister.append(&[entry(index)]);
    }
    persister.sync().expect("memory does not fail");
    persister
}

/// Appends and syncs one entry. Every iteration replaces the last entry, so the length stays.
fn append_and_sync(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("persister/append_and_sync");
    for length in LENGTHS {
        let persister = storage(length);
        let last = [entry(length)];
        group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
            bencher.iter(|| {
                persister.append(black_box(&last));
                persister.sync()
            });
        });
    }
    group.finish();
}

/// Appends entries one after the other, including the occasional cost of a growing log.
fn append_growing(criterion: &mut Criterion) {
    const COUNT: u64 = 10_000;
    let mut group = criterion.benchmark_group("persister/append_growing");
    group.throughput(Throughput::Elements(COUNT)).sample_size(20);
    for length in LENGTHS {
        group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
            bencher.iter_batched_ref(
                || storage(length),
                |persister| {
                    for index in length + 1..=length + COUNT {
                        persister.append(&[entry(index)]);
                        persister.sync().expect("memory does not fail");
                    }
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Appends ten entries and saves a snapshot that drops ten, so that the log keeps its length.
fn snapshot_every_ten(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("persister/ten_entries_and_a_snapshot");
    for length in LENGTHS {
        let persister = storage(length);
        let mut last = length;
        group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
            bencher.iter(|| {
                for _ in 0..10 {
                    last += 1;
                    persister.append(&[entry(last)]);
                }
                let last_included = Position { term: Term(3), index: Index(last - length) };
                persister.save_snapshot(last_included, "state".into());
                persister.sync()
            });
        });
    }
    group.finish();
}

/// Commits commands in a cluster whose logs have `length` entries already, and no snapshot.
///
/// It uses the real clock: computing takes no virtual time. `one` is the latency of an agreement,
/// `a thousand` the cost of an entry when entries queue up. Everything is inside one
/// run, so that the cluster is built once.
fn commit(length: u64) {
    const MANY: u64 = 1_000;
    let config = RunConfig { clock: Clock::Real, ..RunConfig::default() };
    let outcome = runtime::run(&config, move || {
        let mut criterion = Criterion::default().configure_from_args();
        let mut cluster = Cluster::new(3, || storage(length));
        let mut group = criterion.benchmark_group("raft/start_append_commit");
        for (name, count) in [("one", 1), ("a thousand", MANY)] {
            group.throughput(Throughput::Elements(count));
            group.bench_function(BenchmarkId::new(name, length), |bencher| {
                bencher.iter(|| cluster.agree(count));
            });
        }
        group.finish();
        cluster.kill();
    });
    assert!(outcome.result.is_ok(), "the run failed: {:?}", outcome.result);
}

criterion_group!(benches, append_and_sync, append_growing, snapshot_every_ten);

fn main() {
    benches();
    LENGTHS.into_iter().for_each(commit);
    Criterion::default().configure_from_args().final_summary();
}
