//! The rule that a commit needs the acknowledgements of a majority, judged by messages alone.

use std::collections::BTreeMap;

use super::facts::{leads_in, promised};
use super::observer::{Judged, Observer, Sent};
use super::world::{Handling, World, accepts};
use crate::api::{Index, Position, ServerId, Term};
use crate::lab::Facts;

/// §5.3: an entry is committed "once the leader that created the entry has replicated it on a
/// majority of the servers". This rule judges servers that store nothing yet, so it judges by
/// messages. [`CommitNeedsMajority`](super::commit::CommitNeedsMajority) judges by what is stored.
///
/// A server counts if it led in the entry's term or later, or told a leader of such a term that it
/// has the log up to the entry or further. Every server that a leader may count is among these
/// servers, since a reply leaves before the leader can count it.
pub(super) struct CommitNeedsAcknowledgements {
    /// For each server and term: the index up to which the server has confirmed that it has the
    /// log of the term's leader.
    told: Vec<BTreeMap<Term, Index>>,
    /// The index up to which commits have been judged.
    seen: Index,
}

impl CommitNeedsAcknowledgements {
    pub(super) fn new(servers: usize) -> CommitNeedsAcknowledgements {
        CommitNeedsAcknowledgements { told: vec![BTreeMap::new(); servers], seen: Index(0) }
    }

    fn note(&mut self, server: ServerId, term: Term, index: Index) {
        let told = self.told[server.slot()].entry(term).or_default();
        *told = index.max(*told);
    }

    /// Whether `server` may have the entry at `position`.
    fn may_have(&self, server: ServerId, position: Position) -> bool {
        let since = self.told[server.slot()].range(position.term..);
        since.into_iter().any(|(_, index)| *index >= position.index)
    }
}

impl Observer for CommitNeedsAcknowledgements {
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, _: &World) -> Judged {
        // A leader has all of its own log.
        if let Some(term) = leads_in(facts) {
            self.note(from, term, Index(u64::MAX));
        }
        Ok(())
    }

    fn answered(&mut self, by: ServerId, handling: &Handling, reply: &Facts, _: &World) -> Judged {
        let (term, last) = (leads_in(&handling.request), promised(&handling.request));
        if let (Some(term), Some(last)) = (term, last)
            && accepts(handling, reply)
        {
            self.note(by, term, last.index);
        }
        Ok(())
    }

    fn committed(&mut self, by: ServerId, _: Term, position: Position, world: &World) -> Judged {
        if position.index <= self.seen {
            return Ok(());
        }
        let all = (0..self.told.len()).map(ServerId::from_slot);
        let have: Vec<_> = all.filter(|it| self.may_have(*it, position)).collect();
        if have.len() < world.quorum() {
            let names: Vec<_> = have.iter().map(ServerId::to_string).collect();
            return Err(format!(
                "{by} treats {position} as committed, but only [{}] led or acknowledged it; a \
                 majority is {}",
                names.join(", "),
                world.quorum()
            ));
        }
        self.seen = position.index;
        Ok(())
    }
}
