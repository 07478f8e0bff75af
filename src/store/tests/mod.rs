//! Tests of a few servers together; those of one part stand beside it.

mod cluster;
mod service;
mod transfers;
