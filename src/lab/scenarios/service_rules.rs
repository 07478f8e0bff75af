//! Part 3A: what a key/value server and a clerk owe each other, each rule tested by itself.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Index, PutError, Reads, RsmConfig, ServerId};
use crate::lab::played::{Bench, Reading, Replica, Submission};
use crate::lab::{Cluster, Scenario, ServiceInstance};
use crate::labrpc::Host;
use crate::persister::Persister;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("service_duplicates_3a", service_duplicates_3a)
        .title("a request that is in the log twice")
        .catches("a retry that is recognised only when it arrives; a retry with a new number"),
    Scenario::new("service_versioned_retry_3a", service_versioned_retry_3a)
        .title("a put that is retried")
        .catches("a retry's version error passed on, although the first try may have succeeded"),
    Scenario::new("service_reads_3a", service_reads_3a)
        .title("reads from a leader that may be deposed")
        .catches("a read without confirmed leadership, or one that misses committed entries"),
    Scenario::new("clerk_remembers_leader_3a", clerk_remembers_leader_3a)
        .title("ten operations in a row")
        .catches("a clerk that searches for the leader before every operation"),
    Scenario::new("service_end_3a", service_end_3a)
        .title("a killed server and its callers")
        .catches("calls that a killed server never ends; a killed server that is never freed"),
];

/// How long a scenario waits to see that a server does not answer.
const A_WHILE: Duration = Duration::from_millis(300);

/// How long a clerk may take to retry: it must do so, but chooses when.
const ASKS_AGAIN_MAX: Duration = Duration::from_secs(3);

/// How many calls ten operations may make to servers that do not lead.
const ASTRAY_MAX: u64 = 2;

const S0: ServerId = ServerId(0);
const S1: ServerId = ServerId(1);
const S2: ServerId = ServerId(2);

/// A key/value server that has stored nothing.
fn fresh<'a>(bench: &'a Bench<'_>, me: ServerId) -> Replica<'a, dyn ServiceInstance> {
    bench.server(me, Persister::new(), RsmConfig::default())
}

/// Loses the answer to the first command, so that the clerk retries.
///
/// Waits until the retry is in the log, for at most [`ASKS_AGAIN_MAX`]: a server may recognize it
/// before that, and not put it into the log.
fn lose_the_answer(
    cluster: &Cluster,
    bench: &Bench<'_>,
    server: &Replica<'_, dyn ServiceInstance>,
) {
    server.wait_started(1);
    bench.reached(S0, false);
    cluster.run_for(A_WHILE);
    bench.reached(S0, true);
    bench.happens(ASKS_AGAIN_MAX, || server.played.last_index() >= Index(2));
}

/// A request that is in the log twice, before either entry is applied, is carried out once.
///
/// A wrong server looks for duplicates only when a request arrives; a wrong clerk gives its retry a
/// new number.
///
/// ```text
/// clerk    append ──► S0        append ──► S0
/// answer   lost                 done
/// log      1/1 append           1/2 append           both committed now
/// ```
fn service_duplicates_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let server = fresh(&bench, S0);
    server.played.leads(1);
    let mut client = bench.client();
    let append = bench.runs(move || {
        client.append("k", "x 0 0 y");
        client
    });
    lose_the_answer(cluster, &bench, &server);
    server.commit_all();
    server.played.commits_at_once(true);
    let mut client = append.outcome();
    assert_eq!(client.get("k"), "x 0 0 y", "one append, although it was retried");

    client.append("k", "x 0 1 y");
    client.append("k", "x 0 1 y");
    let twice = "x 0 0 yx 0 1 yx 0 1 y";
    assert_eq!(client.get("k"), twice, "two equal operations are still two");
    server.crash();
}

