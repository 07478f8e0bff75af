//! Builds the variants, with the compiler and the profile of our own release builds.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::bugs::{Bug, Kind};
use super::layout::{Layout, is_server, package};
use crate::cli::exit::Trouble;

/// Maximum number of the compiler's lines that a message shows.
const LINES_MAX: usize = 40;

/// The programs that were built.
pub(super) struct Programs {
    /// The program that has all servers; `None` if there are none.
    servers: Option<PathBuf>,
    /// The unit tests of each variant of the tick core, by the name of its library.
    cores: BTreeMap<String, PathBuf>,
}

impl Programs {
    /// Builds what `bugs` need.
    ///
    /// # Errors
    /// A variant does not compile, or cargo cannot be started.
    pub(super) fn build(layout: &Layout, bugs: &[Bug]) -> Result<Programs, Trouble> {
        let mut servers = None;
        if bugs.iter().any(is_server) {
            let built = cargo(&layout.place, &layout.build, &["build", "--bin", layout.program])?;
            servers = built.into_values().next();
        }
        let cores = bugs.iter().filter(|bug| bug.kind == Kind::Core).map(package);
        let packages: Vec<String> = cores.flat_map(|name| ["-p".to_string(), name]).collect();
        let mut tests = BTreeMap::new();
        if !packages.is_empty() {
            let arguments: Vec<&str> = packages.iter().map(String::as_str).collect();
            let arguments = [&["test", "--no-run", "--lib"], &arguments[..]].concat();
            tests = cargo(&layout.place, &layout.build, &arguments)?;
        }
        Ok(Programs { servers, cores: tests })
    }

    /// The program that has all servers, unless only the tick core was built.
    pub(super) const fn servers(&self) -> Option<&PathBuf> {
        self.servers.as_ref()
    }

    /// The program that runs `bug`.
    pub(super) fn of(&self, bug: &Bug) -> &Path {
        let program = match is_server(bug) {
            true => self.servers.as_ref(),
            false => self.cores.get(&package(bug).replace('-', "_")),
        };
        program.expect("it has been built")
    }
}

/// Lets cargo build something of the package in `place`, in the folder `build`; returns the
/// programs by their names.
pub(super) fn cargo(
    place: &Path,
    build: &Path,
    arguments: &[&str],
) -> Result<BTreeMap<String, PathBuf>, Trouble> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .args(["--release", "--quiet", "--message-format", "json-render-diagnostics"])
        .current_dir(place)
        .env("CARGO_TARGET_DIR", build)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Trouble::Machine(format!("cannot start cargo: {error}")))?;
    if output.status.code().is_none() {
        return Err(Trouble::Machine(format!("cargo was stopped ({})", output.status)));
    }
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = errors.lines().take(LINES_MAX).collect();
        let place = place.display();
        return Err(Trouble::Input(format!(
            "the variants do not build; {place} has our source with their patches:\n{}",
            lines.join("\n")
        )));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(program).collect())
}

/// The name and the path of the program that this line of cargo's says is built.
fn program(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let name = message["target"]["name"].as_str()?.replace('-', "_");
    Some((name, PathBuf::from(message["executable"].as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_their_names() {
        let line = |path: &str| format!(r#"{{"target":{{"name":"zoo-x"}},"executable":{path}}}"#);
        let found = program(&line(r#""/t/release/deps/zoo_x-1""#));
        assert_eq!(found, Some(("zoo_x".to_string(), PathBuf::from("/t/release/deps/zoo_x-1"))));
        assert_eq!(program(&line("null")), None, "a library");
        assert_eq!(program("Compiling"), None);
    }
}
