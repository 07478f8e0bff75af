//! A server of the key/value service: turns calls into operations, and outcomes into replies.

use std::sync::Arc;

use tarpc::context::Context;

use super::machine::{KvMachine, KvOp, KvOutput};
use super::rsm::Rsm;
use crate::api::kv_rpc::{
    GetArgs, KvRpc, PutArgs, PutOutcome, PutVersionedArgs, Refused, Versioned,
};
use crate::api::{ApplyMsg, Consensus, RestoreError, RsmConfig, SubmitError};
use crate::persister::Stored;
use crate::runtime::channel::Receiver;

/// One server of the service. A clone is another handle to the same instance.
///
/// `KvServer::serve`, of [`KvRpc`], makes it a service for the network.
#[derive(Clone)]
pub struct KvServer {
    rsm: Rsm<KvMachine>,
}

impl KvServer {
    /// Starts the server whose consensus is `consensus`, from the state that is `stored`.
    ///
    /// # Errors
    /// [`RestoreError`]: the stored snapshot cannot be read. The server must not start.
    pub fn start(
        consensus: Arc<dyn Consensus>,
        apply_ch: Receiver<ApplyMsg>,
        stored: Stored,
        config: RsmConfig,
    ) -> Result<KvServer, RestoreError> {
        // Handout 3A: start a replicated `KvMachine` above this consensus.
        let machine = KvMachine::default();
        Ok(KvServer { rsm: Rsm::start(consensus, apply_ch, machine, stored, config)? })
    }

    /// Ends the instance and its consensus. Every call that waits returns. Idempotent.
    pub fn kill(&self) {
        // Handout 3A: end the replicated state machine, and with it the consensus.
        self.rsm.kill();
    }

    fn submit(&self, op: &KvOp) -> Result<KvOutput, Refused> {
        self.rsm.submit(op).map_err(refused)
    }
}

/// Makes the refusal that tells a clerk why its operation has no output.
fn refused(error: SubmitError) -> Refused {
    match error {
        SubmitError::NotLeader(not_leader) => {
            Refused { leader_hint: not_leader.leader_hint, maybe_done: false }
        }
        SubmitError::Replaced => Refused { leader_hint: None, maybe_done: false },
        SubmitError::LeadershipLost | SubmitError::Stopped => {
            Refused { leader_hint: None, maybe_done: true }
        }
    }
}

/// Panics because an operation got an output of another kind.
fn mismatch(output: &KvOutput) -> ! {
    panic!("the state machine gave an operation the output of another kind: {output:?}")
}

impl KvRpc for KvServer {
    async fn get(self, _: Context, args: GetArgs) -> Result<Option<Versioned>, Refused> {
        // Handout 3A: submit a read, and return the key's value and version.
        match self.rsm.read(&KvOp::Get { key: args.key }).map_err(refused)? {
            KvOutput::Value(value) => Ok(value),
            other => mismatch(&other),
        }
    }

    async fn put(self, _: Context, args: PutArgs) -> Result<(), Refused> {
        // Handout 3A: submit a put, and return when it has happened.
        let PutArgs { key, value, request } = args;
        self.submit(&KvOp::Put { key, value, request }).map(drop)
    }

    async fn append(self, _: Context, args: PutArgs) -> Result<(), Refused> {
        // Handout 3A: submit an append, and return when it has happened.
        let PutArgs { key, value, request } = args;
        self.submit(&KvOp::Append { key, value, request }).map(drop)
    }

    async fn put_versioned(
        self,
        _: Context,
        args: PutVersionedArgs,
    ) -> Result<PutOutcome, Refused> {
        // Handout 3A: submit a versioned put, and return its outcome.
        let PutVersionedArgs { key, value, expected } = args;
        match self.submit(&KvOp::PutVersioned { key, value, expected })? {
            KvOutput::Put(outcome) => Ok(outcome),
            other => mismatch(&other),
        }
    }
}
