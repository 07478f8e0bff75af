//! The key/value service as an application of a cluster.

use std::sync::Arc;

use crate::api::{Reads, RsmConfig};
use crate::lab::application::{Application, Living, Seat};
use crate::lab::cluster::Cluster;
use crate::lab::service::{self, KvDesign};

/// The application that makes each server of the cluster a key/value server.
struct KvService {
    design: KvDesign,
    config: RsmConfig,
}

impl Application for KvService {
    fn begin_life(&self, seat: Seat) -> Box<dyn Living> {
        service::begin(seat, self.config, self.design.server)
    }
}

impl Cluster {
    /// Boots the servers with the key/value service. The service takes a snapshot when the raft
    /// state exceeds `raft_state_max` bytes; with `None`, never.
    pub fn serve_kv(&self, raft_state_max: Option<usize>) {
        self.serve_kv_reading(raft_state_max, Reads::default());
    }

    /// Boots the servers like [`Cluster::serve_kv`]; `reads` chooses how the service answers reads.
    pub fn serve_kv_reading(&self, raft_state_max: Option<usize>, reads: Reads) {
        let config = RsmConfig { raft_state_max, reads };
        self.serve(Arc::new(KvService { design: self.kv_design(), config }));
    }
}
