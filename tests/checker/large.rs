//! Long histories are judged in time; a history that takes too long gets no verdict.

use std::cell::Cell;

use raftlab::checker::models::{
    Kv, KvInput, KvOutput, Register, RegisterInput, RegisterOutput, VersionedInput, VersionedKv,
    VersionedOutput,
};
use raftlab::checker::{Budget, Operation, Verdict, Why, check, is_linearizable};

use crate::planted::{a_put_each, stale_read, swaps, troubled, write_and_read};
use crate::workload::{History, Workload, never_returned, plant_stale_read, wide};

#[test]
fn a_stale_read_in_ten_thousand_operations_over_a_hundred_keys_is_found() {
    for seed in 1..=5 {
        let work = Workload { operations: 10_000, keys: 100, seed, ..Workload::default() };
        let mut history = work.texts();
        assert_eq!(check(&Kv, &history, &Budget::default()), Verdict::Ok);

        let (stale, missed) = plant_stale_read(&mut history);
        let Verdict::Illegal(example) = check(&Kv, &history, &Budget::default()) else {
            panic!("seed {seed}: the read at {stale} does not see {missed}");
        };
        assert!(example.minimal, "seed {seed}: {example:?}");
        assert!(example.conflict.contains(&stale), "seed {seed}: {example:?} without {stale}");
        assert_eq!(example.conflict.len(), 2, "seed {seed}: {example:?}");
    }
}

#[test]
fn a_hard_key_does_not_keep_the_others_from_being_judged() {
    // The checker judges the keys in the order of their names, so the hard one comes first.
    let mut history = wide(40, false);
    let work = Workload { operations: 200, ..Workload::default() };
    let mut stale = work.texts();
    plant_stale_read(&mut stale);
    for operation in &mut stale {
        let (KvInput::Get { key } | KvInput::Put { key, .. } | KvInput::Append { key, .. }) =
            &mut operation.input;
        *key = "later".to_string();
    }
    history.extend(stale);
    let budget = Budget { steps: 200_000, ..Budget::default() };
    assert!(check(&Kv, &history, &budget).is_illegal(), "the key with the stale read is easy");
}

#[test]
fn wide_concurrency_ends_with_the_steps() {
    let budget = Budget { steps: 100_000, ..Budget::default() };
    assert_eq!(check(&Kv, &crowd(24), &budget), Verdict::Unknown(Why::Steps));
}

#[test]
fn wide_concurrency_ends_with_the_memory() {
    let budget = Budget { memory: 1 << 20, ..Budget::default() };
    assert_eq!(check(&Kv, &crowd(24), &budget), Verdict::Unknown(Why::Memory));
}

#[test]
fn a_check_ends_soon_after_it_is_told_to() {
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 3
    };
    let budget = Budget { stop: Some(&stop), ..Budget::default() };
    assert_eq!(check(&Kv, &crowd(24), &budget), Verdict::Unknown(Why::Stopped));
    assert_eq!(asked.get(), 4);
}

#[test]
fn a_check_that_is_told_to_stop_is_not_asked_again_and_keeps_what_it_found() {
    let history = swaps(2_000);
    let register = Register::new();
    let asked = Cell::new(0);
    let patience = Cell::new(u32::MAX);
    // A clock that says once that time is up, and then forgets it.
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() == patience.get()
    };
    let budget = Budget { stop: Some(&stop), ..Budget::default() };
    assert_eq!(is_linearizable(&register, &history, &budget), Ok(false));
    let verdict = asked.replace(0);
    let complete = check(&register, &history, &budget);
    let Verdict::Illegal(complete) = complete else { panic!("{complete:?}") };
    assert_eq!((complete.conflict.len(), complete.minimal), (2, true));
    assert!(asked.get() > verdict + 10, "asked {} times after the verdict", asked.get() - verdict);
    for more in [1, 2, 4, 8] {
        patience.set(verdict + more);
        asked.set(0);
        let Verdict::Illegal(stopped) = check(&register, &history, &budget) else {
            panic!("it was illegal before it was stopped")
        };
        assert_eq!(asked.get(), patience.get(), "the checker asked again");
        let holds = complete.conflict.iter().all(|index| stopped.conflict.contains(index));
        assert!(holds && !stopped.minimal, "{more}: {stopped:?}");
    }
}

#[test]
fn an_answer_that_nothing_can_make_right_is_found_whatever_stands_before_it() {
    let budget = Budget { steps: 50_000, ..Budget::default() };
    assert!(check(&Kv, &far_behind(24), &budget).is_illegal(), "no client wrote that value");
    // Swaps that all overlap have many orders, but none explains the value of the read after them.
    let swap = |client: u64| {
        let input = RegisterInput::Cas { from: Some(client % 3), to: (client + 1) % 3 };
        Operation::answered(client, 10, input, 1_000, RegisterOutput::Swapped(true))
    };
    let write = Operation::answered(0, 0, RegisterInput::Write(0), 1, RegisterOutput::Done);
    let value = RegisterOutput::Value(Some(77));
    let read = Operation::answered(0, 2_000, RegisterInput::Read, 2_001, value);
    let history: Vec<_> = [write].into_iter().chain((1..43).map(swap)).chain([read]).collect();
    let verdict = check(&Register::new(), &history, &Budget { steps: 1_000, ..budget });
    let Verdict::Illegal(example) = verdict else { panic!("{verdict:?}") };
    assert_eq!((example.conflict, example.minimal), (vec![43], true));
}

