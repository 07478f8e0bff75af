//! What a stranger's program may do while it is examined.
//!
//! A jail is a root folder of its own that has the program and the system's libraries, and nothing
//! that can be written; without `/proc`, without network, with its own process numbers, and without
//! the rights of any user. When the program ends, all that it has started ends. The system's own
//! programs make it: `unshare`, `mount`, `chroot`, `setpriv`, `prlimit`. Where the right to make a
//! jail is missing, as in most containers, the limits on time, memory, files and processes stay.

use std::path::Path;
use std::process::{Command, Stdio};

use super::policy::Limits;

/// Makes the root folder `$1` with the program `$2`, and runs that there with the limits `$3` and
/// the remaining words. All of it is in name spaces of its own, so nothing has to be cleared away.
///
/// This shell stays, as the first process of its name space, whose end ends all others there. The
/// program itself would outlive the grader's `kill`: a process that becomes another user no longer
/// dies with its parent. It is in a second name space, from which it cannot see the shell.
const JAIL: &str = r#"
set -eu
ulimit -c 0
root=$1 program=$2 limits=$3
shift 3
mount -t tmpfs -o mode=755,size=64k none "$root"
for folder in lib lib32 lib64 usr/lib usr/lib32 usr/lib64; do
    if [ -L "/$folder" ]; then
        cp -P "/$folder" "$root/$folder"
    elif [ -d "/$folder" ]; then
        mkdir -p "$root/$folder"
        mount --bind "/$folder" "$root/$folder"
        mount -o remount,bind,ro "$root/$folder"
    fi
done
: >"$root/program"
mount --bind "$program" "$root/program"
mount -o remount,ro "$root"
user=
[ "$JAILER" != 0 ] || user=--userspec=65534:65534
status=0
unshare --pid --fork -- setpriv --no-new-privs -- prlimit $limits -- \
    chroot $user "$root" /program "$@" || status=$?
exit $status
"#;

/// How far strangers' programs can be shut in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sandbox {
    /// In a jail.
    Jail {
        /// Whether we are the system's administrator, who may give the program another user.
        root: bool,
    },
    /// Limits on time, memory, files and processes.
    Limits,
    /// A limit on time only.
    Time,
}

impl Sandbox {
    /// The best that this machine allows. `folder` is an empty folder.
    pub(super) fn best(folder: &Path) -> Sandbox {
        let all = [Sandbox::Jail { root: true }, Sandbox::Jail { root: false }, Sandbox::Limits];
        all.into_iter().find(|sandbox| sandbox.works(folder)).unwrap_or(Sandbox::Time)
    }

    /// Whether a harmless program can be run in it now.
    pub(super) fn works(self, folder: &Path) -> bool {
        if self == Sandbox::Time {
            return true;
        }
        let mut command = self.command(Path::new("/bin/true"), &Limits::default(), folder);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }

    /// What is missing here, in a sentence; `None` if nothing is.
    pub(super) fn missing(self) -> Option<&'static str> {
        match self {
            Sandbox::Jail { .. } => None,
            Sandbox::Limits => Some(
                "no right to make name spaces (unshare): programs of submissions have limits on \
                 time, memory, files and processes, but can read files and use the network; use a \
                 container that has neither secrets nor network",
            ),
            Sandbox::Time => Some(
                "no prlimit: programs of submissions have a limit on wall time only; use Linux",
            ),
        }
    }

    /// The command that runs `program` with `limits`, except those on wall time and output. To kill
    /// its process kills all that is in the jail. `root` is an empty folder for the jail.
    pub(super) fn command(self, program: &Path, limits: &Limits, root: &Path) -> Command {
        let Limits { cpu_s, memory_mb, processes, .. } = limits;
        let memory = memory_mb.saturating_mul(1 << 20);
        // The first of two limits on CPU sends a signal that nothing else sends.
        let cpu = format!("{cpu_s}:{}", cpu_s.saturating_add(5));
        let limits = format!(
            "--cpu={cpu} --as={memory} --nproc={processes} --fsize=0 --nofile=256 --core=0"
        );
        let mut command = match self {
            Sandbox::Jail { root: is_root } => {
                let mut command = mortal();
                command.args(["unshare", "--mount", "--pid", "--net", "--ipc", "--uts"]);
                command.args(["--fork", "--kill-child"]);
                if !is_root {
                    command.args(["--user", "--map-root-user"]);
                }
                command.args(["--", "sh", "-c", JAIL, "jail"]).arg(root).arg(program).arg(limits);
                command
            }
            Sandbox::Limits => {
                let mut command = mortal();
                command.arg("prlimit").args(limits.split(' ')).arg("--").arg(program);
                command
            }
            Sandbox::Time => Command::new(program),
        };
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("JAILER", if self == (Sandbox::Jail { root: true }) { "0" } else { "1" });
        command
    }
}

