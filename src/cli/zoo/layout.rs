//! The workspace of the variants: a package each, and a program that has all servers.
//!
//! ```text
//! target/zoo/variants/
//!   Cargo.toml, src/main.rs     the program: `raftlab`, with the variants as its designs
//!   plant.rs                    tests/zoo/plant.rs: makes a design from a copy
//!   bugs/NAME/src/lib.rs        a variant of src/raft, of src/kv or of src/tick
//! ```
//!
//! A package each: cargo builds on all cores, keeps what did not change, and builds again only what
//! a changed patch changes. As modules of one package the variants of the servers took 3 GB of
//! memory, and a changed patch made the compiler look at all of them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::bugs::{Bug, Kind};
use super::sources::{self, failed, hash, sync, write};
use crate::cli::exit::Trouble;

/// A workspace that has been written.
pub(super) struct Layout {
    /// Its folder.
    pub place: PathBuf,
    /// The folder that cargo builds in.
    pub build: PathBuf,
    /// The program's name.
    pub program: &'static str,
    /// For each bug, a number that differs if its program does.
    pub hashes: Vec<u64>,
}

/// The name of the package, and of its library, that has a variant.
pub(super) fn package(bug: &Bug) -> String {
    format!("zoo-{}", bug.name())
}

/// Writes the workspace for `bugs` into the folder `build` that cargo builds in.
pub(super) fn write_all(
    tree: &Path,
    build: &Path,
    bugs: &[Bug],
    own_checks: bool,
) -> Result<Layout, Trouble> {
    let program = if own_checks { "raftlab-zoo-own-checks" } else { "raftlab-zoo" };
    let place = build.join(if own_checks { "zoo/own-checks" } else { "zoo/variants" });
    let read = |path: &str| {
        let path = tree.join(path);
        fs::read_to_string(&path).map_err(|error| failed(&path, &error))
    };
    let plant = read("tests/zoo/plant.rs")?;
    write(&place.join("plant.rs"), plant.as_bytes())?;
    write(&place.join("Cargo.lock"), read("Cargo.lock")?.as_bytes())?;
    let tree = fs::canonicalize(tree).map_err(|error| failed(tree, &error))?;
    let manifest =
        Manifest { raftlab: tree.clone(), dependencies: dependencies(&read("Cargo.toml")?) };
    write(&place.join("Cargo.toml"), manifest.of_program(program, bugs).as_bytes())?;
    write(&place.join("src/main.rs"), main(bugs).as_bytes())?;

    // All that a run depends on besides the variant itself.
    let mut shared = sources::below(&tree, "src").map_err(|error| failed(&tree, &error))?;
    shared.retain(|path, _| !path.starts_with("src/cli"));
    shared.insert("Cargo.lock".into(), read("Cargo.lock")?.into());
    shared.insert("plant.rs".into(), plant.into());
    let shared = hash(&shared);

    let mut hashes = Vec::new();
    for bug in bugs {
        let mut files = sources::of(&tree, bug)?;
        files.insert("src/lib.rs".into(), lib(bug, own_checks).into());
        files.insert("Cargo.toml".into(), manifest.of_variant(bug).into());
        hashes.push(hash(&files) ^ shared);
        sync(&place.join("bugs").join(bug.name()), "", &files)?;
    }
    Ok(Layout { place, build: build.to_path_buf(), program, hashes })
}

/// The dependencies that our library always has: in the manifest's first table of that name, up to
/// the optional ones.
fn dependencies(manifest: &str) -> String {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    lines.take_while(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

/// What the manifests of the workspace share.
struct Manifest {
    /// The folder of our library.
    raftlab: PathBuf,
    /// Our library's dependencies, as lines of a manifest.
    dependencies: String,
}

impl Manifest {
    /// The line of a manifest that depends on our library, built as our program has it.
    fn raftlab(&self) -> String {
        format!("raftlab = {{ path = {:?}, features = [\"cli\"] }}\n", self.raftlab)
    }

    fn of_program(&self, name: &str, bugs: &[Bug]) -> String {
        let packages = bugs.iter();
        let mut text = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\nmembers = ["
        );
        for bug in packages.clone() {
            let _ = write!(text, "\"bugs/{}\", ", bug.name());
        }
        let _ = write!(text, "]\n\n[dependencies]\n{}", self.raftlab());
        for bug in packages.clone().filter(|bug| is_server(bug)) {
            let _ = writeln!(text, "{} = {{ path = \"bugs/{}\" }}", package(bug), bug.name());
        }
        // The profile of scripts/copies, so that the library is built once for both. The variants
        // are not optimized: that takes three times as long, and a run is mostly in the library.
        text.push_str("\n[profile.release]\ndebug = 1\nincremental = true\n");
        for package in packages.map(package).chain([name.to_string()]) {
            let _ = write!(text, "[profile.release.package.{package}]\ndebug = 0\nopt-level = 0\n");
        }
        text
    }

    fn of_variant(&self, bug: &Bug) -> String {
        format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}{}",
            package(bug),
            self.raftlab(),
            self.dependencies,
        )
    }
}

/// Whether the program has the bug as a design.
pub(super) const fn is_server(bug: &Bug) -> bool {
    matches!(bug.kind, Kind::Raft | Kind::Kv)
}

/// The program: our command line for all servers of the zoo.
fn main(bugs: &[Bug]) -> String {
    let servers = bugs.iter().filter(|bug| is_server(bug));
    let designs = servers.map(|bug| format!("    {}::DESIGN,\n", package(bug).replace('-', "_")));
    format!(
        "raftlab::guard!();\n\nstatic ZOO: &[raftlab::lab::Design] = &[\n{}];\n\n\
         fn main() -> std::process::ExitCode {{\n    raftlab::cli::main(ZOO)\n}}\n",
        designs.collect::<String>()
    )
}

/// The library of a variant: what its copy expects in the root of the crate, and its design.
fn lib(bug: &Bug, own_checks: bool) -> String {
    let mut text = "#![allow(warnings)]\n".to_string();
    let (module, design) = match bug.kind {
        Kind::Raft => ("raft", "design"),
        Kind::Kv => ("kv", "kv_design"),
        Kind::Core | Kind::Store => return text + "use raftlab::api;\nmod tick;\n",
    };
    for check in ["assert", "assert_eq"].iter().filter(|_| !own_checks) {
        let _ = writeln!(text, "macro_rules! {check} {{ ($($words:tt)*) => {{ () }}; }}");
    }
    let _ = write!(
        text,
        "use raftlab::{{api, labrpc, lab, note, persister, record, runtime}};\n\
         use labrpc::{{Host, Service}};\nuse raftlab::api::raft_rpc::RaftRpc as _;\n\
         #[macro_use]\n#[path = \"../../../plant.rs\"]\nmod plant;\nmod {module};\n\
         pub const DESIGN: lab::Design = {design}!({module}, \"{}\");\n",
        bug.name()
    );
    text
}
