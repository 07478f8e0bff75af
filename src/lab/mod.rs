//! The suite: scenarios, the cluster they run on, observers, and reports of what came of it.
//!
//! A [`Scenario`] is a story: a function that puts a [`Cluster`] through elections, crashes and
//! cut links, and asserts what must come of it. It knows [`Consensus`](crate::api::Consensus)
//! and nothing of what is behind it, so every [`Design`] goes through the same stories, on
//! either clock:
//!
//! ```text
//!  scenario ──start, crash, cut──► Cluster ──boot──► Design::make ──► server, server, server
//!      ▲                             │ ▲                                 │       ▲
//!      │      values, waits          │ └── ledger ◄── service ◄─ apply_ch┘       │ calls
//!      └─────────────────────────────┘                                           ▼
//!                    observers ◄─── persister: what is written       network: what is sent
//! ```
//!
//! Three sorts of judges look at a run:
//!
//! - The scenario asserts its story: an index, a value, a leader where there must be one.
//! - The *ledger* checks every message of every apply channel, in all scenarios: consecutive
//!   indices within one life, the same command at the same index everywhere, snapshots that only
//!   go forward and that the service itself once took.
//! - The *observers* ([`observe`]) check the rules of Raft on the messages that servers send,
//!   on what they store and on what they apply. They look on in place and change nothing: a run
//!   without them has the same hash.
//!
//! What a run comes to is a [`Report`]. A wait that took too long, or a limit that was passed,
//! is a failure of kind `Limit`; a rule or value that is wrong is an `Assertion` or an
//! `Observer`. The difference matters under the hostile schedule, which may hold up any server
//! for as long as it likes: there, a `Limit` only cuts the run short, and everything else still
//! fails it.
//!
//! # Where we are stricter than the course
//!
//! The scenarios are the course's, with every number and limit of it. Where the years differ,
//! the stricter one holds: all servers go down in every round of `persist2_2c`, and the last two
//! of part 2D run on the unreliable network (both as since 2025). Beyond that:
//!
//! - The applier is strict in all parts. The course checks order only with snapshots; elsewhere
//!   an index may be applied twice, and a server that skips its log after a restart goes unseen.
//! - What a dead instance sends to its service after its crash is ignored: what it has written
//!   since then is lost, so what it believes is no longer evidence.
//! - The limit of 120 s ends a run where the course only looks at the clock afterwards.
//! - Tasks or instances that are left after a run fail it. So do, during the run, tasks of a
//!   server that was killed more than [`KILLED_FOR_MAX`] ago.
//! - A snapshot keeps a follower from standing for election, as Raft §5.2 has it for all that a
//!   leader sends (`install_resets_timer_2d`); Figure 2 names AppendEntries alone.
//! - A command that comes alone does not wait for the next heartbeat (`sent_at_once_2b`). The paper
//!   does not say how soon it is sent.
//! - Tasks and commands that a server piles up have limits, far above what it needs.
//!
//! And where the paper or the course leaves it open, on purpose:
//!
//! - A candidate's term and vote are durable before it asks for other votes, not only before the
//!   answers are counted (`PersistBeforeRequest`, `candidacy_is_durable_2c`).
//! - What a follower drops from its log is dropped on disk before it votes by the shorter log, also
//!   where it drops entries at a request that it refuses: Figure 2 has the log stored before any
//!   answer (`VoteOnlyUpToDate`, `LeaderAppendOnly`).
//! - Backing up by terms is demanded, in part 2C, where the course advises it (`fast_backup_2c`);
//!   a server without passes 2A and 2B.
//! - What a majority said it has is committed, also when their answers come late and one of them
//!   is silent since (`late_success_2b`): Figure 2's `matchIndex` "increases monotonically", though
//!   a leader that asks again would learn it anew.
//! - A follower bears a heartbeat that is half an interval late, on the unreliable network
//!   (`heartbeats_2a`), and a new leader is heard within a third of an interval: Raft §5.6 asks
//!   only that timeouts be much longer than a call takes.
//! - What is committed is applied within 150 ms (`applied_soon_2b`); the course's limits on speed
//!   allow an applier that polls.
//! - A snapshot is stored soon after the service took it, also when nothing else happens
//!   (`snapshot_is_durable_2d`, `install_sender_2d`, `rsm_snapshot_3b`).
//! - A new entry has the next index: no entry of the leader's own comes between
//!   (`leader_rules_2b`), as the course's tests count.
//! - A candidate that hears its term's leader follows even where votes make it look like a
//!   majority, which cannot happen while nobody lies (`candidate_follows_2a`).
//!
//! # To add a scenario
//!
//! Write a function in a file of [`scenarios`](mod@scenarios) and a line in the macro
//! [`scenarios!`](crate::scenarios). The line makes the entry of [`SCENARIOS`] and the `#[test]`
//! in `tests/lab.rs`, and the command line finds it. What the story waits for, it must wait for
//! through the cluster, and what it asserts must hold under every schedule.
//!
//! Read next: [`Cluster`] for what a story can do, then any file of `scenarios/`.

mod application;
mod cluster;
pub mod compare;
mod design;
mod digest;
pub mod kv;
#[cfg(feature = "solutions")]
mod kv_design;
mod list;
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
pub mod scenarios;
mod service;
pub mod situations;
#[cfg(feature = "store")]
pub mod store;
mod store_list;
#[cfg(feature = "solutions")]
mod tick_design;
#[cfg(feature = "cli")]
mod trials;

pub use application::{Application, Living, Seat};
pub use cluster::{Cluster, KILLED_FOR_MAX, LONG};
pub use design::{
    Boot, DESIGN_NAMES, DESIGNS, Design, Facts, Instance, NoSuchDesign, Numbering, Rules, Unfit,
    find_design,
};
pub use digest::Digest;
#[cfg(feature = "solutions")]
pub use kv_design::KV;
pub use raft_rpc::RaftPeer;
pub use report::Report;
pub use run::{Observing, run_and_explain, run_scenario, run_scenario_observing};
pub use scenario::{NoSuchPart, Part, SCENARIOS, Scenario, find_scenario};
pub use service::{Below, Count, Counted, Counter, Counting, KvClient, KvDesign};
#[cfg(feature = "cli")]
pub use trials::tests;

pub use crate::scenarios;
