//! Part 3B: what a service with snapshots must not forget, each rule tested by itself.

use bytes::Bytes;

use crate::api::{Index, Reads, RsmConfig, ServerId};
use crate::lab::played::{Bench, Reading, Replica};
use crate::lab::service::{Count, Counted, KvClient};
use crate::lab::{Cluster, Scenario, ServiceInstance};
use crate::persister::Persister;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("rsm_trims_3b", rsm_trims_3b)
        .title("a log with a size limit, and one without")
        .catches("snapshots taken too late, by leaders only, or of a state that is not the log's"),
    Scenario::new("rsm_installs_3b", rsm_installs_3b)
        .title("a leader's snapshot")
        .catches("a leader's snapshot that is ignored; a definite answer to what it may contain"),
    Scenario::new("service_sessions_3b", service_sessions_3b)
        .title("a request from before the snapshot")
        .catches("sessions that are missing from the snapshot"),
    Scenario::new("service_restart_3b", service_restart_3b)
        .title("a read right after a restart")
        .catches("a server that does not know the index of the snapshot it restarted from"),
    Scenario::new("service_installed_3b", service_installed_3b)
        .title("a read right after an installed snapshot")
        .catches("a server that does not know the index of the snapshot it installed"),
];

/// Size of the raft state above which a server must take a snapshot, in bytes.
const RAFT_STATE_MAX: usize = 500;

/// How many small commands need several times [`RAFT_STATE_MAX`].
const PLENTY: u64 = 100;

const S0: ServerId = ServerId(0);
const S1: ServerId = ServerId(1);

/// A service that limits its raft state, and so takes snapshots.
const TRIMMED: RsmConfig =
    RsmConfig { raft_state_max: Some(RAFT_STATE_MAX), reads: Reads::ThroughLog };

/// As [`TRIMMED`], and it answers reads from its state.
const READS_BY_INDEX: RsmConfig = RsmConfig { reads: Reads::ReadIndex, ..TRIMMED };

/// A follower trims its log in time if its size is limited, and restarts from its snapshot.
///
/// Without a limit it takes no snapshot. A wrong server trims too late, trims only while it leads,
/// or stores a state that does not match the snapshot's index.
///
/// ```text
/// follower    +1 +1 … +1     crash     +1
///             100 entries    100       101
/// ```
fn rsm_trims_3b(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let command = bench.command(Count { by: 1, tag: 0 });
    for config in [RsmConfig::default(), TRIMMED] {
        let replica = bench.counter(Persister::new(), config);
        for value in 1..=i64::try_from(PLENTY).unwrap_or_default() {
            replica.commit_other(1, &command);
            replica.wait_value(value);
            let size = replica.played.persister().raft_state_size() as u64;
            if let Some(bound) = config.raft_state_max {
                cluster.check_at_most("raft_state", size, 2 * bound as u64);
            }
        }
        let snapshots = replica.played.snapshots();
        let wanted = config.raft_state_max.is_some();
        assert_eq!(!snapshots.is_empty(), wanted, "with {config:?}: snapshots up to {snapshots:?}");

        let replica = bench.counter(replica.crash(), config);
        let begins = i64::try_from(replica.played.delivered().0).unwrap_or_default();
        assert_eq!(replica.service.value(), begins, "a life begins where its snapshot ends");
        replica.commit_all();
        replica.commit_other(2, &command);
        replica.wait_value(101);
        replica.crash();
    }
}

/// A leader's snapshot replaces the state, and an operation that it covers ends with an error.
///
/// A wrong server ignores the snapshot, or takes an operation's result from it.
///
/// ```text
/// submit    1/1: +1   it may be in the snapshot
/// leader    snapshot up to 2/100: 100 ── 2/101: +1 ── 101
/// ```
fn rsm_installs_3b(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let command = bench.command(Count { by: 1, tag: 0 });
    let (index, data) = snapshot_of_many(&bench, &command);

    let replica = bench.counter(Persister::new(), TRIMMED);
    replica.played.leads(1);
    let covered = replica.submit(Count { by: 1, tag: 1 });
    replica.wait_started(1);
    replica.played.follows(2, Some(S1));
    replica.install(2, index, &data);
    let outcome = covered.outcome();
    assert!(outcome.is_err(), "a snapshot has no answers: {outcome:?}");
    let value = i64::try_from(index.0).unwrap_or_default();
    replica.wait_value(value);
    replica.commit_other(2, &command);
    replica.wait_value(value + 1);

    replica.played.leads(3);
    let own = replica.submit(Count { by: 1, tag: 2 });
    replica.wait_started(index.0 + 2);
    replica.commit();
    assert_eq!(own.outcome(), Ok(Counted { value: value + 2, tag: 2 }), "it continues from there");
    replica.crash();
}

