//! Recorded histories as files: the calls of clients, and the answers to them.
//!
//! The [`checker`](crate::checker) judges a history, whatever system recorded it. Three formats can
//! be read; the content of a file tells which one it has:
//!
//! ```text
//! {"client":0,"call":10,"return":25,"op":"put","key":"a","value":"1"}     one operation per line
//! {:process 0, :type :invoke, :f :put, :key "a", :value "1"}              one event per line
//! INFO  jepsen.util - 0  :invoke  :write  1                                  one event in the log
//! ```
//!
//! All formats consist of lines. [`read`] turns them into a [`History`], and [`write()`] writes the
//! first format. An error in a file is reported with its line and column ([`BadInput`]); no file
//! makes these functions panic. Both need the feature `history`; [`History`] itself does not.
//! `docs/history-formats.md` describes the formats in full.

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
