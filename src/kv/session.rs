//! Sessions: what makes an operation happen once, however often it is sent (Raft §8).
//!
//! A clerk numbers its operations, and has one under way at a time. So one number per clerk is
//! enough to know a repetition when it comes out of the log: the number of the last operation
//! that was applied.
//!
//! ```text
//! log        put 1   append 2   append 2   append 1   append 3
//!            applied applied    repeated   repeated   applied
//! session    1       2          2          2          3
//! ```
//!
//! It is looked at where an operation is *applied*, not where it is submitted: two copies may be
//! in the log before either is applied. And it is part of the snapshot: a server that forgot it
//! would apply what came before its restart once more.
//!
//! Differs: sessions are never given up, where a service that runs for years has to let a client
//! that went away expire on all servers alike (thesis §6.3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::kv_rpc::{ClientId, RequestId};

/// The last operation of each clerk that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sessions {
    last_applied: BTreeMap<ClientId, u64>,
}

impl Sessions {
    /// Whether `request` comes for the first time; from now on it has been there.
    pub fn is_first(&mut self, request: RequestId) -> bool {
        let last = self.last_applied.entry(request.client).or_default();
        let first = request.number > *last;
        *last = request.number.max(*last);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn request(client: u64, number: u64) -> RequestId {
        RequestId { client: ClientId(client), number }
    }

    #[test]
    fn a_request_is_first_once() {
        let mut sessions = Sessions::default();
        assert!(sessions.is_first(request(1, 1)), "new");
        assert!(!sessions.is_first(request(1, 1)), "repeated");
        assert!(sessions.is_first(request(1, 2)), "the next");
    }

    #[test]
    fn a_request_that_was_overtaken_is_not_first() {
        let mut sessions = Sessions::default();
        sessions.is_first(request(1, 2));
        assert!(!sessions.is_first(request(1, 1)), "the clerk has long gone on");
        assert!(!sessions.is_first(request(1, 2)), "and the session does not go back");
    }

    #[test]
    fn clerks_do_not_meet() {
        let mut sessions = Sessions::default();
        sessions.is_first(request(1, 7));
        assert!(sessions.is_first(request(2, 1)), "another clerk's numbers are its own");
    }
}
