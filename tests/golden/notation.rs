//! The notation of a script's output.
//!
//! `S1@2` is node 1 in term 2, an entry is `term/index`; `→` is sent, `⇢` held back, `✗` lost;
//! `=` is between the old value of a thing and its new one.

use raftlab::api::{Entry, Index, Position, ServerId, Term};
use raftlab::tick::{Kind, MemoryStorage, Message, Raft, RawNode, ReadState, Role};

/// The part of a node's state that a script shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    id: ServerId,
    term: Term,
    role: Role,
    last: Position,
    commit: Index,
}

impl Look {
    pub fn at(node: &RawNode<MemoryStorage>) -> Look {
        let raft = node.raft();
        Look {
            id: raft.id(),
            term: raft.term(),
            role: raft.role(),
            last: raft.log().last(),
            commit: raft.log().committed(),
        }
    }

    fn name(&self) -> String {
        format!("{}@{}", self.id, self.term)
    }

    /// The changes since `before`, one line each.
    pub fn changes_since(&self, before: &Look) -> String {
        let mut told = String::new();
        if (self.role, self.term) != (before.role, before.term) {
            let (was, is) = (role(before.role), role(self.role));
            told += &format!("{} {was} = {} {is}\n", before.name(), self.name());
        }
        if self.last != before.last {
            told += &format!("{} last {} = {}\n", self.name(), before.last, self.last);
        }
        if self.commit != before.commit {
            told += &format!("{} commit {} = {}\n", self.name(), before.commit, self.commit);
        }
        told
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
pub fn read(node: ServerId, state: ReadState) -> String {
    format!("{node} may answer read {} at {}\n", state.context, state.index)
}

/// A message and its fate.
pub fn message(message: &Message, fate: char) -> String {
    let Message { from, to, term, kind } = message;
    format!("{from}@{term} {fate} {to} {}\n", said(kind))
}

fn said(kind: &Kind) -> String {
    match kind {
        Kind::Append { prev, entries, commit } => {
            let list = entries.iter().map(|entry| entry.position().to_string());
            let list = list.collect::<Vec<_>>().join(",");
            let list = if list.is_empty() { list } else { format!(" entries={list}") };
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

/// A node's log as a row of terms, with its commit index; `.` is an entry that a snapshot covers.
pub fn row(raft: &Raft<MemoryStorage>) -> String {
    let log = raft.log();
    let term = |entry: &Entry| entry.term.to_string();
    let gone = (0..log.truncated().index.0).map(|_| ".".to_string());
    let terms: Vec<_> = gone.chain(log.all_entries().map(term)).collect();
    let name = format!("{}@{} {}", raft.id(), raft.term(), role(raft.role()));
    format!("{name:<19} {}  commit {}", terms.join(" "), log.committed()).trim_end().to_string()
        + "\n"
}