/// A counter's snapshot of many entries like `command`, and the last index in it.
fn snapshot_of_many(bench: &Bench<'_>, command: &Bytes) -> (Index, Bytes) {
    let donor = bench.counter(Persister::new(), TRIMMED);
    (0..PLENTY).for_each(|_| donor.commit_other(1, command));
    bench.must_happen("taking a snapshot", || !donor.played.snapshots().is_empty());
    stored(&donor.crash())
}

/// The snapshot that a server has stored, and the last index in it.
fn stored(persister: &Persister) -> (Index, Bytes) {
    let persisted = persister.load().expect("a played module wrote it");
    (persisted.last_included.index, persisted.snapshot.expect("a snapshot was taken"))
}

/// A request from before a snapshot is not carried out again by a server with only the snapshot.
///
/// One server restarts from its own snapshot; the other gets it from a leader. A wrong server
/// leaves the clients' sessions out of its snapshot.
///
/// ```text
/// log       append   …   snapshot │ append, once more
/// S0        x 0 0 y               │ restarted: x 0 0 y
/// S1        ·             sent it │            x 0 0 y
/// ```
fn service_sessions_3b(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let server = bench.server(S0, Persister::new(), TRIMMED);
    server.played.leads(1);
    let [mut client, mut filler] = [bench.client(), bench.client()];
    let append = bench.runs(move || client.append("k", "x 0 0 y"));
    server.wait_started(1);
    let request = server.played.command(Index(1));
    server.played.commits_at_once(true);
    append.outcome();
    (0..PLENTY).for_each(|_| filler.put("z", ""));
    assert!(!server.played.snapshots().is_empty(), "the log was never trimmed");

    let persister = server.crash();
    let (index, data) = stored(&persister);
    let restarted = bench.server(S0, persister, TRIMMED);
    restarted.commit_all();
    restarted.commit_other(2, &request);
    let sent = bench.server(S1, Persister::new(), TRIMMED);
    sent.install(2, index, &data);
    sent.commit_other(2, &request);
    for server in [restarted, sent] {
        server.played.leads(3);
        server.played.commits_at_once(true);
        let mut client = bench.client();
        assert_eq!(client.get("k"), "x 0 0 y", "it was carried out before the snapshot");
        server.crash();
    }
}

/// A server that installed a leader's snapshot answers a read that needs only what the snapshot
/// covers.
///
/// It leads in a later term, and no entry has come since. A wrong server counts fewer entries as
/// applied than the snapshot covers, so the read waits for an entry that may never come.
///
/// ```text
/// S0    put k, more, snapshot, crash
/// S0'   empty disk ── installs that snapshot ── leads ── get k
/// ```
fn service_installed_3b(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let (client, persister) = crash_with_a_snapshot(&bench);
    let (covered, data) = stored(&persister);

    let server = bench.server(S0, Persister::new(), READS_BY_INDEX);
    server.install(1, covered, &data);
    read_what_is_covered(&bench, server, client, covered);
}

/// A server that restarts from a snapshot answers a read that needs only what the snapshot covers.
///
/// A wrong server does not count the covered entries as applied, so the read waits.
fn service_restart_3b(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let (client, persister) = crash_with_a_snapshot(&bench);
    let (covered, _) = stored(&persister);

    let server = bench.server(S0, persister, READS_BY_INDEX);
    read_what_is_covered(&bench, server, client, covered);
}

/// Crashes a server whose snapshot has the key `k`. Returns the client that put the key, and the
/// server's storage.
fn crash_with_a_snapshot(bench: &Bench<'_>) -> (Box<dyn KvClient>, Persister) {
    let server = bench.server(S0, Persister::new(), READS_BY_INDEX);
    server.played.leads(1);
    server.played.commits_at_once(true);
    let mut client = bench.client();
    client.put("k", "v");
    (0..PLENTY).for_each(|_| client.put("z", ""));
    (client, server.crash())
}

/// Makes `server` lead, and reads `k`, which its snapshot up to `covered` has.
fn read_what_is_covered(
    bench: &Bench<'_>,
    server: Replica<'_, dyn ServiceInstance>,
    mut client: Box<dyn KvClient>,
    covered: Index,
) {
    server.played.leads(2);
    server.played.reads(Reading::At(covered));
    let last = server.played.last_index();
    let read = bench.runs(move || client.get("k"));
    // Nothing is delivered. A read through the log makes an entry, and may wait for that.
    bench.must_happen("reading what the snapshot has", || {
        !read.is_open() || server.played.last_index() > last
    });
    server.played.commits_at_once(true);
    assert_eq!(read.outcome(), "v", "the snapshot up to {covered} has it");
    server.crash();
}
