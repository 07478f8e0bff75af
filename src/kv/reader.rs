//! The reader of the apply channel: applies entries, wakes the tasks that wait, takes snapshots.
//!
//! Each server has one such task, and only this task changes the state machine, so the changes
//! follow the order of the log. The task also calls `Consensus::snapshot`, but only after it has
//! released its lock. When the instance has ended, the task still receives messages, and drops
//! them: a consensus that is waiting to send must be able to end, too.

use std::sync::{Arc, Weak};

use super::rsm::{Replica, Shared};
use super::waiters::Waiters;
use crate::api::{ApplyMsg, Consensus, Position, RestoreError, RsmConfig, StateMachine};
use crate::persister::{Persister, Stored};
use crate::runtime::channel::Receiver;
use crate::runtime::sync::{Condvar, Mutex};

/// Approximate size of an entry in the raft state without its command, in bytes.
const ENTRY_OVERHEAD: usize = 8;

/// The state of the task that reads the apply channel.
pub(super) struct Reader<S: StateMachine> {
    /// Weak, so that a consensus that owns the channel's sending half can be dropped.
    consensus: Weak<dyn Consensus>,
    shared: Arc<Shared<S>>,
    persister: Persister,
    raft_state_max: Option<usize>,
    /// Bytes of the entries applied since the last snapshot, which the next snapshot would drop.
    droppable: usize,
}

impl<S: StateMachine> Shared<S> {
    /// Restores `machine` from the snapshot that an earlier life stored, if there is one.
    pub(super) fn restored(mut machine: S, stored: &Stored) -> Result<Shared<S>, RestoreError> {
        let mut at = Position::default();
        if let Some((last_included, snapshot)) = &stored.snapshot {
            machine.restore(snapshot)?;
            at = *last_included;
        }
        let Position { term, index: last_applied } = at;
        let waiters = Waiters::new(term);
        let replica = Replica { machine, last_applied, waiters, waiting_reads: 0, stopped: false };
        Ok(Shared { replica: Mutex::new(replica), applied: Condvar::new() })
    }
}

impl<S: StateMachine> Reader<S> {
    pub(super) fn new(
        consensus: &Arc<dyn Consensus>,
        shared: Arc<Shared<S>>,
        persister: Persister,
        config: RsmConfig,
    ) -> Reader<S> {
        let consensus = Arc::downgrade(consensus);
        let raft_state_max = config.raft_state_max;
        Reader { consensus, shared, persister, raft_state_max, droppable: 0 }
    }

    /// Receives until no sender is left; then ends the instance, since no output can come any more.
    pub(super) fn run(mut self, apply_ch: &Receiver<ApplyMsg>) {
        // Handout 3A: apply the commands in order, and wake their tasks; 3B takes snapshots.
        for message in apply_ch.iter() {
            match message {
                ApplyMsg::Command { index, term, command } => {
                    self.apply(Position { term, index }, &command);
                }
                ApplyMsg::Snapshot { last_included, data } => self.install(last_included, &data),
            }
        }
        self.shared.stop();
    }

    /// Applies one entry and wakes the task that waits for it.
    ///
    /// Entries that the state already has are skipped: the restored snapshot may be ahead of the
    /// first entries that arrive.
    fn apply(&mut self, at: Position, command: &[u8]) {
        let mut replica = self.shared.replica.lock();
        if replica.stopped || at.index <= replica.last_applied {
            return;
        }
        let expected = replica.last_applied.next();
        assert_eq!(at.index, expected, "the apply channel skips from {expected} to {at}");
        let op = postcard::from_bytes(command)
            .unwrap_or_else(|error| panic!("the entry {at} is no operation: {error}"));
        let output = replica.machine.apply(op);
        replica.last_applied = at.index;
        replica.waiters.record_applied(at, output);
        self.wake_reads(&replica);
        self.droppable += command.len() + ENTRY_OVERHEAD;
        if self.snapshot_is_due() {
            let data = replica.machine.snapshot();
            drop(replica);
            self.droppable = 0;
            if let Some(consensus) = self.consensus.upgrade() {
                consensus.snapshot(at.index, data);
            }
        }
    }

    /// Whether the raft state is over its bound and a snapshot would make it smaller.
    ///
    /// The raft state also has entries that are not applied yet, which no snapshot drops. They
    /// alone may exceed the bound. So a snapshot must drop at least half of the bound; otherwise
    /// there would be a snapshot after each entry.
    fn snapshot_is_due(&self) -> bool {
        self.raft_state_max.is_some_and(|bound| {
            self.droppable >= bound / 2 && self.persister.raft_state_size() > bound
        })
    }

    /// Replaces the state by a leader's snapshot, unless the state is already as new.
    fn install(&mut self, last_included: Position, data: &[u8]) {
        let mut replica = self.shared.replica.lock();
        if replica.stopped || last_included.index <= replica.last_applied {
            return;
        }
        let restored = replica.machine.restore(data);
        restored.unwrap_or_else(|error| panic!("the snapshot up to {last_included}: {error}"));
        replica.last_applied = last_included.index;
        replica.waiters.record_installed(last_included);
        self.wake_reads(&replica);
        self.droppable = 0;
    }

