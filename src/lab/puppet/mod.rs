//! Puppets: one real server, S0, among servers that the scenario plays itself.
//!
//! A cluster of real servers shows a broken rule only when chance brings the moment in which the
//! rule matters. Here the scenario makes that moment: it says to S0 what any server might say in
//! a real history, answers S0's own calls when and how it likes, and looks at what a rule of
//! Figure 2 is about: the reply, the stable storage, the apply channel, the next call.
//!
//! ```text
//!                     ask_vote, append, install ─►
//!   S1, S2, …         ◄─ reply                            S0 ──► persister
//!   (the scenario)                                     (real) ──► apply channel
//!                     ◄─ RequestVote, AppendEntries, …
//!                     answer now, late, never ─►
//! ```
//!
//! S0 is a server like any other, so it stands for election when it hears nothing, also in the
//! middle of a question. So a question is put in an [`attempt`](Stage::attempt): each exchange
//! says whether S0 has gone to a term of its own accord meanwhile ([`Overtaken`]), and then the
//! attempt is made again. Each takes [fresh terms](Stage::fresh_term), far above those before.
//!
//! A puppet is a server, too, with one term, one vote and one log ([`Follower`]), and every
//! answer follows from those. The scenario decides what its log is at first, and when calls and
//! answers arrive: a call that is *held* is still on its way; one that is *taken in* has arrived,
//! and its answer is late. So a puppet cannot take back what it said, however a leader asks. A
//! scenario that needs an answer no server would give says [`lie`](Stage::lie), and why.
//!
//! What is judged must follow from Figure 2, Figure 13 or the lab: implementations differ in
//! when they send, how much, and how often they repeat it. And what is said to S0 must be
//! something that could happen: two puppets never lead in one term, no leader contradicts itself
//! in one term, and no puppet contradicts an entry that is committed.
//!
//! Read [`Stage`] first; `inbox.rs` has what S0 says, `follower.rs` what a puppet answers.

mod conduct;
mod follower;
mod inbox;
mod leading;
mod stage;

pub use conduct::{Appends, Votes};
pub use follower::Follower;
pub use inbox::Heard;
pub use leading::Leading;
pub use stage::{Overtaken, S0, S1, S2, S3, S4, Stage, at, entries};
