//! Views of a record: lines, columns, a page, and files for other programs.
//!
//! ```text
//! Record ─► Filter ─► Table ─► lines      one event per line
//!    │                    └──► columns    one column per server
//!    ├──► page       a page that draws the run, for a browser
//!    ├──► trace      Chrome's trace format, which Perfetto opens
//!    ├──► shiviz     a log with vector clocks
//!    └──► diff       the first event at which two runs differ
//! ```
//!
//! `classic.rs` makes a [`Table`] of another kind of log: lines of the shape `TIME TOPIC S1 text`,
//! which many students' servers print.

mod classic;
mod clock;
mod columns;
mod diff;
mod filter;
mod lines;
mod page;
mod shiviz;
mod table;
#[cfg(test)]
mod testing;
mod trace;

pub use classic::{NotClassic, classic};
pub use columns::columns;
pub use diff::diff;
pub use filter::Filter;
pub use lines::{legend, lines, lines_with_state, style_of};
pub use page::{Beside, Mark, page};
pub use shiviz::shiviz;
pub use table::{Row, Table};
pub use trace::trace;
