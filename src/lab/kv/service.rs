//! The key/value service as the service of a cluster.

use crate::api::{Reads, RsmConfig};
use crate::lab::cluster::Cluster;
use crate::lab::service;

impl Cluster {
    /// Boots the servers with the key/value service. The service takes a snapshot when the raft
    /// state exceeds `raft_state_max` bytes; with `None`, never.
    pub fn serve_kv(&self, raft_state_max: Option<usize>) {
        self.serve_kv_reading(raft_state_max, Reads::default());
    }

    /// Boots the servers like [`Cluster::serve_kv`]; `reads` chooses how the service answers reads.
    pub fn serve_kv_reading(&self, raft_state_max: Option<usize>, reads: Reads) {
        let (server, config) = (self.kv_design().server, RsmConfig { raft_state_max, reads });
        self.serve(move |context| service::start(context, config, server));
    }
}
