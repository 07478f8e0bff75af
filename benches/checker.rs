//! What judging a history costs, by its length, its clients and its keys, and where it blows up.

#[path = "../tests/checker/workload.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod workload;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use raftlab::checker::models::{Kv, Register};
use raftlab::checker::{Budget, Model, Verdict, check};

use workload::{History, Workload, never_returned, plant_stale_read, wide};

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// One history, as operations per second.
fn judge<M: Model>(group: &mut Group<'_>, id: BenchmarkId, model: &M, history: &History<M>) {
    group.throughput(Throughput::Elements(history.len() as u64)).sample_size(20);
    group.bench_function(id, |bencher| {
        bencher.iter(|| check(model, black_box(history), &Budget::default()));
    });
}

/// One key, or as many keys as hundreds of operations.
fn length(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checker/length");
    for operations in [80, 1_000, 10_000] {
        let one = Workload { operations, ..Workload::default() };
        judge(
            &mut group,
            BenchmarkId::new("register", operations),
            &Register::new(),
            &one.register(),
        );
        judge(&mut group, BenchmarkId::new("texts", operations), &Kv, &one.texts());
        let many = Workload { keys: (operations as u64 / 100).max(1), ..one };
        judge(&mut group, BenchmarkId::new("texts, many keys", operations), &Kv, &many.texts());
        let mut stale = many.texts();
        plant_stale_read(&mut stale);
        judge(
            &mut group,
            BenchmarkId::new("texts, many keys, stale read", operations),
            &Kv,
            &stale,
        );
    }
    group.finish();
}

fn clients(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checker/clients");
    for clients in [1, 5, 20, 50] {
        let work = Workload { clients, ..Workload::default() };
        judge(
            &mut group,
            BenchmarkId::new("register", clients),
            &Register::new(),
            &work.register(),
        );
        judge(&mut group, BenchmarkId::new("texts", clients), &Kv, &work.texts());
    }
    group.finish();
}

fn keys(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checker/keys");
    for keys in [1, 10, 100, 1_000] {
        let work = Workload { operations: 10_000, keys, ..Workload::default() };
        judge(&mut group, BenchmarkId::from_parameter(keys), &Kv, &work.texts());
    }
    group.finish();
}

/// Each is hopeless, and ends with its cap.
fn pathological(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checker/pathological");
    group.sample_size(10);
    let budget = Budget { steps: 1_000_000, ..Budget::default() };
    let cases = [
        ("concurrency, steps", wide(24, false), budget),
        ("concurrency, memory", wide(24, false), Budget { memory: 1 << 22, ..budget }),
        ("never returned, steps", never_returned(24, false), budget),
    ];
    // The plain model, which says nothing about what an operation can see.
    for (name, history, budget) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let verdict = check(&Plain, black_box(&history), &budget);
                assert!(matches!(verdict, Verdict::Unknown(_)), "{name}: {verdict:?}");
            });
        });
    }
    group.finish();
}

/// [`Kv`] without its hints.
struct Plain;

impl Model for Plain {
    type State = <Kv as Model>::State;
    type Input = <Kv as Model>::Input;
    type Output = <Kv as Model>::Output;
    type Key = <Kv as Model>::Key;

    fn initial(&self) -> Self::State {
        Kv.initial()
    }

    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State> {
        Kv.step(state, input, output)
    }

    fn key(&self, input: &Self::Input) -> Self::Key {
        Kv.key(input)
    }
}

criterion_group!(benches, length, clients, keys, pathological);
criterion_main!(benches);
