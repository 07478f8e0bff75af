//! What the two clocks and the types above them share; nothing here depends on the clock.
//!
//! Files: [`outcome`] (the configuration and the result of a run), [`here`] (what a failure says of
//! its task and its time), [`instant`] (points in time), [`chance`] (random streams), [`shared`]
//! (the data of a run), [`kept`] (the choices that it keeps), [`turns`] (timers that go first),
//! [`wake_ups`] (when a task that polls futures is woken), [`channel_errors`], [`panics`] (from a
//! panic to a failure), [`aborts`] (a panic that std answers with `abort`).

pub(super) mod aborts;
pub(super) mod chance;
pub(super) mod channel_errors;
pub(super) mod here;
pub(super) mod instant;
pub(super) mod kept;
pub(super) mod outcome;
pub(super) mod panics;
pub(super) mod shared;
pub(super) mod turns;
pub(super) mod wake_ups;
