//! Builds a student's files in an untouched project.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::fault::Fault;
use super::policy::Limits;
use super::sandbox;
use super::submission::Submission;
use super::usage::{self, Usage};
use crate::cli::exit::Trouble;
use crate::cli::handout::files::{self, Track};

/// Bytes of the compiler's errors that are kept. The first error counts.
const WORDS_MAX: u64 = 8 << 20;

/// The folder in which one submission after the other is built: the suite is built once.
pub(super) struct Project {
    track: Track,
    folder: PathBuf,
    target: PathBuf,
}

impl Project {
    /// Lays out the project of `track` below `home`, and builds it once with the skeleton.
    pub(super) fn lay_out(track: Track, home: &Path) -> Result<Project, Trouble> {
        let (folder, target) = (home.join("project"), home.join("target"));
        // It may be of another track, from the last time.
        let _ = fs::remove_dir_all(&folder);
        let project = Project { track, folder, target };
        let skeleton = Submission { files: files::of_project(track), ignored: Vec::new() };
        let compiled = match project.lay(&skeleton) {
            Ok(()) => project.compile(None).map(drop).map_err(Broken::message),
            Err(fault) => Err(fault.message()),
        };
        compiled.map_err(|why| {
            Trouble::Machine(format!("the project without a submission does not build: {why}"))
        })?;
        Ok(project)
    }

    /// Builds `submission`, copies its program to `program`, and returns what the compiler used.
    /// The error is for the student.
    pub(super) fn build(
        &self,
        submission: &Submission,
        program: &Path,
        limits: &Limits,
    ) -> Result<Usage, Fault> {
        for own in self.track.own() {
            let _ = fs::remove_dir_all(self.folder.join(own));
        }
        self.lay(submission)?;
        let usage = self.compile(Some(limits)).map_err(|broken| match broken {
            Broken::Killed => self.killed(limits),
            Broken::NoCompiler(_) => Fault::Machine(broken.message()),
            Broken::Code(why) => self.or_full(Fault::Student(why)),
        })?;
        self.reads_only_the_project()?;
        let built = self.target.join("release/my-raft");
        fs::copy(&built, program)
            .map(|_| usage)
            .map_err(|error| Fault::Machine(format!("{}: {error}", built.display())))
    }

    /// `fault`, unless the disk is full: then no submission builds.
    fn or_full(&self, fault: Fault) -> Fault {
        let probe = self.target.join("probe");
        let written = fs::write(&probe, vec![1; 32 << 20]);
        let _ = fs::remove_file(&probe);
        match written {
            Ok(()) => fault,
            Err(error) => Fault::Machine(format!("{}: {error}", probe.display())),
        }
    }

    fn lay(&self, submission: &Submission) -> Result<(), Fault> {
        let whole = files::of_project(self.track);
        // Without a key/value service of its own, a submission has the skeleton's.
        let has_kv = submission.files.keys().any(|path| path.starts_with("src/kv/"));
        let kv = whole.iter().filter(|(path, _)| !has_kv && path.starts_with("src/kv/"));
        for (path, text) in kv.chain(&submission.files) {
            let path = self.folder.join(path);
            let folder = path.parent().expect("it is in a folder");
            let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
            let failed = |error| Fault::Machine(format!("{}: {error}", path.display()));
            written.map_err(failed)?;
        }
        Ok(())
    }

    /// Compiles the project, within `limits` if it has a stranger's files.
    ///
    /// If the compiler was killed, it is started once more: another program may have taken the
    /// machine's memory.
    fn compile(&self, limits: Option<&Limits>) -> Result<Usage, Broken> {
        let again = |broken| match broken {
            Broken::Killed => self.compile_once(limits),
            broken => Err(broken),
        };
        self.compile_once(limits).or_else(again)
    }

    /// The compiler may read what it wants here; see [`Project::reads_only_the_project`].
    fn compile_once(&self, limits: Option<&Limits>) -> Result<Usage, Broken> {
        let mut command = match limits {
            None => Command::new("cargo"),
            Some(limits) => sandbox::compiler(limits),
        };
        command.args(["build", "--release", "--locked", "--quiet", "--color", "never"]);
        command.args(limits.map(|_| "--offline"));
        let failed = |error: io::Error| Broken::NoCompiler(error.to_string());
        let mut compiler = command
            .env_clear()
            .envs(sandbox::plain_environment())
            .env("CARGO_TARGET_DIR", &self.target)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut stderr = compiler.stderr.take().expect("it is piped");
        let mut bytes = Vec::new();
        // A macro can have the compiler print more than there is memory.
        let read = (&mut stderr).take(WORDS_MAX).read_to_end(&mut bytes);
        read.and_then(|_| io::copy(&mut stderr, &mut io::sink())).map_err(failed)?;
        let (status, usage) = usage::wait(&mut compiler, Duration::MAX).map_err(failed)?;
        if status.success() {
            return Ok(usage);
        }
        Err(Broken::why(status.code(), &String::from_utf8_lossy(&bytes), limits))
    }

    /// Who is to blame for a compiler that was killed twice: the machine, if it can't compile the
    /// skeleton either.
    fn killed(&self, limits: &Limits) -> Fault {
        let skeleton = Submission { files: files::of_project(self.track), ignored: Vec::new() };
        let compiled = self.lay(&skeleton).map(|()| self.compile(Some(limits)));
        match compiled {
            Ok(Ok(_)) => Fault::Student(Broken::Killed.message()),
            Ok(Err(broken)) => Fault::Machine(broken.message()),
            Err(fault) => fault,
        }
    }

