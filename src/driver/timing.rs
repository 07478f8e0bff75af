//! Every number of time and quantity, with its reason.
//!
//! ```text
//! ticks   0    1    2    3    4    5    6    7    8    9    10                  20
//! ms      0         100       200       300       400       500                 1000
//!         │ ♥       ♥         ♥         ♥         ♥         ├─ election timeout ─┤
//! ```

use std::time::Duration;

use crate::tick::FlowControl;

/// What a tick is. As long as two calls on the unreliable network, so that an answer is rarely a
/// tick late.
pub const TICK: Duration = Duration::from_millis(50);

/// Ticks between two heartbeats: the lab asks for no more than ten a second.
pub const HEARTBEAT_TICKS: u32 = 2;

/// Ticks without a leader before a server may stand; each draws up to twice as many.
///
/// Five heartbeats, of which the unreliable network loses one in ten; two elections in a row fit
/// the lab's five seconds with room to spare.
pub const ELECTION_TICKS: u32 = 10;

/// How appends are paced.
///
/// One append with entries is under way to a follower at a time: what comes meanwhile goes
/// together in the next, so that a burst of commands costs a few calls, and appends cannot
/// overtake each other on a network that keeps no order. As many bytes as the RPC style sends.
pub const FLOW_CONTROL: FlowControl = FlowControl { inflight_max: 1, append_bytes_max: 128 * 1024 };

/// Most events that are taken in before the core is asked what to do about them.
pub const BATCH_MAX: usize = 256;

/// How long a read waits to hear that its leader still leads: the longest election timeout. Who
/// heard from no majority for so long has probably been replaced.
pub const READ_PATIENCE: Duration = Duration::from_millis(1000);
