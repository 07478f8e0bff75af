//! The key/value service: a map that survives crashes and partitions, as if it were one machine.
//!
//! Several servers each have the whole map. A log that they agree on (any
//! [`Consensus`](crate::api::Consensus); this module knows none by name) says in which order it
//! changes. So whoever asks, and whatever fails meanwhile, sees what a single map would have
//! shown that carried out each operation at one moment between its call and its answer: the
//! service is *linearizable* (Raft §8).
//!
//! # The picture
//!
//! ```text
//! Clerk ── put k v, request 7 of C3 ──► KvServer ── submit ──► Rsm ── start ──► Consensus
//!   ▲       to the leader, again          │                   │                   │
//!   │       until there is an answer      │                   ▼                   │
//!   │                                     │                waiters                │
//!   └─────────────── done ◄───────────────┘                   ▲                   │
//!                                                           reader ◄─ apply_ch ───┘
//!                                                             │
//!                                                             ▼
//!                                                   KvMachine: values, sessions
//! ```
//!
//! # The ideas, one file each
//!
//! | The question | The answer | file |
//! | --- | --- | --- |
//! | Which answer is mine? | that of the entry with my index *and* my term | `waiters.rs` |
//! | What if there is none? | an error says whether the operation may have happened | `rsm.rs` |
//! | Who changes the state? | one task, in the order of the log | `reader.rs` |
//! | How does it happen once? | numbered requests, remembered where applied | `session.rs` |
//! | Why may versions do without? | a put that has happened finds another version | `machine.rs` |
//! | How does a client find out? | it asks on, and remembers that it asked before | `clerk.rs` |
//!
//! # What it promises
//!
//! - Every operation takes effect at one moment between its call and its return.
//! - Put and append take effect once, however often they are sent. A versioned put that is
//!   refused has not happened, or says that it does not know
//!   ([`PutError::Maybe`](crate::api::PutError::Maybe)).
//! - A read sees all that was answered before it was asked, also when it takes no entry of the
//!   log ([`Reads`](crate::api::Reads)).
//! - Every call to a server returns: with the outcome, when leadership is lost, or when the
//!   instance is killed. Nothing here keeps a killed instance alive.
//!
//! # What it does not
//!
//! - An answer without a majority: clerks ask for ever.
//! - To forget clients: a session stays, some ten bytes for every clerk that ever changed a key.
//!
//! # Reading on
//!
//! `api/kv_rpc.rs` has the calls, `asking.rs` whom a clerk asks next, `rsm.rs` the layer above the
//! log, which knows nothing of keys. How reads do without the log, and what that saves, is in
//! `docs/decisions/reads.md`.

mod asking;
mod clerk;
mod machine;
mod reader;
mod rsm;
mod server;
mod session;
mod waiters;

#[cfg(feature = "store")]
pub(crate) use asking::{Asker, in_time};
pub use asking::{CALL_PATIENCE, CALL_PATIENCE_MAX, ROUND_PAUSE};
pub use clerk::{Clerk, KvPeer};
pub use machine::{KvMachine, KvOp, KvOutput};
pub use rsm::{LEADERSHIP_CHECK_INTERVAL, Rsm};
pub use server::KvServer;
