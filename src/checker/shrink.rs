//! Shrinks an illegal history to a part, as small as possible, that is still illegal.

use std::collections::BTreeSet;

use super::limits::{Left, Limits};
use super::longest::longest_through;
use super::model::Model;
use super::part::{History, Part};
use super::search::{Progress, Search};
use super::verdict::Counterexample;

/// Shrinks the illegal operations `suspects`, all of one key, to a counterexample.
///
/// The search that found the suspects illegal examined no return after `last`, so the answers of
/// operations called later are not needed. `known` are operations that contradict each other, if
/// any were found, the most important ones first.
pub(super) fn shrink<M: Model>(
    model: &M,
    history: &History<'_, M>,
    suspects: Vec<usize>,
    last: u64,
    known: Option<Vec<usize>>,
    limits: &Limits<'_>,
) -> Counterexample {
    let left = Left { steps: limits.budget.shrink_steps, memory: limits.budget.memory };
    let mut shrinker = Shrinker::new(model, history, limits, left, suspects);
    let conflict = shrinker.conflict(last, known);
    let mut context = Vec::new();
    let mut longest = vec![Vec::new(); conflict.len()];
    // If a conflict is too large to be read, it is not worth more work.
    if shrinker.minimal && conflict.len() <= CONFLICT_MAX {
        context = shrinker.context(&conflict);
        let complete;
        (longest, complete) =
            longest_through(model, history, &conflict, &context, shrinker.left, limits);
        shrinker.minimal &= complete;
    }
    Counterexample { conflict, context, minimal: shrinker.minimal, longest }
}

/// Maximum size of a conflict that is explained further.
const CONFLICT_MAX: usize = 64;

/// Number of operations that can be laid out in the time of one step.
pub(super) const LAID_OUT_PER_STEP: u64 = 4;

/// Maximum size of a context that is made smaller: with a larger one that would take long, and the
/// result would still be too large to be read.
const CONTEXT_MAX: usize = 24;

/// Judges parts of the suspects.
///
/// A part is given by the operations whose answers count. Other operations may have taken effect at
/// any time between their calls and returns, or not at all.
///
/// The more answers count, the fewer orders there are. So if a part is illegal, all larger parts
/// are illegal too, and a search for a small illegal part can halve the candidates at each step.
pub(super) struct Shrinker<'a, M: Model> {
    pub model: &'a M,
    pub history: &'a History<'a, M>,
    pub limits: &'a Limits<'a>,
    pub left: Left,
    /// Whether all parts that mattered were judged within the budget.
    minimal: bool,
    /// All operations of the key.
    all: Vec<usize>,
}

impl<'a, M: Model> Shrinker<'a, M> {
    pub(super) fn new(
        model: &'a M,
        history: &'a History<'a, M>,
        limits: &'a Limits<'a>,
        left: Left,
        all: Vec<usize>,
    ) -> Shrinker<'a, M> {
        Shrinker { model, history, limits, left, minimal: true, all }
    }

    /// All operations of the key.
    pub(super) fn all(&self) -> &[usize] {
        &self.all
    }

    /// Returns as few operations as possible that contradict each other, in the order of their
    /// calls. If `known` is given, they are chosen from it.
    fn conflict(&mut self, last: u64, known: Option<Vec<usize>>) -> Vec<usize> {
        let known = known.or_else(|| self.contradiction(last));
        let known = known.unwrap_or_else(|| self.nearest(last, |_| true));
        let mut conflict = self.needed(&mut Vec::new(), false, &known);
        self.sort_by_call(&mut conflict);
        conflict
    }

    fn sort_by_call(&self, indices: &mut [usize]) {
        indices
            .sort_by_key(|index| (self.history[*index].call, self.history[*index].end(), *index));
    }

    /// Returns as few of `candidates` as possible that are illegal together with `given`.
    ///
    /// `given` and all candidates together are known to be illegal. `changed` says whether `given`
    /// has grown since it was last judged, so that it may be illegal without any candidate.
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
        if self.is_over() {
            self.minimal = false;
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

    /// Returns operations whose effects make the other answers of `conflict` right if any one of
    /// its answers is left out.
    fn context(&mut self, conflict: &[usize]) -> Vec<usize> {
        let mut context = BTreeSet::new();
        for left_out in conflict {
            let others: Vec<usize> = conflict.iter().copied().filter(|it| it != left_out).collect();
            match self.explain(&others) {
                Some(Some(order)) => {
                    context.extend(order.into_iter().filter(|index| !conflict.contains(index)));
                }
                // `conflict` needs the answer that is left out, so an order for the others exists:
                // only the steps can have run out.
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

    /// Whether the effects of `context` make the other answers of `conflict` right, whichever one
    /// of its answers is left out.
    fn suffices(&mut self, conflict: &[usize], context: &[usize]) -> bool {
        conflict.iter().all(|left_out| {
            let others: Vec<usize> = conflict.iter().copied().filter(|it| it != left_out).collect();
            let all: Vec<usize> = conflict.iter().chain(context).copied().collect();
            matches!(self.explain_with(&others, &all), Some(Some(_)))
        })
    }

    /// Whether the suspects are certainly illegal, even if only the answers of `answered` count.
    fn is_illegal(&mut self, answered: &[usize]) -> bool {
        let explained = self.explain(answered);
        self.minimal &= explained.is_some();
        explained == Some(None)
    }

    /// Whether no further part may be judged.
    fn is_over(&self) -> bool {
        self.left.steps == 0 || self.limits.stopped()
    }

    /// Finds an order of the suspects in which the answers of `answered` are right. No other answer
    /// counts.
    ///
    /// `Some(None)` if there is no order, `None` if the budget ran out first.
    pub(super) fn explain(&mut self, answered: &[usize]) -> Option<Option<Vec<usize>>> {
        let history = self.history;
        // An operation called after all of `answered` have returned changes none of their answers.
        let end = answered.iter().map(|index| history[*index].end()).max();
        let begun = self.all.iter().copied().filter(|index| Some(history[*index].call) <= end);
        let begun: Vec<usize> = begun.collect();
        self.explain_with(answered, &begun)
    }

    /// Finds an order of the operations `all` in which the answers of `answered` are right. No
    /// other answer counts.
    fn explain_with(&mut self, answered: &[usize], all: &[usize]) -> Option<Option<Vec<usize>>> {
        if self.is_over() {
            return None;
        }
        let answered: BTreeSet<usize> = answered.iter().copied().collect();
        let part = Part::new(self.model, self.history, all, |index| answered.contains(&index));
        let mut search = Search::new(self.model, part);
        // Laying out the part costs steps, too.
        search.steps = all.len() as u64 / LAID_OUT_PER_STEP;
        // A part that is hard to judge must not use up the steps for easier parts after it.
        let mut left = (self.left.steps / 16).max(1_000).min(self.left.steps);
        let mut before = 0;
        loop {
            let progress = search.run(left.min(4_096));
            let used = search.steps - before;
            self.left.steps = self.left.steps.saturating_sub(used);
            left = left.saturating_sub(used);
            before = search.steps;
            match progress {
                Progress::Going => {}
                Progress::Found => return Some(Some(search.placed())),
                Progress::Impossible => return Some(None),
            }
            let too_large = search.bytes() > self.left.memory;
            if left == 0 || too_large || self.limits.stopped() {
                return None;
            }
        }
    }
}