#[test]
fn a_stale_read_among_many_clients_is_found_and_explained_by_two_answers() {
    for (values, pause) in [(Some(5), 400), (Some(50), 40), (None, 100), (None, 0)] {
        for operations in [1_000, 5_000] {
            let work = Workload { clients: 50, operations, pause, ..Workload::default() };
            let history = stale_read(&work, values);
            let budget = Budget { steps: 20_000_000, ..Budget::default() };
            let verdict = check(&Register::new(), &history, &budget);
            let Verdict::Illegal(example) = verdict else { panic!("{verdict:?}") };
            assert!(example.minimal, "{values:?} values, {operations} operations");
            let (conflict, context) = (example.conflict.len(), example.context.len());
            assert!(conflict <= 3 && conflict + context <= 30, "{conflict} and {context}");
        }
    }
}

#[test]
fn times_of_trouble_are_judged_and_explained_in_few_operations() {
    let verdicts =
        (0..100).map(|seed| check(&Register::new(), &troubled(seed), &Budget::default()));
    let illegal: Vec<_> = verdicts
        .filter_map(|verdict| match verdict {
            Verdict::Illegal(example) => Some(example),
            Verdict::Ok => None,
            Verdict::Unknown(why) => panic!("{why:?}"),
        })
        .collect();
    assert!((20..80).contains(&illegal.len()), "{} are illegal", illegal.len());
    for example in illegal {
        let drawn = example.conflict.len() + example.context.len();
        assert!(example.minimal && drawn <= 30, "{example:?}");
    }
}

#[test]
fn steps_do_not_grow_faster_than_a_history() {
    // Each step takes some ten nanoseconds, so a bound on the steps is a bound on the time.
    let enough = |operations: usize| Budget { steps: 8 * operations as u64, ..Budget::default() };
    let history = write_and_read(100_000);
    assert!(check(&Register::new(), &history, &enough(200_000)).is_ok(), "one after the other");
    let history = a_put_each(20_000);
    assert!(check(&Kv, &history, &enough(20_000)).is_ok(), "many keys");
}

#[test]
fn the_same_budget_brings_the_same_verdict() {
    let judge = |steps| check(&Kv, &wide(7, false), &Budget { steps, ..Budget::default() });
    for steps in [10, 100, 1_000, 10_000, 100_000] {
        assert_eq!(judge(steps), judge(steps), "with {steps} steps");
    }
}

#[test]
fn overlapping_appends_are_placed_as_a_read_saw_them() {
    assert_eq!(check(&Kv, &wide(100, true), &Budget::default()), Verdict::Ok);
    assert!(check(&Kv, &wide(100, false), &Budget::default()).is_illegal(), "a piece came twice");
}

#[test]
fn operations_that_never_returned_are_tried_only_where_they_show() {
    assert_eq!(check(&Kv, &never_returned(100, true), &Budget::default()), Verdict::Ok);
    let twice = check(&Kv, &never_returned(100, false), &Budget::default());
    assert!(twice.is_illegal(), "a piece came twice");
}

#[test]
fn many_clients_that_never_heard_back_are_no_trouble() {
    for seed in 1..=3 {
        let work = Workload { operations: 2_000, open_one_in: 10, seed, ..Workload::default() };
        let budget = Budget { steps: 2_000_000, ..Budget::default() };
        assert_eq!(check(&Kv, &work.texts(), &budget), Verdict::Ok, "seed {seed}");
        assert_eq!(check(&Register::new(), &work.register(), &budget), Verdict::Ok, "seed {seed}");
    }
}

/// Appends that all overlap, and a read that misses one letter of all that they add.
///
/// Before the read, no answer excludes an order of the appends, so the checker must try all orders.
fn crowd(width: usize) -> History<Kv> {
    let key = || "k".to_string();
    let append = |client: usize| {
        let input = KvInput::Append { key: key(), value: "a".repeat(1 + client % 3) };
        Operation::answered(client as u64, 0, input, 10, KvOutput::Done)
    };
    let letters: usize = (0..width).map(|client| 1 + client % 3).sum();
    let seen = KvOutput::Value("a".repeat(letters - 1));
    let read = Operation::answered(99, 20, KvInput::Get { key: key() }, 30, seen);
    (0..width).map(append).chain([read]).collect()
}

