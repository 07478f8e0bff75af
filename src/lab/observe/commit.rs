//! When an entry is committed.

use super::event::{Event, Observer, leads_in};
use super::world::World;
use crate::api::{Index, Position, ServerId, Term};
use crate::lab::Facts;

/// "A log entry is committed once the leader that created the entry has replicated it on a
/// majority of the servers" (Raft §5.3): whoever says that it is committed, or applies it, the
/// durable logs of a majority have it.
#[derive(Default)]
pub(super) struct CommitNeedsMajority {
    /// Up to here it was seen to be so. Whoever stored a committed entry keeps it.
    seen: Index,
}

impl Observer for CommitNeedsMajority {
    fn name(&self) -> &'static str {
        "CommitNeedsMajority"
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        let Event::Committed { by, position, .. } = event else { return Ok(()) };
        if position.index <= self.seen {
            return Ok(());
        }
        let holders: Vec<ServerId> = world.holders(*position).collect();
        if holders.len() < world.quorum() {
            let holders: Vec<String> = holders.iter().map(ServerId::to_string).collect();
            return Err(format!(
                "{by} takes {position} for committed, but it is in the durable logs of [{}] \
                 alone; a majority is {}",
                holders.join(", "),
                world.quorum()
            ));
        }
        self.seen = position.index;
        Ok(())
    }
}

/// "Raft never commits log entries from previous terms by counting replicas. Only log entries from
/// the leader's current term are committed by counting replicas" (Raft §5.4.2).
///
/// Fails when a leader says that the log is committed further than any other server said before,
/// the last such entry is of an older term, and the leader held no office since that term in which
/// it could have learnt it.
pub(super) struct CommitOnlyOwnTerm {
    /// How far each server said that the log is committed, or showed it by applying.
    said: Vec<Index>,
}

impl CommitOnlyOwnTerm {
    pub(super) fn new(servers: usize) -> CommitOnlyOwnTerm {
        CommitOnlyOwnTerm { said: vec![Index(0); servers] }
    }

    fn says(&mut self, server: ServerId, index: Index) {
        let said = &mut self.said[server.slot()];
        *said = index.max(*said);
    }

    fn others_said(&self, server: ServerId) -> Index {
        let others = self.said.iter().enumerate().filter(|(slot, _)| *slot != server.slot());
        others.map(|(_, said)| *said).max().unwrap_or_default()
    }
}

impl Observer for CommitOnlyOwnTerm {
    fn name(&self) -> &'static str {
        "CommitOnlyOwnTerm"
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        match event {
            Event::Applied { server, .. } => self.says(*server, world.server(*server).delivered),
            Event::Sent { from, facts: Facts::Installs { last_included, .. }, .. } => {
                self.says(*from, last_included.index);
            }
            Event::Sent { from, facts: Facts::Acts { term, commit, .. }, .. } => {
                self.says(*from, *commit);
                if *commit > self.others_said(*from) {
                    return counted(*from, *term, *commit, world);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Judges `commit`, which `leader` must have found by counting.
fn counted(leader: ServerId, term: Term, commit: Index, world: &World) -> Result<(), String> {
    let Some(of) = world.written(leader).log.term_at(commit) else { return Ok(()) };
    // A leader that commits, loses its office before it can say so and wins it again says so then.
    if of >= term || world.server(leader).led_within(of, term) {
        return Ok(());
    }
    Err(format!(
        "{leader}, leader of term {term}, commits the log up to {of}/{commit}: an entry of an \
         older term, with none of its own behind it, and no other server had said so"
    ))
}

/// A leader's `leader_commit` does not fall behind what it knew before its term, as the commit
/// index of a server "increases monotonically" (Figure 2, volatile state).
///
/// Within one term messages may overtake each other, so there it is not judged.
pub(super) struct CommitMonotonic;

impl Observer for CommitMonotonic {
    fn name(&self) -> &'static str {
        "CommitMonotonic"
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        let Event::Sent { from, facts, .. } = event else { return Ok(()) };
        let (Some(term), Facts::Acts { commit, .. }) = (leads_in(facts), facts) else {
            return Ok(());
        };
        let server = world.server(*from);
        let Some((before, Position { index: known, .. })) = server.knows.before(term) else {
            return Ok(());
        };
        if term <= server.booted_in || *commit >= known {
            return Ok(());
        }
        Err(format!(
            "{from}, leader of term {term}, says that the log is committed up to {commit}, but in \
             term {before} of the same life it knew that it was up to {known}"
        ))
    }
}
