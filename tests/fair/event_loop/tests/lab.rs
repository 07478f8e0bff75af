//! The suite under `cargo test`: one test per scenario.

raftlab::guard!();

fn main() -> std::process::ExitCode {
    raftlab::lab::tests(&[fair_event_loop::EVENT_LOOP])
}