    /// Refuses a program whose source has files from elsewhere in it (`include_str!`, `#[path]`):
    /// they may be the course's secrets, or another student's.
    fn reads_only_the_project(&self) -> Result<(), String> {
        let list = self.target.join("release/my-raft.d");
        let text =
            fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
        let project = self.folder.canonicalize().map_err(|error| error.to_string())?;
        for path in read_files(&text) {
            let real = Path::new(&path).canonicalize().unwrap_or_else(|_| PathBuf::from(&path));
            if !real.starts_with(&project) {
                return Err(format!(
                    "the program reads {path}, which is outside the project: include nothing from \
                     elsewhere"
                ));
            }
        }
        Ok(())
    }
}

/// Why the project was not compiled.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    /// The compiler could not be started.
    NoCompiler(String),
    /// The compiler, or the linker that it calls, was killed.
    Killed,
    /// The code is wrong, or takes too long to compile; what the student reads.
    Code(String),
}

impl Broken {
    /// Judges what cargo printed, and its status. What cargo prints has words of the submission in
    /// it: a submission that claims to be killed gains a second try, and the skeleton is compiled.
    fn why(status: Option<i32>, words: &str, limits: Option<&Limits>) -> Broken {
        // The status of cargo itself. With another one it was ended, for it took too long.
        let by_cargo = status == Some(101);
        if by_cargo && words.contains("signal: 9") {
            return Broken::Killed;
        }
        if by_cargo && words.contains("(signal: 24") {
            let most = limits.map_or(0, |limits| limits.build_cpu_s);
            return Broken::Code(format!("the compiler took more than {most} s of CPU"));
        }
        if words.starts_with("memory allocation of ") || words.contains("\nmemory allocation of ") {
            let most = limits.map_or(0, |limits| limits.build_memory_mb);
            return Broken::Code(format!("the compiler took more than {most} MB of memory"));
        }
        // The first error, with its place and its picture; or else the first words.
        let words = words.trim_start();
        let from = words.lines().position(|line| line.starts_with("error")).unwrap_or(0);
        let first = words.lines().skip(from);
        let lines: Vec<&str> = first.take_while(|line| !line.is_empty()).take(30).collect();
        Broken::Code(match (lines.is_empty(), status) {
            (false, _) => lines.join("\n"),
            (true, Some(status)) => format!("the compiler ended with status {status}"),
            (true, None) => "the compiler was ended".to_string(),
        })
    }

    fn message(self) -> String {
        match self {
            Broken::NoCompiler(why) => format!("cannot start the compiler: {why}"),
            Broken::Killed => {
                "the compiler was killed twice: is there too little memory?".to_string()
            }
            Broken::Code(why) => why,
        }
    }
}

/// The files that a list of cargo's names: `made: read read\ with\ blank …`.
fn read_files(list: &str) -> Vec<String> {
    let reads = list.lines().filter_map(|line| line.split_once(": ")).map(|(_, reads)| reads);
    reads
        .flat_map(|reads| {
            let whole = reads.replace("\\ ", "\0");
            whole.split(' ').map(|path| path.replace('\0', " ")).collect::<Vec<_>>()
        })
        .filter(|path| !path.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_compiler_is_told_from_wrong_code() {
        let last = |signal: &str| {
            format!(
                "error: could not compile `my-raft`\n\nCaused by:\n  process didn't exit \
                 successfully: `rustc` ({signal})\n"
            )
        };
        let why = |status, words: &str| Broken::why(status, words, Some(&Limits::default()));
        assert_eq!(why(Some(101), &last("signal: 9, SIGKILL: kill")), Broken::Killed);
        let linker = "error: linking with `cc` failed: signal: 9 (SIGKILL)\n";
        assert_eq!(why(Some(101), linker), Broken::Killed);
        let slow = Broken::Code("the compiler took more than 600 s of CPU".to_string());
        assert_eq!(why(Some(101), &last("signal: 24")), slow);
        let wrong = "warning: x\n\nerror[E0308]: types\n --> a.rs\n\nerror: two";
        let first = Broken::Code("error[E0308]: types\n --> a.rs".to_string());
        assert_eq!(why(Some(101), wrong), first);
        let large = "memory allocation of 4194304 bytes failed\n\n 3: rustc::error_hook\n";
        let large_too = Broken::Code("the compiler took more than 8192 MB of memory".to_string());
        assert_eq!(why(Some(101), large), large_too);
        let inside = "warning: an error of mine\n\nerror: two\n";
        assert_eq!(why(Some(101), inside), Broken::Code("error: two".to_string()));
        let ended = "warning: signal: 9\n";
        assert_eq!(why(Some(137), ended), Broken::Code("warning: signal: 9".to_string()));
        let silent = Broken::Code("the compiler ended with status 137".to_string());
        assert_eq!(why(Some(137), ""), silent);
    }

    #[test]
    fn paths_with_blanks_are_one_path() {
        let list = "/t/release/my-raft: /p/src/a.rs /p/my\\ files/b.rs\n";
        assert_eq!(read_files(list), ["/p/src/a.rs", "/p/my files/b.rs"]);
    }
}
