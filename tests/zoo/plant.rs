//! Makes a design of a broken copy: of `src/raft`, under the service of the repository, or of
//! `src/kv`, above its servers. `scripts/zoo` builds it into its program.
//!
//! A copy's types are its own, so the second has to be told how the suite's words are said in it.

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

        use lab::{Below, Count, Counted, Counter, Counting, KvClient, Living};
        use raftlab::kv;
        use $module::rpc::KvRpc as _;

        fn config(config: kv::RsmConfig) -> $module::RsmConfig {
            let reads = match config.reads {
                kv::Reads::ThroughLog => $module::Reads::ThroughLog,
                kv::Reads::ReadIndex => $module::Reads::ReadIndex,
            };
            $module::RsmConfig { raft_state_max: config.raft_state_max, reads }
        }

        fn found(stored: kv::Stored) -> $module::Stored {
            let kv::Stored { persister, snapshot } = stored;
            $module::Stored { persister, snapshot }
        }

        fn submit_error(error: $module::SubmitError) -> kv::SubmitError {
            match error {
                $module::SubmitError::NotLeader(hint) => kv::SubmitError::NotLeader(hint),
                $module::SubmitError::Replaced => kv::SubmitError::Replaced,
                $module::SubmitError::LeadershipLost => kv::SubmitError::LeadershipLost,
                $module::SubmitError::Stopped => kv::SubmitError::Stopped,
            }
        }

        fn put_error(error: $module::PutError) -> kv::PutError {
            match error {
                $module::PutError::Version => kv::PutError::Version,
                $module::PutError::NoKey => kv::PutError::NoKey,
                $module::PutError::Maybe => kv::PutError::Maybe,
            }
        }

        impl $module::StateMachine for Counter {
            type Op = Count;
            type Output = Counted;

            fn apply(&mut self, op: Count) -> Counted {
                kv::StateMachine::apply(self, op)
            }

            fn snapshot(&self) -> bytes::Bytes {
                kv::StateMachine::snapshot(self)
            }

            fn restore(&mut self, snapshot: &[u8]) -> Result<(), $module::RestoreError> {
                let said = |kv::RestoreError { bytes, what }| $module::RestoreError { bytes, what };
                kv::StateMachine::restore(self, snapshot).map_err(said)
            }
        }

        impl Counting for $module::Rsm<Counter> {
            fn submit(&self, op: &Count) -> Result<Counted, kv::SubmitError> {
                $module::Rsm::submit(self, op).map_err(submit_error)
            }

            fn value(&self) -> i64 {
                self.inspect(|counter| counter.value)
            }

            fn kill(&self) {
                $module::Rsm::kill(self);
            }
        }

        impl Living for $module::KvServer {
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
            ) -> Result<(), kv::PutError> {
                let expected = $module::Version(version);
                $module::Clerk::put_versioned(self, key, value, expected).map_err(put_error)
            }
        }

        let kv = lab::KvDesign {
            server: |Below { consensus, apply_ch, stored, config: it }| {
                let (stored, it) = (found(stored), config(it));
                let server = $module::KvServer::start(consensus, apply_ch, stored, it);
                Ok(Box::new(server.map_err(|error| error.to_string())?))
            },
            client: |id, network, host, servers| {
                let servers = (0..servers).map(api::ServerId::from_slot).map(Host::Server);
                let ends = servers.map(|server| network.end(host, server).into()).collect();
                Box::new($module::Clerk::new($module::ClientId(id), ends))
            },
            counter: |Below { consensus, apply_ch, stored, config: it }| {
                let (machine, stored, it) = (Counter::default(), found(stored), config(it));
                let counter = $module::Rsm::start(consensus, apply_ch, machine, stored, it);
                Ok(Arc::new(counter.map_err(|error| error.to_string())?))
            },
        };
        lab::Design { name: $name, kv, ..lab::DESIGNS[0] }
    }};
}
