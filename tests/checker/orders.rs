//! The orders that explain a history's answers.

use raftlab::checker::models::{Kv, KvInput, KvOutput};
use raftlab::checker::{Budget, Model, Operation, check, moments, orders};
use raftlab::runtime::rand::stream;
use rand::RngExt;

type Op = Operation<KvInput, KvOutput>;

/// A random history of few clients on two keys, with answers that may be wrong.
fn random(seed: u64) -> Vec<Op> {
    let mut chance = stream(&format!("orders/{seed}"));
    let mut below = |many: u64| chance.random_range(0..many);
    (0..10)
        .map(|client| {
            let (call, span) = (below(30), below(20));
            let key = if below(2) == 0 { "a" } else { "b" }.to_string();
            let value = below(3).to_string();
            let (input, output) = match below(2) {
                0 => (KvInput::Put { key, value }, KvOutput::Done),
                _ => (KvInput::Get { key }, KvOutput::Value(value)),
            };
            Operation::answered(client, call, input, call + span, output)
        })
        .collect()
}

#[test]
fn an_order_explains_every_answer_and_respects_the_times() {
    let mut legal = 0;
    for seed in 0..2000 {
        let history = random(seed);
        let found = orders(&Kv, &history, &Budget::default()).unwrap();
        assert_eq!(found.is_some(), check(&Kv, &history, &Budget::default()).is_ok(), "{seed}");
        for order in found.into_iter().flatten() {
            legal += 1;
            let mut state = Kv.initial();
            for index in &order {
                let (input, output) = (&history[*index].input, history[*index].output());
                state = Kv.step(&state, input, output).expect("the answer is right");
            }
            for (index, moment) in moments(&history, &order) {
                let operation = &history[index];
                let range = operation.call..=operation.end();
                assert!(range.contains(&moment), "seed {seed}: {operation:?} at {moment}");
            }
        }
    }
    assert!(legal > 100, "{legal} orders were found");
}
