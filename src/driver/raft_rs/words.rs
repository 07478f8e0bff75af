//! Translations between our messages and those of the crate.
//!
//! Every core sends a [`Message`], so that the network and the observers need to know only one
//! format. The crate's messages have more fields: a response to a candidate or a leader also has a
//! commit index, and a candidate has a priority. These fields save a round or prefer a server. We
//! leave them out, so they arrive as zero, and zero tells the crate nothing.
//!
//! The crate numbers its nodes from 1, since 0 means "no node" there.

use bytes::Bytes;
use raft::CAMPAIGN_TRANSFER;
use raft::eraftpb::{self, MessageType};

use crate::api::{Entry, Index, Position, ServerId, Term};
use crate::tick::{ConfState, HardState, Kind, Message, ReadState, Snapshot};

/// The crate's number for a server.
pub(super) fn node_id(server: ServerId) -> u64 {
    u64::from(server.0) + 1
}

/// The server with that number; `None` for 0, which no server has.
pub(super) fn server(node_id: u64) -> Option<ServerId> {
    let slot = node_id.checked_sub(1)?;
    Some(ServerId(u32::try_from(slot).expect("all numbers come from servers")))
}

/// The crate's form of an entry. Shares the data.
pub(super) fn their_entry(entry: Entry) -> eraftpb::Entry {
    eraftpb::Entry {
        term: entry.term.0,
        index: entry.index.0,
        data: entry.data,
        ..eraftpb::Entry::default()
    }
}

/// Our form of an entry. Shares the data.
pub(super) fn our_entry(entry: eraftpb::Entry) -> Entry {
    Entry { term: Term(entry.term), index: Index(entry.index), data: entry.data }
}

/// The crate's form of the members, which all have a vote and never change.
pub(super) fn their_members(nodes: &[ServerId]) -> eraftpb::ConfState {
    let voters = nodes.iter().copied().map(node_id).collect();
    eraftpb::ConfState { voters, ..eraftpb::ConfState::default() }
}

/// The crate's form of a snapshot. Shares the data.
pub(super) fn their_snapshot(snapshot: Snapshot) -> eraftpb::Snapshot {
    let Snapshot { position, conf_state, data } = snapshot;
    let mut theirs = eraftpb::Snapshot { data, ..eraftpb::Snapshot::default() };
    let metadata = theirs.mut_metadata();
    metadata.term = position.term.0;
    metadata.index = position.index.0;
    metadata.set_conf_state(their_members(&conf_state.nodes));
    theirs
}

/// Our form of a snapshot. Shares the data.
pub(super) fn our_snapshot(snapshot: eraftpb::Snapshot) -> Snapshot {
    let metadata = snapshot.get_metadata();
    let position = Position { term: Term(metadata.term), index: Index(metadata.index) };
    let voters = metadata.get_conf_state().voters.iter();
    let nodes = voters.filter_map(|voter| server(*voter)).collect();
    Snapshot { position, conf_state: ConfState { nodes }, data: snapshot.data }
}

/// Our form of term, vote and commit index.
pub(super) fn our_hard_state(state: &eraftpb::HardState) -> HardState {
    HardState { term: Term(state.term), vote: server(state.vote), commit: Index(state.commit) }
}

/// Our form of a confirmed read.
pub(super) fn our_read_state(state: &raft::ReadState) -> ReadState {
    ReadState { context: number(&state.request_ctx), index: Index(state.index) }
}

