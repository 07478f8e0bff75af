//! Tests of a storage, and of a few servers together; a single part has its tests in its own file.

mod cluster;
mod failures;
mod images;
mod lives;
mod log;
mod sending;
mod service;
mod torn;
mod transfers;
