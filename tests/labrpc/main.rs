//! The network's contract: the original lab's own tests and ours, on both clocks.
//!
//! Most tests run the same body on the virtual clock, with five seeds, and on the real clock.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod faults;
mod lives;
mod original;
mod reach;
mod real;
mod taps;

use std::time::Duration;

use bytes::Bytes;
use raftlab::api::ServerId;
use raftlab::labrpc::{self, ClientEnd, Host, Network, Service};
use raftlab::runtime::sync::Quiet;
use raftlab::runtime::time::Instant;
use raftlab::runtime::{self, Clock, Outcome, RunConfig, block_on, thread};
use std::sync::Arc;

raftlab::guard!();

/// The service of these tests.
#[tarpc::service]
trait Junk {
    /// Answers at once, or after the server's `delay`.
    async fn double(number: u64) -> String;
    /// Answers with the length of `text`.
    async fn length(text: String) -> u64;
    /// Answers with `length` bytes.
    async fn text(length: usize) -> String;
    /// Answers after `millis`.
    async fn slow(millis: u64) -> u64;
    /// Answers with its argument.
    async fn echo(data: Bytes) -> Bytes;
}

/// Remembers the numbers that it was asked to double.
#[derive(Clone, Default)]
struct Server {
    seen: Arc<Quiet<Vec<u64>>>,
    /// How long doubling takes.
    delay: Duration,
}

impl Server {
    fn services(&self) -> Vec<Service> {
        vec![Service::new(self.clone().serve())]
    }

    fn numbers(&self) -> Vec<u64> {
        self.seen.with(|seen| seen.clone())
    }
}

impl Junk for Server {
    async fn double(self, _: tarpc::context::Context, number: u64) -> String {
        self.seen.with(|seen| seen.push(number));
        if !self.delay.is_zero() {
            thread::sleep(self.delay);
        }
        format!("twice {number} is {}", 2 * number)
    }

    async fn length(self, _: tarpc::context::Context, text: String) -> u64 {
        text.len() as u64
    }

    async fn text(self, _: tarpc::context::Context, length: usize) -> String {
        "x".repeat(length)
    }

    async fn slow(self, _: tarpc::context::Context, millis: u64) -> u64 {
        thread::sleep(Duration::from_millis(millis));
        millis
    }

    async fn echo(self, _: tarpc::context::Context, data: Bytes) -> Bytes {
        data
    }
}

type Client = JunkClient<ClientEnd<JunkRequest, JunkResponse>>;

/// The caller of most tests, and the one server that it calls.
const CALLER: Host = Host::Client(0);
const CALLEE: Host = Host::Server(ServerId(0));

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn config(clock: Clock, seed: u64) -> RunConfig {
    RunConfig { clock, seed, ..RunConfig::default() }
}

/// Runs `main` once; fails the test if the run fails or leaves tasks.
fn run_on<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    labrpc::context();
    let outcome = runtime::run(config, main);
    assert_eq!(outcome.tasks_left, 0, "tasks were left on the {} clock", config.clock);
    if let Err(failure) = &outcome.result {
        panic!("{} clock, seed {}: {failure}", config.clock, config.seed);
    }
    outcome
}

/// Runs `main` with five seeds in virtual time.
fn on_the_virtual_clock(main: impl FnOnce() + Clone + Send + 'static) {
    for seed in 1..=5 {
        run_on(&config(Clock::Virtual, seed), main.clone());
    }
}

/// Runs `main` on both clocks. Bounds on time are exact in virtual time; on the real clock the
/// machine may be busy: see [`in_time`].
fn on_both_clocks(main: impl FnOnce(Clock) + Clone + Send + 'static) {
    let on_virtual = main.clone();
    on_the_virtual_clock(|| on_virtual(Clock::Virtual));
    run_on(&config(Clock::Real, 1), || main(Clock::Real));
}

/// Whether `start` is at most `limit` ago; on the real clock, `10 * limit` + 500 ms.
fn in_time(clock: Clock, start: Instant, limit: Duration) -> bool {
    start.elapsed()
        <= match clock {
            Clock::Virtual => limit,
            Clock::Real => limit * 10 + millis(500),
        }
}

/// A network with `server` at [`CALLEE`], and a client that reaches it from [`CALLER`].
fn network_with(server: &Server) -> (Network, Client) {
    let network = Network::new();
    network.add_server(CALLEE, server.services());
    let client = client_of(&network, CALLER);
    (network, client)
}

/// An enabled client of [`CALLEE`].
fn client_of(network: &Network, from: Host) -> Client {
    let client = network.end(from, CALLEE).into();
    network.enable(from, CALLEE, true);
    client
}

/// Makes a call; `None` means no answer. Any other error than a missing answer fails the test.
fn double(client: &Client, number: u64) -> Option<String> {
    answer(block_on(client.double(labrpc::context(), number)))
}

fn slow(client: &Client, millis: u64) -> Option<u64> {
    answer(block_on(client.slow(labrpc::context(), millis)))
}

fn answer<T>(result: Result<T, tarpc::client::RpcError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(tarpc::client::RpcError::DeadlineExceeded) => None,
        Err(error) => panic!("the lack of an answer must be DeadlineExceeded, not {error:?}"),
    }
}
