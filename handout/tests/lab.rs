//! The suite under `cargo test`: one test per scenario.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::lab::tests(&[my_raft::MINE])
}
