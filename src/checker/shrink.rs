//! The smallest part of an illegal history that is still illegal.

use std::collections::BTreeSet;

use super::longest::longest_through;
use super::model::Model;
use super::part::{History, Part};
use super::search::{Progress, Search};
use super::verdict::{Budget, Counterexample};

/// Shrinks the illegal operations `suspects`, all of one key, where that was found without a look
/// at what returned after `last`: so the answers of those called later are not needed.
pub(super) fn shrink<M: Model>(
    model: &M,
    history: &History<M>,
    suspects: Vec<usize>,
    last: u64,
    budget: &Budget<'_>,
) -> Counterexample {
    let mut shrinker = Shrinker {
        model,
        history,
        budget,
        steps_left: budget.shrink_steps,
        minimal: true,
        all: suspects,
    };
    let conflict = shrinker.conflict(last);
    let context = shrinker.context(&conflict);
    let (longest, complete) =
        longest_through(model, history, &conflict, &context, shrinker.steps_left);
    Counterexample { conflict, context, minimal: shrinker.minimal && complete, longest }
}

/// A larger context is not made smaller: it would take long, and nobody would read it.
const CONTEXT_MAX: usize = 24;

/// Judges parts of the suspects. A part is told by the operations whose answers count; the
/// others may have taken effect at any time after their calls, or not at all.
///
/// The more answers count, the fewer orders there are: so if a part is illegal, all larger ones
/// are, and each question below halves what is left.
struct Shrinker<'a, M: Model> {
    model: &'a M,
    history: &'a History<M>,
    budget: &'a Budget<'a>,
    steps_left: u64,
    /// Every question had an answer.
    minimal: bool,
    all: Vec<usize>,
}

impl<M: Model> Shrinker<'_, M> {
    /// The operations that contradict each other, by call.
    fn conflict(&mut self, last: u64) -> Vec<usize> {
        let history = self.history;
        let mut candidates: Vec<usize> = self.all.clone();
        candidates
            .retain(|index| history[*index].returned.is_some() && history[*index].call <= last);
        // Those in front are kept rather: the ones that had just returned when it went wrong.
        candidates.sort_by_key(|index| {
            let end = history[*index].end();
            (end > last, end.abs_diff(last), *index)
        });
        // What is called when all of them have returned cannot come between them.
        let end = candidates.iter().map(|index| history[*index].end()).max();
        self.all.retain(|index| Some(history[*index].call) <= end);

        let mut conflict = self.needed(&mut Vec::new(), false, &candidates);
        self.sort_by_call(&mut conflict);
        conflict
    }

    fn sort_by_call(&self, indices: &mut [usize]) {
        indices
            .sort_by_key(|index| (self.history[*index].call, self.history[*index].end(), *index));
    }

    /// The fewest of `candidates` that are illegal together with `given`, knowing that all of
    /// them are. `changed`: whether `given` may be illegal by itself.
    fn needed(
        &mut self,
        given: &mut Vec<usize>,
        changed: bool,
        candidates: &[usize],
    ) -> Vec<usize> {
        if changed && self.is_illegal(given) {
            return Vec::new();
        }
        if candidates.len() == 1 {
            return candidates.to_vec();
        }
        let (front, back) = candidates.split_at(candidates.len() / 2);
        let given_count = given.len();
        given.extend(front);
        let mut needed = self.needed(given, true, back);
        given.truncate(given_count);
        given.extend(&needed);
        let more = self.needed(given, !needed.is_empty(), front);
        given.truncate(given_count);
        needed.extend(more);
        needed
    }

    /// The open operations without which some operation of `conflict` could not be left out.
    fn context(&mut self, conflict: &[usize]) -> Vec<usize> {
        let mut context = BTreeSet::new();
        for left_out in conflict {
            let others: Vec<usize> = conflict.iter().copied().filter(|it| it != left_out).collect();
            let all = self.all.clone();
            match self.explain(&others, &all) {
                Some(Some(order)) => {
                    context.extend(order.into_iter().filter(|index| !conflict.contains(index)));
                }
                // Legal it must be, as it was found to be needed; but there were no steps left.
                _ => self.minimal = false,
            }
        }
        let mut context: Vec<usize> = context.into_iter().collect();
        let mut at = if context.len() > CONTEXT_MAX { context.len() } else { 0 };
        while at < context.len() {
            let index = context.remove(at);
            if !self.suffices(conflict, &context) {
                context.insert(at, index);
                at += 1;
            }
        }
        context
            .sort_by_key(|index| (self.history[*index].call, self.history[*index].end(), *index));
        context
    }

    /// Whether, with `context` alone, each operation of `conflict` can still be left out.
    fn suffices(&mut self, conflict: &[usize], context: &[usize]) -> bool {
        conflict.iter().all(|left_out| {
            let others: Vec<usize> = conflict.iter().copied().filter(|it| it != left_out).collect();
            let all: Vec<usize> = conflict.iter().chain(context).copied().collect();
            matches!(self.explain(&others, &all), Some(Some(_)))
        })
    }

    /// Whether the suspects are illegal for sure if only the answers of `answered` count.
    fn is_illegal(&mut self, answered: &[usize]) -> bool {
        let all = std::mem::take(&mut self.all);
        let explained = self.explain(answered, &all);
        self.all = all;
        self.minimal &= explained.is_some();
        explained == Some(None)
    }

    /// An order of `all`, of which only the answers of `answered` count; `Some(None)` if there is
    /// none, `None` if that was not found out.
    fn explain(&mut self, answered: &[usize], all: &[usize]) -> Option<Option<Vec<usize>>> {
        let answered: BTreeSet<usize> = answered.iter().copied().collect();
        let part = Part::new(self.model, self.history, all, |index| answered.contains(&index));
        let mut search = Search::new(self.model, part);
        // A hard question must not use up what easier ones after it need.
        let mut left = (self.steps_left / 16).max(1_000).min(self.steps_left);
        loop {
            let stopped = self.budget.stop.is_some_and(|stop| stop());
            if left == 0 || stopped || search.bytes() > self.budget.memory {
                return None;
            }
            let before = search.steps;
            let progress = search.run(left.min(4_096));
            let used = search.steps - before;
            self.steps_left = self.steps_left.saturating_sub(used);
            left = left.saturating_sub(used);
            match progress {
                Progress::Going => {}
                Progress::Found => return Some(Some(search.placed().collect())),
                Progress::Impossible => return Some(None),
            }
        }
    }
}