/// The command that runs cargo with `limits`, as far as this machine has them.
pub(super) fn compiler(limits: &Limits) -> Command {
    let Limits { build_cpu_s, build_memory_mb, wall_s, .. } = limits;
    if !has_limits() {
        return Command::new("cargo");
    }
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", &wall_s.max(build_cpu_s).to_string()]);
    // As for programs: the first of two limits on CPU sends a signal that nothing else sends.
    let cpu = format!("--cpu={build_cpu_s}:{}", build_cpu_s.saturating_add(5));
    command.args(["prlimit", &cpu, "--core=0"]);
    command.arg(format!("--as={}", build_memory_mb.saturating_mul(1 << 20)));
    command.args(["--", "cargo"]);
    command
}

/// The command that unpacks with `program`, within limits if this machine has them.
pub(super) fn unpacker(program: &str) -> Command {
    if !has_limits() {
        return Command::new(program);
    }
    let mut command = Command::new("prlimit");
    command.args(["--cpu=20", "--fsize=16777216", "--core=0", "--", program]);
    command
}

/// Whether this machine has the programs that limit others.
fn has_limits() -> bool {
    Sandbox::Limits.works(Path::new("/"))
}

/// A command that dies with the grader: after Ctrl-C no program of a submission stays.
fn mortal() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]);
    command
}

/// The variables that a compiler or an archive program needs, and no other; among them how to
/// build, such as `CARGO_PROFILE_RELEASE_OPT_LEVEL`.
pub(super) fn plain_environment() -> impl Iterator<Item = (String, String)> {
    let kept = |name: &str| {
        let tools =
            ["CARGO_HOME", "CARGO_NET_OFFLINE", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"];
        let profile = name.starts_with("CARGO_PROFILE_");
        matches!(name, "PATH" | "HOME") || tools.contains(&name) || profile
    };
    std::env::vars().filter(move |(name, _)| kept(name))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "these tests wait for programs, outside any run")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::runtime::time;

    /// Whether `program` succeeds with these arguments in the best sandbox, and what it prints;
    /// `None` if there is no jail on this machine.
    fn jailed(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::best(folder.path());
        let jail = matches!(sandbox, Sandbox::Jail { .. });
        assert_eq!(jail, sandbox.missing().is_none(), "what is missing is said");
        if !jail {
            return None;
        }
        let mut command = sandbox.command(Path::new(program), &Limits::default(), folder.path());
        let output = command.args(arguments).output().unwrap();
        Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    #[test]
    fn a_jail_has_a_program_and_libraries_and_no_room() {
        let Some((listed, words)) = jailed("/bin/ls", &["/"]) else { return };
        let known = ["lib", "lib32", "lib64", "program", "usr"];
        assert!(listed && words.lines().all(|name| known.contains(&name)), "{words}");
        let (made, _) = jailed("/bin/touch", &["/file"]).unwrap_or_default();
        assert!(!made, "a file was made in the jail");
        let (read, words) = jailed("/bin/cat", &["/proc/self/environ"]).unwrap_or_default();
        assert!(!read && words.is_empty(), "{words}");
    }

    /// Whether a process with `word` among its arguments runs on this machine.
    fn runs(word: &str) -> bool {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.into_iter().any(|process| {
            let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            words.split(|byte| *byte == 0).any(|it| it == word.as_bytes())
        })
    }

    #[test]
    fn a_program_that_is_killed_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::best(folder.path());
        if !matches!(sandbox, Sandbox::Jail { .. }) {
            return;
        }
        // A number of seconds that no other test asks for.
        let word = "98761.25";
        let mut command =
            sandbox.command(Path::new("/bin/sleep"), &Limits::default(), folder.path());
        let mut child = command.arg(word).spawn().unwrap();
        let within = |wanted: bool| {
            let end = time::since_start() + Duration::from_secs(10);
            while runs(word) != wanted && time::since_start() < end {
                std::thread::sleep(Duration::from_millis(10));
            }
            runs(word) == wanted
        };
        assert!(within(true), "the program does not start");
        // The shell that makes the jail has the word, too.
        std::thread::sleep(Duration::from_millis(300));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(within(false), "the program runs on");
    }
}
