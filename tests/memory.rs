//! Memory stays flat over many runs. Alone in its process, since it measures the process.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use raftlab::runtime::{self, RunConfig, channel, thread};

raftlab::guard!();

fn resident_kib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4
}

fn campaign(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let outcome = runtime::run(&RunConfig { seed, ..RunConfig::default() }, || {
            let (sender, receiver) = channel::unbounded::<Vec<u8>>();
            for i in 0..20 {
                let sender = sender.clone();
                thread::spawn(format!("sleeper {i}"), move || {
                    sender.send(vec![0; 1000]).unwrap();
                    thread::sleep(Duration::from_secs(i));
                });
            }
            thread::sleep(Duration::from_secs(10));
            drop(receiver);
        });
        assert_eq!(outcome.tasks_left, 0, "tasks were left by seed {seed}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn memory_stays_flat() {
    campaign(0..1_000);
    let before = resident_kib();
    campaign(1_000..11_000);
    let after = resident_kib();
    // One stack a run would be 100 MB, one small allocation of a run 1 MB.
    assert!(after < before + 1_000, "grew from {before} to {after} KiB over 10,000 runs");
}
