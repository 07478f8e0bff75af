//! A summary of the cluster: the leaders, the end of each log, each follower's last refusal.
//!
//! The report of a command that was not committed ends with this summary.

use std::fmt::Write;
use std::time::Duration;

use super::shadow::Stored;
use super::world::{Server, World};
use crate::api::{Position, ServerId, Term};
use crate::lab::Facts;

/// Maximum number of leaders that a summary names; it names the latest.
const LEADERS_SHOWN_MAX: usize = 4;

/// The leaders and the refusals of a run.
#[derive(Default)]
pub(super) struct Standing {
    /// The leaders of all terms, each with the moment of its first message.
    leaders: Vec<(Term, ServerId, Duration)>,
    /// The last append that each server refused, and the moment; by slot.
    refusals: Vec<Option<(Position, Duration)>>,
}

/// A command that was not committed in time.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// When the wait for the command began.
    pub since: Duration,
    /// The command's entry, if a server accepted the command. Ignored if services number commands:
    /// then only an applied command shows its index in the log.
    pub entry: Option<Position>,
    /// The servers whose links are cut.
    pub cut_off: Vec<ServerId>,
}

impl Standing {
    pub(super) fn new(servers: usize) -> Standing {
        Standing { leaders: Vec::new(), refusals: vec![None; servers] }
    }

    /// Records that a request leaves `from` at the moment `at`.
    pub(super) fn sent(&mut self, from: ServerId, facts: &Facts, at: Duration) {
        let (Facts::Append { term, .. }
        | Facts::Heartbeat { term, .. }
        | Facts::Snapshot { term, .. }) = facts
        else {
            return;
        };
        if self.leaders.last().is_none_or(|(last, ..)| last < term) {
            self.leaders.push((*term, from, at));
        }
    }

    /// Records that a reply leaves `by` at the moment `at`.
    pub(super) fn answered(&mut self, by: ServerId, request: &Facts, reply: &Facts, at: Duration) {
        if let (Facts::Append { prev, .. }, Facts::AppendReply { success: false, .. }) =
            (request, reply)
        {
            self.refusals[by.slot()] = Some((*prev, at));
        }
    }

    /// Writes one line on the leaders, and one on each server.
    pub(super) fn describe(&self, world: &World, wanted: &Wanted) -> String {
        let entry = wanted.entry.filter(|_| world.counts_entries());
        let mut text = self.describe_leaders(wanted.since);
        for (slot, server) in world.servers.iter().enumerate() {
            let id = ServerId::from_slot(slot);
            let _ = write!(text, "\n{id}: {}", describe(server, entry));
            if wanted.cut_off.contains(&id) {
                text.push_str("; its links are cut");
            }
            if let Some((prev, at)) = self.refusals[slot].filter(|(_, at)| *at >= wanted.since) {
                let at = at.as_secs_f64();
                let _ = write!(text, "; at {at:.3} s it refused entries after {prev}");
            }
        }
        text
    }

    fn describe_leaders(&self, since: Duration) -> String {
        // The last leader before the wait may have continued to lead.
        let before = self.leaders.partition_point(|(.., at)| *at < since).saturating_sub(1);
        let leaders = &self.leaders[before..];
        let shown = &leaders[leaders.len().saturating_sub(LEADERS_SHOWN_MAX)..];
        let one = |(term, server, at): &(Term, ServerId, Duration)| {
            format!("{server} of term {term} from {:.3} s", at.as_secs_f64())
        };
        match shown {
            [] => "leaders: none sent a message".into(),
            _ => format!("leaders: {}", shown.iter().map(one).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Describes one server.
fn describe(server: &Server, entry: Option<Position>) -> String {
    if !server.alive {
        return "is down".into();
    }
    let log = &server.shadow.written.log;
    let role = if server.leads() { "leads term" } else { "is in term" };
    let mut text = format!("{role} {}", server.term());
    if server.shadow.written == Stored::default() {
        return text + ", has stored nothing";
    }
    let _ = write!(text, ", its log ends with {}", log.last());
    match entry {
        Some(entry) if log.holds(entry) => drop(write!(text, ", has {entry}")),
        Some(entry) => drop(write!(text, ", lacks {entry}")),
        None => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Entry, Index};
    use crate::lab::Numbering;
    use crate::persister::Persisted;

    fn at(term: u64, index: u64) -> Position {
        Position { term: Term(term), index: Index(index) }
    }

    fn stored(term: u64, entries: &[(u64, u64)]) -> Persisted {
        let entry = |&(term, index): &(u64, u64)| Entry {
            term: Term(term),
            index: Index(index),
            data: Default::default(),
        };
        Persisted {
            current_term: Term(term),
            entries: entries.iter().map(entry).collect(),
            ..Persisted::default()
        }
    }

    /// Four servers, of which the first leads term 3 and has an entry that the second refuses.
    fn cluster(numbering: Numbering) -> (World, Standing) {
        let mut world = World::new(4, numbering);
        world.boot(ServerId(0), &stored(3, &[(1, 1), (3, 2)]), 0);
        world.boot(ServerId(1), &stored(3, &[(1, 1)]), 0);
        world.boot(ServerId(2), &Persisted::default(), 0);
        let mut standing = Standing::new(4);
        let append = |term: u64, prev: Position, last: Position| Facts::Append {
            leader: ServerId(0),
            term: Term(term),
            commit: Index(0),
            prev,
            last,
            entries: crate::lab::Digest::of(prev, &[]),
        };
        let old = append(1, at(0, 0), at(0, 0));
        standing.sent(ServerId(2), &old, Duration::from_millis(100));
        let new = append(3, at(3, 2), at(3, 2));
        world.sent(ServerId(0), &new);
        standing.sent(ServerId(0), &new, Duration::from_millis(900));
        let refused = Facts::AppendReply { term: Term(3), success: false };
        standing.answered(ServerId(1), &new, &refused, Duration::from_millis(950));
        (world, standing)
    }

    #[test]
    fn who_led_who_lacks_the_entry_and_who_refused_is_said() {
        let (world, standing) = cluster(Numbering::Entries);
        let mut wanted = Wanted {
            since: Duration::from_millis(500),
            entry: Some(at(3, 2)),
            cut_off: vec![ServerId(2)],
        };
        assert_eq!(
            standing.describe(&world, &wanted),
            "leaders: S2 of term 1 from 0.100 s, S0 of term 3 from 0.900 s\n\
             S0: leads term 3, its log ends with 3/2, has 3/2\n\
             S1: is in term 3, its log ends with 1/1, lacks 3/2; \
             at 0.950 s it refused entries after 3/2\n\
             S2: is in term 0, has stored nothing; its links are cut\n\
             S3: is down"
        );
        wanted.since = Duration::from_secs(2);
        let later = standing.describe(&world, &wanted);
        assert!(later.starts_with("leaders: S0 of term 3 from"), "the last still leads: {later}");
        assert!(!later.contains("refused"), "that was before the wait: {later}");
    }

    #[test]
    fn an_index_of_a_service_that_counts_commands_is_no_place_in_the_log() {
        let (world, standing) = cluster(Numbering::Commands);
        let wanted = Wanted { since: Duration::ZERO, entry: Some(at(3, 1)), cut_off: Vec::new() };
        let text = standing.describe(&world, &wanted);
        assert!(!text.contains("lacks") && !text.contains("has 3/1"), "{text}");
    }
}
