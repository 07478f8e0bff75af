//! Decides whether a history of concurrent operations is linearizable.
//!
//! Clients call a shared object independently of each other and record each call, its return and
//! its answer. The object promises to behave as if the operations came one at a time, each at some
//! moment between its call and its return. This module decides whether the recorded answers allow
//! that. It knows nothing of how the object works, so it can judge any object: [`check`] takes a
//! [`Model`] of the object and a history of [`Operation`]s, and returns a [`Verdict`].
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
//! Try all orders, and remember each configuration (the placed operations and the state) that
//! failed. An operation may be placed next if no unplaced operation had returned before it was
//! called. It is placed if its answer is right in the current state, and the search continues from
//! there; if no operation can be placed, the search backtracks. Two orders of the same operations
//! that end in the same state have the same future, so the search follows only the first (Wing and
//! Gong's search with Lowe's memo). Six things keep it short:
//!
//! - *Keys.* Operations on different keys do not affect each other. Each key has a search of its
//!   own, and the searches take turns: a hard key does not hide a wrong one.
//! - *Small configurations.* The memo stores, for each configuration, the first return that is not
//!   accounted for, a bit for each operation that overlaps it, and the number of the state. The
//!   size does not grow with the history.
//! - *Reads at once.* An operation that only reads is placed as soon as its answer is right.
//! - *Looking ahead.* A configuration is abandoned if an answer that is due soon can no longer
//!   become right.
//! - *Less is better.* An operation that never returned need not be placed. It is placed only where
//!   its effect can be seen. If two configurations differ only in such operations, and one has used
//!   up all that the other has and more, that one is cut off.
//! - *A few answers.* An answer that no operation can make right is found before the search. And
//!   where the search is stuck, two or more answers nearby are compared with each other, whatever
//!   all other operations did: if they alone contradict each other, the history is illegal.
//!
//! # What it promises
//!
//! [`Verdict::Ok`] and [`Verdict::Illegal`] are exact: the first means that some order explains
//! every answer, the second that no order does. [`Verdict::Unknown`] is neither, and must not be
//! taken for a pass. It is returned when the [`Budget`] runs out: at once for steps and for `stop`,
//! and for memory after the other keys were searched, since one of them may still be illegal. The
//! verdict depends on history, model and budget, not on the machine, nor on the order in which
//! operations are given. At equal times, calls come before returns.
//!
//! An illegal history is shrunk to a [`Counterexample`]: answers that contradict each other
//! whatever all other operations did, and, as far as the budget goes, none of which can be left
//! out. `draw` and `explain` show it.
//!
//! # What it does not promise
//!
//! The checker judges only what was recorded. If times were taken on different clocks, or after the
//! answer was passed on, a legal history can look illegal, and an illegal one legal. And a legal
//! history does not prove the object correct: it is one run in which no error showed.
//!
//! # What it costs, and where it blows up
//!
//! A legal history is mostly placed without backtracking: a million operations a second, where
//! states are small. The general problem is NP-complete. The hard operations change something,
//! overlap, and are not told apart by a read soon after: `n` of them have `2ⁿ` configurations and,
//! if the state depends on their order, `n!`. Three kinds of history have such operations:
//!
//! - many clients that write without reading;
//! - many operations that never returned, since these overlap everything that comes later;
//! - one object without keys, under load, that is illegal: then all configurations must be visited.
//!
//! The caps of the [`Budget`] limit the cost, and the hints that a [`Model`] may give reduce it
//! ([`reads_only`](Model::reads_only), [`sight`](Model::sight), [`provides`](Model::provides),
//! [`overwrites`](Model::overwrites)). Without hints:
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
//! [`models`] has a register, a store of texts, a store of versioned texts, and a counter;
//! [`PerKey`] makes one object per key, and [`PowerSet`] a model of an object whose operations may
//! have several outcomes. Inside, `search/` is the search of one key, `check.rs` lets the searches
//! take turns, `contradiction.rs` finds a few answers that contradict each other, and `shrink.rs`
//! makes the counterexample. [`is_linearizable`] stops at the verdict.
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
pub use power_set::PowerSet;
pub use verdict::{Budget, Counterexample, Verdict, Why};
