//! The key/value service that ships with raftlab, as the suite sees it.

use std::sync::Arc;

use crate::api::kv_rpc::{ClientId, KvRpc as _, Version};
use crate::api::{PutError, RsmConfig, ServerId, SubmitError};
use crate::kv::{Clerk, KvPeer, KvServer, Rsm};
use crate::lab::{
    Count, Counted, Counter, Counting, KvClient, KvDesign, ServiceContext, ServiceInstance,
};
use crate::labrpc::{Host, Network, Service};

/// A key/value service above a Raft: its server, its clerk, and its replicated state machine.
pub const KV: KvDesign = KvDesign { server, client, counter };

fn server(context: ServiceContext, config: RsmConfig) -> Result<Box<dyn ServiceInstance>, String> {
    let ServiceContext { consensus, apply_ch, stored, .. } = context;
    let started = KvServer::start(consensus, apply_ch, stored, config);
    Ok(Box::new(started.map_err(|error| error.to_string())?))
}

fn client(id: u64, network: &Network, host: Host, servers: usize) -> Box<dyn KvClient> {
    let end = |slot| KvPeer::from(network.end(host, Host::Server(ServerId::from_slot(slot))));
    Box::new(Clerk::new(ClientId(id), (0..servers).map(end).collect()))
}

fn counter(context: ServiceContext, config: RsmConfig) -> Result<Arc<dyn Counting>, String> {
    let ServiceContext { consensus, apply_ch, stored, .. } = context;
    let started = Rsm::start(consensus, apply_ch, Counter::default(), stored, config);
    Ok(Arc::new(started.map_err(|error| error.to_string())?))
}

impl ServiceInstance for KvServer {
    fn services(&self) -> Vec<Service> {
        vec![Service::new(self.clone().serve())]
    }

    fn end(&self) {
        self.kill();
    }
}

impl KvClient for Clerk {
    fn get(&mut self, key: &str) -> String {
        Clerk::get(self, key)
    }

    fn put(&mut self, key: &str, value: &str) {
        Clerk::put(self, key, value);
    }

    fn append(&mut self, key: &str, value: &str) {
        Clerk::append(self, key, value);
    }

    fn get_versioned(&mut self, key: &str) -> Option<(String, u64)> {
        Clerk::get_versioned(self, key).map(|(value, version)| (value, version.0))
    }

    fn put_versioned(&mut self, key: &str, value: &str, version: u64) -> Result<(), PutError> {
        Clerk::put_versioned(self, key, value, Version(version))
    }
}

impl Counting for Rsm<Counter> {
    fn submit(&self, op: &Count) -> Result<Counted, SubmitError> {
        Rsm::submit(self, op)
    }

    fn value(&self) -> i64 {
        self.inspect(|counter| counter.value)
    }
}

impl ServiceInstance for Rsm<Counter> {
    fn end(&self) {
        self.kill();
    }
}
