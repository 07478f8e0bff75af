//! Tests of a storage and of a few servers together; those of one part stand beside it.

mod cluster;
mod failures;
mod images;
mod lives;
mod log;
mod sending;
mod service;
mod torn;
mod transfers;
