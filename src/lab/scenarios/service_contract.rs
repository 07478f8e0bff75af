//! Parts 3A and 3B: sentences of the service's contract that no other scenario tests.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Index, PutError, Reads, RsmConfig, ServerId, SubmitError};
use crate::lab::played::Bench;
use crate::lab::service::{Count, Counted, KvClient};
use crate::lab::{Cluster, Scenario};
use crate::labrpc::{Fault, Host};
use crate::persister::Persister;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("service_late_copies_3a", service_late_copies_3a)
        .title("late copies of requests")
        .catches("a session that recognises only the last request, and no older ones"),
    Scenario::new("versioned_mixed_3a", versioned_mixed_3a)
        .title("versions, puts and appends")
        .catches("a version that does not count every change"),
    Scenario::new("rsm_covered_3b", rsm_covered_3b)
        .title("an operation that a leader's snapshot may cover")
        .catches("an operation reported as not applied, although a snapshot may contain it"),
];

/// How late the copy of a request arrives: the client has long since sent its next request.
const LATE: Duration = Duration::from_millis(300);

/// How many small commands need several times the limit of [`TRIMMED`].
const PLENTY: u64 = 100;

/// A service that limits its raft state, and so takes snapshots.
const TRIMMED: RsmConfig = RsmConfig { raft_state_max: Some(500), reads: Reads::ThroughLog };

const S0: ServerId = ServerId(0);
const S1: ServerId = ServerId(1);

/// A version counts *all* changes of a key, also those by a plain put or an append.
///
/// A wrong service counts only versioned puts.
///
/// ```text
/// put a at v0   append b   put x at v1   put c    put d at v3
/// a, v1         ab, v2     refused       c, v3    d, v4
/// ```
fn versioned_mixed_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let server = bench.server(S0, Persister::new(), RsmConfig::default());
    server.played.leads(1);
    server.played.commits_at_once(true);
    let mut client = bench.client();
    let client = &mut *client;

    put_is(client, ("k", 0), "a", Ok(()));
    has(client, "k", "a", 1);
    client.append("k", "b");
    has(client, "k", "ab", 2);
    put_is(client, ("k", 1), "x", Err(PutError::Version));
    has(client, "k", "ab", 2);
    client.put("k", "c");
    has(client, "k", "c", 3);
    put_is(client, ("k", 3), "d", Ok(()));
    has(client, "k", "d", 4);

    // The operation that creates a key makes version 1.
    client.append("appended", "a");
    has(client, "appended", "a", 1);
    client.put("put", "p");
    has(client, "put", "p", 1);
    for key in ["appended", "put"] {
        put_is(client, (key, 0), "x", Err(PutError::Version));
    }
    server.crash();
}

/// Fails unless the put of `value` to a key at a version ended as `expected`.
///
/// `Maybe` is right too: if a server was delayed, the clerk has retried.
fn put_is(
    client: &mut dyn KvClient,
    (key, version): (&str, u64),
    value: &str,
    expected: Result<(), PutError>,
) {
    let outcome = client.put_versioned(key, value, version);
    let honest = [expected, Err(PutError::Maybe)].contains(&outcome);
    assert!(honest, "a put to {key} at version {version}: {outcome:?}, expected {expected:?}");
}

fn has(client: &mut dyn KvClient, key: &str, value: &str, version: u64) {
    let expected = Some((value.to_string(), version));
    assert_eq!(client.get_versioned(key), expected, "each change of {key} makes one version");
}

/// A copy of a request that arrives after its client's next request is not carried out again.
///
/// "The state machine tracks the latest serial number processed for each client" (Raft §8): an
/// older number is a copy too. A wrong service recognizes only the client's last request.
///
/// ```text
/// client   1: put old   2: put new   3: append
/// S0       1            2            3            1 2 3 again, 300 ms late
/// ```
fn service_late_copies_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let server = bench.server(S0, Persister::new(), RsmConfig::default());
    server.played.leads(1);
    server.played.commits_at_once(true);
    let mut client = bench.client();
    let copies = Fault::repeat(LATE, LATE * 2).to(Host::Server(S0));
    let copies = cluster.network().add_rule("late copies", Arc::new(copies));
    client.put("k", "old");
    client.put("k", "new");
    client.append("k", "+");
    client.append("k", "-");
    cluster.network().remove_rule(copies);
    cluster.run_for(LATE * 3);
    assert_eq!(client.get("k"), "new+-", "each request came twice, and counts once");
    server.crash();
}

/// A server does not deny an operation that a leader's snapshot may cover.
///
/// A wrong server says that the operation never happened, although the snapshot has it.
///
/// ```text
/// S0        leads, submits +1 at 1/1 ── follows ── snapshot up to 100, with 1/1 in it
/// submit    ├────────────────────────────────────► it may have happened
/// ```
fn rsm_covered_3b(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let operation = Count { by: 1, tag: 1 };
    // The next leader's first entry is the operation's.
    let donor = bench.counter(Persister::new(), TRIMMED);
    donor.played.leads(1);
    let first = donor.submit(operation);
    donor.wait_started(1);
    let command = donor.played.command(Index(1));
    donor.commit();
    assert_eq!(first.outcome(), Ok(Counted { value: 1, tag: 1 }), "1/1 is committed");
    (0..PLENTY).for_each(|_| donor.commit_other(2, &command));
    bench.must_happen("taking a snapshot", || !donor.played.snapshots().is_empty());
    let persisted = donor.crash().load().expect("a played module wrote it");
    let (index, data) = (persisted.last_included.index, persisted.snapshot);
    let data = data.expect("a snapshot was taken");

    let replica = bench.counter(Persister::new(), TRIMMED);
    replica.played.leads(1);
    let covered = replica.submit(operation);
    replica.wait_started(1);
    replica.played.follows(2, Some(S1));
    replica.install(persisted.last_included.term.0, index, &data);
    let outcome = covered.outcome();
    let maybe = [Err(SubmitError::LeadershipLost), Err(SubmitError::Stopped)];
    assert!(maybe.contains(&outcome), "the snapshot covers the operation at 1/1: {outcome:?}");
    replica.crash();
}