/// A put that is refused after a retry may have happened, so the clerk must leave that open.
///
/// The first copy's answer was lost, or its leader was deposed. A wrong clerk passes on the refusal
/// of its retry.
///
/// ```text
/// log      1/1 put v0: done       1/2 put v0: another version
/// answer   lost                   in doubt, not refused
/// ```
fn service_versioned_retry_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    for deposed in [false, true] {
        let server = fresh(&bench, S0);
        server.played.leads(1);
        let mut client = bench.client();
        let put = bench.runs(move || (client.put_versioned("k", "v", 0), client));
        if deposed {
            server.wait_started(1);
            server.played.follows(2, None);
            cluster.run_for(A_WHILE);
            server.commit();
            server.played.leads(3);
            server.wait_started(2);
        } else {
            lose_the_answer(cluster, &bench, &server);
        }
        server.commit_all();
        server.played.commits_at_once(true);
        let (outcome, mut client) = put.outcome();
        let honest = [Ok(()), Err(PutError::Maybe)].contains(&outcome);
        assert!(honest, "the first copy was carried out, so it cannot be {outcome:?}");
        assert_eq!(client.get_versioned("k"), Some(("v".to_string(), 1)), "one put");
        server.crash();
    }
}

/// A read waits until its server is sure to lead, and has applied all that was committed before.
///
/// Raft §8. A wrong server answers without asking its peers, or before it has applied the log.
///
/// ```text
/// S0 leads     x 0 0 y applied ── get: open ───────── leadership confirmed up to 2
/// log          1/1               1/2 x 0 1 y, answered elsewhere ── applied ── get: both
/// ```
fn service_reads_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    for reads in [Reads::ThroughLog, Reads::ReadIndex] {
        let config = RsmConfig { reads, ..RsmConfig::default() };
        let server = bench.server(S0, Persister::new(), config);
        server.played.leads(1);
        server.played.reads(Reading::Held);
        let [mut writer, mut reader] = [bench.client(), bench.client()];
        let write = bench.runs(move || {
            writer.append("k", "x 0 0 y");
            writer.append("k", "x 0 1 y");
        });
        server.wait_started(1);
        server.commit();
        server.wait_started(2);

        let read = bench.runs(move || reader.get("k"));
        read.stays_open(A_WHILE, "S0 may have been deposed: it answers without asking its peers");
        server.played.reads(Reading::At(Index(2)));
        read.stays_open(A_WHILE, "S0 answers before it has applied what is committed");
        server.played.commits_at_once(true);
        assert_eq!(read.outcome(), "x 0 0 yx 0 1 y", "{reads:?}: both appends came first");
        write.outcome();

        // S0 is deposed for certain.
        server.played.follows(2, None);
        let mut reader = bench.client();
        let read = bench.runs(move || reader.get("k"));
        read.stays_open(A_WHILE, "S0 is a follower, but answers");
        server.played.leads(3);
        server.played.reads(Reading::ThroughLog);
        assert_eq!(read.outcome(), "x 0 0 yx 0 1 y", "{reads:?}: nothing was appended");
        server.crash();
    }
}

/// A clerk that has found the leader continues to ask that server.
///
/// A wrong clerk looks for the leader again with every operation.
fn clerk_remembers_leader_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let servers = [S0, S1, S2].map(|me| fresh(&bench, me));
    servers[2].played.leads(1);
    servers[2].played.commits_at_once(true);
    let mut client = bench.client();
    client.append("k", "x");
    let calls = |server| cluster.network().dispatched_to(Host::Server(server));
    let astray = || calls(S0) + calls(S1);
    let before = astray();
    for _ in 0..10 {
        client.append("k", "x");
    }
    cluster.check_at_most("calls to servers that do not lead", astray() - before, ASTRAY_MAX);
    assert_eq!(client.get("k"), "x".repeat(11), "no append is lost");
    servers.into_iter().for_each(|server| drop(server.crash()));
}

/// A killed server releases its callers, which then ask another server, and nothing of it remains.
///
/// A wrong server does not end its calls, or is kept alive by what refers to it.
fn service_end_3a(cluster: &mut Cluster) {
    let bench = Bench::new(cluster);
    let [server, other] = [S0, S1].map(|me| fresh(&bench, me));
    server.played.leads(1);
    let appends: Vec<_> = (0..5)
        .map(|_| {
            let mut client = bench.client();
            bench.runs(move || client.append("k", "x"))
        })
        .collect();
    server.wait_started(5);
    let played = server.played.clone();
    bench.retire(S0);
    server.crash();
    bench.must_happen("releasing a killed consensus module", || Arc::strong_count(&played) == 1);

    other.played.leads(2);
    other.played.commits_at_once(true);
    appends.into_iter().for_each(Submission::outcome);
    let mut client = bench.client();
    assert_eq!(client.get("k"), "xxxxx", "each once: the killed server answered no call");
    other.crash();
}
