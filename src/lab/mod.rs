//! The suite: scenarios, the cluster they run on, observers, and reports of their runs.
//!
//! A [`Scenario`] is a story: a function that puts a [`Cluster`] through elections, crashes and
//! cut links, and asserts the outcome. It knows only the trait
//! [`Consensus`](crate::api::Consensus), so every [`Design`] goes through the same stories, on
//! either clock:
//!
//! ```text
//!  scenario ──start, crash, cut──► Cluster ──boot──► Design::make ──► server, server, server
//!      ▲                             │ ▲                                 │       ▲
//!      │      values, waits          │ └── ledger ◄── service ◄─ apply_ch┘       │ calls
//!      └─────────────────────────────┘                                           ▼
//!                    observers ◄─── persister: writes                network: messages
//! ```
//!
//! Three kinds of judges check a run:
//!
//! - The scenario asserts its story: an index, a value, a leader where there must be one.
//! - The *ledger* checks every message of every apply channel, in all scenarios: indices are
//!   consecutive within one life, all servers apply the same command at an index, and snapshots
//!   never go backward and were once taken by the service.
//! - The *observers* ([`observe`]) check the rules of Raft on the messages, the writes and the
//!   applied entries of all servers. They change nothing: a run without them has the same hash.
//!
//! Each run produces a [`Report`]. A wait that took too long, or a limit that was exceeded,
//! is a failure of kind `Limit`; a wrong value or a broken rule is an `Assertion` or an
//! `Observer`. The difference matters under the hostile schedule, which may stall any server
//! for any length of time: there, a `Limit` only cuts the run short, and everything else still
//! fails it.
//!
//! # Where we are stricter than the course
//!
//! The suite has the course's scenarios, with all numbers and limits that they have in the course.
//! Where the years of the course differ, we take the stricter version: all servers go down in every
//! round of `persist2_2c`, and the course's last two scenarios of part 2D run on the unreliable
//! network (both as in the course since 2025). Beyond that:
//!
//! - The applier is strict in all parts. The course checks the order only with snapshots; without
//!   them it misses an index applied twice and a server that skips its log after a restart.
//! - The suite ignores what an instance sends to its service after its crash: the writes that it
//!   makes then are lost, so its messages prove nothing.
//! - The limit of 120 s ends a run, whereas the course only checks the clock afterwards.
//! - Tasks or instances that are left after a run fail it. So do, during the run, tasks of a
//!   server that was killed more than [`KILLED_FOR_MAX`] ago.
//! - A snapshot resets a follower's election timer, as Raft §5.2 says of every message from a
//!   leader (`install_resets_timer_2d`); Figure 2 names AppendEntries alone.
//! - A single command does not wait for the next heartbeat (`sent_at_once_2b`). The paper does not
//!   say how soon it is sent.
//! - The tasks and commands that a server accumulates have limits, far above its needs.
//!
//! Where the paper or the course leaves a choice, the suite makes these demands on purpose:
//!
//! - A candidate's term and vote are durable before it asks for other votes, not only before it
//!   counts the replies (`PersistBeforeRequest`, `candidacy_is_durable_2c`).
//! - A follower that deletes entries stores the shorter log before it compares that log with a
//!   candidate's, even if it refused the request that made it delete them: Figure 2 demands that
//!   the log is stored before any reply (`VoteOnlyUpToDate`, `LeaderAppendOnly`).
//! - Part 2C demands backing up by terms, which the course advises (`fast_backup_2c`); a server
//!   without it passes 2A and 2B.
//! - An entry that a majority acknowledged is committed, even if the replies come late and one of
//!   the servers has been silent since (`late_success_2b`). A leader that forgets late replies and
//!   asks again would be safe, too, but Figure 2's `matchIndex` "increases monotonically".
//! - A follower tolerates a heartbeat that is half an interval late, on the unreliable network
//!   (`heartbeats_2a`), and a new leader sends its first message within a third of an interval:
//!   Raft §5.6 asks only that timeouts be much longer than a call takes.
//! - A committed entry is applied within 150 ms (`applied_soon_2b`); the course's limits on speed
//!   allow an applier that polls.
//! - A snapshot is stored soon after the service took it, even if nothing else happens
//!   (`snapshot_is_durable_2d`, `install_sender_2d`, `rsm_snapshot_3b`).
//! - A new command gets the next index: the leader adds no entry of its own in between
//!   (`leader_rules_2b`), because the course's tests rely on these indices.
//! - A candidate that hears from its term's leader follows it, even if it then gets the votes of a
//!   majority (`candidate_follows_2a`). Such votes arrive only if a server lies.
//!
//! # To add a scenario
//!
//! Write its story, a function, in a file of `src/lab/scenarios/`, and a row in the list at the top
//! of that file. The row makes it an entry of [`SCENARIOS`], where the command line and
//! `tests/lab.rs` find it. A story must do all its waiting through the cluster, and its assertions
//! must hold under every schedule. A demand that is stricter than the paper goes into the list
//! above, with its reason. The end of `docs/tests.md` says what else belongs to a scenario.
//!
//! Read next: [`Cluster`] for what a story can do, then any file of `scenarios/`.

mod apply_order;
mod cluster;
mod design;
mod hints;
pub mod kv;
#[cfg(feature = "solutions")]
mod kv_design;
mod narrate;
pub mod observe;
pub mod played;
pub mod puppet;
mod raft_rpc;
#[cfg(feature = "raft-rs")]
mod raft_rs_design;
mod report;
#[cfg(feature = "solutions")]
mod rpc_design;
mod run;
mod scenario;
mod scenarios;
mod service;
mod shrink;
pub mod situations;
#[cfg(feature = "store")]
pub mod store;
mod store_list;
#[cfg(feature = "solutions")]
mod tick_design;
#[cfg(feature = "cli")]
mod trials;

pub use crate::api::{Digest, Facts};
pub use cluster::{Cluster, KILLED_FOR_MAX, LONG};
pub use design::{
    Boot, DESIGN_NAMES, DESIGNS, Design, Instance, NoSuchDesign, Numbering, Rules, Unfit,
    find_design,
};
pub use hints::{Hint, find_hint, hints};
#[cfg(feature = "solutions")]
pub use kv_design::KV;
pub use raft_rpc::RaftPeer;
pub use report::Report;
pub use run::{Observing, run_and_explain, run_scenario, run_scenario_observing, run_unjudged};
pub use scenario::{NoSuchPart, Part, Scenario, steps};
pub use scenarios::{SCENARIOS, find_scenario};
pub(crate) use service::Alive;
pub use service::{
    Count, Counted, Counter, Counting, KvClient, KvDesign, ServiceContext, ServiceInstance,
};
pub use shrink::{Shrunk, shrink};
#[cfg(feature = "cli")]
pub use trials::tests;
