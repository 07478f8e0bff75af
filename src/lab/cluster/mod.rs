//! The cluster that a scenario runs on.

use crate::api::{Index, ServerId};

/// Servers, the network between them and what they applied; a handle.
#[derive(Clone)]
pub struct Cluster {}

impl Cluster {
    /// Waits until exactly one connected server leads, and returns it.
    pub fn check_one_leader(&self) -> ServerId {
        unimplemented!("bodies follow")
    }

    /// Gets `command` committed at `servers` servers at least, and returns its index.
    pub fn one(&self, command: &[u8], servers: usize, retry: bool) -> Index {
        let _ = (command, servers, retry);
        unimplemented!("bodies follow")
    }
}
