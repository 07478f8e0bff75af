//! Examines a program: sends it the runs of one test, and reads what it says about them.

#![allow(
    clippy::disallowed_methods,
    reason = "this code is outside any run: it waits for programs"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use serde::Serialize;

use super::policy::Limits;
use super::sandbox::Sandbox;
use super::usage;
use crate::cli::exam::{BEGUN, END, Key, LEFT, Order, Run};
use crate::cli::exit::Trouble;
use crate::cli::report_lines::RunLine;
use crate::runtime::time;

/// Runs of one test that may end the program before the others are given up.
const LOST_MAX: usize = 2;

/// How often a program is started that does not come to its first run.
const STARTS: u32 = 3;

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Cause {
    /// The rule or limit.
    pub(super) name: String,
    /// What happened.
    pub(super) message: String,
}

/// A run that was judged.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Judged {
    pub(super) seed: u64,
    /// Whether students know the seed.
    pub(super) public: bool,
    pub(super) passed: bool,
    pub(super) cause: Option<Cause>,
    pub(super) cpu_ms: f64,
    #[serde(skip)]
    hash: Option<String>,
}

/// A program, and what it may do.
pub(super) struct Examiner<'a> {
    pub(super) sandbox: Sandbox,
    pub(super) program: &'a Path,
    pub(super) limits: &'a Limits,
    /// An empty folder.
    pub(super) root: &'a Path,
    /// The most memory that one process had so far, in MB.
    pub(super) memory_mb: &'a AtomicU64,
}

impl Examiner<'_> {
    /// Examines the runs of one test, of which students know the first `public`. The last `twice`
    /// runs are done a second time: a server whose run is no function of its seed proves nothing.
    /// Fails if this machine can run no program in the sandbox.
    pub(super) fn test(
        &self,
        runs: &[Run],
        public: u64,
        twice: u64,
    ) -> Result<Vec<Judged>, Trouble> {
        let mut judged = self.all(runs)?;
        for (judged, number) in judged.iter_mut().zip(0..) {
            judged.public = number < public;
        }
        let twice = usize::try_from(twice).unwrap_or(usize::MAX).min(runs.len());
        let first = runs.len() - twice;
        if !judged[first..].iter().any(|run| run.passed) {
            return Ok(judged);
        }
        let again = self.all(&runs[first..])?;
        for (one, other) in judged[first..].iter_mut().zip(again) {
            one.cpu_ms += other.cpu_ms;
            if one.passed && (!other.passed || one.hash != other.hash) {
                one.passed = false;
                one.cause = Some(Cause {
                    name: "not repeatable".to_string(),
                    message: "the same seed ran differently the second time: the code depends on \
                              something besides the seed, such as a static variable, a clock or a \
                              file"
                        .to_string(),
                });
            }
        }
        Ok(judged)
    }

    /// Does `runs` in as few processes as possible: in a new one after each run that ended its own.
    fn all(&self, runs: &[Run]) -> Result<Vec<Judged>, Trouble> {
        let mut judged = Vec::new();
        let mut lost = 0;
        while judged.len() < runs.len() {
            if lost == LOST_MAX {
                let why = format!("not run: {LOST_MAX} runs of this test ended the program");
                judged.resize_with(runs.len(), || missing(&why));
                break;
            }
            let left = &runs[judged.len()..];
            let Process { lines, ending } = self.process(left)?;
            judged.extend(lines.into_iter().map(judge));
            if let Err(why) = ending
                && judged.len() < runs.len()
            {
                judged.push(missing(&why));
                lost += 1;
            }
        }
        for (judged, run) in judged.iter_mut().zip(runs) {
            judged.seed = run.seed;
        }
        Ok(judged)
    }

    /// One process that came to its first run. A program that never does is to blame only if
    /// another program runs here: a static variable of 5 GB ends a program before it begins.
    fn process(&self, runs: &[Run]) -> Result<Process, Trouble> {
        let mut reason = String::new();
        for start in 0..STARTS {
            if start > 0 {
                std::thread::sleep(Duration::from_millis(100));
            }
            match self.once(runs)? {
                Ok(process) => return Ok(process),
                Err(why) => reason = why,
            }
        }
        if self.sandbox.works(self.root) {
            let ending = Err(format!("the program cannot begin: {reason}"));
            return Ok(Process { lines: Vec::new(), ending });
        }
        let what = "no program can be started in the sandbox";
        Err(Trouble::Machine(format!(
            "{what}: {reason}; free memory and processes, and grade again"
        )))
    }

    /// One process; or why it did not come to its first run.
    fn once(&self, runs: &[Run]) -> Result<Result<Process, String>, Trouble> {
        let key = Key::random().map_err(Trouble::Machine)?;
        let mut command = self.sandbox.command(self.program, self.limits, self.root);
        command.arg("exam").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let began = time::since_start();
        let mut child = match start(&mut command, &Order { key: key.digits(), runs: runs.to_vec() })
        {
            Ok(child) => child,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let end = began + Duration::from_secs(self.limits.wall_s);
        let said = listen(&mut child, self.limits.output_kb, end);
        let until = if said.too_much { began } else { end };
        let status = usage::wait(&mut child, until).map(|(status, usage)| {
            self.memory_mb.fetch_max(usage.memory_mb, Ordering::Relaxed);
            status
        });
        let mut opened = Vec::new();
        for sealed in &said.lines {
            opened.extend(key.open(opened.len(), sealed));
        }
        let begun = opened.first() == Some(&BEGUN);
        let mut lines = Vec::new();
        let mut ended = false;
        for line in opened.into_iter().skip(1) {
            ended = matches!(line, END | LEFT);
            let run = runs.get(lines.len());
            match serde_json::from_str::<RunLine>(line) {
                Ok(line) if run.is_some_and(|run| is_of(&line, run)) => lines.push(line),
                _ => break,
            }
        }
        if ended {
            return Ok(Ok(Process { lines, ending: Ok(()) }));
        }
        let took = time::since_start() - began;
        let why = match status {
            _ if said.too_much => {
                format!("the program printed more than {} kB", self.limits.output_kb)
            }
            _ if took.as_secs() >= self.limits.wall_s => {
                format!("the program took more than {} s", self.limits.wall_s)
            }
            Ok(status) if begun => self.why(status),
            Ok(status) => return Ok(Err(self.why(status))),
            Err(error) => return Ok(Err(error.to_string())),
        };
        Ok(Ok(Process { lines, ending: Err(why) }))
    }

    fn why(&self, status: ExitStatus) -> String {
        let Limits { cpu_s, memory_mb, .. } = self.limits;
        match signal(status) {
            Some(24) => format!("the program was killed: more than {cpu_s} s of CPU"),
            Some(9) => "the system killed the program, most often since the machine's memory ran \
                        out: grade again with fewer --jobs"
                .to_string(),
            Some(signal) => format!(
                "the program crashed with signal {signal}: its own fault, or more than {memory_mb} \
                 MB of memory"
            ),
            None => format!("the program ended during the run, with {status}"),
        }
    }
}

