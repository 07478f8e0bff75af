//! The tick-based design: our own core behind the driver, and the functions that serve any core.

use std::any::Any;
use std::sync::Arc;

use super::design::{Boot, Design, Instance, Numbering, Rules};
use crate::api::{Digest, Entry, Facts, ServerId};
use crate::driver::{
    Core, Driver, Peer, TickRpc as _, TickRpcRequest, TickRpcResponse, service_snapshot,
};
use crate::labrpc::{Host, Service};
use crate::persister::PersistError;
use crate::tick::{Kind, MemoryStorage, Message, RawNode};

/// The tick-based design.
pub(super) const TICK: Design = Design {
    numbering: Numbering::Commands,
    snapshot: service_snapshot,
    store: true,
    rules: Rules::All,
    ..Design::new("tick", make_driver::<RawNode<MemoryStorage>>, tick_facts)
};

/// Starts a server on a core of type `C`.
pub(super) fn make_driver<C: Core>(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let peers = (0..boot.servers)
        .map(|slot| Host::Server(ServerId::from_slot(slot)))
        .map(|peer| Peer::from(boot.network.end(Host::Server(boot.me), peer)))
        .collect();
    let driver = Driver::make::<C>(peers, boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(driver.clone().serve())];
    Ok(Instance { consensus: Arc::new(driver), services })
}

/// Translates the messages of the tick-based design, for any core.
fn tick_facts(message: &dyn Any) -> Facts {
    if let Some(TickRpcRequest::Deliver { message }) = message.downcast_ref() {
        return words(message);
    }
    match message.downcast_ref() {
        Some(TickRpcResponse::Deliver(Some(message))) => words(message),
        _ => Facts::None,
    }
}

/// Translates one message of the core.
///
/// Pre-votes, leadership transfers and read index messages are not part of the paper's protocol,
/// so they have no facts.
fn words(message: &Message) -> Facts {
    let Message { from, term, .. } = *message;
    match &message.kind {
        Kind::Append { prev, entries, commit } => Facts::Append {
            leader: from,
            term,
            commit: *commit,
            prev: *prev,
            last: entries.last().map_or(*prev, Entry::position),
            entries: Digest::of(*prev, entries),
        },
        Kind::AppendResponse { rejection: Some(_), .. } => {
            Facts::AppendReply { term, success: false }
        }
        Kind::AppendResponse { index, rejection: None } => {
            Facts::MatchReply { term, index: *index }
        }
        Kind::Heartbeat { commit, .. } => Facts::Heartbeat { leader: from, term, commit: *commit },
        Kind::HeartbeatResponse { .. } => Facts::AppendReply { term, success: true },
        Kind::RequestVote { last, .. } => Facts::VoteRequest { candidate: from, term, last: *last },
        Kind::RequestVoteResponse { granted } => Facts::VoteReply { term, granted: *granted },
        Kind::Snapshot { snapshot } => {
            Facts::Snapshot { leader: from, term, last_included: snapshot.position }
        }
        Kind::RequestPreVote { .. }
        | Kind::RequestPreVoteResponse { .. }
        | Kind::TimeoutNow
        | Kind::ReadIndex { .. }
        | Kind::ReadIndexResponse { .. } => Facts::None,
    }
}
