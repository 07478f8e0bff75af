//! The rules for entries that a server must not delete from its log.
//!
//! The rules judge each sync, and also each write before a sync: a crash may keep any prefix of the
//! writes since the last sync.

use super::observer::{Judged, Observer};
use super::shadow::Lost;
use super::world::{Handling, World, accepts};
use crate::api::{Index, Position, ServerId, Term};
use crate::lab::Facts;

/// "A leader never overwrites or deletes entries in its log; it only appends new entries"
/// (Figure 3; Raft §5.3).
///
/// A server deletes nothing while its storage has the term in which it led, unless it is just
/// handling a request of a newer term.
pub(super) struct LeaderAppendOnly;

impl Observer for LeaderAppendOnly {
    fn deleted(&mut self, server: ServerId, lost: Lost, world: &World) -> Judged {
        let leader = world.server(server);
        if !leader.leads() || leader.hears_of_newer_term() {
            return Ok(());
        }
        let term = world.written(server).ballot.term;
        Err(format!("{server}, leader of term {term}, {}", gone(lost)))
    }
}

/// "If an existing entry conflicts with a new one (same index but different terms), delete the
/// existing entry and all that follow it" (Figure 2, `AppendEntries`, step 3): a server deletes no
/// other entries.
///
/// Within a term, a follower keeps the entries that it acknowledged to the term's leader, and all
/// entries of that term: the leader has them too, so its entries cannot conflict with them. A late
/// request is no reason to truncate the log.
pub(super) struct AcknowledgedStays {
    /// Term and index of each server's last acknowledgement.
    matched: Vec<(Term, Index)>,
}

impl AcknowledgedStays {
    pub(super) fn new(servers: usize) -> AcknowledgedStays {
        AcknowledgedStays { matched: vec![(Term(0), Index(0)); servers] }
    }
}

impl Observer for AcknowledgedStays {
    fn answered(&mut self, by: ServerId, handling: &Handling, reply: &Facts, _: &World) -> Judged {
        if let Facts::Append { term, last, .. } = handling.request
            && accepts(handling, reply)
        {
            let matched = &mut self.matched[by.slot()];
            *matched = (*matched).max((term, last.index));
        }
        Ok(())
    }

    fn deleted(&mut self, server: ServerId, lost: Lost, world: &World) -> Judged {
        if world.server(server).hears_of_newer_term() {
            return Ok(());
        }
        let term = world.written(server).ballot.term;
        match self.matched[server.slot()] {
            (of, matched) if of == term && lost.first.index <= matched => Err(format!(
                "{server}, in term {term}, {}, although it told that term's leader that it has \
                 the leader's log up to {matched}",
                gone(lost)
            )),
            _ if lost.last.term == term => Err(format!(
                "{server}, in term {term}, {}: these are of the same term, so no entry of its \
                 leader can conflict with them",
                gone(lost)
            )),
            _ => Ok(()),
        }
    }
}

/// A committed entry is in the log of every leader of a later term (Figure 3, Leader Completeness),
/// so no follower of such a leader ever has a reason to delete it.
pub(super) struct CommittedStays;

impl Observer for CommittedStays {
    fn deleted(&mut self, server: ServerId, lost: Lost, world: &World) -> Judged {
        let Some((since, committed)) = world.committed.covering(lost.first.index) else {
            return Ok(());
        };
        let term = world.written(server).ballot.term;
        // Before the server hears of term `since`, an older leader may rightly replace the entry;
        // and the server may store the effects of both leaders' requests in one write.
        if term < since
            || world.server(server).hears_of_older_leader(since, lost.first.index)
            || committed_term(lost.first.index, committed, world) != Some(lost.first.term)
        {
            return Ok(());
        }
        Err(format!(
            "{server}, in term {term}, {}, although the log up to {committed} was committed by \
             term {since}",
            gone(lost)
        ))
    }
}

/// The term of the committed entry at `index`, from a log that has all entries up to `committed`;
/// `None` if every such log begins later.
fn committed_term(index: Index, committed: Position, world: &World) -> Option<Term> {
    world.holders(committed).find_map(|holder| world.durable(holder).log.term_at(index))
}

fn gone(lost: Lost) -> String {
    format!("deleted its durable entries from {} to {}", lost.first, lost.last)
}
