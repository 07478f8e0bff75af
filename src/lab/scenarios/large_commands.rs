//! Part 2B: commands of unusual sizes.

use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new("large_commands_2b", large_commands_2b)
    .title("commands of 0 bytes, 200 KiB and 1.25 MiB")
    .catches("a command that is larger than a batch and never sent; an empty one that is skipped")];

/// Sizes of the commands, in bytes: a small one, one above 128 KiB, and one above 1 MiB.
///
/// The latter two are usual limits for the entries of one call.
const SIZES: [usize; 3] = [100, 200 * 1024, 1280 * 1024];

/// Commands of any size are committed: Raft has no limit, and an empty command is a command.
///
/// A limit on what one call carries must let a single entry pass. A wrong leader never sends an
/// entry that is larger than its limit; a wrong applier skips what has no bytes. The sizes come one
/// at a time, and then all together.
fn large_commands_2b(cluster: &mut Cluster) {
    let servers = cluster.server_count();
    cluster.one(b"", servers, true);
    for (letter, size) in (b'a'..).zip(SIZES) {
        cluster.one(&vec![letter; size], servers, true);
    }
    let leader = cluster.wait_for_leader();
    for (letter, size) in (b'k'..).zip(SIZES) {
        let _ = cluster.start(leader, &vec![letter; size]);
    }
    cluster.one(b"end", servers, true);
}
