//! What most tests of part `store` go through: clients at work, and trouble meanwhile.
//!
//! Three rounds, each of them like this, where only some tests have the middle lines:
//!
//! ```text
//! second      0     1     2     3     4     5     6     7     8
//! clients     ├──────────────── at work ──────────┤  their last operation
//! partitions    ├ another one every 500 to 700 ms ┤ heal
//! crash                                                 ├ all down ┤ up
//! then        every client finds what it put, all of it and in order, and so does a look at every
//!             server; it deletes it; no log is too long
//! ```
//!
//! These are the tick design's own rounds, without what weakens them there. A message is lost with
//! the same odds from beginning to end (there, more are lost with every change of the partition);
//! a crash loses what was not synced (there, the database stays open); clients' calls go through
//! the network like all others; and beside its own keys each client reads and writes one that all
//! share, so that the checker has more to judge than what a client knows of itself.

use crate::lab::Cluster;
use crate::lab::scenarios::kv::rounds::{Turns, Workers};
use crate::lab::store::{StoreClient, Stores};
use crate::persister::Unsynced;
use crate::runtime::thread::{self, JoinHandle};
use crate::store::StoreConfig;

/// How often clients are set to work.
const ROUNDS: u32 = 3;

/// How long they work, in milliseconds.
const ROUND_MS: u64 = 5000;

/// When partitions begin, in milliseconds.
const CALM_MS: u64 = 300;

/// How long a partition lasts at least, in milliseconds.
const PARTITION_MS: u64 = 500;

/// How long the cluster is left alone where something has just changed, in milliseconds.
pub(super) const ELECTION_MS: u64 = 1000;

/// A log may have so many times the entries that it is allowed, since entries go on coming in
/// while the cut is agreed upon.
const KEPT_FACTOR: u64 = 2;

/// The key that all clients share.
const SHARED: &str = "shared";

/// What a test does to the clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    /// How many clients work at a time.
    pub(super) clients: usize,
    /// Whether all servers crash at the end of each round.
    pub(super) crash: bool,
    /// Whether partitions come and go.
    pub(super) partitions: bool,
    /// How many applied entries a log may keep.
    pub(super) log_gc_limit: Option<u64>,
}

/// Puts the servers of part `store` through their rounds.
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
            stores.heal();
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
    /// What all keys of the client begin with, and no others.
    fn range(&self) -> String {
        format!("{} ", self.client)
    }

    /// Fails unless a scan found what was put: all of it, once, and in order.
    fn check(&self, found: &[(String, String)]) {
        let place = found.iter().zip(&self.put).take_while(|(found, put)| found == put).count();
        assert!(
            found == self.put,
            "a scan of client {} found {} pairs of {}; at {place} there is {:?} in place of {:?}",
            self.client,
            found.len(),
            self.put.len(),
            found.get(place),
            self.put.get(place)
        );
    }
}

/// What a client does: it puts new keys and compares what it reads with all that it has put.
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

/// Everything that was put is found, by clients and on every server, and deleted.
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

/// Has a new client do something about each book, all at once, and waits until all have.
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

/// All servers go down, and a second later up again. What was not synced is lost, or some of it.
pub(super) fn restart_all(stores: &Stores) {
    let cluster = stores.cluster();
    cluster.servers().for_each(|server| stores.crash(server, Unsynced::Draw));
    cluster.sleep_ms(ELECTION_MS);
    cluster.servers().for_each(|server| stores.boot(server));
    stores.heal();
}

/// Fails when some server keeps far more entries than it was told to.
pub(super) fn check_logs(stores: &Stores, limit: u64) {
    for server in stores.cluster().servers() {
        let kept = stores.kept(server).unwrap_or_default();
        stores.cluster().check_at_most("log_entries", kept, KEPT_FACTOR * limit);
    }
}
