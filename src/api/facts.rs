//! The content of a message between servers, in terms that serve every design.

use serde::{Deserialize, Serialize};

use super::{Digest, Index, Position, ServerId, Term};

/// The content of a message in neutral terms that serve every design.
///
/// A reply does not repeat what its request says: both have the id of their call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Facts {
    /// Nothing that concerns an observer.
    None,
    /// An append: a server acts as leader and sends entries, or a heartbeat.
    Append {
        /// The sender.
        leader: ServerId,
        /// The leader's term.
        term: Term,
        /// The leader's commit index.
        commit: Index,
        /// The entry before the first entry sent.
        prev: Position,
        /// The last entry sent; `prev` if there is none.
        last: Position,
        /// A digest of the entries sent; the default if the message does not show them.
        #[serde(skip)]
        entries: Digest,
    },
    /// A heartbeat apart from the log: it claims leadership and tells *the receiver* how far the
    /// receiver's own log is committed.
    Heartbeat {
        /// The sender.
        leader: ServerId,
        /// The leader's term.
        term: Term,
        /// The end of the committed entries that the receiver is known to have.
        commit: Index,
    },
    /// A candidate's request for a vote.
    VoteRequest {
        /// The sender.
        candidate: ServerId,
        /// The term of the election.
        term: Term,
        /// The end of the candidate's log.
        last: Position,
    },
    /// The reply to [`Facts::VoteRequest`].
    VoteReply {
        /// The voter's term.
        term: Term,
        /// Whether the vote was given.
        granted: bool,
    },
    /// The reply to [`Facts::Append`], [`Facts::Snapshot`] and [`Facts::Heartbeat`].
    ///
    /// A reply to one of the last two has no `success` of its own: it is a success if it has the
    /// request's term.
    AppendReply {
        /// The follower's term.
        term: Term,
        /// Whether the follower now has the leader's log up to `last`.
        success: bool,
    },
    /// The reply to [`Facts::Append`] in a design whose followers say how far the logs agree.
    ///
    /// It is a success if the logs agree up to the request's `last`, and a failure if they do not
    /// even agree at `prev`.
    MatchReply {
        /// The follower's term.
        term: Term,
        /// The last index up to which the follower has the leader's log.
        index: Index,
    },
    /// A leader's snapshot, sent in place of entries.
    Snapshot {
        /// The sender.
        leader: ServerId,
        /// The leader's term.
        term: Term,
        /// The last entry that the snapshot covers.
        last_included: Position,
    },
}

impl Facts {
    /// The sender's term, if the message shows it.
    pub const fn term(&self) -> Option<Term> {
        match self {
            Facts::None => None,
            Facts::Append { term, .. }
            | Facts::Heartbeat { term, .. }
            | Facts::VoteRequest { term, .. }
            | Facts::VoteReply { term, .. }
            | Facts::AppendReply { term, .. }
            | Facts::MatchReply { term, .. }
            | Facts::Snapshot { term, .. } => Some(*term),
        }
    }
}
