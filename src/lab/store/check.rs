//! Checks that all servers with a database have the same data.

use super::Stores;
use crate::api::{Index, ServerId};
use crate::runtime::{self, FailureKind};

/// Maximum number of checks until all servers have applied the same entries.
const LOOKS: u32 = 100;
/// Pause between two checks, in milliseconds: ten seconds in all.
const LOOK_PAUSE_MS: u64 = 100;

impl Stores {
    /// Waits until all servers that are up have applied the same entries, then checks their data.
    ///
    /// Fails unless each of these servers has, for each key in `wanted`, the given value, or no
    /// value if that is `None`. Call this when nothing changes any more and some server is known to
    /// have these values.
    pub fn check_all_have(&self, wanted: &[(&str, Option<&str>)]) {
        for _ in 0..LOOKS {
            let applied = self.applied_by_all();
            let difference = self.cluster().servers().find_map(|it| self.difference(it, wanted));
            let still = applied.is_some() && self.applied_by_all() == applied;
            match difference {
                None if still => return,
                Some(what) if still => {
                    runtime::fail(FailureKind::Assertion, "servers_differ", what);
                }
                _ => self.cluster().sleep_ms(LOOK_PAUSE_MS),
            }
        }
        let applied: Vec<_> =
            self.cluster().servers().map(|server| (server, self.applied(server))).collect();
        let message = format!("servers still differ after ten seconds; applied: {applied:?}");
        self.cluster().end_by_limit("apart", message);
    }

    /// The index that all running servers have applied, if it is the same.
    fn applied_by_all(&self) -> Option<Index> {
        let mut all = self.cluster().servers().filter_map(|server| self.applied(server));
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }

    /// Describes the first of `wanted` that `server` does not have.
    fn difference(&self, server: ServerId, wanted: &[(&str, Option<&str>)]) -> Option<String> {
        let running = self.running(server)?;
        wanted.iter().find_map(|(key, value)| {
            let found = running.look(key);
            let differs = found.as_deref() != *value;
            differs.then(|| format!("{server} has {found:?} under {key:?}, not {value:?}"))
        })
    }
}
