//! What a command costs the tick core from its proposal until all three nodes have applied it, and
//! what a tick costs that has nothing to do.
//!
//! Everything is in memory and on one thread; each node's disk, network and state machine are a few
//! moves. With the feature `raft-rs` the crate `raft` does the same in the same run.

mod ours;
#[cfg(feature = "raft-rs")]
mod theirs;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Nodes of one design that are driven as its contract says.
trait Cluster {
    const NAME: &'static str;

    /// Three nodes of which the first leads.
    fn start() -> Self;

    /// Proposes at the leader.
    fn propose(&mut self, data: Bytes);

    /// Stores, sends, applies and delivers until nobody has anything to say.
    fn settle(&mut self);

    /// Drops what is applied from all logs, as a snapshot would allow.
    fn compact(&mut self);

    /// Entries applied so far, on all nodes together.
    fn applied(&self) -> usize;
}

/// One node of one design that waits for a leader.
trait Group {
    const NAME: &'static str;

    fn start() -> Self;

    fn tick(&mut self);
}

/// Groups of nodes that one process may well have, most of them idle.
const GROUPS: usize = 10_000;

/// Commands between two compactions.
const COMPACT_AFTER: usize = 1_000;

fn propose_to_commit<C: Cluster>(c: &mut Criterion, bytes: usize, at_once: usize) {
    let mut group = c.benchmark_group(format!("propose to commit, {bytes} bytes"));
    group.throughput(Throughput::Elements(at_once as u64));
    group.bench_function(BenchmarkId::new(C::NAME, at_once), |bencher| {
        let mut cluster = C::start();
        let command = vec![7_u8; bytes];
        let mut since = 0;
        bencher.iter(|| {
            let before = cluster.applied();
            (0..at_once).for_each(|_| cluster.propose(Bytes::from(command.clone())));
            cluster.settle();
            assert_eq!(cluster.applied() - before, 3 * at_once, "every node applies every command");
            since += at_once;
            if since >= COMPACT_AFTER {
                since = 0;
                cluster.compact();
            }
        });
    });
}

fn idle_ticks<G: Group>(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("a tick of {GROUPS} idle groups"));
    group.throughput(Throughput::Elements(GROUPS as u64));
    group.bench_function(G::NAME, |bencher| {
        let mut groups: Vec<_> = (0..GROUPS).map(|_| G::start()).collect();
        bencher.iter(|| black_box(&mut groups).iter_mut().for_each(Group::tick));
    });
}

fn tick(c: &mut Criterion) {
    for (bytes, at_once) in [(16, 1), (1024, 1), (16, 10), (16, 1000)] {
        propose_to_commit::<ours::Nodes>(c, bytes, at_once);
        #[cfg(feature = "raft-rs")]
        propose_to_commit::<theirs::Nodes>(c, bytes, at_once);
    }
    idle_ticks::<ours::Idle>(c);
    #[cfg(feature = "raft-rs")]
    idle_ticks::<theirs::Idle>(c);
}

criterion_group!(benches, tick);
criterion_main!(benches);
