//! The secret, if the compiler sees it.

pub const SECRET: &str = env!("RAFTLAB_SECRET");
