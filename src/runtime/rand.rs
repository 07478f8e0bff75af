//! Chance: named streams of pseudo-random numbers, each a function of (seed, name).

use super::context;

pub use super::base::chance::Chance;

/// Returns the stream called `name` of the current run, from its beginning.
///
/// The stream depends on the run's seed and on the name, not on draws elsewhere: one more draw from
/// one stream changes no number of another. Two streams of one name have the same numbers. Outside
/// a run the seed is 0.
///
/// So servers that all ask for `"election"` draw the same timeouts, become candidates together,
/// split every vote and never elect a leader. Put the server's id into the name, and also the term
/// in which the server starts; otherwise it draws the same timeouts after every restart.
///
/// ```
/// let mut chance = raftlab::runtime::rand::stream("election of S1 in term 3");
/// let timeout_ms = 400 + chance.below(400);
/// assert!((400..800).contains(&timeout_ms));
/// ```
pub fn stream(name: &str) -> Chance {
    Chance::new(context::seed(), name)
}
