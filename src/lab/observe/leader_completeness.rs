//! The rule that a leader has all entries that were committed before its term.

use std::collections::BTreeMap;

use super::facts::leads_in;
use super::observer::{Judged, Observer, Sent};
use super::shadow::TermLog;
use super::world::World;
use crate::api::{Position, ServerId, Term};

/// "If a log entry is committed in a given term, then that entry will be present in the logs of
/// the leaders for all higher-numbered terms" (Figure 3; Raft §5.4.3).
///
/// The rule looks at a leader's log when the leader sends its first message in its term. It counts
/// an entry as committed in the term of the first leader that reported the commit. A commit that
/// becomes known later is checked against the leaders already seen. Two logs that agree at an entry
/// agree at all entries before it, so only the last committed entry is checked.
#[derive(Default)]
pub(super) struct LeaderCompleteness {
    leaders: BTreeMap<Term, (ServerId, TermLog)>,
    /// The term of the last leader's message.
    latest: Option<Term>,
}

impl Observer for LeaderCompleteness {
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, world: &World) -> Judged {
        let Some(term) = leads_in(facts) else { return Ok(()) };
        let first = self.latest.replace(term) != Some(term);
        if first && !self.leaders.contains_key(&term) {
            return self.first_act(from, term, world);
        }
        Ok(())
    }

    fn committed(&mut self, _: ServerId, term: Term, position: Position, _: &World) -> Judged {
        self.leaders
            .range(term.next()..)
            .try_for_each(|(later, (leader, log))| lacks(*leader, *later, log, (term, position)))
    }
}

impl LeaderCompleteness {
    fn first_act(&mut self, leader: ServerId, term: Term, world: &World) -> Judged {
        let log = world.written(leader).log.clone();
        let judged = world
            .committed
            .before(term)
            .map_or(Ok(()), |committed| lacks(leader, term, &log, committed));
        self.leaders.insert(term, (leader, log));
        judged
    }
}

fn lacks(
    leader: ServerId,
    term: Term,
    log: &TermLog,
    (since, committed): (Term, Position),
) -> Judged {
    if log.holds(committed) {
        return Ok(());
    }
    Err(format!(
        "{leader} became leader of term {term} without the entry {committed}, which was committed \
         by term {since}; its log ended at {}, with {} at that index",
        log.last(),
        log.term_at(committed.index).map_or("nothing".to_string(), |own| format!("term {own}"))
    ))
}
