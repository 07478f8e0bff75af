//! Decides whether a history of concurrent operations is linearizable.
//!
//! Clients call a shared object independently of each other and record each call, its return and
//! its answer: this record is a *history*. The object is *linearizable* if it behaves as if the
//! operations came one at a time, each at some moment between its call and its return. This module
//! decides whether the recorded answers allow that. It knows nothing of how the object works, so it
//! can judge any object: [`check`] takes a [`Model`] of the object and a history of [`Operation`]s,
//! and returns a [`Verdict`].
//!
//! ```
//! use raftlab::checker::models::{Register, RegisterInput::*, RegisterOutput::*};
//! use raftlab::checker::{Budget, Operation, check};
//!
//! // 1  ├─ write 7 ─────────────┤
//! // 2     ├─ read → 7 ─┤
//! // 3                     ├─ read → nil ─┤
//! let history = [
//!     Operation::answered(1, 0, Write(7), 30, Done),
//!     Operation::answered(2, 5, Read, 15, Value(Some(7))),
//!     Operation::answered(3, 20, Read, 40, Value(None)),
//! ];
//! let register = Register::<u32>::new();
//! // Client 2 has read 7, so client 3, which called later, must read 7 too.
//! assert!(check(&register, &history, &Budget::default()).is_illegal());
//! // Without client 2's read, the write may come last.
//! let history = [history[0].clone(), history[2].clone()];
//! assert!(check(&register, &history, &Budget::default()).is_ok());
//! ```
//!
//! # The idea
//!
//! The search tries all orders, one operation after the other. To *place* an operation is to append
//! it to the order. An operation may be placed next if no unplaced operation had returned before it
//! was called. The search places it if its answer is right in the current state, and continues from
//! the state after it. If no operation can be placed, the search backtracks. The placed operations
//! and the state are a *configuration*. Two orders of the same operations that end in the same
//! state have the same future. So the search remembers all configurations, and follows only the
//! first order that leads to one (Wing and Gong's search with Lowe's memo). Six things keep it
//! short:
//!
//! - *Keys.* Operations on different keys do not affect each other. Each key has a search of its
//!   own, and the searches take turns: a hard key does not hide a wrong one.
//! - *Small configurations.* For each configuration the memo stores the first return whose
//!   operation is not placed, a bit for each operation that overlaps this return, and the number of
//!   the state. The size does not grow with the history.
//! - *Reads at once.* An operation that only reads is placed as soon as its answer is right.
//! - *Looking ahead.* The search abandons a configuration in which one of the next answers can no
//!   longer become right.
//! - *Less is better.* An operation that never returned need not be placed. The search places it
//!   only where another operation can see its effect. Some configurations differ only in the
//!   operations of this kind that they have used up. If one has used up all that another has, and
//!   more, the search abandons it.
//! - *A few answers.* Before the search, the checker looks for an answer that no operation can make
//!   right. And when the search is stuck, it compares a few answers nearby with each other,
//!   whatever all other operations did: if they alone contradict each other, the history is
//!   illegal.
//!
//! # What it promises
//!
//! [`Verdict::Ok`] and [`Verdict::Illegal`] are exact: `Ok` means that some order explains every
//! answer, `Illegal` that no order does. [`Verdict::Unknown`] means that the [`Budget`] ran out,
//! and must not be taken for a pass. If `stop` returns `true` or the steps run out, the check ends
//! at once. If the memory runs out, it first searches the other keys, since one of them may still
//! be illegal. The verdict depends on history, model and budget, not on the machine, nor on the
//! order in which operations are given. At equal times, calls come before returns.
//!
//! An illegal history is shrunk to a [`Counterexample`]: answers that contradict each other
//! whatever all other operations did. If the budget is large enough, none of these answers can be
//! left out. `draw` and `explain` show the counterexample.
//!
//! # What it does not promise
//!
//! The checker judges only what was recorded. If times were taken on different clocks, or after the
//! answer was passed on, a legal history can look illegal, and an illegal history legal. And a
//! legal history does not prove the object correct: it is one run in which no error showed.
//!
//! # What it costs, and which histories are expensive
//!
//! Most legal histories need almost no backtracking: if states are small, the search places a
//! million operations a second. The general problem is NP-complete. Operations are hard to order if
//! they overlap, change something, and no read soon after shows their order: `n` of them have `2ⁿ`
//! configurations, or `n!` if the state depends on their order. Three kinds of history have such
//! operations:
//!
//! - a history of many clients that write without reading;
//! - a history with many operations that never returned, since these overlap everything later;
//! - an illegal history of many clients on one object without keys: the search must visit all
//!   configurations.
//!
//! The [`Budget`] limits the cost, and the hints that a [`Model`] may give reduce it
//! ([`reads_only`](Model::reads_only), [`sight`](Model::sight), [`provides`](Model::provides),
//! [`overwrites`](Model::overwrites)). A model without hints:
//!
//! ```
//! use raftlab::checker::{Budget, Model, Operation, Verdict, Why, check};
//!
//! type Numbers = Vec<u32>;
//!
//! /// A list that is appended to, and read.
//! struct List;
//!
//! impl Model for List {
//!     type State = Numbers;
//!     type Input = Option<u32>;
//!     type Output = Numbers;
//!     type Key = ();
//!
//!     fn initial(&self) -> Numbers {
//!         vec![]
//!     }
//!
//!     fn step(&self, list: &Numbers, new: &Option<u32>, seen: Option<&Numbers>) -> Option<Numbers>
//!     {
//!         match new {
//!             Some(new) => Some([&list[..], &[*new]].concat()),
//!             None => (seen == Some(list)).then(|| list.clone()),
//!         }
//!     }
//!
//!     fn key(&self, _: &Option<u32>) {}
//! }
//!
//! // Twenty concurrent appends, and then a read of an element that none of them added.
//! let append = |client| Operation::answered(client, 0, Some(1 << client), 9, vec![]);
//! let mut history: Vec<_> = (0..20).map(append).collect();
//! history.push(Operation::answered(20, 10, None, 19, vec![0]));
//! let budget = Budget { steps: 100_000, ..Budget::default() };
//! assert_eq!(check(&List, &history, &budget), Verdict::Unknown(Why::Steps));
//! ```
//!
//! # Where to read next
//!
//! [`models`] has a register, a store of texts, a store of versioned texts, and a counter.
//! [`PerKey`] makes a model with one object per key. [`PowerSet`] makes a model of an object whose
//! operations may have several outcomes. [`is_linearizable`] returns only the verdict. Of the
//! private files, `search/` is the search of one key, `check.rs` lets the searches take turns,
//! `contradiction.rs` finds a few answers that contradict each other, and `shrink.rs` makes the
//! counterexample.
//!
//! [`PerKey`]: models::PerKey

mod check;
mod contradiction;
pub mod describe;
pub mod draw;
pub mod explain;
mod history;
mod limits;
mod longest;
mod memo;
mod model;
pub mod models;
mod orders;
mod part;
mod pending;
mod power_set;
mod search;
mod shrink;
mod table;
mod verdict;

pub use check::{check, is_linearizable};
pub use history::Operation;
pub use model::{Model, NondeterministicModel, Sight};
pub use orders::{moments, orders};
pub use power_set::PowerSet;
pub use verdict::{Budget, Counterexample, Verdict, Why};