/// What a process said about its runs, and why it said no more, if it is to blame.
struct Process {
    lines: Vec<RunLine>,
    ending: Result<(), String>,
}

/// The signal that ended a program, or the one that ended what it ran.
fn signal(status: ExitStatus) -> Option<i32> {
    let words = status.to_string();
    let own = words.strip_prefix("signal: ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    own.or_else(|| status.code().filter(|code| *code > 128).map(|code| code - 128))
}

/// Reads what `child` prints until it ends, has printed more than `limit_kb`, or is out of time at
/// `end`.
fn listen(child: &mut Child, limit_kb: u64, end: Duration) -> Said {
    let output = child.stdout.take().expect("it is piped");
    let limit = limit_kb.saturating_mul(1024);
    let (found, said) = mpsc::channel();
    // A process that has left the sandbox may keep the pipe open: the reader may stay behind.
    let read = move || {
        let mut output = BufReader::new(output.take(limit));
        let mut bytes = Vec::new();
        while matches!(output.read_until(b'\n', &mut bytes), Ok(1..)) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_string();
            bytes.clear();
            if found.send(Some(line)).is_err() {
                return;
            }
        }
        if output.into_inner().limit() == 0 {
            let _ = found.send(None);
        }
    };
    let mut told = Said { lines: Vec::new(), too_much: false };
    if std::thread::Builder::new().name("listener".to_string()).spawn(read).is_err() {
        return told;
    }
    while let Ok(line) = said.recv_timeout(end.saturating_sub(time::since_start())) {
        match line {
            Some(line) => told.lines.push(line),
            None => told.too_much = true,
        }
    }
    told
}

/// What a program printed.
struct Said {
    lines: Vec<String>,
    too_much: bool,
}

fn start(command: &mut Command, order: &Order) -> std::io::Result<Child> {
    let mut child = command.spawn()?;
    let line = serde_json::to_string(order)? + "\n";
    // A program that does not read its order will not seal a line either.
    let _ = child.stdin.take().expect("it is piped").write_all(line.as_bytes());
    Ok(child)
}

