//! Whether a history of concurrent operations is linearizable.

pub mod describe;
pub mod draw;
pub mod explain;
mod history;
mod model;
pub mod models;
mod power_set;
mod verdict;

pub use history::Operation;
pub use model::{Model, NondeterministicModel};
pub use power_set::PowerSet;
pub use verdict::{Budget, Counterexample, Verdict, Why};

/// Judges whether `history`, in any order, is linearizable with respect to `model`.
///
/// # Panics
/// When an operation returns before it was called.
pub fn check<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    budget: &Budget<'_>,
) -> Verdict {
    let mut steps = budget.steps;
    let mut keys: std::collections::BTreeMap<M::Key, Vec<usize>> = Default::default();
    for (index, operation) in history.iter().enumerate() {
        keys.entry(model.key(&operation.input)).or_default().push(index);
    }
    for mut left in keys.into_values() {
        let all = left.clone();
        match place(model, history, &mut left, &model.initial(), &mut steps) {
            Some(true) => {}
            None => return Verdict::Unknown(Why::Steps),
            Some(false) => {
                return Verdict::Illegal(Counterexample {
                    longest: vec![vec![]; all.len()],
                    conflict: all,
                    context: vec![],
                    minimal: false,
                });
            }
        }
    }
    Verdict::Ok
}

fn place<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    left: &mut Vec<usize>,
    state: &M::State,
    steps: &mut u64,
) -> Option<bool> {
    if left.iter().all(|index| history[*index].returned.is_none()) {
        return Some(true);
    }
    for at in 0..left.len() {
        let index = left[at];
        let operation = &history[index];
        if left.iter().any(|other| history[*other].precedes(operation)) {
            continue;
        }
        *steps = steps.checked_sub(1)?;
        let Some(next) = model.step(state, &operation.input, operation.output()) else { continue };
        left.remove(at);
        let done = place(model, history, left, &next, steps);
        left.insert(at, index);
        if done != Some(false) {
            return done;
        }
    }
    Some(false)
}
