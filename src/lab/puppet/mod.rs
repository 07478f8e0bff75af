//! Puppets: one real server, S0, among servers that the scenario plays itself.
//!
//! A cluster of real servers shows a broken rule only if by chance a moment comes in which the rule
//! matters. With puppets, the scenario creates that moment: it sends S0 requests that a server
//! might send in a real history, answers S0's own calls when and how it likes, and checks the
//! subject of a rule of Figure 2: the reply, the stable storage, the apply channel, or the next
//! call.
//!
//! ```text
//!                     ask_vote, append, install ─►
//!   S1, S2, …         ◄─ reply                            S0 ──► persister
//!   (the scenario)                                     (real) ──► apply channel
//!                     ◄─ RequestVote, AppendEntries, …
//!                     answer now, late, never ─►
//! ```
//!
//! S0 is a server like any other, so it starts an election when it hears from no leader, even in
//! the middle of an exchange. So the scenario wraps an exchange in an [`attempt`](Stage::attempt):
//! each call to S0 reports whether S0 has meanwhile moved to a later term on its own
//! ([`Overtaken`]), and if it has, the attempt is repeated. Each attempt uses [fresh
//! terms](Stage::fresh_term), far above all earlier terms.
//!
//! A puppet is a server too, with one term, one vote and one log, which determine all its replies.
//! The scenario chooses the puppet's first log, and the moments at which calls and replies arrive:
//! a call that is *held* is still in flight; a call that is *handled* has arrived, and its reply is
//! late. So a puppet cannot take back a reply, whatever a leader asks. A scenario that needs a
//! reply that no server would give calls [`lie`](Stage::lie), and explains why.
//!
//! A scenario may judge only what follows from Figure 2, Figure 13 or the lab: implementations
//! differ in when they send, how much, and how often they retry. And it may send S0 only what could
//! really happen: two puppets never lead in one term, no leader contradicts itself in one term, and
//! no puppet contradicts a committed entry.
//!
//! Read [`Stage`] first; then `inbox.rs` (S0's calls), `conduct.rs` (replies), `follower.rs`.

mod conduct;
mod expect;
mod follower;
mod inbox;
mod leading;
mod stage;

pub use conduct::{Appends, Votes};
pub use inbox::Heard;
pub use leading::Leading;
pub use stage::{Overtaken, S0, S1, S2, S3, S4, Stage, at, entries};
