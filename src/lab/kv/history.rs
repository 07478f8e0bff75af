//! The recorder of a run's client operations: their calls, their answers, and the times of both.

use crate::checker::Operation;
use crate::checker::models::{KvInput, KvOutput, VersionedInput, VersionedOutput};
use crate::history::History;
use crate::runtime::sync::Quiet;
use crate::runtime::time;

/// Records histories during a run. Outlives the run, even if the run fails.
#[derive(Default)]
pub(in crate::lab) struct Recorder {
    /// Get, put and append.
    pub(super) classic: Log<KvInput, KvOutput>,
    /// Get and versioned put.
    pub(super) versioned: Log<VersionedInput, VersionedOutput>,
}

impl Recorder {
    /// Takes all that was recorded: one history for each kind of operation that occurred. Times
    /// are nanoseconds of the run's own clock.
    ///
    /// A scenario uses a key with one kind of operation only, so the histories can be judged one
    /// by one.
    pub(in crate::lab) fn take(&self) -> Vec<History> {
        let mut all =
            vec![History::Kv(self.classic.take()), History::KvVersioned(self.versioned.take())];
        all.retain(|history| !history.is_empty());
        all
    }
}

/// Operations of one kind.
pub(super) struct Log<I, O> {
    state: Quiet<State<I, O>>,
}

struct State<I, O> {
    operations: Vec<Operation<I, O>>,
    /// The time of the last event, in nanoseconds.
    last_ns: u64,
}

impl<I, O> State<I, O> {
    /// The present time in nanoseconds, or one more than the last event's if that is later.
    ///
    /// In virtual time a client makes its next call at the same moment at which the previous one
    /// returned. The checker takes equal times for an overlap, so it would treat the two
    /// operations as concurrent and accept an old value.
    fn now_ns(&mut self) -> u64 {
        let now_ns = u64::try_from(time::since_start().as_nanos()).unwrap_or(u64::MAX);
        self.last_ns = now_ns.max(self.last_ns + 1);
        self.last_ns
    }
}

impl<I, O> Log<I, O> {
    /// Records the call of an operation, and returns the operation's place in the log.
    pub(super) fn record_call(&self, client: u64, input: I) -> usize {
        self.state.with(|state| {
            let now_ns = state.now_ns();
            state.operations.push(Operation::open(client, now_ns, input));
            state.operations.len() - 1
        })
    }

    /// Records that the operation at `place` has returned.
    pub(super) fn record_return(&self, place: usize, output: O) {
        self.state.with(|state| {
            let now_ns = state.now_ns();
            // `take` may have emptied the log: then the run is over, and this task is late.
            if let Some(operation) = state.operations.get_mut(place) {
                operation.returned = Some((now_ns, output));
            }
        });
    }

    /// The present moment, for a later [`Log::record_together`].
    #[cfg(feature = "store")]
    pub(super) fn moment(&self) -> u64 {
        self.state.with(State::now_ns)
    }

    /// Records operations that `client` called together at `moment` and that have just returned.
    ///
    /// A client has one operation at a time, so each of these operations is recorded under its own
    /// client number, a million higher than the previous number.
    #[cfg(feature = "store")]
    pub(super) fn record_together(
        &self,
        client: u64,
        moment: u64,
        operations: impl IntoIterator<Item = (I, O)>,
    ) {
        const APART: u64 = 1_000_000;
        self.state.with(|state| {
            let now_ns = state.now_ns();
            let clients = (1..).map(|number| client + number * APART);
            let answered = |(client, (input, output))| {
                Operation::answered(client, moment, input, now_ns, output)
            };
            state.operations.extend(clients.zip(operations).map(answered));
        });
    }

    fn take(&self) -> Vec<Operation<I, O>> {
        self.state.with(|state| std::mem::take(&mut state.operations))
    }
}

impl<I, O> Default for Log<I, O> {
    fn default() -> Log<I, O> {
        Log { state: Quiet::new(State { operations: Vec::new(), last_ns: 0 }) }
    }
}
