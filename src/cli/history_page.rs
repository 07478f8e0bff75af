//! The page of a recorded history: its operations by client, and the verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::api::Host;
use crate::checker::Operation;
use crate::checker::describe::Describe;
use crate::history::{History, Judge};
use crate::record::{Event, Failed, Header, Record, Stamped, What};
use crate::view::{self, Beside, Filter, Mark};

use crate::cli::marks::{self, Found};

/// Maximum span of times without a unit, such as the numbers of a file's lines.
const SPAN_MAX: u64 = 1_000_000;

/// What is added to a client's number for each of its earlier operations that is not over.
const APART: u32 = 1_000_000;

/// Makes the page of the history in the file `name`. `verdict` is a word or two; `wrong` says what
/// is wrong, if the history is illegal.
///
/// The search for an order ends when `stop` returns true; then the page has no moments.
pub(super) fn page(
    name: &str,
    history: &History,
    verdict: &str,
    wrong: Option<&str>,
    stop: &dyn Fn() -> bool,
) -> String {
    let lines = history.judge(Lines);
    let clock = Clock::of(&lines);
    let mark = |found: Found| Mark {
        client: lines[found.index].lane,
        call: clock.time(found.call),
        point: found.point.map(|at| clock.time(at)),
        conflict: found.conflict,
    };
    let marks: Vec<Mark> = marks::found(history, stop).into_iter().map(mark).collect();
    let title = format!("{} operations, judged as {}", lines.len(), history.model().name());
    let record = record(name, &lines, &clock, wrong.map(|wrong| (wrong, when(&marks))));
    let beside = Beside { title: &title, replay: "", verdict, hint: None, marks: &marks };
    view::page(&record, &Filter::default(), &beside)
}

/// When the first operation was called that has no place in the order, or, if all have one, the
/// last that contradicts the others.
fn when(marks: &[Mark]) -> Duration {
    let conflict = || marks.iter().filter(|mark| mark.conflict);
    let odd = conflict().filter(|mark| mark.point.is_none()).map(|mark| mark.call).min();
    odd.or_else(|| conflict().map(|mark| mark.call).max()).unwrap_or_default()
}

/// One operation as the page shows it.
struct Line {
    /// The client's number. Of operations of one client that overlap, each has its own.
    lane: u32,
    call: u64,
    end: Option<u64>,
    asked: String,
    /// The answer; empty if it says only that the operation was done.
    answer: String,
}

/// Describes the operations, whatever their model.
struct Lines;

impl Judge for Lines {
    type Output = Vec<Line>;

    fn judge<M: Describe>(
        self,
        model: &M,
        operations: &[Operation<M::Input, M::Output>],
    ) -> Vec<Line> {
        let lanes = lanes(operations);
        let line = |(operation, lane): (&Operation<_, _>, u32)| Line {
            lane,
            call: operation.call,
            end: operation.returned.as_ref().map(|(at, _)| *at),
            asked: model.call(&operation.input),
            answer: operation.output().map(|answer| model.answer(answer)).unwrap_or_default(),
        };
        operations.iter().zip(lanes).map(line).collect()
    }
}

/// A lane for each operation: on a lane, each operation is over before the next one is called.
fn lanes<I, O>(operations: &[Operation<I, O>]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_key(|index| operations[*index].call);
    // For each client, when its lanes are free, the soonest first.
    let mut free: BTreeMap<u32, BTreeSet<(u64, u32)>> = BTreeMap::new();
    let mut lanes = vec![0; operations.len()];
    for index in order {
        let operation = &operations[index];
        let client = u32::try_from(operation.client).unwrap_or(u32::MAX);
        let own = free.entry(client).or_default();
        let next = u32::try_from(own.len()).unwrap_or(u32::MAX);
        let (_, lane) = match own.first() {
            Some((end, _)) if *end <= operation.call => own.pop_first().expect("there is a first"),
            _ => (0, client.wrapping_add(next.wrapping_mul(APART))),
        };
        own.insert((operation.end(), lane));
        lanes[index] = lane;
    }
    lanes
}

/// Turns the times of a file, which may have any origin and unit, into times since its beginning.
struct Clock {
    first: u64,
    last: u64,
    /// How many nanoseconds a unit is drawn as.
    unit: u64,
}

