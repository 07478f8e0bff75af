//! Finds for each key an order of its operations that explains every answer.

use super::history::Operation;
use super::limits::Limits;
use super::model::Model;
use super::part::{History, Operations, Part, by_key};
use super::search::{Progress, Search};
use super::verdict::{Budget, Why};

/// Number of steps between two checks of the clock and of the memory.
const SLICE: u64 = 1 << 12;

/// Finds an order for each key of a linearizable history: the indices of its operations, each after
/// those that must come before it. `None` if some key has no order.
///
/// An operation that never returned is in an order only if another answer needs it.
///
/// ```
/// use raftlab::checker::models::{Register, RegisterInput::*, RegisterOutput::*};
/// use raftlab::checker::{Budget, Operation, orders};
///
/// let history = [
///     Operation::answered(1, 0, Write(7), 30, Done),
///     Operation::answered(2, 5, Read, 15, Value(None)),
/// ];
/// let orders = orders(&Register::<u8>::new(), &history, &Budget::default());
/// assert_eq!(orders, Ok(Some(vec![vec![1, 0]])));
/// ```
///
/// # Errors
/// The part of the budget that ran out before the orders were found.
///
/// # Panics
/// When an operation returns before it was called.
pub fn orders<M: Model>(
    model: &M,
    history: &Operations<M>,
    budget: &Budget<'_>,
) -> Result<Option<Vec<Vec<usize>>>, Why> {
    let keys = by_key(model, history);
    let history = &History::new(model, history, &keys);
    let limits = Limits::new(budget);
    let (mut orders, mut steps_left) = (Vec::new(), budget.steps);
    for indices in keys {
        let part = Part::new(model, history, &indices, |_| true);
        let mut search = Search::new(model, part);
        let progress = loop {
            if limits.stopped() {
                return Err(Why::Stopped);
            }
            let left = steps_left.saturating_sub(search.steps);
            match search.run(SLICE.min(left)) {
                Progress::Going if left == 0 => return Err(Why::Steps),
                Progress::Going if search.bytes() > budget.memory => return Err(Why::Memory),
                Progress::Going => {}
                ended => break ended,
            }
        };
        if progress == Progress::Impossible {
            return Ok(None);
        }
        steps_left = steps_left.saturating_sub(search.steps);
        orders.push(search.placed());
    }
    Ok(Some(orders))
}

/// Gives each operation of an order the moment at which it may have taken effect: as soon as it was
/// called and those before it had taken effect.
///
/// Pairs of an index and a moment. If the order explains every answer, each moment lies between its
/// operation's call and return.
pub fn moments<I, O>(history: &[Operation<I, O>], order: &[usize]) -> Vec<(usize, u64)> {
    let mut now = 0;
    let moment = |index: &usize| {
        now = history[*index].call.max(now);
        (*index, now)
    };
    order.iter().map(moment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::models::{Kv, KvInput, KvOutput};

    type Op = Operation<KvInput, KvOutput>;

    fn put(client: u64, call: u64, key: &str, value: &str, at: u64) -> Op {
        let (key, value) = (key.to_string(), value.to_string());
        Operation::answered(client, call, KvInput::Put { key, value }, at, KvOutput::Done)
    }

    fn get(client: u64, call: u64, key: &str, value: &str, at: u64) -> Op {
        let value = KvOutput::Value(value.to_string());
        Operation::answered(client, call, KvInput::Get { key: key.to_string() }, at, value)
    }

    #[test]
    fn each_key_has_its_order_and_an_open_operation_only_if_it_is_needed() {
        let open = |key: &str| KvInput::Put { key: key.to_string(), value: "2".to_string() };
        let history = [
            put(1, 0, "a", "1", 10),
            get(2, 5, "b", "", 8),
            Operation::open(3, 6, open("a")),
            Operation::open(4, 6, open("b")),
            get(2, 20, "a", "2", 30),
        ];
        let orders = orders(&Kv, &history, &Budget::default()).unwrap().unwrap();
        assert_eq!(orders, [vec![0, 2, 4], vec![1]]);
        assert_eq!(moments(&history, &orders[0]), [(0, 0), (2, 6), (4, 20)]);
    }

    #[test]
    fn an_illegal_history_has_none_and_a_small_budget_says_so() {
        let history = [put(1, 0, "a", "1", 10), get(2, 20, "a", "", 30)];
        assert_eq!(orders(&Kv, &history, &Budget::default()), Ok(None));
        let stop = || true;
        let budget = Budget { stop: Some(&stop), ..Budget::default() };
        assert_eq!(orders(&Kv, &history, &budget), Err(Why::Stopped));
        let budget = Budget { steps: 0, ..Budget::default() };
        assert_eq!(orders(&Kv, &history, &budget), Err(Why::Steps));
    }
}
