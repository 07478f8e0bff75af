pub const SECRET: &str = env!("RAFTLAB_SECRET");
