//! Random histories: legal by construction, legal except for one answer or time, and arbitrary.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use raftlab::checker::models::*;
use raftlab::checker::{Operation, PowerSet};

use crate::oracle::{History, World};

/// The random data of one operation. The numbers are small, so that operations interact.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub client: u64,
    pub kind: u8,
    pub key: u8,
    pub value: u8,
    pub seen: u8,
    /// How long before and after its moment it was called and returned.
    pub early: u64,
    pub late: u64,
    pub open: bool,
    /// An open operation that never took effect.
    pub lost: bool,
}

/// How a history is made.
#[derive(Debug, Clone)]
pub(crate) enum Made {
    /// By doing one operation after the other.
    Legal,
    /// Like `Legal`, but then the operation at `at` gets an arbitrary answer or another time.
    Corrupted { at: usize, by: u8, seen: u8 },
    /// By drawing all answers.
    Arbitrary,
}

pub(crate) fn raw() -> impl Strategy<Value = Raw> {
    let what = (0..4_u64, 0..8_u8, 0..5_u8, 0..4_u8, any::<u8>());
    // Two in three spans are short, so that some operations precede others.
    let span = || prop_oneof![2 => 0..3_u64, 1 => 0..12_u64];
    (what, span(), span(), 0..8_u8).prop_map(|(what, early, late, fate)| {
        let (client, kind, key, value, seen) = what;
        // Four in five operations have the same key.
        let key = key.saturating_sub(3);
        Raw { client, kind, key, value, seen, early, late, open: fate < 2, lost: fate == 0 }
    })
}

pub(crate) fn made() -> impl Strategy<Value = (Made, Vec<Raw>)> {
    let made = prop_oneof![
        2 => Just(Made::Legal),
        3 => (0..7_usize, 0..4_u8, any::<u8>())
            .prop_map(|(at, by, seen)| Made::Corrupted { at, by, seen }),
        2 => Just(Made::Arbitrary),
    ];
    (made, vec(raw(), 0..8))
}

/// A model with random inputs and outputs.
pub(crate) trait Drawn: World {
    fn input(raw: &Raw) -> Self::Input;
    /// Draws an answer of the right kind.
    fn drawn(input: &Self::Input, seen: u8) -> Self::Output;
    /// Possible answers, at least one of which is right in `state`.
    fn answers(&self, state: &Self::One, input: &Self::Input, seen: u8) -> Vec<Self::Output>;
}

/// Makes the history: operations have their moments at 12, 15, 18, …
pub(crate) fn history<D: Drawn>(world: &D, made: &Made, raws: &[Raw]) -> History<D> {
    let mut states: BTreeMap<D::Key, D::One> = BTreeMap::new();
    let mut history = Vec::new();
    for (at, raw) in (0..).zip(raws) {
        let moment = 12 + 3 * at;
        let (call, end) = (moment - raw.early, moment + raw.late);
        let input = D::input(raw);
        let output = match made {
            Made::Arbitrary => D::drawn(&input, raw.seen),
            _ if raw.open && raw.lost => D::drawn(&input, raw.seen),
            _ => {
                let state = states.entry(world.key(&input)).or_insert_with(|| world.first());
                let (output, next) = right(world, state, &input, raw.seen);
                *state = next;
                output
            }
        };
        history.push(match raw.open {
            true => Operation::open(raw.client, call, input),
            false => Operation::answered(raw.client, call, input, end, output),
        });
    }
    if let Made::Corrupted { at, by, seen } = made
        && !history.is_empty()
    {
        let at = at % history.len();
        corrupt::<D>(&mut history[at], *by, *seen);
    }
    history
}

fn right<D: Drawn>(world: &D, state: &D::One, input: &D::Input, seen: u8) -> (D::Output, D::One) {
    let answers = world.answers(state, input, seen);
    let mut right = answers.into_iter().filter_map(|output| {
        let mut next = world.then(state, input, Some(&output));
        let chosen = if next.is_empty() { 0 } else { seen as usize % next.len() };
        (!next.is_empty()).then(|| (output, next.swap_remove(chosen)))
    });
    right.next().expect("each operation has an answer in each state")
}

fn corrupt<D: Drawn>(operation: &mut Operation<D::Input, D::Output>, by: u8, seen: u8) {
    let Some((end, output)) = &mut operation.returned else { return };
    match by {
        0 | 1 => *output = D::drawn(&operation.input, seen),
        2 => *end = operation.call,
        _ => {
            operation.call = *end + u64::from(seen % 8);
            *end = operation.call;
        }
    }
}

impl Drawn for Register<u8> {
    fn input(raw: &Raw) -> RegisterInput<u8> {
        match raw.kind % 4 {
            0 | 1 => RegisterInput::Read,
            2 => RegisterInput::Write(raw.value),
            _ => RegisterInput::Cas { from: some(raw.seen), to: raw.value },
        }
    }

    fn drawn(input: &RegisterInput<u8>, seen: u8) -> RegisterOutput<u8> {
        match input {
            RegisterInput::Read => RegisterOutput::Value(some(seen)),
            RegisterInput::Write(_) => RegisterOutput::Done,
            RegisterInput::Cas { .. } => RegisterOutput::Swapped(seen.is_multiple_of(2)),
        }
    }