    fn wake_reads(&self, replica: &Replica<S>) {
        if replica.waiting_reads > 0 {
            self.shared.applied.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    use crate::api::Reads;
    use crate::api::{Entry, Index, Leadership, NotLeader, Started, Term};
    use crate::runtime::sync::Quiet;

    const BOUND: usize = 1000;

    /// Adds numbers. The output is the sum.
    #[derive(Default)]
    struct Sum(u64);

    impl StateMachine for Sum {
        type Op = u64;
        type Output = u64;

        fn apply(&mut self, op: u64) -> u64 {
            self.0 += op;
            self.0
        }

        fn snapshot(&self) -> Bytes {
            Bytes::copy_from_slice(&self.0.to_le_bytes())
        }

        fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
            self.0 = u64::from_le_bytes(snapshot.try_into().unwrap());
            Ok(())
        }
    }

    /// A consensus that only stores snapshots in a persister and records their indices.
    struct Storing {
        persister: Persister,
        snapshots: Quiet<Vec<u64>>,
    }

    impl Consensus for Storing {
        fn start(&self, _: Bytes) -> Result<Started, NotLeader> {
            unreachable!("nothing is submitted")
        }

        fn get_state(&self) -> Leadership {
            unreachable!("no operation waits")
        }

        fn snapshot(&self, index: Index, data: Bytes) {
            self.snapshots.with(|snapshots| snapshots.push(index.0));
            self.persister.save_snapshot(at(index.0), data);
            self.persister.sync().unwrap();
        }

        fn kill(&self) {}
    }

    fn at(index: u64) -> Position {
        Position { term: Term(1), index: Index(index) }
    }

    /// Encodes an operation that adds 1.
    fn command() -> Bytes {
        Bytes::from(postcard::to_allocvec(&1_u64).unwrap())
    }

    fn persist(persister: &Persister, indices: std::ops::RangeInclusive<u64>) {
        let entry = |index| Entry { term: Term(1), index: Index(index), data: command() };
        persister.append(&indices.map(entry).collect::<Vec<_>>());
        persister.sync().unwrap();
    }

    fn read(persister: &Persister) -> Stored {
        Stored::read(persister.clone()).unwrap()
    }

    /// Makes a reader whose raft state has `entry_count` entries, none of them applied.
    fn reader(entry_count: u64) -> (Arc<Storing>, Reader<Sum>) {
        let persister = Persister::new();
        persist(&persister, 1..=entry_count);
        let stored =
            Arc::new(Storing { persister: persister.clone(), snapshots: Quiet::default() });
        let shared = Arc::new(Shared::restored(Sum::default(), &read(&persister)).unwrap());
        let consensus: Arc<dyn Consensus> = stored.clone();
        let config = RsmConfig { raft_state_max: Some(BOUND), reads: Reads::default() };
        (stored, Reader::new(&consensus, shared, persister, config))
    }

    fn apply(reader: &mut Reader<Sum>, indices: std::ops::RangeInclusive<u64>) {
        indices.for_each(|index| reader.apply(at(index), &command()));
    }

    /// Returns the sum, and the last index applied to it.
    fn state(reader: &Reader<Sum>) -> (u64, u64) {
        let replica = reader.shared.replica.lock();
        (replica.machine.0, replica.last_applied.0)
    }

    #[test]
    fn entries_are_applied_in_order_and_what_is_known_is_passed_over() {
        let (_stored, mut reader) = reader(3);
        apply(&mut reader, 1..=3);
        apply(&mut reader, 2..=3);
        assert_eq!(state(&reader), (3, 3));
    }

    #[test]
    #[should_panic(expected = "skips from 2 to 1/3")]
    fn an_entry_that_is_missing_is_a_bug() {
        let (_stored, mut reader) = reader(3);
        apply(&mut reader, 1..=1);
        apply(&mut reader, 3..=3);
    }

    #[test]
    fn a_snapshot_replaces_the_state_unless_it_is_behind() {
        let (_stored, mut reader) = reader(0);
        reader.install(at(7), &100_u64.to_le_bytes());
        assert_eq!(state(&reader), (100, 7));
        apply(&mut reader, 8..=8);
        reader.install(at(7), &100_u64.to_le_bytes());
        reader.install(at(8), &100_u64.to_le_bytes());
        assert_eq!(state(&reader), (101, 8), "the state was as new already");
    }

    #[test]
    fn a_replica_starts_where_its_snapshot_ends() {
        let (stored, _reader) = reader(9);
        stored.snapshot(Index(5), Bytes::copy_from_slice(&100_u64.to_le_bytes()));
        let shared = Arc::new(Shared::restored(Sum::default(), &read(&stored.persister)).unwrap());
        let consensus: Arc<dyn Consensus> = stored.clone();
        let persister = stored.persister.clone();
        let mut reader = Reader::new(&consensus, shared, persister, RsmConfig::default());
        assert_eq!(state(&reader), (100, 5));
        apply(&mut reader, 4..=6);
        assert_eq!(state(&reader), (101, 6));
    }

    #[test]
    fn a_raft_state_that_passes_its_bound_is_cut_before_it_has_twice_as_much() {
        let (stored, mut reader) = reader(0);
        for index in 1..=1000 {
            persist(&stored.persister, index..=index);
            apply(&mut reader, index..=index);
            let size = stored.persister.raft_state_size();
            assert!(size <= 2 * BOUND, "{size} bytes at {index}");
        }
        let count = stored.snapshots.with(|snapshots| snapshots.len());
        assert!((5..50).contains(&count), "{count} snapshots of 1000 entries");
    }

    #[test]
    fn a_tail_that_is_over_the_bound_does_not_mean_a_snapshot_with_every_entry() {
        let (stored, mut reader) = reader(1000);
        apply(&mut reader, 1..=500);
        let count = stored.snapshots.with(|snapshots| snapshots.len());
        assert!((2..25).contains(&count), "{count} snapshots of 500 entries");
    }

    #[test]
    fn nothing_is_applied_when_the_instance_has_ended() {
        let (_stored, mut reader) = reader(3);
        reader.shared.stop();
        apply(&mut reader, 1..=3);
        reader.install(at(7), &100_u64.to_le_bytes());
        assert_eq!(state(&reader), (0, 0));
    }
}
