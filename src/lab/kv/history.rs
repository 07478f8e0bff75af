//! What the clients of a run asked and were answered, and when.

use crate::checker::Operation;
use crate::checker::models::{KvInput, KvOutput, VersionedInput, VersionedOutput};
use crate::history::History;
use crate::runtime::sync::Quiet;
use crate::runtime::time;

/// Writes a history down while it happens. Outlives the run, also when that fails.
#[derive(Default)]
pub(in crate::lab) struct Recorder {
    /// Get, put and append.
    pub(super) classic: Log<KvInput, KvOutput>,
    /// Get and versioned put.
    pub(super) versioned: Log<VersionedInput, VersionedOutput>,
}

impl Recorder {
    /// All that was written down, which is then forgotten: a history of each kind of operation
    /// that there was. Times are nanoseconds of the run's own clock.
    ///
    /// A key is used in one of the two ways, so the histories can be judged one by one.
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
    /// When the last event was, in nanoseconds.
    last_ns: u64,
}

impl<I, O> State<I, O> {
    /// The present moment, but after the last event.
    ///
    /// In virtual time a client calls at the very moment at which its operation before returned.
    /// Equal times count as an overlap, so the two would be taken for concurrent, and an old value
    /// for a right one.
    fn now_ns(&mut self) -> u64 {
        let now_ns = u64::try_from(time::since_start().as_nanos()).unwrap_or(u64::MAX);
        self.last_ns = now_ns.max(self.last_ns + 1);
        self.last_ns
    }
}

impl<I, O> Log<I, O> {
    /// Writes down that an operation is called, and returns its place.
    pub(super) fn calls(&self, client: u64, input: I) -> usize {
        self.state.with(|state| {
            let now_ns = state.now_ns();
            state.operations.push(Operation::open(client, now_ns, input));
            state.operations.len() - 1
        })
    }

    /// Writes down that the operation at `place` has returned.
    pub(super) fn returns(&self, place: usize, output: O) {
        self.state.with(|state| {
            let now_ns = state.now_ns();
            // Taken by then: the run is over, and this is a task that has not noticed.
            if let Some(operation) = state.operations.get_mut(place) {
                operation.returned = Some((now_ns, output));
            }
        });
    }

    /// A moment for [`Log::adds`].
    #[cfg(feature = "store")]
    pub(super) fn moment(&self) -> u64 {
        self.state.with(State::now_ns)
    }

    /// Writes down operations that `client` called together at `moment`, and that have just
    /// returned. A client has one operation at a time, so each is put down to one of its own, a
    /// million further on than the one before.
    #[cfg(feature = "store")]
    pub(super) fn adds(
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
