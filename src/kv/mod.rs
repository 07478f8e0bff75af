//! The key/value service: a map that survives crashes and partitions, as if it were one machine.
//!
//! Each of several servers has the whole map. A log that they agree on (any
//! [`Consensus`](crate::api::Consensus); this module depends on no particular one) fixes the order
//! of changes. So clients cannot distinguish the service from a single map that carries out each
//! operation at one moment between its call and its answer, whatever fails meanwhile: the service
//! is *linearizable* (Raft §8).
//!
//! # The picture
//!
//! ```text
//! Clerk ── put k v, request 7 of C3 ──► KvServer ── submit ──► Rsm ── start ──► Consensus
//!   ▲       to the leader, retried        │                   │                   │
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
//! | Question | Answer | File |
//! | --- | --- | --- |
//! | Which answer is mine? | that of the entry with my index *and* my term | `waiters.rs` |
//! | What if no answer comes? | an error says whether the operation may have happened | `rsm.rs` |
//! | Which task changes the state? | only one, in the order of the log | `reader.rs` |
//! | How does a change happen only once? | sessions remember the requests applied | `session.rs` |
//! | Why no session for versioned puts? | a second copy finds another version | `machine.rs` |
//! | How does a client get its answer? | it retries, and remembers that it did | `clerk.rs` |
//!
//! # What it promises
//!
//! - Every operation takes effect at one moment between its call and its return.
//! - Put and append take effect once, however often they are sent. A versioned put that is
//!   refused did not happen, or its error says that it may have
//!   ([`PutError::Maybe`](crate::api::PutError::Maybe)).
//! - A read sees every operation that was answered before the read came, even if the read adds no
//!   entry to the log ([`Reads`](crate::api::Reads)).
//! - Every call to a server returns: with the outcome, when leadership is lost, or when the
//!   instance is killed. The service does not keep a killed instance alive.
//!
//! # Not promised
//!
//! - Without a majority of servers there is no answer: clerks retry for ever.
//! - Sessions are never removed: each clerk that ever changed a key keeps some ten bytes.
//!
//! # Where to read next
//!
//! `api/kv_rpc.rs` has the calls. `retry.rs` decides which server a clerk asks next. `rsm.rs` is
//! the layer above the log, which does not depend on keys. `docs/decisions/reads.md` explains how
//! reads work without a log entry, and how much that saves.

mod clerk;
mod machine;
mod reader;
mod retry;
mod rsm;
mod server;
mod session;
mod waiters;

pub use clerk::{Clerk, KvPeer};
pub use machine::{KvMachine, KvOp, KvOutput};
pub use retry::{CALL_PATIENCE, CALL_PATIENCE_MAX, ROUND_PAUSE};
#[cfg(feature = "store")]
pub(crate) use retry::{ClerkSession, in_time};
pub use rsm::{LEADERSHIP_CHECK_INTERVAL, Rsm};
pub use server::KvServer;
