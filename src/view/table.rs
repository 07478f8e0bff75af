//! A log as a table of rows, from which lines and columns are made.

use std::collections::BTreeSet;

use super::Filter;
use crate::api::{Host, ServerId};
use crate::record::{Record, Stamped, State, Topic, What};

/// The rows of a log in the order of time. A *lane* is a server or a client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The names of the lanes: the servers, then the clients.
    pub lanes: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The time, as the log writes it.
    pub at: String,
    /// The lane, as an index into [`Table::lanes`]; `None` if the line belongs to the whole run.
    pub lane: Option<usize>,
    /// What the line is about.
    pub topic: Topic,
    /// The text, in one line.
    pub text: String,
    /// The state of the lane's server after the event, in short: role, term, commit index, applied
    /// index, last index.
    pub state: Option<String>,
}

impl Table {
    /// The events of `record` that pass `filter`.
    pub fn of(record: &Record, filter: &Filter) -> Table {
        let selected = filter.select(record);
        let mut hosts = hosts(record.header.servers, record.events.iter());
        hosts.retain(|host| filter.only.is_empty() || filter.only.contains(host));
        let mut state = State::new(record.header.servers);
        let mut all = record.events.iter();
        let mut rows = Vec::new();
        for stamped in selected {
            // Events that are not shown change the state, too.
            for other in all.by_ref() {
                state.see(&other.event);
                if std::ptr::eq(other, stamped) {
                    break;
                }
            }
            let who = stamped.event.who;
            rows.push(Row {
                at: format!("{:.6}", stamped.at.as_secs_f64()),
                lane: who.and_then(|who| hosts.iter().position(|lane| *lane == who)),
                topic: stamped.event.what.topic(),
                text: stamped.event.what.to_string(),
                state: who.and_then(|who| in_short(&state, who.server()?)),
            });
        }
        Table { lanes: hosts.iter().map(Host::to_string).collect(), rows }
    }
}

/// The hosts that get a lane: all `servers`, then the clients that call an operation in `events`.
pub(super) fn hosts<'a>(servers: usize, events: impl Iterator<Item = &'a Stamped>) -> Vec<Host> {
    let servers = (0..servers).map(|slot| Host::Server(ServerId::from_slot(slot)));
    let clients: BTreeSet<Host> = events
        .filter(|it| matches!(it.event.what, What::Called { .. }))
        .filter_map(|it| it.event.who)
        .filter(|who| who.server().is_none())
        .collect();
    servers.chain(clients).collect()
}

/// The state of a server in short: a letter for its role, then its term, commit index, applied
/// index and last index.
fn in_short(state: &State, server: ServerId) -> Option<String> {
    let server = state.servers().get(server.slot())?;
    let role = match (server.up, server.role) {
        (false, _) => '-',
        (true, crate::record::Role::Follower) => 'f',
        (true, crate::record::Role::Candidate) => 'c',
        (true, crate::record::Role::Leader) => 'L',
    };
    // As numbers, which a width pads; and below the words of the legend.
    let (term, commit) = (server.term.0, server.commit.0);
    let (applied, last) = (server.applied.0, server.last().index.0);
    Some(format!("{role:<4} {term:>4} {commit:>6} {applied:>5} {last:>4}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::testing::{S1, record};

    #[test]
    fn every_server_and_every_client_has_a_lane() {
        let table = Table::of(&record(), &Filter::default());
        assert_eq!(table.lanes, ["S0", "S1", "C0"]);
        let lanes: Vec<_> = table.rows.iter().map(|row| row.lane).collect();
        assert_eq!(
            lanes,
            [Some(0), Some(1), None, Some(0), Some(0), Some(1), Some(2), Some(2), Some(1)]
        );
    }

    #[test]
    fn the_state_is_that_after_the_event_and_counts_what_is_not_shown() {
        let only = S1.into_iter().collect();
        let table = Table::of(&record(), &Filter { only, ..Filter::default() });
        assert_eq!(table.lanes, ["S1"]);
        let table = Table::of(&record(), &Filter::default());
        let states: Vec<_> = table.rows.iter().map(|row| row.state.as_deref()).collect();
        assert_eq!(states[2], None, "the test has no state");
        assert_eq!(states[3], Some("c       2      0     0    0"), "a vote for itself");
        assert_eq!(states[6], None, "a client has no state");
    }
}
