//! Builds a student's files in an untouched project.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::fault::Fault;
use super::policy::Limits;
use super::sandbox;
use super::submission::Submission;
use crate::cli::exit::Trouble;
use crate::cli::handout::files::{self, Track};

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
        project.lay(&skeleton).and_then(|()| project.compile(None)).map_err(|why| {
            let why = why.message();
            Trouble::Machine(format!("the project without a submission does not build: {why}"))
        })?;
        Ok(project)
    }

    /// Builds `submission`, and copies its program to `program`. The error is for the student.
    pub(super) fn build(
        &self,
        submission: &Submission,
        program: &Path,
        limits: &Limits,
    ) -> Result<(), Fault> {
        for own in self.track.own() {
            let _ = fs::remove_dir_all(self.folder.join(own));
        }
        self.lay(submission)?;
        self.compile(Some(limits)).map_err(|fault| self.or_full(fault))?;
        self.reads_only_the_project()?;
        let built = self.target.join("release/my-raft");
        fs::copy(&built, program)
            .map(drop)
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
    /// A compiler that was killed is started once more: another program may have taken the
    /// machine's memory. If it is killed again, the submission is to blame, since others build.
    fn compile(&self, limits: Option<&Limits>) -> Result<(), Fault> {
        let mut output = self.run_compiler(limits)?;
        if was_killed(&String::from_utf8_lossy(&output.stderr)) {
            output = self.run_compiler(limits)?;
        }
        if output.status.success() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&output.stderr);
        if was_killed(&words) {
            let why = "the compiler was killed twice: the code needs more memory than there is";
            return Err(Fault::Student(why.to_string()));
        }
        let first = words.find("error").map_or(words.trim(), |start| words[start..].trim());
        // The first error, with its place and its picture.
        let lines: Vec<&str> = first.lines().take_while(|line| !line.is_empty()).take(30).collect();
        Err(Fault::Student(match lines.is_empty() {
            true => format!("the compiler ended with {}", output.status),
            false => lines.join("\n"),
        }))
    }

    /// The compiler may read what it wants here; see [`Project::reads_only_the_project`].
    fn run_compiler(&self, limits: Option<&Limits>) -> Result<Output, Fault> {
        let mut command = match limits {
            None => Command::new("cargo"),
            Some(limits) => sandbox::compiler(limits),
        };
        command.args(["build", "--release", "--locked", "--quiet", "--color", "never"]);
        command.args(limits.map(|_| "--offline"));
        command
            .env_clear()
            .envs(sandbox::plain_environment())
            .env("CARGO_TARGET_DIR", &self.target)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Fault::Machine(format!("cannot start the compiler: {error}")))
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

/// Whether the compiler was killed, by the last line of what cargo printed. The lines before may be
/// the submission's own words.
fn was_killed(words: &str) -> bool {
    let last = words.trim_end().lines().next_back().unwrap_or_default().trim_start();
    last.starts_with("process didn't exit successfully: `")
        && last.ends_with("(signal: 9, SIGKILL: kill)")
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
    fn a_killed_compiler_is_told_from_an_error_that_says_so() {
        let killed = "error: could not compile `my-raft` (bin \"my-raft\")\n\nCaused by:\n  process \
                      didn't exit successfully: `rustc --crate-name my_raft` (signal: 9, SIGKILL: kill)\n";
        assert!(was_killed(killed));
        let forged =
            format!("{killed}error: could not compile `my-raft` due to 1 previous error\n");
        assert!(!was_killed(&forged), "the words of `compile_error!`");
        assert!(
            !was_killed(&killed.replace("9, SIGKILL: kill", "24, SIGXCPU")),
            "its time was over"
        );
        assert!(!was_killed(""));
    }

    #[test]
    fn paths_with_blanks_are_one_path() {
        let list = "/t/release/my-raft: /p/src/a.rs /p/my\\ files/b.rs\n";
        assert_eq!(read_files(list), ["/p/src/a.rs", "/p/my files/b.rs"]);
    }
}
