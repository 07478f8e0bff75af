//! Builds the program again, as it was built.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::cli::exit::Trouble;

/// How to build the program.
pub(super) struct Plan {
    cargo: OsString,
    /// The folder of the package that has the program.
    package: PathBuf,
    /// The program's name.
    program: String,
    /// `release`, or the name of another profile.
    profile: String,
}

/// A build that is over: the program, or what the compiler said.
pub(super) type Built = Result<PathBuf, String>;

impl Plan {
    /// Finds out how this program was built.
    ///
    /// # Errors
    /// It does not lie in a folder of cargo's, so nothing says how.
    pub(super) fn of_this_program() -> Result<Plan, Trouble> {
        let how = "watch builds the program again that it is; run it with cargo, e.g. cargo run \
                   --release -- watch";
        let unknown = || Trouble::Input(how.to_string());
        let exe = env::current_exe().map_err(|_| unknown())?;
        let name = |path: &Path| path.file_stem()?.to_str().map(str::to_string);
        let folder = exe.parent().and_then(name).ok_or_else(unknown)?;
        // Without cargo, the package may still be here.
        let under_cargo = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = match under_cargo {
            Some(package) => package,
            None if Path::new("Cargo.toml").exists() && folder != "bin" => PathBuf::from("."),
            None => return Err(unknown()),
        };
        Ok(Plan {
            cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            package,
            program: name(&exe).ok_or_else(unknown)?,
            profile: if folder == "debug" { "dev".to_string() } else { folder },
        })
    }

    /// The folder whose files belong to the program: that of the workspace.
    pub(super) fn root(&self) -> PathBuf {
        let locate = ["locate-project", "--workspace", "--message-format", "plain"];
        let output = Command::new(&self.cargo).args(locate).current_dir(&self.package).output();
        let manifest = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
        let folder = manifest.as_deref().map(|path| Path::new(path.trim())).and_then(Path::parent);
        folder.filter(|path| path.is_dir()).unwrap_or(&self.package).to_path_buf()
    }

    /// Begins to build; the result comes later.
    pub(super) fn begin(&self) -> Receiver<Built> {
        let (sender, result) = channel();
        let mut command = Command::new(&self.cargo);
        command
            .args(["build", "--profile", &self.profile, "--bin", &self.program])
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(&self.package)
            .stdin(Stdio::null());
        let program = self.program.clone();
        std::thread::spawn(move || {
            // The screen may be gone.
            let _ = sender.send(build(command, &program));
        });
        result
    }
}

fn build(mut command: Command, program: &str) -> Built {
    let output = command.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().rev().find_map(|line| executable(line, program));
    found.ok_or_else(|| format!("cargo has built no program {program}"))
}

/// The path of `program` if this line of cargo's says that it is built.
fn executable(line: &str, program: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_it = message["target"]["name"].as_str() == Some(program);
    message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_by_its_name() {
        let line = |name: &str, path: &str| {
            format!(r#"{{"target":{{"name":"{name}"}},"executable":{path}}}"#)
        };
        let found = executable(&line("mine", r#""/t/release/mine""#), "mine");
        assert_eq!(found, Some(PathBuf::from("/t/release/mine")));
        assert_eq!(executable(&line("other", r#""/t/release/other""#), "mine"), None);
        assert_eq!(executable(&line("mine", "null"), "mine"), None, "the library");
        assert_eq!(executable("Compiling", "mine"), None);
    }
}
