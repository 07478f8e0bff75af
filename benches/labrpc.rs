//! Calls per second through the simulated network, on both clocks.
//!
//! Run it with `cargo bench --bench labrpc`. Each measured element is one call: encoded, delivered,
//! handled in its own task, answered and decoded. Read the `thrpt` line, or `time` divided by
//! [`CALLS`].
#![allow(clippy::unwrap_used, reason = "a bench may")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use raftlab::api::ServerId;
use raftlab::labrpc::{self, ClientEnd, Host, Network, Service};
use raftlab::runtime::{self, Clock, RunConfig, block_on, thread};

raftlab::guard!();

/// Calls per run: so many that the cost of starting a run does not show.
const CALLS: u64 = 10_000;

#[tarpc::service]
trait Echo {
    async fn echo(data: Vec<u64>) -> u64;
}

#[derive(Clone)]
struct Server;

impl Echo for Server {
    async fn echo(self, _: tarpc::context::Context, data: Vec<u64>) -> u64 {
        data.iter().sum()
    }
}

type Client = EchoClient<ClientEnd<EchoRequest, EchoResponse>>;

const CALLEE: Host = Host::Server(ServerId(0));

/// Makes [`CALLS`] calls from `callers` tasks that share them.
fn calls(clock: Clock, callers: u32, words: usize) {
    let config = RunConfig { clock, ..RunConfig::default() };
    let outcome = runtime::run(&config, move || {
        let network = Network::new();
        network.add_server(CALLEE, vec![Service::new(Server.serve())]);
        let tasks: Vec<_> = (0..callers)
            .map(|number| {
                let caller = Host::Client(number);
                let client: Client = network.end(caller, CALLEE).into();
                network.enable(caller, CALLEE, true);
                thread::spawn("caller", move || {
                    for _ in 0..CALLS / u64::from(callers) {
                        let data = vec![1; words];
                        let sum = block_on(client.echo(labrpc::context(), data)).unwrap();
                        assert_eq!(sum, words as u64, "the echo is wrong");
                    }
                })
            })
            .collect();
        tasks.into_iter().for_each(thread::JoinHandle::join);
    });
    outcome.result.unwrap();
}

fn bench(criterion: &mut Criterion) {
    labrpc::context();
    let mut group = criterion.benchmark_group("labrpc");
    group.throughput(Throughput::Elements(CALLS)).sample_size(20);
    for clock in [Clock::Virtual, Clock::Real] {
        for (callers, words) in [(1, 4), (16, 4), (1, 128)] {
            let name = format!("{clock}/{callers} callers/{words} words");
            group.bench_function(name, |bencher| bencher.iter(|| calls(clock, callers, words)));
        }
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
