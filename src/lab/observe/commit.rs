//! The rules for commits, judged by the servers' stored logs and by their messages.

use super::observer::{Judged, Observer, Sent};
use super::world::World;
use crate::api::{Index, Position, ServerId, Term};
use crate::lab::Facts;

/// "A log entry is committed once the leader that created the entry has replicated it on a
/// majority of the servers" (Raft §5.3): when a server reports an entry as committed, or applies
/// it, the durable logs of a majority have it.
#[derive(Default)]
pub(super) struct CommitNeedsMajority {
    /// The last index that was checked. A server keeps a committed entry that it stored.
    seen: Index,
}

impl Observer for CommitNeedsMajority {
    fn committed(&mut self, by: ServerId, _: Term, position: Position, world: &World) -> Judged {
        if position.index <= self.seen {
            return Ok(());
        }
        let holders: Vec<ServerId> = world.holders(position).collect();
        if holders.len() < world.quorum() {
            let holders: Vec<String> = holders.iter().map(ServerId::to_string).collect();
            return Err(format!(
                "{by} treats {position} as committed, but only [{}] have it in their durable \
                 logs; a majority is {}",
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
/// Fails if a leader reports a higher commit index than any leader before, and the entry at that
/// index is of an older term. One case is allowed: a leader may count a majority, be deposed before
/// it can report the commit, and report the commit when it leads again. So a leader may report all
/// entries that a majority had when it was deposed.
#[derive(Default)]
pub(super) struct CommitOnlyOwnTerm {
    /// The highest commit index that any leader has reported.
    said: Index,
}

impl Observer for CommitOnlyOwnTerm {
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, world: &World) -> Judged {
        let (commit, counted_in) = match *facts {
            Facts::Append { term, commit, .. } => (commit, Some(term)),
            Facts::Snapshot { last_included, .. } => (last_included.index, None),
            // A heartbeat reports only entries that its receiver has, so the last of them may be of
            // an older term.
            Facts::Heartbeat { commit, .. } => (commit, None),
            _ => return Ok(()),
        };
        if commit <= self.said {
            return Ok(());
        }
        self.said = commit;
        counted_in.map_or(Ok(()), |term| counted(from, term, commit, world))
    }
}

/// Judges `commit`, which `leader` must have found by counting or in its own snapshot.
fn counted(leader: ServerId, term: Term, commit: Index, world: &World) -> Judged {
    let known = world.server(leader);
    let log = &known.shadow.written.log;
    let Some(of) = log.term_at(commit) else { return Ok(()) };
    if of >= term || commit <= log.base().index.max(known.may_have_counted()) {
        return Ok(());
    }
    Err(format!(
        "{leader}, leader of term {term}, commits the log up to {of}/{commit}: an entry of an \
         older term without one of its own after it, which no leader had committed before"
    ))
}

/// A leader's `leader_commit` is not below the commit index that it knew before its term, since a
/// server's commit index "increases monotonically" (Figure 2, volatile state).
///
/// Within one term messages may overtake each other, so the rule does not judge them.
pub(super) struct CommitMonotonic;

impl Observer for CommitMonotonic {
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, world: &World) -> Judged {
        let Facts::Append { term, commit, .. } = *facts else { return Ok(()) };
        let server = world.server(from);
        let Some((before, Position { index: known, .. })) = server.knows.before(term) else {
            return Ok(());
        };
        if commit >= known {
            return Ok(());
        }
        Err(format!(
            "{from}, leader of term {term}, says that the log is committed up to {commit}, but in \
             term {before} of the same life it knew that the log was committed up to {known}"
        ))
    }
}
