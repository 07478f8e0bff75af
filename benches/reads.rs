//! Compares the two kinds of reads: the CPU time, calls, bytes and virtual time of one read.
//!
//! It measures CPU time, not wall time, so that a busy machine does not matter. The last workload
//! has only puts, for comparison.
#![allow(clippy::unwrap_used, reason = "a bench may")]

#[path = "../tests/kv/cluster.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod cluster;

use std::time::Duration;

use cluster::{BOTH, Cluster};
use criterion::{Criterion, criterion_group, criterion_main};
use raftlab::api::Reads;
use raftlab::kv::Clerk;
use raftlab::runtime::{self, RunConfig, thread, time::Instant};

/// Operations of one measurement: so many that the first election does not matter.
const OPERATIONS: u32 = 4000;

/// A workload: its operations, the number of clerks, and the kind of network.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    clerks: u32,
    reliable: bool,
    /// Every `write_each`-th operation is a put; 0: no operation is.
    write_each: u32,
}

const LOADS: [Load; 5] = [
    Load { name: "1 clerk", clerks: 1, reliable: true, write_each: 0 },
    Load { name: "10 clerks", clerks: 10, reliable: true, write_each: 0 },
    Load { name: "10 clerks, half puts", clerks: 10, reliable: true, write_each: 2 },
    Load { name: "10 clerks, unreliable", clerks: 10, reliable: false, write_each: 0 },
    Load { name: "1 clerk, puts only", clerks: 1, reliable: true, write_each: 1 },
];

/// The cost of one operation.
#[derive(Clone, Copy)]
struct Cost {
    cpu: Duration,
    calls: f64,
    bytes: f64,
    latency: Duration,
}

fn measure(reads: Reads, load: Load, seed: u64) -> Cost {
    let config = RunConfig { seed, ..RunConfig::default() };
    let outcome = runtime::run(&config, move || {
        let cluster = Cluster::reading(reads);
        cluster.clerk(load.clerks).put("key", "value");
        cluster.network.set_reliable(load.reliable);
        let before = cluster.network.counters();
        let clerks: Vec<_> = (0..load.clerks)
            .map(|number| {
                let clerk = cluster.clerk(number);
                thread::spawn(format!("clerk{number}"), move || work(clerk, load))
            })
            .collect();
        let busy: Duration = clerks.into_iter().map(thread::JoinHandle::join).sum();
        let after = cluster.network.counters();
        cluster.shutdown();
        (busy, after.calls - before.calls, after.bytes - before.bytes)
    });
    let (busy, calls, bytes) = outcome.result.unwrap();
    let each = f64::from(OPERATIONS);
    Cost {
        cpu: outcome.cpu / OPERATIONS,
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        calls: calls as f64 / each,
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        bytes: bytes as f64 / each,
        latency: busy / OPERATIONS,
    }
}

/// Does a clerk's share of the operations; returns the virtual time that they took.
fn work(mut clerk: Clerk, load: Load) -> Duration {
    let start = Instant::now();
    for number in 0..OPERATIONS / load.clerks {
        if load.write_each > 0 && number % load.write_each == 0 {
            clerk.put("other", "value");
        } else {
            clerk.get("key");
        }
    }
    start.elapsed()
}

fn reads(criterion: &mut Criterion) {
    println!("{:45} {:>9} {:>6} {:>7} {:>11}", "per operation", "CPU", "calls", "bytes", "latency");
    for (load, way) in LOADS.iter().flat_map(|load| BOTH.map(|way| (*load, way))) {
        let Cost { cpu, calls, bytes, latency } = measure(way, load, 1);
        let name = format!("{}, {way:?}", load.name);
        println!("{name:45} {cpu:>9.1?} {calls:>6.2} {bytes:>7.1} {latency:>11.2?}");
    }
    let mut group = criterion.benchmark_group("reads");
    group.sample_size(10);
    for (load, way) in LOADS.iter().flat_map(|load| BOTH.map(|way| (*load, way))) {
        let mut seed = 0;
        group.bench_function(format!("{}/{way:?}", load.name), |bencher| {
            bencher.iter_custom(|count| {
                seed += 1;
                measure(way, load, seed).cpu * u32::try_from(count).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reads);
criterion_main!(benches);
