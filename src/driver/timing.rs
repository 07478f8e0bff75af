//! Every duration and every limit of the driver, with its reason.
//!
//! ```text
//! ticks   0    1    2    3    4    5    6    7    8    9    10                  20
//! ms      0         100       200       300       400       500                 1000
//!         │ ♥       ♥         ♥         ♥         ♥         ├─ election timeout ─┤
//! ```

use std::time::Duration;

use crate::tick::FlowControl;

/// The length of a tick. Two calls on the unreliable network take as long, so a response rarely
/// comes a tick late.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// Ticks between two heartbeats: the lab allows no more than ten a second.
pub(super) const HEARTBEAT_TICKS: u32 = 2;

/// Ticks without a leader before a server may start an election; each draws up to twice as many.
///
/// That is five heartbeats, of which the unreliable network loses one in ten; two elections in a
/// row fit into the lab's five seconds with room to spare.
pub(super) const ELECTION_TICKS: u32 = 10;

/// The limits on appends.
///
/// One append with entries is in flight to a follower at a time: later entries wait and share the
/// next append. So a burst of commands costs a few calls, and appends cannot overtake each other
/// on a network that keeps no order. The limit of bytes is that of the RPC style.
pub(super) const FLOW_CONTROL: FlowControl =
    FlowControl { inflight_max: 1, append_bytes_max: 128 * 1024 };

/// Maximum number of events that are handled before the core is asked what to do.
pub(super) const BATCH_MAX: usize = 256;

/// Maximum number of Readys in a row without an event between them. A core hands out one or two:
/// one with so many never ends.
pub(super) const READYS_MAX: u32 = 10_000;

/// How long a read waits for a confirmation that its leader still leads: the longest election
/// timeout. A leader that no majority has answered for that long has probably been replaced.
pub(crate) const READ_PATIENCE: Duration = Duration::from_millis(1000);
