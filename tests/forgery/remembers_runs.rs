//! Keeps what it knows between runs, in a static variable.
static RUNS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
let run = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
panic!("run {run}")
