//! The rounds of most tests of part `store`: clients work while faults happen.
//!
//! A test has three rounds like this one; only some tests have partitions or crashes:
//!
//! ```text
//! second      0     1     2     3     4     5     6     7     8
//! clients     ├──────────────── working ──────────┤  their last operation
//! partitions    ├ another one every 500 to 700 ms ┤ heal
//! crash                                                 ├ all down ┤ up
//! then        every client finds all that it put, in order, and every server has it too; the
//!             clients delete it; no log is too long
//! ```
//!
//! These are the tick design's own rounds, without what weakens them there. A message is lost with
//! the same odds from beginning to end (there, more are lost with every change of the partition);
//! a crash loses what was not synced (there, the database stays open); clients' calls go through
//! the network like all others; and besides its own keys, each client reads and writes a key that
//! all clients share, so that the checker has more to judge than each client can check by itself.

use crate::lab::Cluster;
use crate::lab::scenarios::kv::rounds::{Turns, Workers};
use crate::lab::store::{StoreClient, Stores};
use crate::persister::Unsynced;
use crate::runtime::thread::{self, JoinHandle};
use crate::store::StoreConfig;

/// Number of rounds.
const ROUNDS: u32 = 3;

/// How long clients work in a round, in milliseconds.
const ROUND_MS: u64 = 5000;

/// When partitions begin in a round, in milliseconds.
const CALM_MS: u64 = 300;

/// How long a partition lasts at least, in milliseconds.
const PARTITION_MS: u64 = 500;

/// How long the cluster is left alone after a change, in milliseconds.
pub(super) const ELECTION_MS: u64 = 1000;

/// By what factor a log may exceed its limit.
///
/// Entries continue to arrive while the servers agree on the cut.
const KEPT_FACTOR: u64 = 2;

/// The key that all clients share.
const SHARED: &str = "shared";

/// The clients of a test, and the faults that they must bear.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    /// How many clients work at a time.
    pub(super) clients: usize,
    /// Whether all servers crash at the end of each round.
    pub(super) crash: bool,
    /// Whether partitions come and go.
    pub(super) partitions: bool,
    /// How many applied entries a log may keep; `None`: all.
    pub(super) log_gc_limit: Option<u64>,
}

/// Runs all rounds of a test.
pub(super) fn rounds(cluster: &Cluster, trouble: &Trouble) {
    let config = StoreConfig { log_gc_limit: trouble.log_gc_limit, ..StoreConfig::default() };
    let stores = cluster.serve_store(config);
    cluster.sleep_ms(ELECTION_MS);
    for _ in 0..ROUNDS {
        let clients: Vec<StoreClient> = (0..trouble.clients).map(|_| stores.client()).collect();
        let workers = Workers::of(clients.into_iter(), StoreClient::number, &work);
        let partitioner = trouble.partitions.then(|| {
            cluster.sleep_ms(CALM_MS);
            workers.start_partitioner(cluster, PARTITION_MS)
        });
        cluster.sleep_ms(ROUND_MS);
        workers.stop();
        if let Some(partitioner) = partitioner {
            partitioner.join();
            cluster.heal();
            cluster.sleep_ms(ELECTION_MS);
        }
        if trouble.crash {
            restart_all(&stores);
        }
        settle(&stores, &workers.join());
        if let Some(limit) = trouble.log_gc_limit {
            cluster.sleep_ms(ELECTION_MS);
            check_logs(&stores, limit);
        }
    }
}

/// What a client put: its number, and keys in order with their values.
#[derive(Clone)]
pub(super) struct Book {
    client: u32,
    put: Vec<(String, String)>,
}

impl Book {
    /// The prefix of all keys of the client, and of no others.
    fn range(&self) -> String {
        format!("{} ", self.client)
    }

    /// Fails unless a scan found all that was put, once and in order.
    fn check(&self, found: &[(String, String)]) {
        let place = found.iter().zip(&self.put).take_while(|(found, put)| found == put).count();
        assert!(
            found == self.put,
            "a scan of client {} found {} pairs of {}; at {place} it has {:?} in place of {:?}",
            self.client,
            found.len(),
            self.put.len(),
            found.get(place),
            self.put.get(place)
        );
    }
}

/// Puts new keys, and compares what a scan finds with all that the client has put.
pub(super) fn work(_: usize, client: &mut StoreClient, turns: &mut Turns) -> Book {
    let mut book = Book { client: client.number(), put: Vec::new() };
    // No two writes of a run have one text: `x 3 17 y`.
    let mut pieces = (0..).map(|number| format!("x {} {number} y", book.client));
    let mut next_piece = || pieces.next().expect("numbers do not end");
    while turns.next() {
        match turns.chance.below(8) {
            0 => client.append(SHARED, &next_piece()),
            1 => drop(client.get(SHARED)),
            2..5 => {
                let (key, value) = (format!("{}{:08}", book.range(), book.put.len()), next_piece());
                client.put(&key, &value);
                book.put.push((key, value));
            }
            _ => book.check(&client.scan(&book.range())),
        }
    }
    book
}

/// Fails unless clients and all servers find everything that was put; then deletes it.
pub(super) fn settle(stores: &Stores, books: &[Book]) {
    for_each(stores, books, |client, book| book.check(&client.scan(&book.range())));
    let mut client = stores.client();
    let shared = client.get(SHARED);
    let pairs = || books.iter().flat_map(|book| &book.put);
    let put = pairs().map(|(key, value)| (key.as_str(), Some(value.as_str())));
    let put = put.chain([(SHARED, shared.as_deref())]);
    stores.check_all_have(&put.collect::<Vec<_>>());

    for_each(stores, books, |client, Book { put, .. }| {
        put.iter().for_each(|(key, _)| client.delete(key));
    });
    client.delete(SHARED);
    let nothing: [(String, String); 0] = [];
    for book in books {
        Book { put: nothing.to_vec(), ..*book }.check(&client.scan(&book.range()));
    }
    let deleted = pairs().map(|(key, _)| (key.as_str(), None)).chain([(SHARED, None)]);
    stores.check_all_have(&deleted.collect::<Vec<_>>());
}

/// Starts a new client for each book, all at once, and waits until all have ended.
fn for_each(
    stores: &Stores,
    books: &[Book],
    act: impl Fn(&mut StoreClient, &Book) + Clone + Send + 'static,
) {
    let start = |book: &Book| {
        let (mut client, book, act) = (stores.client(), book.clone(), act.clone());
        thread::spawn(format!("client{}", client.number()), move || act(&mut client, &book))
    };
    let tasks: Vec<JoinHandle<()>> = books.iter().map(start).collect();
    tasks.into_iter().for_each(JoinHandle::join);
}

/// Crashes all servers, which lose some of their unsynced writes; starts them a second later.
pub(super) fn restart_all(stores: &Stores) {
    let cluster = stores.cluster();
    cluster.servers().for_each(|server| cluster.crash_keeping(server, Unsynced::Draw));
    cluster.sleep_ms(ELECTION_MS);
    cluster.servers().for_each(|server| cluster.boot(server));
    cluster.heal();
}

/// Fails if a server keeps far more entries than its limit.
pub(super) fn check_logs(stores: &Stores, limit: u64) {
    for server in stores.cluster().servers() {
        let kept = stores.kept(server).unwrap_or_default();
        stores.cluster().check_at_most("log_entries", kept, KEPT_FACTOR * limit);
    }
}
