//! The network's contract: the original lab's own tests and ours, on both clocks.
#![allow(clippy::unwrap_used, reason = "a test may")]

use raftlab::api::ServerId;
use raftlab::labrpc::{self, ClientEnd, Host, Network, Service};
use raftlab::runtime::{self, Clock, RunConfig, block_on};

#[tarpc::service]
trait Junk {
    async fn double(number: u64) -> String;
}

#[derive(Clone)]
struct Server;

impl Junk for Server {
    async fn double(self, _: tarpc::context::Context, number: u64) -> String {
        format!("twice {number} is {}", 2 * number)
    }
}

type Client = JunkClient<ClientEnd<JunkRequest, JunkResponse>>;

const CALLER: Host = Host::Client(0);
const CALLEE: Host = Host::Server(ServerId(0));

const CLOCKS: [Clock; 2] = [Clock::Virtual, Clock::Real];

fn on_both_clocks<T: Send + 'static>(main: impl Fn() -> T + Clone + Send + 'static) {
    labrpc::context();
    for clock in CLOCKS {
        let outcome = runtime::run(&RunConfig { clock, ..RunConfig::default() }, main.clone());
        assert_eq!(outcome.tasks_left, 0, "tasks were left on the {clock} clock");
        outcome.result.unwrap();
    }
}

#[test]
fn a_call_is_answered() {
    on_both_clocks(|| {
        let network = Network::new();
        let client: Client = network.end(CALLER, CALLEE).into();
        network.add_server(CALLEE, vec![Service::new(Server.serve())]);
        network.enable(CALLER, CALLEE, true);
        let answer = block_on(client.double(labrpc::context(), 21));
        assert_eq!(answer.unwrap(), "twice 21 is 42");
    });
}
