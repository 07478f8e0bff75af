//! The notation of the tick core's messages; the notation of its state is in `summary.rs`.

use raftlab::api::ServerId;
use raftlab::tick::{Kind, MemoryStorage, Message, RawNode, ReadState, Role};

use crate::summary::{Summary, entry_list};

/// The state of a node that a script shows.
pub(crate) fn summary(node: &RawNode<MemoryStorage>) -> Summary {
    let raft = node.raft();
    Summary {
        id: raft.id(),
        term: raft.term(),
        role: role(raft.role()),
        last: raft.log().last(),
        commit: raft.log().committed(),
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre_candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

/// A read that may be answered.
pub(crate) fn read(node: ServerId, state: ReadState) -> String {
    format!("{node} may answer read {} at {}\n", state.context, state.index)
}

/// A message and its fate.
pub(crate) fn message(message: &Message, fate: char) -> String {
    let Message { from, to, term, kind } = message;
    format!("{from}@{term} {fate} {to} {}\n", said(kind))
}

fn said(kind: &Kind) -> String {
    match kind {
        Kind::Append { prev, entries, commit } => {
            let list = entry_list(entries.iter());
            format!("Append prev={prev}{list} commit={commit}")
        }
        Kind::AppendResponse { index, rejection: None } => format!("matched={index}"),
        Kind::AppendResponse { index, rejection: Some(hint) } => {
            format!("refused={index} agree_at_most={hint}")
        }
        Kind::RequestVote { last, transfer } => {
            format!("RequestVote last={last}{}", if *transfer { " transfer" } else { "" })
        }
        Kind::RequestVoteResponse { granted } => format!("vote_granted={granted}"),
        Kind::RequestPreVote { last } => format!("RequestPreVote last={last}"),
        Kind::RequestPreVoteResponse { granted } => format!("pre_vote_granted={granted}"),
        Kind::Heartbeat { commit, round: 0 } => format!("Heartbeat commit={commit}"),
        Kind::Heartbeat { commit, round } => format!("Heartbeat commit={commit} round={round}"),
        Kind::HeartbeatResponse { round: 0 } => "heartbeat_heard".to_string(),
        Kind::HeartbeatResponse { round } => format!("heartbeat_heard round={round}"),
        Kind::Snapshot { snapshot } => format!("Snapshot last={}", snapshot.position),
        Kind::TimeoutNow => "TimeoutNow".to_string(),
        Kind::ReadIndex { context } => format!("ReadIndex context={context}"),
        Kind::ReadIndexResponse { context, index } => format!("read {context} at {index}"),
    }
}

/// A node's log as a row of terms.
pub(crate) fn row(node: &RawNode<MemoryStorage>) -> String {
    let log = node.raft().log();
    summary(node).row(log.truncated().index, log.all_entries())
}