    fn answers(&self, state: &Option<u8>, input: &RegisterInput<u8>, _: u8) -> Vec<Self::Output> {
        match input {
            RegisterInput::Read => vec![RegisterOutput::Value(*state)],
            RegisterInput::Write(_) => vec![RegisterOutput::Done],
            RegisterInput::Cas { .. } => [true, false].map(RegisterOutput::Swapped).to_vec(),
        }
    }
}

fn some(seen: u8) -> Option<u8> {
    (seen % 5).checked_sub(1)
}

/// One of eight texts, from `""` to `"bab"`.
fn text(number: u8) -> String {
    ["", "a", "b", "ab", "ba", "aa", "aba", "bab"][number as usize % 8].to_string()
}

impl Drawn for Kv {
    fn input(raw: &Raw) -> KvInput {
        let (key, value) = (raw.key.to_string(), text(raw.value));
        match raw.kind {
            0..4 => KvInput::Get { key },
            4 => KvInput::Put { key, value },
            _ => KvInput::Append { key, value },
        }
    }

    fn drawn(input: &KvInput, seen: u8) -> KvOutput {
        match input {
            KvInput::Get { .. } => KvOutput::Value(text(seen)),
            _ => KvOutput::Done,
        }
    }

    fn answers(&self, state: &Text, input: &KvInput, _: u8) -> Vec<KvOutput> {
        match input {
            KvInput::Get { .. } => vec![KvOutput::Value(state.to_string())],
            _ => vec![KvOutput::Done],
        }
    }
}

fn versioned_input(raw: &Raw) -> VersionedInput {
    let (key, value) = (raw.key.to_string(), text(raw.value));
    match raw.kind {
        0..3 => VersionedInput::Get { key },
        _ => VersionedInput::Put { key, value, version: u64::from(raw.seen % 4) },
    }
}

fn versioned_drawn(input: &VersionedInput, seen: u8) -> VersionedOutput {
    match input {
        VersionedInput::Get { .. } if seen.is_multiple_of(4) => VersionedOutput::NoKey,
        VersionedInput::Get { .. } => {
            VersionedOutput::Found { value: text(seen / 4), version: u64::from(seen % 4) }
        }
        VersionedInput::Put { .. } => match seen % 4 {
            0 => VersionedOutput::Done,
            1 => VersionedOutput::WrongVersion,
            2 => VersionedOutput::NoKey,
            _ => VersionedOutput::Maybe,
        },
    }
}

fn versioned_answers(
    state: &Option<(Text, u64)>,
    input: &VersionedInput,
    seen: u8,
) -> Vec<VersionedOutput> {
    use VersionedOutput::{Done, Found, Maybe, NoKey, WrongVersion};
    match (input, state) {
        (VersionedInput::Get { .. }, None) => vec![NoKey],
        (VersionedInput::Get { .. }, Some((text, version))) => {
            vec![Found { value: text.to_string(), version: *version }]
        }
        _ if seen.is_multiple_of(3) => vec![Maybe, NoKey],
        _ => vec![Done, WrongVersion, NoKey],
    }
}

impl Drawn for VersionedKv {
    fn input(raw: &Raw) -> VersionedInput {
        versioned_input(raw)
    }

    fn drawn(input: &VersionedInput, seen: u8) -> VersionedOutput {
        versioned_drawn(input, seen)
    }

    fn answers(&self, state: &Self::One, input: &VersionedInput, seen: u8) -> Vec<Self::Output> {
        versioned_answers(state, input, seen)
    }
}

impl Drawn for PowerSet<UnsureVersionedKv> {
    fn input(raw: &Raw) -> VersionedInput {
        versioned_input(raw)
    }

    fn drawn(input: &VersionedInput, seen: u8) -> VersionedOutput {
        versioned_drawn(input, seen)
    }

    fn answers(&self, state: &Self::One, input: &VersionedInput, seen: u8) -> Vec<Self::Output> {
        versioned_answers(state, input, seen)
    }
}

impl Drawn for PerKey<u8, Counter> {
    fn input(raw: &Raw) -> (u8, CounterInput) {
        let by = i64::from(raw.value) - 1;
        (raw.key, if raw.kind < 3 { CounterInput::Read } else { CounterInput::Add(by) })
    }

    fn drawn((_, input): &(u8, CounterInput), seen: u8) -> CounterOutput {
        match input {
            CounterInput::Add(_) if seen.is_multiple_of(2) => CounterOutput::Done,
            _ => CounterOutput::Value(i64::from(seen % 5)),
        }
    }

    fn answers(
        &self,
        state: &i64,
        (_, input): &(u8, CounterInput),
        seen: u8,
    ) -> Vec<CounterOutput> {
        match input {
            CounterInput::Add(_) if seen.is_multiple_of(2) => vec![CounterOutput::Done],
            CounterInput::Add(by) => vec![CounterOutput::Value(state + by)],
            CounterInput::Read => vec![CounterOutput::Value(*state)],
        }
    }
}
