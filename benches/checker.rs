//! The cost of judging a history, by its length, clients and keys, and where the cost explodes.
//!
//! Milliseconds of CPU on a shared machine of two cores, for the verdict alone and with its
//! counterexample. The counterexample has two answers in each row, in the last row up to five:
//!
//! | History | verdict | with counterexample |
//! | --- | ---: | ---: |
//! | 1,000,000 operations on a register, one after the other | 700 | 700 |
//! | 200,000 keys, one put each | 330 | 330 |
//! | 16,000 swaps one after the other, the last one wrong | 9 | 710 |
//! | 50 clients, stale read, 5 values with pauses: 1,000 operations | 1.2 | 2.0 |
//! | 50 clients, stale read, 5 values with pauses: 5,000 operations | 58 | 65 |
//! | 50 clients, stale read, unique values: 1,000 operations | 1.7 | 1.8 |
//! | 50 clients, stale read, unique values: 5,000 operations | 9.7 | 9.8 |
//! | 50 clients, stale read, unique values, no pauses: 5,000 operations | 360 | 370 |
//! | 102 registers in trouble, 30 of them illegal, together | 9 | 19 |
//!
//! Legal histories of 50 clients without pauses stay undecided: 50 writes overlap at any time, and
//! their order shows only later.

#[path = "../tests/checker/workload.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod workload;

#[path = "../tests/checker/planted.rs"]
mod planted;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use raftlab::checker::models::{Kv, Register};
use raftlab::checker::{Budget, Model, Verdict, check, is_linearizable};

use planted::{a_put_each, stale_read, swaps, troubled, write_and_read};
use workload::{History, Workload, never_returned, plant_stale_read, wide};

type Registers = History<Register<u64>>;
type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// Measures the judging of one history, in operations per second.
fn judge<M: Model>(group: &mut Group<'_>, id: BenchmarkId, model: &M, history: &History<M>) {
    group.throughput(Throughput::Elements(history.len() as u64)).sample_size(20);
    group.bench_function(id, |bencher| {
        bencher.iter(|| check(model, black_box(history), &Budget::default()));
    });
}

/// Histories by length, of one key or of one key per hundred operations.
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

/// Histories that are long and simple.
fn long(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checker/long");
    for pairs in [50_000, 500_000] {
        let id = BenchmarkId::new("register, one after the other", 2 * pairs);
        judge(&mut group, id, &Register::new(), &write_and_read(pairs));
    }
    for keys in [20_000, 200_000] {
        judge(&mut group, BenchmarkId::new("a put on each key", keys), &Kv, &a_put_each(keys));
    }
    group.finish();
}

/// The verdict on illegal histories, without and with the counterexample.
fn illegal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checker/illegal");
    let mut cases = vec![("swaps".to_string(), vec![swaps(8_000)])];
    for operations in [1_000, 5_000] {
        for (values, pause) in [(Some(5), 400), (None, 100), (None, 0)] {
            let work = Workload { clients: 50, operations, pause, ..Workload::default() };
            let values_name = values.map_or("unique".to_string(), |values| values.to_string());
            let name = format!("stale read, {values_name} values, pause {pause}, {operations}");
            cases.push((name, vec![stale_read(&work, values)]));
        }
    }
    cases.push(("102 registers in trouble".to_string(), (0..102).map(troubled).collect()));
    let (register, budget) = (Register::new(), Budget::default());
    group.sample_size(10);
    for (name, histories) in &cases {
        group.bench_function(BenchmarkId::new(name, "verdict"), |bencher| {
            let judge = |history: &Registers| is_linearizable(&register, history, &budget);
            bencher.iter(|| histories.iter().map(judge).filter(Result::is_ok).count());
        });
        group.bench_function(BenchmarkId::new(name, "with counterexample"), |bencher| {
            let judge = |history: &Registers| check(&register, history, &budget);
            bencher.iter(|| histories.iter().map(judge).filter(Verdict::is_illegal).count());
        });
    }
    group.finish();
}

/// Histories that cannot be judged: each check ends at its limit.
fn pathological(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checker/pathological");
    group.sample_size(10);
    let budget = Budget { steps: 1_000_000, ..Budget::default() };
    let cases = [
        ("concurrency, steps", wide(24, false), budget),
        ("concurrency, memory", wide(24, false), Budget { memory: 1 << 22, ..budget }),
        ("never returned, steps", never_returned(24, false), budget),
    ];
    // The model without hints about which states an operation can see.
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

criterion_group!(benches, length, clients, keys, long, illegal, pathological);
criterion_main!(benches);
