//! The suite under `cargo test`: one test per scenario.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::lab::tests(&[fair_one_lock::ONE_LOCK])
}
