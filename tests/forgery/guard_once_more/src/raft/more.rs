//! The guard a second time: it is the same code, so it changes nothing.

raftlab::guard!();
