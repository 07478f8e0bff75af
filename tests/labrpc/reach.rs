//! Reachability: links, services, and the messages between them.

use raftlab::labrpc::{self, Host, Network, Service};
use raftlab::runtime::{self, Clock, FailureKind, block_on, thread};

use super::*;

const OTHER: Host = Host::Server(ServerId(1));

/// A second protocol, so that one server can have two services.
#[tarpc::service]
trait Other {
    async fn negate(number: i64) -> i64;
}

#[derive(Clone)]
struct Negater;

impl Other for Negater {
    async fn negate(self, _: tarpc::context::Context, number: i64) -> i64 {
        -number
    }
}

fn client_between(network: &Network, from: Host, to: Host) -> Client {
    network.end(from, to).into()
}

#[test]
fn a_link_can_be_cut_in_one_direction() {
    on_both_clocks(|_| {
        let network = Network::new();
        let there = client_between(&network, CALLEE, OTHER);
        let back = client_between(&network, OTHER, CALLEE);
        network.add_server(CALLEE, Server::default().services());
        network.add_server(OTHER, Server::default().services());
        network.enable(CALLEE, OTHER, true);
        network.enable(OTHER, CALLEE, true);
        network.enable(CALLEE, OTHER, false);
        assert_eq!(double(&there, 1), None, "a cut link has delivered a call");
        assert!(double(&back, 1).is_some(), "the other direction was cut as well");
        assert_eq!((network.dispatched_to(OTHER), network.dispatched_to(CALLEE)), (0, 1));
    });
}

#[test]
fn a_new_end_is_disabled_and_ends_between_the_same_hosts_are_enabled_together() {
    on_both_clocks(|_| {
        let network = Network::new();
        network.add_server(CALLEE, Server::default().services());
        network.enable(CALLER, CALLEE, true);
        let first = client_between(&network, CALLER, CALLEE);
        assert_eq!(double(&first, 1), None, "a new end must be disabled");
        network.enable(CALLER, CALLEE, true);
        let second = client_between(&network, CALLER, CALLEE);
        assert!(
            double(&first, 1).is_some() && double(&second, 2).is_some(),
            "both ends between the same hosts must be enabled"
        );
    });
}

#[test]
fn one_server_has_several_services() {
    on_both_clocks(|_| {
        let network = Network::new();
        let services = [Service::new(Negater.serve()), Service::new(Server::default().serve())];
        network.add_server(CALLEE, services.to_vec());
        let negate: OtherClient<ClientEnd<OtherRequest, OtherResponse>> =
            network.end(CALLER, CALLEE).into();
        let client = client_of(&network, CALLER);
        assert_eq!(block_on(negate.negate(labrpc::context(), 5)).unwrap(), -5);
        assert!(double(&client, 5).is_some(), "the second service is not found");
    });
}

#[test]
fn a_call_to_an_unknown_service_ends_the_run() {
    for clock in [Clock::Virtual, Clock::Real] {
        let outcome = runtime::run(&config(clock, 1), || {
            let network = Network::new();
            network.add_server(CALLEE, vec![Service::new(Negater.serve())]);
            double(&client_of(&network, CALLER), 1)
        });
        let failure = outcome.result.unwrap_err();
        assert_eq!(failure.name, "labrpc_unknown_service");
        for word in ["C0", "Junk.double", "S0", "OtherRequest"] {
            assert!(
                failure.message.contains(word),
                "the message must name {word}: {}",
                failure.message
            );
        }
    }
}

#[test]
fn caller_and_handler_share_no_memory() {
    on_both_clocks(|_| {
        let (_network, client) = network_with(&Server::default());
        let sent = Bytes::from(vec![7; 1000]);
        let back = block_on(client.echo(labrpc::context(), sent.clone())).unwrap();
        assert_eq!(back, sent);
        assert_ne!(back.as_ptr(), sent.as_ptr(), "caller and handler share the bytes");
    });
}

#[derive(Clone)]
struct Panicking;

impl Other for Panicking {
    async fn negate(self, _: tarpc::context::Context, _: i64) -> i64 {
        panic!("a mistake in the handler")
    }
}

/// A panic in a handler is blamed on the code that made its service, or else on the code that added
/// the service, never on the caller.
#[test]
fn a_panic_in_a_handler_is_blamed_on_the_code_that_made_the_service() {
    let kind_of = |made: bool, added: bool, called: bool| {
        let outcome = runtime::run(&config(Clock::Virtual, 1), move || {
            let network = Network::new();
            let service = under_test_if(made, || Service::new(Panicking.serve()));
            under_test_if(added, || network.add_server(CALLEE, vec![service]));
            let client: OtherClient<ClientEnd<OtherRequest, OtherResponse>> =
                network.end(CALLER, CALLEE).into();
            network.enable(CALLER, CALLEE, true);
            under_test_if(called, || block_on(client.negate(labrpc::context(), 1)).is_ok())
        });
        outcome.result.unwrap_err().kind
    };
    assert_eq!(kind_of(true, false, false), FailureKind::Panic);
    assert_eq!(kind_of(false, true, false), FailureKind::Panic);
    assert_eq!(kind_of(false, false, true), FailureKind::Assertion);
}

fn under_test_if<T>(under_test: bool, f: impl FnOnce() -> T) -> T {
    match under_test {
        true => thread::under_test(0, f),
        false => f(),
    }
}

/// On the real clock, the CPU time of handlers counts as CPU time of their run.
#[test]
fn the_cpu_time_of_a_run_includes_its_handlers() {
    #[derive(Clone)]
    struct Busy;
    impl Other for Busy {
        async fn negate(self, _: tarpc::context::Context, rounds: i64) -> i64 {
            (0..rounds).fold(1, |sum, round| std::hint::black_box(sum ^ (sum << 1) ^ round))
        }
    }
    let cpu_of = |rounds: i64| {
        let outcome = run_on(&config(Clock::Real, 1), move || {
            let network = Network::new();
            network.add_server(CALLEE, vec![Service::new(Busy.serve())]);
            let client: OtherClient<ClientEnd<OtherRequest, OtherResponse>> =
                network.end(CALLER, CALLEE).into();
            network.enable(CALLER, CALLEE, true);
            block_on(client.negate(labrpc::context(), rounds)).unwrap();
        });
        outcome.cpu
    };
    let (idle, busy) = (cpu_of(0), cpu_of(50_000_000));
    assert!(busy > idle + millis(5), "50 million rounds: {busy:?}, no rounds: {idle:?}");
}