/// Appends that all overlap, and a wrong read long after them.
///
/// Between the appends and the wrong read are a put and other reads, which see only the put. So the
/// wrong read tells nothing about the order of the appends.
fn far_behind(width: u64) -> History<Kv> {
    let key = || "k".to_string();
    let mut history = wide(width, true);
    history.pop();
    let put = KvInput::Put { key: key(), value: String::new() };
    history.push(Operation::answered(width, 20, put, 25, KvOutput::Done));
    for at in 3..50 {
        let seen = if at == 49 { "nobody wrote this" } else { "" };
        let get = KvInput::Get { key: key() };
        let output = KvOutput::Value(seen.to_string());
        history.push(Operation::answered(width, at * 10, get, at * 10 + 5, output));
    }
    history
}

fn versioned_put(
    client: u64,
    at: u64,
    version: u64,
    output: VersionedOutput,
) -> Operation<VersionedInput, VersionedOutput> {
    let (key, value) = ("k".to_string(), client.to_string());
    Operation::answered(client, at, VersionedInput::Put { key, value, version }, at + 1, output)
}

fn versioned_get(at: u64, value: &str, version: u64) -> Operation<VersionedInput, VersionedOutput> {
    let found = VersionedOutput::Found { value: value.to_string(), version };
    Operation::answered(99, at, VersionedInput::Get { key: "k".to_string() }, at + 1, found)
}

/// A client sends a put at version 2 twice. The key has version 1, so the second copy is refused.
/// The first copy arrives later, and is done.
#[test]
fn a_put_in_doubt_may_be_done_after_its_return() {
    use VersionedOutput::{Done, Maybe};
    let check = |history: &[_]| check(&VersionedKv, history, &Budget::default());
    let late = versioned_put(7, 10, 2, Maybe);
    let mut history = vec![
        versioned_put(1, 0, 0, Done),
        late.clone(),
        versioned_put(1, 20, 1, Done),
        versioned_get(30, "1", 2),
        versioned_get(40, "7", 3),
    ];
    assert_eq!(check(&history), Verdict::Ok);
    history.push(versioned_put(1, 50, 3, Done));
    history.push(versioned_get(60, "7", 5));
    assert!(check(&history).is_illegal(), "it was done twice");
    history.truncate(5);
    history.insert(1, versioned_get(5, "1", 1));
    assert_eq!(check(&history), Verdict::Ok, "the key had not reached the version");

    // Here the key already has version 2 before the call. So a refusal means that version 2 is
    // over, and that no copy can be done later.
    let history = [
        versioned_put(1, 0, 0, Done),
        versioned_put(1, 2, 1, Done),
        versioned_get(5, "1", 2),
        late,
        versioned_get(30, "1", 2),
        versioned_get(40, "7", 3),
    ];
    let Verdict::Illegal(example) = check(&history) else { panic!("the version has not passed") };
    assert!(example.minimal, "{example:?}");
    assert!(check(&history[..4]).is_ok(), "it may have been done");
}

/// Clients put at versions that the key reaches only later, and are answered in doubt. The checker
/// tries such a put only where it can take effect, so it costs little elsewhere.
#[test]
fn many_puts_in_doubt_at_versions_to_come_cost_little() {
    const COUNT: u64 = 40;
    let at = |version| 10 * version;
    let mut history = Vec::new();
    for version in 0..COUNT {
        let done_late = version % 3 == 2;
        if !done_late {
            history.push(versioned_put(1, at(version), version, VersionedOutput::Done));
        }
        let value = if done_late { "2" } else { "1" };
        history.push(versioned_get(at(version) + 6, value, version + 1));
        for client in [2, 3, 4] {
            history.push(versioned_put(
                client,
                at(version) + 3,
                version + 9,
                VersionedOutput::Maybe,
            ));
        }
    }
    // The puts in doubt above begin at version 9. Those for earlier versions are added here.
    for version in (2..9).step_by(3) {
        history.push(versioned_put(2, 0, version, VersionedOutput::Maybe));
    }
    let budget = Budget { steps: 1_000_000, ..Budget::default() };
    assert_eq!(check(&VersionedKv, &history, &budget), Verdict::Ok);
    history.push(versioned_get(at(COUNT), "3", COUNT));
    assert!(check(&VersionedKv, &history, &budget).is_illegal(), "another put had come first");
}

#[test]
fn puts_in_doubt_at_a_version_that_has_passed_cost_little() {
    let key = || "k".to_string();
    let put = |client: u64| {
        let input = VersionedInput::Put { key: key(), value: client.to_string(), version: 0 };
        Operation::answered(client, 1, input, 100 + client, VersionedOutput::Maybe)
    };
    let get = |value: &str, version| {
        let found = VersionedOutput::Found { value: value.to_string(), version };
        Operation::answered(99, 200, VersionedInput::Get { key: key() }, 201, found)
    };
    // Any of the thirty may be the first; then none of the others has an effect, in any order.
    let mut history: Vec<_> = (0..30).map(put).collect();
    let budget = Budget { steps: 20_000, ..Budget::default() };
    history.push(get("17", 1));
    assert!(check(&VersionedKv, &history, &budget).is_ok(), "client 17 was the first");
    *history.last_mut().unwrap() = get("17", 2);
    assert!(check(&VersionedKv, &history, &budget).is_illegal(), "only one can have been done");
}
