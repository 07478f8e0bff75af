//! Makes a design from a changed copy of `src/raft` or of `src/kv`.
//!
//! A copy of `src/raft` runs with the repository's service, a copy of `src/kv` with the
//! repository's servers. Both sides use the messages and errors of `api`, so they fit together.
//! `raftlab zoo` and `scripts/fair` build this file into their programs.

/// A design whose servers are those of the module `$module`.
macro_rules! design {
    ($module:ident, $name:literal) => {
        lab::Design {
            name: $name,
            make: |boot| {
                let me = Host::Server(boot.me);
                let peers = (0..boot.servers).map(api::ServerId::from_slot).map(Host::Server);
                let peers = peers.map(|peer| boot.network.end(me, peer).into()).collect();
                let raft = $module::Raft::make(peers, boot.me, boot.persister, boot.apply_ch)?;
                let services = vec![Service::new(raft.clone().serve())];
                Ok(lab::Instance { consensus: std::sync::Arc::new(raft), services })
            },
            ..lab::DESIGNS[0]
        }
    };
}

/// A design whose key/value service is that of the module `$module`.
macro_rules! kv_design {
    ($module:ident, $name:literal) => {{
        use std::sync::Arc;

        use api::kv_rpc::{ClientId, KvRpc as _, Version};
        use api::{PutError, SubmitError};
        use lab::{Count, Counted, Counter, Counting, KvClient, ServiceContext, ServiceInstance};

        impl Counting for $module::Rsm<Counter> {
            fn submit(&self, op: &Count) -> Result<Counted, SubmitError> {
                $module::Rsm::submit(self, op)
            }

            fn value(&self) -> i64 {
                self.inspect(|counter| counter.value)
            }
        }

        impl ServiceInstance for $module::Rsm<Counter> {
            fn end(&self) {
                self.kill();
            }
        }

        impl ServiceInstance for $module::KvServer {
            fn services(&self) -> Vec<Service> {
                vec![Service::new(self.clone().serve())]
            }

            fn end(&self) {
                self.kill();
            }
        }

        impl KvClient for $module::Clerk {
            fn get(&mut self, key: &str) -> String {
                $module::Clerk::get(self, key)
            }

            fn put(&mut self, key: &str, value: &str) {
                $module::Clerk::put(self, key, value);
            }

            fn append(&mut self, key: &str, value: &str) {
                $module::Clerk::append(self, key, value);
            }

            fn get_versioned(&mut self, key: &str) -> Option<(String, u64)> {
                let found = $module::Clerk::get_versioned(self, key);
                found.map(|(value, version)| (value, version.0))
            }

            fn put_versioned(
                &mut self,
                key: &str,
                value: &str,
                version: u64,
            ) -> Result<(), PutError> {
                $module::Clerk::put_versioned(self, key, value, Version(version))
            }
        }

        let kv = lab::KvDesign {
            server: |ServiceContext { consensus, apply_ch, stored, .. }, config| {
                let server = $module::KvServer::start(consensus, apply_ch, stored, config);
                Ok(Box::new(server.map_err(|error| error.to_string())?))
            },
            client: |id, network, host, servers| {
                let servers = (0..servers).map(api::ServerId::from_slot).map(Host::Server);
                let ends = servers.map(|server| network.end(host, server).into()).collect();
                Box::new($module::Clerk::new(ClientId(id), ends))
            },
            counter: |ServiceContext { consensus, apply_ch, stored, .. }, config| {
                let machine = Counter::default();
                let counter = $module::Rsm::start(consensus, apply_ch, machine, stored, config);
                Ok(Arc::new(counter.map_err(|error| error.to_string())?))
            },
        };
        lab::Design { name: $name, kv: Some(kv), ..lab::DESIGNS[0] }
    }};
}
