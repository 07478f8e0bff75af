//! The state of one server (Figure 2, "State").

use crate::api::ServerId;
use crate::persister::Persisted;

/// The state of one server.
#[derive(Debug)]
pub(super) struct State {
    // Your fields here. 2A: the term, the vote, the role, and when the next election is due.
    // 2B: the log, and what the leader knows of each follower. 2D: the snapshot.
}

/// The parts of the state that a rule changed, and that must survive a crash.
#[derive(Debug, Default)]
pub(super) struct Effects {
    // Your fields here (2C).
}

impl State {
    //= raft/state.rs recover
}
