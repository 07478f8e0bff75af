//! Storage behaves like a naive model under any order of writes, with a crash at each point.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use raftlab::api::{Entry, Index, Position, ServerId, Term};
use raftlab::persister::{Persisted, Persister, Unsynced};

use super::entry;

/// One step of a random life.
#[derive(Debug, Clone)]
enum Step {
    Vote(u64, Option<u32>),
    /// Appends `count` entries, in place of the last `replaced` ones.
    Append {
        replaced: usize,
        term: u64,
        count: usize,
    },
    /// Saves a snapshot that ends `ahead` entries later, in the term stored there or in another.
    Snapshot {
        ahead: u64,
        other_term: bool,
        size: usize,
    },
    Sync,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..9_u64, proptest::option::of(0..5_u32)).prop_map(|(t, v)| Step::Vote(t, v)),
        4 => (0..4_usize, 1..5_u64, 0..4_usize)
            .prop_map(|(replaced, term, count)| Step::Append { replaced, term, count }),
        1 => (0..9_u64, any::<bool>(), 0..40_usize)
            .prop_map(|(ahead, other_term, size)| Step::Snapshot { ahead, other_term, size }),
        2 => Just(Step::Sync),
    ]
}

/// The model, which keeps the whole state after every step.
#[derive(Debug, Clone, Default)]
struct Model {
    states: Vec<Persisted>,
    synced: usize,
}

impl Model {
    fn now(&self) -> Persisted {
        self.states.last().cloned().unwrap_or_default()
    }

    fn durable(&self) -> Persisted {
        self.synced.checked_sub(1).map_or_else(Persisted::default, |at| self.states[at].clone())
    }

    /// Takes one step on the model and on `persister`.
    fn step(&mut self, step: &Step, persister: &Persister) {
        let mut state = self.now();
        let base = state.last_included;
        match *step {
            Step::Vote(term, voted_for) => {
                state.current_term = Term(term);
                state.voted_for = voted_for.map(ServerId);
                persister.save_vote(state.current_term, state.voted_for);
            }
            Step::Append { replaced, term, count } => {
                state.entries.truncate(state.entries.len().saturating_sub(replaced));
                let first = base.index.0 + 1 + state.entries.len() as u64;
                let new: Vec<Entry> = (first..).take(count).map(|at| entry(term, at)).collect();
                persister.append(&new);
                if new.is_empty() {
                    return;
                }
                state.entries.extend(new);
            }
            Step::Snapshot { ahead, other_term, size } => {
                let index = Index(base.index.0 + ahead);
                let stored = state.entries.iter().map(Entry::position).chain([base]);
                let stored = stored.into_iter().find(|position| position.index == index);
                let term = stored.map_or(Term(3), |position| position.term);
                let last_included = Position { term: Term(term.0 + u64::from(other_term)), index };
                let data = Bytes::from(vec![1; size]);
                persister.save_snapshot(last_included, data.clone());
                state.entries.retain(|entry| stored == Some(last_included) && entry.index > index);
                state.last_included = last_included;
                state.snapshot = Some(data);
            }
            Step::Sync => {
                persister.sync().unwrap();
                self.synced = self.states.len();
                return;
            }
        }
        self.states.push(state);
    }
}

/// Takes `steps` on storage and on the model, and returns both.
fn live(steps: &[Step]) -> (Persister, Model) {
    let (persister, mut model) = (Persister::new(), Model::default());
    for step in steps {
        model.step(step, &persister);
        agrees(&persister, &model.durable());
    }
    (persister, model)
}

/// Checks everything that can be read against `expected`.
fn agrees(persister: &Persister, expected: &Persisted) {
    assert_eq!(persister.load().unwrap(), *expected, "what is loaded");
    let last = expected.entries.last().map_or(expected.last_included, Entry::position);
    assert_eq!(persister.durable_last(), last, "the last entry");
    assert_eq!(
        persister.durable_vote(),
        (expected.current_term, expected.voted_for),
        "term and vote"
    );
    assert_eq!(persister.durable_snapshot(), expected.last_included, "where the snapshot ends");
    assert_eq!(
        persister.snapshot_size(),
        expected.snapshot.as_ref().map_or(0, Bytes::len),
        "the snapshot's size"
    );
    for index in 0..last.index.0 + 2 {
        let term = if index == expected.last_included.index.0 {
            Some(expected.last_included.term)
        } else {
            expected.entries.iter().find(|entry| entry.index.0 == index).map(|entry| entry.term)
        };
        assert_eq!(persister.durable_term(Index(index)), term, "term at {index}");
    }
    let anew = Persister::import(&persister.export());
    assert_eq!(
        persister.raft_state_size(),
        anew.raft_state_size(),
        "the size of the same state, written at once"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_life_ends_in_a_crash_as_the_model_says(steps in vec(step(), 0..25)) {
        for length in 0..=steps.len() {
            let steps = &steps[..length];
            let (persister, model) = live(steps);
            agrees(&persister.crash(Unsynced::LoseAll), &model.durable());
            let (persister, model) = live(steps);
            agrees(&persister.crash(Unsynced::KeepAll), &model.now());
            let (persister, model) = live(steps);
            let left = persister.crash(Unsynced::Draw).load().unwrap();
            let survivors = &model.states[model.synced..];
            assert!(
                left == model.durable() || survivors.contains(&left),
                "{left:?} is no prefix of the writes",
            );
        }
    }
}
