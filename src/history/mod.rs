//! Recorded histories: what clients called and what came back, as files.
//!
//! A history is judged by [`checker`](crate::checker), whoever recorded it. Three formats are read,
//! and told apart by what the file holds:
//!
//! ```text
//! {"client":0,"call":10,"return":25,"op":"put","key":"a","value":"1"}     one operation a line
//! {:process 0, :type :invoke, :f :put, :key "a", :value "1"}              one event a line
//! INFO  jepsen.util - 0  :invoke  :write  1                                  one event in the log
//! ```
//!
//! All are lines; [`read`] turns them into a [`History`], and [`write()`] makes the first of it.
//! What is wrong with a file is said with its line and column ([`BadInput`]); no file makes these
//! functions panic. Both need the feature `history`; [`History`] itself does not.
//! `docs/history-formats.md` has the formats in full.

#[cfg(feature = "history")]
mod convert;
#[cfg(feature = "history")]
mod edn;
#[cfg(feature = "history")]
mod entry;
#[cfg(feature = "history")]
mod event;
#[cfg(feature = "history")]
mod jepsen;
#[cfg(feature = "history")]
mod json;
#[cfg(feature = "history")]
mod place;
#[cfg(feature = "history")]
mod read;
#[cfg(all(test, feature = "history"))]
mod tests;
mod typed;
#[cfg(feature = "history")]
mod write;

#[cfg(feature = "history")]
pub use place::{BadInput, Place};
#[cfg(feature = "history")]
pub use read::{Format, Recorded, read};
pub use typed::{
    History, Judge, KvOperation, ModelName, RegisterOperation, Registers, Value, VersionedOperation,
};
#[cfg(feature = "history")]
pub use write::write;
