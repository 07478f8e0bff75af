//! Tests of explanations: which operation is named, and how the text describes it.

use super::picture::contrast;
use super::*;
use crate::checker::models::{Kv, KvInput, KvOutput};
use crate::checker::{Budget, Verdict, check};

type KvHistory = Vec<Operation<KvInput, KvOutput>>;

fn append(value: &str) -> (KvInput, KvOutput) {
    (KvInput::Append { key: "k".into(), value: value.into() }, KvOutput::Done)
}

fn get(value: &str) -> (KvInput, KvOutput) {
    (KvInput::Get { key: "k".into() }, KvOutput::Value(value.into()))
}

/// Operations of client 1, one after the other.
fn sequence(operations: impl IntoIterator<Item = (KvInput, KvOutput)>) -> KvHistory {
    let operation = |((input, output), at): ((_, _), u64)| {
        Operation::answered(1, at * 10, input, at * 10 + 5, output)
    };
    operations.into_iter().zip(0..).map(operation).collect()
}

#[track_caller]
fn counterexample(history: &KvHistory) -> Counterexample {
    match check(&Kv, history, &Budget::default()) {
        Verdict::Illegal(counterexample) => counterexample,
        verdict => panic!("{verdict:?}"),
    }
}

#[test]
fn a_stale_read_is_named_with_what_it_missed() {
    let history = sequence([append("a"), append("b"), get("a"), get("ab")]);
    let why = explain(&Kv, &history, &counterexample(&history)).unwrap();
    assert_eq!((why.odd, why.order.as_slice()), (2, &[0, 1][..]));
    assert_eq!(
        (why.state.unwrap(), why.right_answer.unwrap()),
        (r#""ab""#.into(), r#""ab""#.into())
    );
}

#[test]
fn an_answer_out_of_nothing_is_compared_with_what_was_done() {
    let history = sequence([append("a"), append("b"), get("x")]);
    let counterexample = counterexample(&history);
    assert_eq!(counterexample.conflict, [2]);
    let why = explain(&Kv, &history, &counterexample).unwrap();
    assert_eq!((why.odd, why.order.as_slice()), (2, &[0, 1][..]));
    assert_eq!(why.right_answer.unwrap(), r#""ab""#);
    let text = render(&Kv, &history, &counterexample, 100);
    assert!(text.contains("       1  append \"k\" += \"b\"  "), "{text}");
}

#[test]
fn it_is_put_where_its_answer_is_nearly_right() {
    let mut history = sequence([append("a"), append("b"), append("c"), get("aX")]);
    // The get overlaps the last two appends.
    history[3].call = 9;
    let why = explain(&Kv, &history, &counterexample(&history)).unwrap();
    assert_eq!((why.order, why.right_answer.unwrap()), (vec![0], r#""a""#.into()));
}

#[test]
fn one_is_named_although_there_was_no_time_to_shrink() {
    let history = sequence([append("a"), get("a"), append("b"), get("b"), get("ab"), get("b")]);
    let all = (0..history.len()).collect::<Vec<_>>();
    let longest = vec![Vec::new(); all.len()];
    let unsure = Counterexample { conflict: all, context: vec![], minimal: false, longest };
    let why = explain(&Kv, &history, &unsure).unwrap();
    assert_eq!((why.odd, why.order), (3, vec![0, 1, 2]));
    assert_eq!(why.right_answer.unwrap(), r#""ab""#);
}

#[test]
fn a_long_past_does_not_hide_what_matters() {
    let mut operations: Vec<_> = (0..60).map(|n| append(&format!("{n} "))).collect();
    let text: String = (0..59).map(|n| format!("{n} ")).collect();
    operations.push(get(&text));
    let history = sequence(operations);
    let text = render(&Kv, &history, &counterexample(&history), 100);
    assert!(text.lines().count() < 40, "{text}");
    assert!(text.contains("more operations are not drawn"), "{text}");
    assert!(text.contains("… 52 more; "), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 130), "{text}");
}

#[test]
fn long_answers_are_shown_where_they_begin_to_differ() {
    let same = "0123456789".repeat(30);
    let (one, other) = contrast(&format!("{same}one"), &format!("{same}other"), 40);
    // Each keeps twelve of the characters that both have; the last of these is the `o`.
    assert_eq!((one.as_str(), other.as_str()), ("…90123456789one", "…90123456789other"));
    assert_eq!(contrast("a", "b", 40), ("a".into(), "b".into()));
}
