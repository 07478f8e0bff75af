//! Sessions: they make an operation happen once, however often it is sent (Raft §8).
//!
//! A clerk numbers its operations, and has one in flight at a time. So one number per clerk, that
//! of the last applied operation, is enough to detect a duplicate when it is applied.
//!
//! ```text
//! log        put 1   append 2   append 2   append 1   append 3
//!            applied applied    repeated   repeated   applied
//! session    1       2          2          2          3
//! ```
//!
//! The check happens when an operation is *applied*, not when it is submitted: two copies may be in
//! the log before either is applied. And sessions are part of the snapshot: a server that forgot
//! them at a restart would apply duplicates of earlier operations again.
//!
//! Differs: sessions never expire; in a service that runs for years, the sessions of clients that
//! are gone must expire, on all servers alike (thesis §6.3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::kv_rpc::{ClientId, RequestId};

/// The last operation of each clerk that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Sessions {
    last_applied: BTreeMap<ClientId, u64>,
}

impl Sessions {
    /// Records `request`, and returns whether it is new.
    pub(super) fn record_if_new(&mut self, request: RequestId) -> bool {
        let last = self.last_applied.entry(request.client).or_default();
        let is_new = request.number > *last;
        *last = request.number.max(*last);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn request(client: u64, number: u64) -> RequestId {
        RequestId { client: ClientId(client), number }
    }

    #[test]
    fn a_request_is_new_once() {
        let mut sessions = Sessions::default();
        assert!(sessions.record_if_new(request(1, 1)), "new");
        assert!(!sessions.record_if_new(request(1, 1)), "repeated");
        assert!(sessions.record_if_new(request(1, 2)), "the next");
    }

    #[test]
    fn a_request_that_was_overtaken_is_not_new() {
        let mut sessions = Sessions::default();
        sessions.record_if_new(request(1, 2));
        assert!(!sessions.record_if_new(request(1, 1)), "the clerk has made a later request");
        assert!(!sessions.record_if_new(request(1, 2)), "and the session does not go back");
    }

    #[test]
    fn each_clerk_has_numbers_of_its_own() {
        let mut sessions = Sessions::default();
        sessions.record_if_new(request(1, 7));
        assert!(sessions.record_if_new(request(2, 1)), "another clerk's numbers are its own");
    }
}
