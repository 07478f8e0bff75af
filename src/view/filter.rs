//! Which events of a record a view shows.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::Host;
use crate::record::{Record, Stamped, Topic, What, idle_calls};

/// Which events to show; by default all, except those that tell nothing new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Show only events of these servers and clients, and of the whole run; empty: all events.
    pub only: Vec<Host>,
    /// Show only events with these topics; empty: all topics.
    pub topics: Vec<Topic>,
    /// Show no event before this time.
    pub from: Option<Duration>,
    /// Show no event after this time.
    pub to: Option<Duration>,
    /// Also show the events that tell nothing new: heartbeats that change nothing, arrivals,
    /// syncs, links and stalls.
    pub all: bool,
}

impl Filter {
    /// Returns this filter, but only for the times up to `span` before and after the failure of
    /// `record`.
    ///
    /// # Errors
    /// The run has no failure.
    pub fn around_failure(self, record: &Record, span: Duration) -> Result<Filter, NoFailure> {
        let failed = record.header.failure.as_ref().ok_or(NoFailure)?;
        let at = Duration::from_nanos(failed.at);
        let (from, to) = (at.saturating_sub(span), at.saturating_add(span));
        Ok(Filter { from: Some(from), to: Some(to), ..self })
    }

    /// The events of `record` that pass, oldest first.
    pub fn select<'a>(&self, record: &'a Record) -> Vec<&'a Stamped> {
        self.places(record).into_iter().map(|place| &record.events[place]).collect()
    }

    /// The places in `record` of the events that pass, in order.
    pub fn places(&self, record: &Record) -> Vec<usize> {
        let idle = match self.all {
            true => BTreeSet::new(),
            false => idle_calls(record.header.servers, &record.events),
        };
        let events = record.events.iter().enumerate();
        let passing = events.filter(|(_, stamped)| self.passes(stamped, &idle));
        passing.map(|(place, _)| place).collect()
    }

    fn passes(&self, stamped: &Stamped, idle: &BTreeSet<u64>) -> bool {
        let what = &stamped.event.what;
        let is_idle = || what.call().is_some_and(|(call, _)| idle.contains(&call));
        let who = stamped.event.who;
        let asked_for = self.only.is_empty() || who.is_none_or(|who| self.only.contains(&who));
        let topic = self.topics.is_empty() || self.topics.contains(&what.topic());
        let time = self.from.is_none_or(|from| stamped.at >= from)
            && self.to.is_none_or(|to| stamped.at <= to);
        asked_for && topic && time && (self.all || !says_nothing_new(what) && !is_idle())
    }
}

/// The run has not failed, so nothing can be shown around its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run has not failed; use --from and --to")]
pub struct NoFailure;

/// Whether other events already tell what this event tells.
fn says_nothing_new(what: &What) -> bool {
    matches!(
        what,
        What::Delivered { .. }
            | What::Ended { replied: true, .. }
            | What::Synced
            | What::Linked { .. }
            | What::Stalled { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::testing::{CLIENT, S0, record};

    /// What the filter shows of the record: milliseconds.
    fn shown(filter: &Filter) -> Vec<u128> {
        filter.select(&record()).iter().map(|stamped| stamped.at.as_millis()).collect()
    }

    #[test]
    fn what_says_nothing_new_is_left_out_unless_all_is_asked_for() {
        assert_eq!(shown(&Filter::default()), [0, 0, 0, 100, 110, 112, 200, 300, 400]);
        let all = Filter { all: true, ..Filter::default() };
        assert_eq!(shown(&all).len(), record().events.len());
    }

    #[test]
    fn the_events_of_the_whole_run_are_everybodys() {
        let only = S0.into_iter().chain(CLIENT).collect();
        assert_eq!(shown(&Filter { only, ..Filter::default() }), [0, 0, 100, 110, 200, 300]);
    }

    #[test]
    fn topics_and_times_include_their_ends() {
        let topics = vec![Topic::Client];
        assert_eq!(shown(&Filter { topics, ..Filter::default() }), [200, 300]);
        let at = |ms| Some(Duration::from_millis(ms));
        let filter = Filter { from: at(112), to: at(300), ..Filter::default() };
        assert_eq!(shown(&filter), [112, 200, 300]);
    }

    #[test]
    fn the_time_around_a_failure_needs_one() {
        let mut record = record();
        let span = Duration::from_millis(150);
        let filter = Filter::default().around_failure(&record, span).unwrap();
        assert_eq!(shown(&filter), [300, 400]);
        record.header.failure = None;
        assert_eq!(Filter::default().around_failure(&record, span), Err(NoFailure));
    }
}
