//! Whether a history of concurrent operations is linearizable.
//!
//! Clients call a shared object, each for itself, and write down when they called, when the answer
//! came, and what it was. The object promises to behave as if operations came one at a time, each
//! at some moment between its call and its return. This module finds out whether what was written
//! down can be so. It knows nothing of how the object works, so it judges any: give it a
//! [`Model`] and a history of [`Operation`]s, and [`check`] gives a [`Verdict`].
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
//! // Client 2 has seen the write, so client 3, who came after that, must.
//! assert!(check(&register, &history, &Budget::default()).is_illegal());
//! // Without client 2 the write may come last.
//! let history = [history[0].clone(), history[2].clone()];
//! assert!(check(&register, &history, &Budget::default()).is_ok());
//! ```
//!
//! # The idea
//!
//! Try all orders, and forget none that failed. An operation may come next if nothing that is
//! still to be placed had returned before it was called. It is placed if its answer is right in
//! the state so far, and the search goes on from there; where nothing can be placed it goes back.
//! Two ways to place the same operations that end in the same state have the same future, so the
//! second is cut off (Wing and Gong's search with Lowe's memo). Six things keep it short:
//!
//! - *Keys.* Operations of different keys cannot meet. Each key has a search of its own, and they
//!   take turns: a hard key does not hide a wrong one.
//! - *Small places.* What is remembered of a place is the first return that is not accounted for,
//!   a bit for each operation that overlaps it, and the number of the state. It does not grow with
//!   the history.
//! - *Reads at once.* An operation that only reads is placed as soon as it is right.
//! - *Looking ahead.* A place is given up if an answer that is due soon can no longer come right.
//! - *Less is better.* An operation that never returned need not be placed. It is only where it
//!   shows, and whoever used up fewer of them than another at the same place cuts that one off.
//! - *A few answers.* An answer that no operation can make right is found before the search. And
//!   where the search does not get on, two or more answers there are held against each other,
//!   whatever all other operations did: what they alone forbid is forbidden.
//!
//! # What it promises
//!
//! [`Verdict::Ok`] and [`Verdict::Illegal`] are exact: the first stands for an order that explains
//! every answer, the second says that there is none. [`Verdict::Unknown`] is neither, and must not
//! be taken for a pass. It comes when the [`Budget`] is used up, and then at once. The verdict
//! depends on history, model and budget, not on the machine, nor on the order in which operations
//! are given. Of equal times, calls come before returns.
//!
//! What is illegal is shrunk to a [`Counterexample`]: the fewest answers that contradict each other
//! whatever all other operations did. `draw` and `explain` show it.
//!
//! # What it does not
//!
//! It judges what was recorded. A history whose times were taken on different clocks, or after
//! the answer was handed on, can look legal and illegal at will. And a legal history is not a
//! correct object: it is one run in which nothing showed.
//!
//! # What it costs, and where it blows up
//!
//! A legal history is mostly placed in one go: a million operations a second, where states are
//! small. The problem as such is NP-complete. What is hard are operations that change something,
//! overlap, and are not told apart by what is read soon: `n` of them have `2ⁿ` places and, if the
//! state tells their order, `n!`. Three kinds of history do that:
//!
//! - many clients that write without reading;
//! - many operations that never returned, since these overlap all that comes later;
//! - one object without keys, under load, that is illegal: then all places must be seen.
//!
//! Against these stand the caps of the [`Budget`], and the hints that a [`Model`] may give
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
//! // Twenty appends at a time, and then somebody sees what none of them added.
//! let append = |client| Operation::answered(client, 0, Some(1 << client), 9, vec![]);
//! let mut history: Vec<_> = (0..20).map(append).collect();
//! history.push(Operation::answered(20, 10, None, 19, vec![0]));
//! let budget = Budget { steps: 100_000, ..Budget::default() };
//! assert_eq!(check(&List, &history, &budget), Verdict::Unknown(Why::Steps));
//! ```
//!
//! # Where to read next
//!
//! [`models`] has a register, keys with texts, keys with versions, and a counter; [`PerKey`] makes
//! many objects of one, and [`PowerSet`] a model of what may go either way. Inside, `search/` is
//! the search of one key, `check.rs` how they take turns, `contradiction.rs` what a few answers
//! show, `shrink.rs` how a counterexample is made. [`is_linearizable`] stops at the verdict.
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
