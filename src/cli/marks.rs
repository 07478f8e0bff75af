//! What the checker finds out about the operations of a history, for a page.

use std::time::Duration;

use crate::checker::describe::Describe;
use crate::checker::{Budget, Operation, Verdict, check, explain, moments, orders};
use crate::history::{History, Judge};
use crate::view::Mark;

/// Maximum number of steps for one history: a page is made while the user waits.
const STEPS_MAX: u64 = 20_000_000;

/// The marks of all operations of a run's histories, whose times are nanoseconds.
pub(super) fn of(histories: &[History]) -> Vec<Mark> {
    let all = histories.iter().flat_map(|history| found(history, &|| false));
    let mark = |found: Found| Mark {
        client: u32::try_from(found.client).unwrap_or(u32::MAX),
        call: Duration::from_nanos(found.call),
        point: found.point.map(Duration::from_nanos),
        conflict: found.conflict,
    };
    all.map(mark).collect()
}

/// What the checker finds out about the operations of one history, until `stop` returns true.
pub(super) fn found(history: &History, stop: &dyn Fn() -> bool) -> Vec<Found> {
    history.judge(Marking { stop })
}

/// What the checker finds out about one operation.
#[derive(Debug)]
pub(super) struct Found {
    /// The operation, as an index into the history.
    pub index: usize,
    pub client: u64,
    pub call: u64,
    /// When it may have taken effect.
    pub point: Option<u64>,
    /// Whether it is one of those that cannot all be right.
    pub conflict: bool,
}

struct Marking<'a> {
    stop: &'a dyn Fn() -> bool,
}

impl Judge for Marking<'_> {
    type Output = Vec<Found>;

    fn judge<M: Describe>(
        self,
        model: &M,
        operations: &[Operation<M::Input, M::Output>],
    ) -> Vec<Found> {
        let budget = Budget { steps: STEPS_MAX, stop: Some(self.stop), ..Budget::default() };
        let (orders, conflict) = match orders(model, operations, &budget) {
            Ok(Some(orders)) => (orders, Vec::new()),
            Ok(None) => contradiction(model, operations, &budget),
            Err(_) => return Vec::new(),
        };
        let points: Vec<_> = orders.iter().flat_map(|order| moments(operations, order)).collect();
        let found = |index: usize, point: Option<u64>| Found {
            index,
            client: operations[index].client,
            call: operations[index].call,
            point,
            conflict: conflict.contains(&index),
        };
        let odd = conflict.iter().filter(|index| !points.iter().any(|(other, _)| other == *index));
        let placed = points.iter().map(|(index, at)| found(*index, Some(*at)));
        placed.chain(odd.map(|index| found(*index, None))).collect()
    }
}

/// The longest order that was found, and the operations that cannot all be right.
fn contradiction<M: Describe>(
    model: &M,
    operations: &[Operation<M::Input, M::Output>],
    budget: &Budget<'_>,
) -> (Vec<Vec<usize>>, Vec<usize>) {
    let Verdict::Illegal(why) = check(model, operations, budget) else {
        return (Vec::new(), Vec::new());
    };
    let explained = explain::explain_within(model, operations, &why, budget);
    (explained.map(|explanation| explanation.order).into_iter().collect(), why.conflict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::models::{KvInput, KvOutput};

    fn put(call: u64, at: u64) -> Operation<KvInput, KvOutput> {
        let input = KvInput::Put { key: "a".to_string(), value: "1".to_string() };
        Operation::answered(1, call, input, at, KvOutput::Done)
    }

    fn get(call: u64, value: &str, at: u64) -> Operation<KvInput, KvOutput> {
        let output = KvOutput::Value(value.to_string());
        Operation::answered(2, call, KvInput::Get { key: "a".to_string() }, at, output)
    }

    #[test]
    fn a_right_operation_has_a_moment_and_a_wrong_one_is_marked() {
        let right = of(&[History::Kv(vec![put(0, 30), get(10, "1", 20)])]);
        assert!(right.iter().all(|mark| !mark.conflict && mark.point.is_some()), "{right:?}");
        let wrong = of(&[History::Kv(vec![put(0, 5), get(10, "", 20)])]);
        assert!(wrong.iter().all(|mark| mark.conflict), "{wrong:?}");
        assert!(wrong.iter().any(|mark| mark.point.is_none()), "one cannot be placed: {wrong:?}");
    }
}
