//! What may not be taken out of a log any more.
//!
//! Judged at each sync, and at each write before it: a crash may leave any beginning of what was
//! written since the last sync.

use super::event::{Event, Kind, Observer};
use super::shadow::Lost;
use super::world::{World, accepts};
use crate::api::{Index, Position, ServerId, Term};
use crate::lab::Facts;

/// "A leader never overwrites or deletes entries in its log; it only appends new entries"
/// (Figure 3; Raft §5.3).
///
/// A server whose storage is still of the term it led in has lost nothing,
/// unless it is just being told of a newer one.
pub(super) struct LeaderAppendOnly;

impl Observer for LeaderAppendOnly {
    fn name(&self) -> &'static str {
        "LeaderAppendOnly"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Torn, Kind::Synced]
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        let Some((server, lost)) = taken_away(event) else { return Ok(()) };
        let leader = world.server(server);
        if !leader.leads() || leader.hears_of_newer_term() {
            return Ok(());
        }
        let term = world.written(server).ballot.term;
        Err(format!("{server}, leader of term {term}, {}", gone(lost)))
    }
}

/// "If an existing entry conflicts with a new one (same index but different terms), delete the
/// existing entry and all that follow it" (Figure 2, `AppendEntries`, step 3): and none otherwise.
///
/// In its term a follower keeps what it told that term's leader it has, and entries of the term
/// itself: the leader has them all, so nothing of the leader's conflicts with them. A request that
/// comes late is no reason to cut.
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
    fn name(&self) -> &'static str {
        "AcknowledgedStays"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Answered, Kind::Torn, Kind::Synced]
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        match event {
            Event::Answered { by, handling, reply } if accepts(handling, reply) => {
                if let Facts::Acts { term, last, .. } = handling.request {
                    let matched = &mut self.matched[by.slot()];
                    *matched = (*matched).max((term, last.index));
                }
                Ok(())
            }
            _ => match taken_away(event) {
                Some((server, lost)) => self.judge(server, lost, world),
                None => Ok(()),
            },
        }
    }
}

impl AcknowledgedStays {
    fn judge(&self, server: ServerId, lost: Lost, world: &World) -> Result<(), String> {
        if world.server(server).hears_of_newer_term() {
            return Ok(());
        }
        let term = world.written(server).ballot.term;
        match self.matched[server.slot()] {
            (of, matched) if of == term && lost.first.index <= matched => Err(format!(
                "{server}, in term {term}, {}, although it told that term's leader that it has \
                 the log up to {matched}",
                gone(lost)
            )),
            _ if lost.last.term == term => Err(format!(
                "{server}, in term {term}, {}: entries of that very term, with which its leader's \
                 cannot conflict",
                gone(lost)
            )),
            _ => Ok(()),
        }
    }
}

/// A committed entry is in the log of every leader of a later term (Figure 3, Leader
/// Completeness), so no follower of one ever has a reason to delete it.
pub(super) struct CommittedStays;

impl Observer for CommittedStays {
    fn name(&self) -> &'static str {
        "CommittedStays"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Torn, Kind::Synced]
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        let Some((server, lost)) = taken_away(event) else { return Ok(()) };
        let Some((since, committed)) = world.committed.covering(lost.first.index) else {
            return Ok(());
        };
        let term = world.written(server).ballot.term;
        // Before the server hears of term `since`, an older leader may rightly tell it otherwise;
        // and it may store at once what both have said.
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

/// The term of the committed entry at `index`, from a log that has all of them up to `committed`.
/// `None` where every such log begins later.
fn committed_term(index: Index, committed: Position, world: &World) -> Option<Term> {
    world.holders(committed).find_map(|holder| world.durable(holder).log.term_at(index))
}

/// The durable entries that an event takes away, or would in a crash, and from whom.
fn taken_away(event: &Event<'_>) -> Option<(ServerId, Lost)> {
    match event {
        Event::Torn { server, lost } | Event::Synced { server, lost: Some(lost) } => {
            Some((*server, *lost))
        }
        _ => None,
    }
}

fn gone(lost: Lost) -> String {
    format!("deleted its durable entries from {} to {}", lost.first, lost.last)
}