impl Clock {
    fn of(lines: &[Line]) -> Clock {
        let times = || lines.iter().flat_map(|line| [Some(line.call), line.end]).flatten();
        let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        Clock { first, last, unit: if last - first < SPAN_MAX { 1_000_000 } else { 1 } }
    }

    fn time(&self, at: u64) -> Duration {
        Duration::from_nanos(at.saturating_sub(self.first).saturating_mul(self.unit))
    }
}

/// The operations as the record of a run without servers.
///
/// `wrong` is what is wrong, and when.
fn record(name: &str, lines: &[Line], clock: &Clock, wrong: Option<(&str, Duration)>) -> Record {
    let mut events: Vec<(u8, Stamped)> = Vec::new();
    for Line { lane, call, end, asked, answer } in lines {
        let mut add = |rank: u8, at: u64, what: What| {
            let event = Event { who: Some(Host::Client(*lane)), what };
            events.push((rank, Stamped { at: clock.time(at), event }));
        };
        add(1, *call, What::Called { text: asked.clone() });
        if let Some(end) = *end {
            // At one moment a client returns from an operation, then calls the next one.
            let rank = if end > *call { 0 } else { 2 };
            add(rank, end, What::Returned { text: answer.clone() });
        }
    }
    events.sort_by_key(|(rank, stamped)| (stamped.at, *rank));
    let nanoseconds = |at: Duration| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
    let failure = wrong.map(|(message, at)| Failed {
        rule: "Linearizability".to_string(),
        message: message.to_string(),
        place: String::new(),
        at: nanoseconds(at),
    });
    let header = Header {
        raftlab_record: Header::VERSION,
        test: name.to_string(),
        part: String::new(),
        design: String::new(),
        schedule: String::new(),
        seed: 0,
        strict: false,
        servers: 0,
        elapsed: nanoseconds(clock.time(clock.last)),
        hash: String::new(),
        again: String::new(),
        failure,
    };
    Record { header, events: events.into_iter().map(|(_, stamped)| stamped).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::models::{KvInput, KvOutput};

    fn get(client: u64, call: u64, at: u64) -> Operation<KvInput, KvOutput> {
        let output = KvOutput::Value("<script>".to_string());
        Operation::answered(client, call, KvInput::Get { key: "a".to_string() }, at, output)
    }

    #[test]
    fn operations_of_one_client_that_overlap_have_lanes_of_their_own() {
        let open = Operation::open(1, 5, KvInput::Get { key: "a".to_string() });
        let operations = [get(1, 0, 10), open, get(1, 10, 20), get(2, 0, 10), get(1, 20, 20)];
        assert_eq!(lanes(&operations), [1, 1 + APART, 1, 2, 1]);
    }

    #[test]
    fn many_operations_that_never_return_cost_no_more_each() {
        let open = |_| Operation::open(1, 5, KvInput::Get { key: "a".to_string() });
        let operations: Vec<Operation<_, KvOutput>> = (0..100_000).map(open).collect();
        let mut lanes = lanes(&operations);
        lanes.sort_unstable();
        lanes.dedup();
        assert_eq!(lanes.len(), operations.len(), "each has a lane of its own");
    }

    #[test]
    fn each_call_comes_before_its_return_whatever_the_unit() {
        for unit in [1, 1_000_000] {
            let at = |time: u64| (7 + time) * unit;
            let operations = vec![get(1, at(0), at(10)), get(1, at(10), at(10))];
            let lines = History::Kv(operations).judge(Lines);
            let clock = Clock::of(&lines);
            let record = record("file", &lines, &clock, None);
            let called = |it: &Stamped| matches!(it.event.what, What::Called { .. });
            let calls: Vec<bool> = record.events.iter().map(called).collect();
            assert_eq!(calls, [true, false, true, false], "unit {unit}");
            assert_eq!(record.header.elapsed, 10_000_000, "ten milliseconds");
        }
    }

    #[test]
    fn a_history_without_operations_has_a_page() {
        assert!(
            page("file", &History::Kv(Vec::new()), "linearizable", None, &|| false)
                .contains("<html"),
            "a page"
        );
    }
}
