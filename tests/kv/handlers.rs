//! The handlers that clients call are code under test, like those that peers call.

use raftlab::api::kv_rpc::{
    GetArgs, KvRpc, PutArgs, PutOutcome, PutVersionedArgs, Refused, Versioned,
};
use raftlab::lab::{self, DESIGNS, KV, KvDesign, ServiceInstance, find_scenario};
use raftlab::labrpc::Service;
use raftlab::runtime::{FailureKind, RunConfig};
use tarpc::context::Context;

/// A service that panics in every handler.
#[derive(Clone)]
struct Panics;

impl KvRpc for Panics {
    async fn get(self, _: Context, _: GetArgs) -> Result<Option<Versioned>, Refused> {
        panic!("a planted panic")
    }

    async fn put(self, _: Context, _: PutArgs) -> Result<(), Refused> {
        panic!("a planted panic")
    }

    async fn append(self, _: Context, _: PutArgs) -> Result<(), Refused> {
        panic!("a planted panic")
    }

    async fn put_versioned(self, _: Context, _: PutVersionedArgs) -> Result<PutOutcome, Refused> {
        panic!("a planted panic")
    }
}

impl ServiceInstance for Panics {
    fn services(&self) -> Vec<Service> {
        vec![Service::new(self.clone().serve())]
    }

    fn end(&self) {}
}

#[test]
fn the_handlers_of_a_service_are_code_under_test() {
    let kv = KvDesign { server: |_, _| Ok(Box::new(Panics)), ..KV };
    let design = DESIGNS[0].with_kv(kv);
    let scenario = find_scenario("basic_3a").expect("it is in the list");
    let report = lab::run_scenario(scenario, &design, &RunConfig::default());
    let failure = report.failure.expect("the service panics");
    // A panic in the suite's own code would be a failed check.
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Panic, "a planted panic"));
}