/// A number in the form that the crate carries, which is bytes.
pub(super) fn context(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// The number in such bytes; 0 if there are none.
fn number(context: &[u8]) -> u64 {
    if context.is_empty() {
        return 0;
    }
    u64::from_be_bytes(context.try_into().expect("all such bytes were made from a number"))
}

/// The crate's form of a message; `None` for a kind that no server on this core sends.
pub(super) fn theirs(message: Message) -> Option<eraftpb::Message> {
    let Message { from, to, term, kind } = message;
    let mut theirs = said(kind)?;
    theirs.from = node_id(from);
    theirs.to = node_id(to);
    theirs.term = term.0;
    Some(theirs)
}

/// The content of a message in the crate's form, without sender and receiver.
fn said(kind: Kind) -> Option<eraftpb::Message> {
    let message = |msg_type| eraftpb::Message { msg_type, ..eraftpb::Message::default() };
    let placed = |msg_type, Position { term, index }| eraftpb::Message {
        log_term: term.0,
        index: index.0,
        ..message(msg_type)
    };
    let refusal =
        |msg_type, granted: bool| eraftpb::Message { reject: !granted, ..message(msg_type) };
    let beat = |msg_type, round| eraftpb::Message {
        context: if round == 0 { Bytes::new() } else { context(round).into() },
        ..message(msg_type)
    };
    Some(match kind {
        Kind::Append { prev, entries, commit } => eraftpb::Message {
            entries: entries.into_iter().map(their_entry).collect(),
            commit: commit.0,
            ..placed(MessageType::MsgAppend, prev)
        },
        Kind::AppendResponse { index, rejection } => {
            let hint = rejection.unwrap_or_default();
            eraftpb::Message {
                index: index.0,
                reject: rejection.is_some(),
                reject_hint: hint.index.0,
                log_term: hint.term.0,
                ..message(MessageType::MsgAppendResponse)
            }
        }
        Kind::RequestVote { last, transfer } => eraftpb::Message {
            context: Bytes::from_static(if transfer { CAMPAIGN_TRANSFER } else { b"" }),
            ..placed(MessageType::MsgRequestVote, last)
        },
        Kind::RequestVoteResponse { granted } => {
            refusal(MessageType::MsgRequestVoteResponse, granted)
        }
        Kind::RequestPreVote { last } => placed(MessageType::MsgRequestPreVote, last),
        Kind::RequestPreVoteResponse { granted } => {
            refusal(MessageType::MsgRequestPreVoteResponse, granted)
        }
        Kind::Heartbeat { commit, round } => {
            eraftpb::Message { commit: commit.0, ..beat(MessageType::MsgHeartbeat, round) }
        }
        Kind::HeartbeatResponse { round } => beat(MessageType::MsgHeartbeatResponse, round),
        Kind::Snapshot { snapshot } => {
            let mut message = message(MessageType::MsgSnapshot);
            message.set_snapshot(their_snapshot(*snapshot));
            message
        }
        Kind::TimeoutNow => message(MessageType::MsgTimeoutNow),
        // Only a leader is asked for a read, so these are never sent.
        Kind::ReadIndex { .. } | Kind::ReadIndexResponse { .. } => return None,
    })
}

/// Our form of a message.
///
/// # Panics
/// If the crate sends a kind of message that only a request to a follower triggers: there is none.
pub(super) fn ours(mut message: eraftpb::Message) -> Message {
    let of = |id| server(id).expect("every message has a sender and a receiver");
    let (from, to, term) = (of(message.from), of(message.to), Term(message.term));
    let place = Position { term: Term(message.log_term), index: Index(message.index) };
    let (commit, granted) = (Index(message.commit), !message.reject);
    let kind = match message.msg_type {
        MessageType::MsgAppend => {
            let entries = message.take_entries().into_iter().map(our_entry).collect();
            Kind::Append { prev: place, entries, commit }
        }
        MessageType::MsgAppendResponse => {
            let hint = Position { term: place.term, index: Index(message.reject_hint) };
            let rejection = message.reject.then_some(hint);
            Kind::AppendResponse { index: place.index, rejection }
        }
        MessageType::MsgRequestVote => {
            Kind::RequestVote { last: place, transfer: message.context == CAMPAIGN_TRANSFER }
        }
        MessageType::MsgRequestVoteResponse => Kind::RequestVoteResponse { granted },
        MessageType::MsgRequestPreVote => Kind::RequestPreVote { last: place },
        MessageType::MsgRequestPreVoteResponse => Kind::RequestPreVoteResponse { granted },
        MessageType::MsgHeartbeat => Kind::Heartbeat { commit, round: number(&message.context) },
        MessageType::MsgHeartbeatResponse => {
            Kind::HeartbeatResponse { round: number(&message.context) }
        }
        MessageType::MsgSnapshot => {
            Kind::Snapshot { snapshot: Box::new(our_snapshot(message.take_snapshot())) }
        }
        MessageType::MsgTimeoutNow => Kind::TimeoutNow,
        other => panic!("the core sends {other:?} to {to}, which nothing here triggers"),
    };
    Message { from, to, term, kind }
}

/// Whether a message of that type is a response.
pub(super) const fn is_response(msg_type: MessageType) -> bool {
    matches!(
        msg_type,
        MessageType::MsgAppendResponse
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVoteResponse
            | MessageType::MsgHeartbeatResponse
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Position = Position { term: Term(3), index: Index(7) };

    /// One of each kind that a server on this core sends, with no field at its default.
    fn all_kinds() -> Vec<Kind> {
        let entry = |index| Entry { term: Term(3), index: Index(index), data: "a".into() };
        let conf_state = ConfState { nodes: [0, 1, 2].map(ServerId).to_vec() };
        let snapshot = Snapshot { position: PLACE, conf_state, data: "state".into() };
        vec![
            Kind::Append { prev: PLACE, entries: vec![entry(8), entry(9)], commit: Index(6) },
            Kind::AppendResponse { index: Index(9), rejection: None },
            Kind::AppendResponse { index: Index(9), rejection: Some(PLACE) },
            Kind::RequestVote { last: PLACE, transfer: false },
            Kind::RequestVote { last: PLACE, transfer: true },
            Kind::RequestVoteResponse { granted: true },
            Kind::RequestVoteResponse { granted: false },
            Kind::RequestPreVote { last: PLACE },
            Kind::RequestPreVoteResponse { granted: true },
            Kind::RequestPreVoteResponse { granted: false },
            Kind::Heartbeat { commit: Index(6), round: 0 },
            Kind::Heartbeat { commit: Index(6), round: 258 },
            Kind::HeartbeatResponse { round: 0 },
            Kind::HeartbeatResponse { round: 258 },
            Kind::Snapshot { snapshot: Box::new(snapshot) },
            Kind::TimeoutNow,
        ]
    }

    fn message(kind: Kind) -> Message {
        Message { from: ServerId(0), to: ServerId(2), term: Term(4), kind }
    }

    #[test]
    fn a_message_comes_back_as_it_was() {
        for message in all_kinds().into_iter().map(message) {
            let back = theirs(message.clone()).map(ours);
            assert_eq!(back, Some(message), "there and back");
        }
    }

    #[test]
    fn both_sides_know_the_same_responses() {
        for message in all_kinds().into_iter().map(message) {
            let (response, theirs) = (message.is_response(), theirs(message).unwrap());
            assert_eq!(is_response(theirs.msg_type), response, "{:?}", theirs.msg_type);
        }
    }

    #[test]
    fn no_server_has_the_number_zero() {
        assert_eq!(server(0), None);
        assert_eq!(server(node_id(ServerId(0))), Some(ServerId(0)));
    }

    #[test]
    #[should_panic(expected = "the core sends MsgPropose to S1")]
    fn a_proposal_that_is_passed_on_is_a_mistake() {
        let mut forwarded = theirs(message(Kind::TimeoutNow)).unwrap();
        forwarded.set_msg_type(MessageType::MsgPropose);
        forwarded.to = 2;
        ours(forwarded);
    }
}
