//! Large histories: clients that use an object, each with one operation after the other.

use raftlab::checker::models::{Kv, KvInput, KvOutput, Register, RegisterInput, RegisterOutput};
use raftlab::checker::{Model, Operation};
use raftlab::runtime::rand::{Chance, stream};

pub(crate) type History<M> = Vec<Operation<<M as Model>::Input, <M as Model>::Output>>;

/// How clients work. Times are in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    pub clients: u64,
    pub operations: usize,
    pub keys: u64,
    /// Number of reads in a hundred operations.
    pub reads: u64,
    /// One in this many operations never returns, and its client continues under another number.
    pub open_one_in: u64,
    /// Pauses are up to this long; operations take up to 20.
    pub pause: u64,
    pub seed: u64,
}

impl Default for Workload {
    fn default() -> Workload {
        let open_one_in = u64::MAX;
        Workload {
            clients: 5,
            operations: 1_000,
            keys: 1,
            reads: 50,
            open_one_in,
            pause: 10,
            seed: 1,
        }
    }
}

/// An operation and the moment at which it takes effect.
struct Planned<I> {
    moment: u64,
    client: u64,
    call: u64,
    end: Option<u64>,
    input: I,
}

impl Workload {
    /// Appends to texts, and reads of them; no two pieces are equal.
    pub(crate) fn texts(&self) -> History<Kv> {
        let input = |chance: &mut Chance, client, count| {
            let key = format!("k{}", chance.below(self.keys));
            if chance.below(100) < self.reads {
                KvInput::Get { key }
            } else {
                KvInput::Append { key, value: format!("x {client} {count} y") }
            }
        };
        self.history(&Kv, input, |state, input| match input {
            KvInput::Get { .. } => KvOutput::Value(state.to_string()),
            _ => KvOutput::Done,
        })
    }

    /// Reads, writes and compares-and-sets of one register, with five values.
    pub(crate) fn register(&self) -> History<Register<u64>> {
        let input = |chance: &mut Chance, _, _| {
            let to = chance.below(5);
            if chance.below(100) < self.reads {
                RegisterInput::Read
            } else if chance.below(2) == 0 {
                RegisterInput::Write(to)
            } else {
                RegisterInput::Cas { from: Some(chance.below(5)), to }
            }
        };
        self.history(&Register::new(), input, |state, input| match input {
            RegisterInput::Read => RegisterOutput::Value(*state),
            RegisterInput::Write(_) => RegisterOutput::Done,
            RegisterInput::Cas { from, .. } => RegisterOutput::Swapped(from == state),
        })
    }

    /// Reads and writes of one register, with `values` values; with `None`, each is written once.
    pub(crate) fn reads_and_writes(&self, values: Option<u64>) -> History<Register<u64>> {
        let input = |chance: &mut Chance, _, count| {
            let value = values.map_or(count, |values| chance.below(values));
            let reads = chance.below(100) < self.reads;
            if reads { RegisterInput::Read } else { RegisterInput::Write(value) }
        };
        self.history(&Register::new(), input, |state, input| match input {
            RegisterInput::Read => RegisterOutput::Value(*state),
            _ => RegisterOutput::Done,
        })
    }

    /// A linearizable history: operations take effect at their moments.
    fn history<M: Model>(
        &self,
        model: &M,
        input: impl Fn(&mut Chance, u64, u64) -> M::Input,
        answer: impl Fn(&M::State, &M::Input) -> M::Output,
    ) -> History<M> {
        let mut planned = self.plan(input);
        planned.sort_by_key(|it| it.moment);
        let mut states = std::collections::BTreeMap::new();
        let mut history = Vec::new();
        for it in planned {
            let key = model.key(&it.input);
            let state = states.entry(key).or_insert_with(|| model.initial());
            let output = answer(state, &it.input);
            *state = model.step(state, &it.input, Some(&output)).expect("the answer is right");
            let returned = it.end.map(|end| (end, output));
            history.push(Operation { client: it.client, call: it.call, input: it.input, returned });
        }
        history
    }

    fn plan<I>(&self, input: impl Fn(&mut Chance, u64, u64) -> I) -> Vec<Planned<I>> {
        let mut chance = stream(&format!("workload {}", self.seed));
        let mut free: Vec<u64> = vec![0; usize::try_from(self.clients).expect("few")];
        let mut planned = Vec::new();
        for count in 0..self.operations as u64 {
            let client = (0..free.len()).min_by_key(|client| free[*client]).expect("a client");
            let call = free[client] + chance.below(self.pause + 1);
            let moment = call + chance.below(10);
            let end = moment + chance.below(10);
            free[client] = end + 1;
            let open = chance.below(self.open_one_in) == 0;
            let number = if open { self.clients + count } else { client as u64 };
            let input = input(&mut chance, number, count);
            let end = (!open).then_some(end);
            planned.push(Planned { moment, client: number, call, end, input });
        }
        planned
    }
}

/// Makes one read in the middle miss an append that returned before the read was called.
///
/// Returns the read and the append.
pub(crate) fn plant_stale_read(history: &mut History<Kv>) -> (usize, usize) {
    let from = history.len() / 2;
    for at in from..history.len() {
        let KvInput::Get { key } = &history[at].input else { continue };
        let is_append = |it: &&Operation<KvInput, KvOutput>| matches!(&it.input, KvInput::Append { key: other, .. } if other == key);
        // The last append to the key that the read must have seen.
        let missed = (0..at)
            .rev()
            .find(|other| is_append(&&history[*other]) && history[*other].precedes(&history[at]));
        let Some(missed) = missed else { continue };
        let KvInput::Append { value, .. } = &history[missed].input else { continue };
        let Some((_, KvOutput::Value(text))) = &history[at].returned else { continue };
        let Some(end) = text.find(value.as_str()) else { continue };
        let stale = text[..end].to_string();
        let returned = history[at].returned.as_mut().expect("it has one");
        returned.1 = KvOutput::Value(stale);
        return (at, missed);
    }
    panic!("no read can be made stale");
}

/// Appends that all overlap, and a read that sees them in some order; if not `legal`, one twice.
pub(crate) fn wide(width: u64, legal: bool) -> History<Kv> {
    let key = || "k".to_string();
    let append = |client| {
        let value = format!("<{client}>");
        Operation::answered(client, 0, KvInput::Append { key: key(), value }, 10, KvOutput::Done)
    };
    let order = (0..width).map(|at| (at * 7 + 3) % width);
    let mut text: String = order.map(|client| format!("<{client}>")).collect();
    if !legal {
        text.push_str("<0>");
    }
    let read =
        Operation::answered(width, 20, KvInput::Get { key: key() }, 30, KvOutput::Value(text));
    (0..width).map(append).chain([read]).collect()
}

/// Appends that never returned, and a read that sees all of them; if not `legal`, one twice.
pub(crate) fn never_returned(count: u64, legal: bool) -> History<Kv> {
    let mut history = wide(count, legal);
    history[..usize::try_from(count).expect("few")].iter_mut().for_each(|it| it.returned = None);
    history
}
