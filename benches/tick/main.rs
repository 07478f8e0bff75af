//! The cost of a command in the tick core, from its proposal until all three nodes have applied it,
//! and the cost of a tick that has nothing to do.
//!
//! Everything is in memory and on one thread; each node's disk, network and state machine only move
//! values. With the feature `raft-rs` the same run measures the crate `raft` too.

mod ours;
#[cfg(feature = "raft-rs")]
mod theirs;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Nodes of one design, driven as its contract requires.
trait Cluster {
    const NAME: &'static str;

    /// Starts three nodes; the first is the leader.
    fn start() -> Self;

    /// Proposes `data` at the leader.
    fn propose(&mut self, data: Bytes);

    /// Stores, sends, applies and delivers until no node has a `Ready` and no message is left.
    fn settle(&mut self);

    /// Drops the applied entries from all logs, as a snapshot would allow.
    fn compact(&mut self);

    /// Entries applied so far, in total on all nodes.
    fn applied(&self) -> usize;
}

/// One idle node of one design, which waits for a leader.
trait Group {
    const NAME: &'static str;

    fn start() -> Self;

    fn tick(&mut self);
}

/// A realistic number of groups in one process, most of which are idle.
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
