raftlab::guard!();
