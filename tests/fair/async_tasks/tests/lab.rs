//! The suite under `cargo test`: one test per scenario.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::lab::tests(&[fair_async_tasks::ASYNC_TASKS])
}
