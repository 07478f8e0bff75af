//! Runs many hostile programs in child processes, since a program may kill its process.
//!
//! ```text
//! campaign ──batch of seeds──► worker ──► child process: this very test binary
//!     ▲                          ▲            │ "at 17", "wrong 17 …", "at 19", …
//!     └──── findings ────────────┘◄───────────┘ silence: a hang; its end: a crash
//! ```
//!
//! A worker that loses a child knows which program the child was at, and continues with the next.

use std::collections::VecDeque;
use std::env;
use std::fmt;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread::Scope;
use std::time::Duration;

use raftlab::runtime::channel::{self, Receiver, RecvTimeoutError};
use raftlab::runtime::sync::Quiet;
use raftlab::runtime::time::Instant;

use crate::judge;

/// The variable that tells a child its programs: the first seed and their number.
pub(crate) const BATCH: &str = "RAFTLAB_HOSTILE_BATCH";

/// The name of the test that a child runs.
const CHILD: &str = "programs_of_a_batch";

/// The beginning of each line from a child; the test harness writes other lines.
const MARK: &str = "hostile:";

/// A child that is silent for this long hangs. On the real clock, leftover tasks have 20 s, after
/// the time of the program itself.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// A program that takes longer than this is reported as slow.
const SLOW: Duration = Duration::from_secs(5);

/// Programs of one clock: every other seed from `first` on.
#[derive(Debug, Clone, Copy)]
struct Batch {
    first: u64,
    count: u64,
}

/// How a program's run went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Failed,
    Hang,
    Crash,
    Slow,
}

/// One program and what is wrong with its run.
pub(crate) struct Finding {
    pub seed: u64,
    pub kind: Kind,
    text: String,
}

impl Finding {
    /// The text that findings of one sort have in common: without its numbers.
    pub(crate) fn sort(&self) -> String {
        let words = self.text.chars().filter(|c| !c.is_ascii_digit()).take(150);
        format!("{:?}: {}", self.kind, words.collect::<String>())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = if self.seed % 2 == 1 { "real" } else { "virtual" };
        writeln!(f, "{:?}: program {} on the {clock} clock: {}", self.kind, self.seed, self.text)?;
        let seed = self.seed;
        write!(f, "    scripts/hostile 1 {seed}; scripts/hostile --show {seed}")
    }
}

/// Runs `count` programs, from seed `first` on; returns the findings, ordered by seed.
pub(crate) fn campaign(first: u64, count: u64, progress: bool) -> Vec<Finding> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let batch_size = (count / 64).clamp(1, 500);
    let (odd, even) = (first | 1, first + first % 2);
    let end = first + count;
    // Programs on the real clock mostly sleep, so many of them run at once.
    let queues =
        [(odd, 8 * cores), (even, cores)].map(|(at, width)| (batches(at, end, batch_size), width));
    let done = Quiet::new(0);
    let findings = Quiet::new(Vec::new());
    std::thread::scope(|scope| {
        for (queue, width) in queues {
            let queue: &Quiet<_> = Box::leak(Box::new(Quiet::new(queue)));
            for _ in 0..width {
                let (done, findings) = (&done, &findings);
                scope.spawn(move || {
                    while let Some(batch) = queue.with(VecDeque::pop_front) {
                        let found = run_batch(batch);
                        findings.with(|all| all.extend(found));
                        let done = done.with(|done| {
                            *done += batch.count;
                            *done
                        });
                        if progress {
                            let found = findings.with(|all| all.len());
                            println!("{done} of {count} programs, {found} findings");
                        }
                    }
                });
            }
        }
    });
    let mut findings = findings.into_inner();
    findings.sort_by_key(|finding| finding.seed);
    findings
}

fn batches(first: u64, end: u64, size: u64) -> VecDeque<Batch> {
    let starts = (first..end).step_by(usize::try_from(2 * size).expect("a small number"));
    starts.map(|first| Batch { first, count: size.min((end - first).div_ceil(2)) }).collect()
}

/// Runs a batch to its end, with a new child after each one that is lost.
fn run_batch(mut batch: Batch) -> Vec<Finding> {
    let mut findings = Vec::new();
    while batch.count > 0 {
        let lost_at = std::thread::scope(|scope| run_child(scope, batch, &mut findings));
        let Some(seed) = lost_at else { break };
        let next = seed + 2;
        batch = Batch { first: next, count: batch.count - (next - batch.first) / 2 };
    }
    findings
}

/// Runs one child; returns the program at which it was lost, if it was.
fn run_child<'scope>(
    scope: &'scope Scope<'scope, '_>,
    batch: Batch,
    findings: &mut Vec<Finding>,
) -> Option<u64> {
    let mut child = Command::new(env::current_exe().expect("the program's path is known"))
        .args(["--exact", CHILD, "--nocapture", "--test-threads=1"])
        .env(BATCH, format!("{} {}", batch.first, batch.count))
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child process can be started");
    let lines = lines_of(scope, child.stdout.take().expect("it is piped"));
    let errors = lines_of(scope, child.stderr.take().expect("it is piped"));
    let mut at = (batch.first, Instant::now());
    let mut note = |seed, kind, text| findings.push(Finding { seed, kind, text });
    loop {
        match lines.recv_timeout(SILENCE_MAX) {
            Ok(line) => {
                let Some((_, words)) = line.split_once(MARK) else { continue };
                let (word, rest) = words.trim().split_once(' ').unwrap_or((words.trim(), ""));
                if word == "wrong" {
                    note(at.0, Kind::Failed, rest.to_string());
                    continue;
                }
                let took = at.1.elapsed();
                if took > SLOW {
                    note(at.0, Kind::Slow, format!("took {took:?}"));
                }
                if word == "done" {
                    child.wait().expect("the child can be waited for");
                    return None;
                }
                at = (rest.parse().expect("a seed"), Instant::now());
            }
            Err(RecvTimeoutError::Timeout) => {
                child.kill().expect("the child can be killed");
                note(at.0, Kind::Hang, format!("silent for {SILENCE_MAX:?}"));
                child.wait().expect("the child can be waited for");
                return Some(at.0);
            }
            Err(RecvTimeoutError::Disconnected) => {
                note(at.0, Kind::Crash, last_words(&mut child, &errors));
                return Some(at.0);
            }
        }
    }
}

/// Returns how a child ended, and its last lines.
fn last_words(child: &mut Child, errors: &Receiver<String>) -> String {
    let status = child.wait().expect("the child can be waited for");
    let said: Vec<String> = errors.iter().filter(|line| !line.starts_with("note:")).collect();
    let last = &said[said.len().saturating_sub(4)..];
    format!("{status}: {}", last.join(" | "))
}

/// Returns the lines of a pipe as they come.
fn lines_of<'scope>(
    scope: &'scope Scope<'scope, '_>,
    pipe: impl Read + Send + 'scope,
) -> Receiver<String> {
    let (sender, receiver) = channel::unbounded();
    scope.spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    receiver
}

/// Runs the programs of a child's batch, and reports which one it is at.
pub(crate) fn be_a_child(batch: &str) {
    let mut words = batch.split(' ').map(|word| word.parse::<u64>().expect("a number"));
    let (first, count) = (words.next().expect("the first seed"), words.next().expect("a count"));
    for seed in (first..).step_by(2).take(usize::try_from(count).expect("a small number")) {
        say(&format!("at {seed}"));
        for wrong in judge::judge(seed) {
            // A single line, whatever the text contains.
            say(&format!("wrong {}", wrong.replace('\n', "; ")));
        }
    }
    say("done");
}

fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK} {words}").and_then(|()| out.flush()).expect("the parent listens");
}
