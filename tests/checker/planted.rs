//! Histories of registers: a planted stale read, a chain that ends wrong, long plain ones.

use std::collections::BTreeSet;

use raftlab::checker::Operation;
use raftlab::checker::models::{
    Kv, KvInput, KvOutput, Register, RegisterInput, RegisterInput::*, RegisterOutput,
    RegisterOutput::*,
};
use raftlab::runtime::rand::{Chance, stream};

use crate::workload::{History, Workload};

type Registers = History<Register<u64>>;

/// Makes a history of operations one after the other, by one client.
fn sequence(all: impl Iterator<Item = (RegisterInput<u64>, RegisterOutput<u64>)>) -> Registers {
    let one = |(at, (input, output)): (u64, _)| Operation::answered(0, at, input, at + 1, output);
    (0..).step_by(10).zip(all).map(one).collect()
}

/// A register that is written and read in turn, each value once.
pub(crate) fn write_and_read(pairs: u64) -> Registers {
    let pair = |value| [(Write(value), Done), (Read, Value(Some(value)))];
    sequence((0..pairs).flat_map(pair))
}

/// One put on each of many keys, one after the other.
pub(crate) fn a_put_each(keys: u64) -> History<Kv> {
    let put = |key| {
        let input = KvInput::Put { key: format!("k{key}"), value: "v".to_string() };
        Operation::answered(0, key * 10, input, key * 10 + 1, KvOutput::Done)
    };
    (0..keys).map(put).collect()
}

/// Many swaps there and back, and then two swaps there, which is impossible.
pub(crate) fn swaps(count: u64) -> Registers {
    let swap = |from, to| (Cas { from: Some(from), to }, Swapped(true));
    let wrong = [swap(0, 1), swap(0, 1)];
    let right = (0..count).flat_map(|_| [swap(0, 1), swap(1, 0)]);
    sequence([(Write(0), Done)].into_iter().chain(right).chain(wrong))
}

/// Reads and writes of one register under load, with one stale read in the middle.
///
/// The stale read returns a value that is too old: after all writes of this value had returned,
/// another value was read. `values` is the number of values; with `None`, each is written once.
pub(crate) fn stale_read(work: &Workload, values: Option<u64>) -> Registers {
    let mut history = work.reads_and_writes(values);
    let middle = history.len() / 2;
    let found = (middle..history.len()).find_map(|at| Some((at, too_old(&history, at)?)));
    let (at, stale) = found.expect("each value is written again at any time: none is too old");
    history[at].returned.as_mut().expect("it is a read").1 = Value(Some(stale));
    history
}

/// Returns a value that the operation at `at`, if it is a read, can no longer have read.
fn too_old(history: &Registers, at: usize) -> Option<u64> {
    let reads = |it: &Operation<_, _>| matches!(it.returned, Some((_, Value(_))));
    let before = |it: &&Operation<_, _>| reads(it) && it.precedes(&history[at]);
    let last =
        history.iter().filter(before).max_by_key(|it| it.call).filter(|_| reads(&history[at]))?;
    let writes = |value| {
        let called = history.iter().filter(|it| it.call <= history[at].end());
        called.filter(move |it| it.input == Write(value))
    };
    let values: BTreeSet<u64> = history[..at]
        .iter()
        .filter_map(|it| if let Write(value) = it.input { Some(value) } else { None })
        .collect();
    let is_over = |value: &u64| writes(*value).all(|it| it.precedes(last));
    let other = |value: &u64| last.output() != Some(&Value(Some(*value)));
    values.into_iter().rev().find(|value| other(value) && is_over(value))
}

/// Makes a read return a value that was written `age` or more operations earlier.
fn answer_too_old(history: &mut Registers, at: usize, age: usize, chance: &mut Chance) -> bool {
    if !matches!(history[at].returned, Some((_, Value(_)))) || at < 2 * age {
        return false;
    }
    let drawn = usize::try_from(chance.below(age as u64)).expect("small");
    let written = history[..at - age - drawn].iter().rev().find_map(|it| match it.input {
        Write(value) => Some(value),
        _ => None,
    });
    let Some((_, output)) = &mut history[at].returned else { return false };
    let stale = Value(written);
    let changed = *output != stale;
    *output = stale;
    changed
}

/// The history of a register with five clients and five values, as faulty stores produce it.
///
/// A third each are reads, writes and swaps. For a while there is trouble: half of the writes' and
/// swaps' outcomes are unknown, and with even seeds some reads are stale.
pub(crate) fn troubled(seed: u64) -> Registers {
    let mut chance = stream(&format!("troubled {seed}"));
    let work = Workload { operations: 170, reads: 33, seed, pause: 20, ..Workload::default() };
    let mut history = work.register();
    let (from, length) = (20 + chance.below(60), 30 + chance.below(40));
    let trouble = |at: usize| (at as u64).checked_sub(from).is_some_and(|at| at < length);
    for at in 0..history.len() {
        let old = trouble(at) && seed.is_multiple_of(2) && chance.below(4) == 0;
        if !matches!(history[at].input, Read) && trouble(at) && chance.below(2) == 0 {
            history[at].returned = None;
        } else if old {
            answer_too_old(&mut history, at, 8, &mut chance);
        }
    }
    history
}
