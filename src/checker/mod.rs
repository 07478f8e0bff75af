//! Whether a history of concurrent operations is linearizable.

mod check;
pub mod describe;
pub mod draw;
pub mod explain;
mod history;
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

pub use check::check;
pub use history::Operation;
pub use model::{Model, NondeterministicModel, Sight};
pub use power_set::PowerSet;
pub use verdict::{Budget, Counterexample, Verdict, Why};
