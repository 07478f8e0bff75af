//! What a checker found out about the operations of clients.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::Host;
use crate::record::{Record, What};

/// What a checker found out about one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The client.
    pub client: u32,
    /// When it called the operation, or a moment after that and before the return.
    pub call: Duration,
    /// The moment at which the operation may have taken effect.
    pub point: Option<Duration>,
    /// Whether it is one of those that cannot all be right.
    pub conflict: bool,
}

/// Finds the marks of the operations by the places of their calls in a record.
pub(super) fn by_call(record: &Record, marks: &[Mark]) -> BTreeMap<usize, Mark> {
    let mut calls: BTreeMap<u32, Vec<(Duration, usize)>> = BTreeMap::new();
    for (place, stamped) in record.events.iter().enumerate() {
        if let (Some(Host::Client(client)), What::Called { .. }) =
            (stamped.event.who, &stamped.event.what)
        {
            calls.entry(client).or_default().push((stamped.at, place));
        }
    }
    let of = |mark: &Mark| {
        let calls = calls.get(&mark.client)?;
        // A client has one operation at a time, so the mark belongs to the last call before it.
        let later = calls.partition_point(|(at, _)| *at <= mark.call);
        let (_, place) = calls.get(later.checked_sub(1)?)?;
        Some((*place, *mark))
    };
    marks.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::testing::record;

    #[test]
    fn a_mark_belongs_to_the_last_call_of_its_client() {
        let at = |client, ms| {
            let call = Duration::from_millis(ms);
            Mark { client, call, point: None, conflict: true }
        };
        let record = record();
        let called =
            |event: &crate::record::Stamped| matches!(event.event.what, What::Called { .. });
        let place = record.events.iter().position(called).expect("it calls");
        for ms in [200, 250] {
            assert_eq!(by_call(&record, &[at(0, ms)]).keys().collect::<Vec<_>>(), [&place]);
        }
        let strangers = [at(0, 199), at(1, 200)];
        assert!(by_call(&record, &strangers).is_empty(), "no such call");
    }
}
