//! The suite under `cargo test`: one test per scenario.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::lab::tests(&[own_raft::MINE])
}