fn is_of(line: &RunLine, run: &Run) -> bool {
    (&line.test, line.seed, &line.schedule) == (&run.test, run.seed, &run.schedule)
}

fn judge(line: RunLine) -> Judged {
    let RunLine { ok, cpu_ms, hash, failure, .. } = line;
    let undecided = || Cause {
        name: "undecided".to_string(),
        message: "the clients' history could not be judged within its limits".to_string(),
    };
    let cause = failure.map(|failure| Cause { name: failure.name, message: failure.message });
    let cause = (!ok).then(|| cause.unwrap_or_else(undecided));
    let cpu_ms = cpu_ms.unwrap_or_default();
    Judged { seed: 0, public: false, passed: ok, cause, cpu_ms, hash }
}

/// A run about which the program says nothing.
fn missing(why: &str) -> Judged {
    let cause = Cause { name: "no result".to_string(), message: why.to_string() };
    Judged { seed: 0, public: false, passed: false, cause: Some(cause), cpu_ms: 0.0, hash: None }
}

#[cfg(test)]
pub(super) mod testing {
    use super::{Judged, RunLine, judge, missing};
    use crate::cli::sample;

    /// A run that passed, or about which there is no result.
    pub(crate) fn judged(passed: bool) -> Judged {
        if !passed {
            return missing("no reason");
        }
        judge(RunLine::from(&sample::passed(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What four runs of a program are judged as that is this shell script.
    fn judged(script: &str) -> Vec<Judged> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        // The copy may be executed, and so may what replaces its text.
        fs::copy("/bin/sh", &program).unwrap();
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        let limits = Limits { wall_s: 2, output_kb: 64, ..Limits::default() };
        let (sandbox, root) = (Sandbox::Time, folder.path());
        let memory_mb = &AtomicU64::new(0);
        let examiner = Examiner { sandbox, program: &program, limits: &limits, root, memory_mb };
        let run = |seed| Run { test: "a".into(), seed, schedule: "random".into() };
        examiner.test(&[7, 8, 9, 10].map(run), 2, 1).unwrap()
    }

    /// Why the first and the last run did not pass; none did.
    fn why(script: &str) -> (String, String) {
        let judged = judged(script);
        assert_eq!(judged.len(), 4);
        assert!(judged.iter().all(|run| !run.passed), "{judged:?}");
        let message = |run: &Judged| run.cause.clone().unwrap().message;
        (message(&judged[0]), message(&judged[3]))
    }

    #[test]
    fn a_program_that_says_nothing_is_given_up_after_two_runs() {
        let (first, last) = why("exit 0");
        assert!(first.contains("cannot begin"), "{first}");
        assert!(first.contains("ended during the run, with exit status: 0"), "{first}");
        assert!(last.contains("not run: 2 runs"), "{last}");
    }

    #[test]
    fn words_without_a_seal_are_no_result() {
        let line = r#"{"test":"a","seed":7,"schedule":"random","ok":true}"#;
        let script = format!("echo '{line}'; echo '{} {line}'; echo end", "0".repeat(64));
        assert!(why(&script).0.contains("exit status: 0"));
    }

    #[test]
    fn a_program_that_prints_or_lasts_too_long_is_ended() {
        let (first, _) = why("while :; do echo 0123456789012345678901234567890123456789; done");
        assert!(first.contains("printed more than 64 kB"), "{first}");
        let (first, _) = why("exec sleep 100");
        assert!(first.contains("took more than 2 s"), "{first}");
    }

    #[test]
    fn a_signal_is_told() {
        assert!(why("kill -SEGV $$").0.contains("crashed with signal 11"));
        assert!(why("kill -XCPU $$").0.contains("killed: more than"));
        assert!(why("kill -KILL $$").0.contains("memory ran out"));
    }

    #[test]
    fn a_machine_that_makes_no_sandbox_is_no_fault_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let root = &folder.path().join("missing");
        let (sandbox, limits) = (Sandbox::Jail { root: true }, &Limits::default());
        let (program, memory_mb) = (Path::new("/bin/true"), &AtomicU64::new(0));
        let examiner = Examiner { sandbox, program, limits, root, memory_mb };
        let run = Run { test: "a".into(), seed: 7, schedule: "random".into() };
        let error = examiner.test(&[run], 1, 0).unwrap_err();
        assert!(
            matches!(&error, Trouble::Machine(why) if why.contains("grade again")),
            "{error:?}"
        );
    }
}
