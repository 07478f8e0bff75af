//! The page that draws a run: one HTML file, which a browser can open from disk without a network.
//!
//! `data.rs` turns a record into the data of the page. The program that draws the data is in
//! JavaScript, in the files next to this one. The data is compressed, because it is repetitive.

mod data;
mod marks;

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Filter;
use crate::record::Record;

pub use marks::Mark;

/// Maximum number of events of a page: a browser can draw this many without delay.
const EVENTS_MAX: usize = 100_000;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("viewer.css");

/// The parts of the program, each before the parts that use it. Together they are one module.
const PROGRAM: [&str; 11] = [
    include_str!("model.js"),
    include_str!("messages.js"),
    include_str!("states.js"),
    include_str!("spans.js"),
    include_str!("shapes.js"),
    include_str!("rows.js"),
    include_str!("diagram.js"),
    include_str!("overview.js"),
    include_str!("panels.js"),
    include_str!("app.js"),
    include_str!("main.js"),
];

/// What a page says besides the events of a record.
#[derive(Debug, Clone, Default)]
pub struct Beside<'a> {
    /// What the run is about.
    pub title: &'a str,
    /// The command that repeats the run, as the reader must type it; empty without one.
    pub replay: &'a str,
    /// The verdict on a run without a failure; empty: the page says that it has none.
    pub verdict: &'a str,
    /// Where to look first, shown with the failure.
    pub hint: Option<&'a str>,
    /// What a checker found out about the clients' operations.
    pub marks: &'a [Mark],
}

/// Makes the page of the events of `record` that pass `filter`.
///
/// If there are more than 100,000 such events, the page has only the last ones, and says so.
pub fn page(record: &Record, filter: &Filter, beside: &Beside<'_>) -> String {
    let data = data::data(record, filter, beside, EVENTS_MAX);
    let packed = pack(data.to_string().as_bytes());
    // The data is filled in last, so that no text in it is replaced as a placeholder.
    PAGE.replace("/*VIEWER_CSS*/", STYLE)
        .replace("/*VIEWER_JS*/", &PROGRAM.join("\n"))
        .replace("VIEWER_DATA", &packed)
}

fn pack(bytes: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes any bytes");
    STANDARD.encode(encoder.finish().expect("memory takes any bytes"))
}
