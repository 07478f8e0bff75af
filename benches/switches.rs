//! Scheduler switches per second on the virtual clock, by the operation that causes the switch.
//!
//! Each iteration is a whole run, so long that its start and end do not matter. The benchmark
//! measures CPU time, so that a busy machine does not matter either.

use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use raftlab::runtime::sync::{Condvar, Mutex};
use raftlab::runtime::{self, Outcome, RunConfig, Schedule, channel, thread};

raftlab::guard!();

/// Turns that the tasks of a run take, in total.
const TURNS: u32 = 20_000;

/// A way to make tasks take turns.
type Work = fn();

const WORKS: [(&str, Work); 5] = [
    ("yield, 2 tasks", || yields(2)),
    ("yield, 100 tasks", || yields(100)),
    ("hand-over, bounded(0)", hands_over),
    ("mutex and condvar", ping_pong),
    ("sleep, 100 tasks", sleeps),
];

/// Runs `tasks` tasks that yield to each other.
fn yields(tasks: u32) {
    join_all(tasks, move || (0..TURNS / tasks).for_each(|_| thread::yield_now()));
}

/// Runs a hundred tasks that sleep: every turn is a timer.
fn sleeps() {
    join_all(100, || (0..TURNS / 100).for_each(|_| thread::sleep(Duration::from_millis(10))));
}

fn join_all(tasks: u32, work: impl Fn() + Clone + Send + 'static) {
    let handles: Vec<_> =
        (0..tasks).map(|number| thread::spawn(format!("task {number}"), work.clone())).collect();
    handles.into_iter().for_each(thread::JoinHandle::join);
}

/// Runs a sender and a receiver that must meet for each message.
fn hands_over() {
    let (sender, receiver) = channel::bounded(0);
    let task = thread::spawn("sender", move || {
        (0..TURNS).for_each(|turn| sender.send(turn).expect("the receiver is there"));
    });
    assert_eq!(receiver.iter().count(), TURNS as usize, "messages received");
    task.join();
}

/// Runs two tasks that take turns under one mutex.
fn ping_pong() {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let other = pair.clone();
    let task = thread::spawn("pong", move || take_turns(&other, 1));
    take_turns(&pair, 0);
    task.join();
}

fn take_turns(pair: &(Mutex<u32>, Condvar), parity: u32) {
    let (turn, changed) = pair;
    for _ in 0..TURNS / 2 {
        let mut turn = turn.lock();
        while *turn % 2 != parity {
            changed.wait(&mut turn);
        }
        *turn += 1;
        changed.notify_one();
    }
}

fn run(schedule: Schedule, work: Work) -> Outcome<()> {
    let outcome = runtime::run(&RunConfig { schedule, ..RunConfig::default() }, work);
    assert!(outcome.result.is_ok(), "the run failed: {:?}", outcome.result);
    outcome
}

fn switches(criterion: &mut Criterion) {
    for schedule in [Schedule::Fifo, Schedule::Random] {
        let mut group = criterion.benchmark_group(format!("switches/{schedule}"));
        for (name, work) in WORKS {
            group.throughput(Throughput::Elements(run(schedule, work).switches)).sample_size(20);
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter_custom(|count| (0..count).map(|_| run(schedule, work).cpu).sum());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, switches);
criterion_main!(benches);
