//! The checker agrees with the oracle, and its counterexamples keep their promises.

use proptest::prelude::*;
use raftlab::checker::models::{Counter, Kv, PerKey, Register, UnsureVersionedKv, VersionedKv};
use raftlab::checker::{self, Budget, Counterexample, Operation, PowerSet, Verdict, check};

use crate::generate::{Drawn, Made, Raw, history, made};
use crate::oracle::{History, Part, effect, is_linearizable, longest_through};

/// Whether an operation may take effect after its return: it was answered in doubt, and no
/// operation that returned before its call shows that the state had already reached its height.
fn is_late<D: Drawn>(world: &D, history: &History<D>, index: usize) -> bool {
    let operation = &history[index];
    let below = operation.output().and_then(|output| world.late_below(&operation.input, output));
    let shows = |other: &Operation<D::Input, D::Output>, below: u64| {
        let same_key = world.key(&other.input) == world.key(&operation.input);
        let height = other.output().map_or(0, |output| world.height(&other.input, output));
        same_key && other.precedes(operation) && height >= below
    };
    below.is_some_and(|below| below > 0 && !history.iter().any(|other| shows(other, below)))
}

/// A part of a history: the operations `answered` with their answers, and the operations `others`
/// without their answers.
fn part<D: Drawn>(
    world: &D,
    history: &History<D>,
    answered: &[usize],
    others: &[usize],
) -> Part<D> {
    let late = |index: &&usize| is_late(world, history, **index);
    let mut operations: Vec<_> = answered.iter().map(|index| history[*index].clone()).collect();
    operations.extend(others.iter().map(|index| match late(&index) {
        true => effect::<D>(&history[*index]),
        false => history[*index].clone(),
    }));
    operations.extend(answered.iter().filter(late).map(|index| effect::<D>(&history[*index])));
    let mut counts = vec![true; answered.len()];
    counts.resize(operations.len(), false);
    Part { operations, counts }
}

fn without(indices: &[usize], index: usize) -> Vec<usize> {
    indices.iter().copied().filter(|other| *other != index).collect()
}

/// Checks everything that the docs of [`Counterexample`] say.
fn assert_holds<D: Drawn>(world: &D, history: &History<D>, example: &Counterexample) {
    let Counterexample { conflict, context, minimal, longest } = example;
    assert!(minimal, "a small history is shrunk to the end");

    // The conflict is illegal, whatever the other operations did.
    let others: Vec<usize> = (0..history.len()).filter(|index| !conflict.contains(index)).collect();
    let illegal = part(world, history, conflict, &others);
    assert!(!is_linearizable(world, &illegal), "no contradiction: {example:?} {history:#?}");

    // With the context, the conflict becomes legal if any one of its answers is left out. With a
    // smaller context, that is not so for every answer.
    let can_spare_each = |context: &[usize]| {
        conflict.iter().all(|index| {
            let rest = without(conflict, *index);
            let open: Vec<usize> = context.iter().copied().chain([*index]).collect();
            is_linearizable(world, &part(world, history, &rest, &open))
        })
    };
    assert!(can_spare_each(context), "not minimal: {example:?}");
    for index in context {
        assert!(!can_spare_each(&without(context, *index)), "idle context: {example:?}");
    }

    // The longest linearizations are legal, and as long as possible.
    let small = part(world, history, conflict, context);
    let best = longest_through(world, &small);
    for (at, order) in longest.iter().enumerate() {
        assert_replays(world, history, example, order);
        let answered = order.iter().filter(|index| conflict.contains(index)).count();
        // An operation that takes effect late may be in the order without its answer.
        if !conflict.iter().any(|index| is_late(world, history, *index)) {
            assert_eq!(answered, best[at], "through {}: {example:?}", conflict[at]);
        }
        assert!(order.is_empty() || order.contains(&conflict[at]), "not through it: {example:?}");
    }
}

/// Checks that an order of conflict and context is legal, and contradicts no precedence in time.
fn assert_replays<D: Drawn>(
    world: &D,
    history: &History<D>,
    example: &Counterexample,
    order: &[usize],
) {
    let mut states = vec![world.first()];
    for (at, index) in order.iter().enumerate() {
        let operation = &history[*index];
        let output = operation.output().filter(|_| example.conflict.contains(index));
        let step = |state: &D::One| world.then(state, &operation.input, output);
        states = states.iter().flat_map(step).collect();
        assert!(!states.is_empty(), "{index} is not legal in {order:?}");
        let in_time = |other: usize| !is_late(world, history, other);
        let late = example.conflict.iter().find(|other| {
            !order[..at].contains(other) && in_time(**other) && history[**other].precedes(operation)
        });
        assert_eq!(late, None, "it precedes {index} in {order:?}");
        let late = order[..at]
            .iter()
            .find(|other| in_time(*index) && operation.precedes(&history[**other]));
        assert_eq!(late, None, "{index} precedes it in {order:?}");
    }
}

fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Illegal(_) => "illegal",
        Verdict::Unknown(_) => "unknown",
    }
}

fn agree<D: Drawn>(world: &D, (made, raws): &(Made, Vec<Raw>)) {
    let mut history = history(world, made, raws);
    let verdict = check(world, &history, &Budget::default());
    let legal = is_linearizable(world, &Part::whole(world, &history));
    let expected = if legal { "ok" } else { "illegal" };
    assert_eq!(kind(&verdict), expected, "the oracle disagrees: {history:#?}");
    let alone = checker::is_linearizable(world, &history, &Budget::default());
    assert_eq!(alone, Ok(legal), "without a counterexample: {history:#?}");
    assert!(!matches!(made, Made::Legal) || verdict.is_ok(), "it was legal: {history:#?}");
    if let Verdict::Illegal(example) = &verdict {
        assert_holds(world, &history, example);
    }
    history.reverse();
    let backwards = check(world, &history, &Budget::default());
    assert_eq!(kind(&backwards), expected, "given in reverse: {history:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40_000, ..ProptestConfig::default() })]

    #[test]
    fn a_register_is_judged_as_by_the_oracle(case in made()) {
        agree(&Register::new(), &case);
    }

    #[test]
    fn keys_with_texts_are_judged_as_by_the_oracle(case in made()) {
        agree(&Kv, &case);
    }

    #[test]
    fn keys_with_versions_are_judged_as_by_the_oracle(case in made()) {
        agree(&VersionedKv, &case);
    }

    #[test]
    fn counters_are_judged_as_by_the_oracle(case in made()) {
        agree(&PerKey::<u8, Counter>::new(Counter), &case);
    }

    #[test]
    fn uncertain_outcomes_are_judged_as_by_the_oracle(case in made()) {
        agree(&PowerSet(UnsureVersionedKv), &case);
    }
}
