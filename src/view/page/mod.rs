//! The page that draws a run: one file that opens from disk and asks the network for nothing.
//!
//! `data.rs` turns a record into the data of the page. The program that draws it is written in
//! JavaScript, in the files next to this one. The data is packed, since most of it repeats.

mod data;

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Filter;
use crate::record::Record;

/// Maximum number of events of a page: a browser draws as many without delay.
const EVENTS_MAX: usize = 100_000;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("viewer.css");

/// The program in the order in which its parts build on each other: they make one module.
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

/// The page of the events of `record` that pass `filter`; `hint` is shown with the failure.
///
/// If there are more than 100,000, it has those up to the failure, or else the last ones, and says
/// so.
pub fn page(record: &Record, filter: &Filter, title: &str, hint: Option<&str>) -> String {
    let data = data::data(record, filter, title, hint, EVENTS_MAX);
    let packed = pack(data.to_string().as_bytes());
    // The data goes in last: nothing in it can be taken for a placeholder.
    PAGE.replace("/*VIEWER_CSS*/", STYLE)
        .replace("/*VIEWER_JS*/", &PROGRAM.join("\n"))
        .replace("VIEWER_DATA", &packed)
}

fn pack(bytes: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes any bytes");
    STANDARD.encode(encoder.finish().expect("memory takes any bytes"))
}
