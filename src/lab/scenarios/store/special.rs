//! The tests of part `store` that have their own stories.

use super::rounds::{ELECTION_MS, check_logs, restart_all, settle, work};
use crate::api::{Index, ServerId, quorum_size};
use crate::lab::Cluster;
use crate::lab::scenarios::kv::rounds::Workers;
use crate::lab::store::{StoreClient, Stores};
use crate::persister::Unsynced;
use crate::runtime::thread;
use crate::store::StoreConfig;

/// How many applied entries a log may keep, in stories with a short log.
const LOG_GC_LIMIT: u64 = 10;

const S0: ServerId = ServerId(0);
const S1: ServerId = ServerId(1);
const S2: ServerId = ServerId(2);

/// A majority continues without a minority: first without two followers, then without the leader.
///
/// A wrong server writes or reads without a majority.
///
/// ```text
/// leader + 1       k1 = v1 ┐ heal ┌ nothing; a read waits ┐ heal ─ k1 = changed, k2 = v2
/// 1 of the others  k1 = v1 │      │ k1 = changed, k2 = v2 │
/// 2 of the others  nothing ┘      └ k1 = changed, k2 = v2 ┘
/// ```
pub(crate) fn one_partition_store(cluster: &mut Cluster) {
    let stores = cluster.serve_store(StoreConfig::default());
    let leader = cluster.wait_for_leader();
    let others: Vec<ServerId> =
        (1..cluster.server_count()).map(|distance| cluster.after(leader, distance)).collect();

    // Two followers are away: the rest continues without them.
    let (near, away) = others.split_at(quorum_size(cluster.server_count()) - 1);
    let with_leader = [&[leader], near].concat();
    cluster.partition(&[&with_leader, away]);
    let mut client = stores.client_of(&with_leader);
    client.put("k1", "v1");
    assert_eq!(client.get("k1").as_deref(), Some("v1"), "a majority has its own value");
    away.iter().for_each(|server| check_look(&stores, *server, "k1", None));
    cluster.heal();
    stores.check_all_have(&[("k1", Some("v1"))]);

    // Now the leader is away with one follower, and the rest needs another leader.
    let leader = cluster.wait_for_leader();
    let others: Vec<ServerId> =
        (1..cluster.server_count()).map(|distance| cluster.after(leader, distance)).collect();
    let (old, new) = ([leader, others[0]], &others[1..]);
    cluster.partition(&[&old, new]);
    let mut client = stores.client_of(new);
    assert_eq!(client.get("k1").as_deref(), Some("v1"), "what was put before the partition");
    client.put("k1", "changed");
    client.put("k2", "v2");

    // The old leader may believe that it leads, and must not answer.
    let mut of_old = stores.client_of(&old);
    let (number, everybody) = (of_old.number(), cluster.servers().collect::<Vec<_>>());
    let read = thread::spawn(format!("client{number}"), move || of_old.get("k1"));
    cluster.sleep_ms(ELECTION_MS);
    assert!(!read.is_finished(), "a minority has answered a read");
    old.iter().for_each(|server| check_look(&stores, *server, "k1", Some("v1")));
    cluster.heal();
    cluster.let_reach(number, &everybody);
    assert_eq!(read.join().as_deref(), Some("changed"), "the read that waited");
    stores.check_all_have(&[("k1", Some("changed")), ("k2", Some("v2"))]);
}

/// Fails unless `server` itself has `value` under `key`.
fn check_look(stores: &Stores, server: ServerId, key: &str, value: Option<&str>) {
    let found = stores.look(server, key);
    assert_eq!(found.as_deref(), value, "{server}'s own value of {key:?}");
}

/// A server that was away gets a snapshot with what was put meanwhile, and without deleted keys.
///
/// The same data must be there after a restart. A wrong server keeps what was deleted, or forgets
/// the snapshot in a restart.
///
/// ```text
/// S0       k1, k2 │                             │ k1, k100 by snapshot ─ restart ─ k1, k100
/// S1, S2   k1, k2 │ 15 puts, k2 deleted; log cut │
/// ```
pub(crate) fn one_snapshot_store(cluster: &mut Cluster) {
    let config = StoreConfig { log_gc_limit: Some(LOG_GC_LIMIT), ..StoreConfig::default() };
    let stores = cluster.serve_store(config);
    let mut client = stores.client();
    client.put("k1", "v1");
    client.put("k2", "v2");
    stores.check_all_have(&[("k1", Some("v1")), ("k2", Some("v2"))]);
    assert_eq!(stores.truncated(S0), Some(Index(0)), "a short log is not cut");

    cluster.partition(&[&[S0], &[S1, S2]]);
    let mut client = stores.client_of(&[S1, S2]);
    (100..115).for_each(|number| client.put(&format!("k{number}"), &format!("v{number}")));
    client.delete("k2");
    cluster.sleep_ms(ELECTION_MS);
    check_look(&stores, S0, "k100", None);
    check_look(&stores, S0, "k2", Some("v2"));

    cluster.heal();
    let wanted = [("k1", Some("v1")), ("k100", Some("v100")), ("k114", Some("v114")), ("k2", None)];
    stores.check_all_have(&wanted);
    assert!(stores.snapshots_installed(S0) > 0, "the log does not have what S0 lacks");
    cluster.crash(S0);
    cluster.restart(S0);
    wanted.iter().for_each(|(key, value)| check_look(&stores, S0, key, *value));
    stores.check_all_have(&wanted);
    cluster.sleep_ms(ELECTION_MS);
    check_logs(&stores, LOG_GC_LIMIT);
}

/// How often a server's power is set to fail while clients work.
const FAILURES: u32 = 40;

/// Up to how many writes and syncs precede a failure; a commit has about half as many.
const OPERATIONS_MAX: u64 = 16;

/// How long servers are up and down between two failures, at most and in milliseconds.
const UP_MS_MAX: u64 = 150;

/// The power fails during commits to the database, and the server finds all of a commit or nothing.
///
/// Some of these commits store entries, some apply them, some cut the log. A wrong server finds a
/// part of a commit, or makes a promise before its sync.
pub(crate) fn torn_commits_store(cluster: &mut Cluster) {
    const CLIENTS: usize = 5;
    let config = StoreConfig { log_gc_limit: Some(LOG_GC_LIMIT), ..StoreConfig::default() };
    let stores = cluster.serve_store(config);
    cluster.sleep_ms(ELECTION_MS);
    let clients: Vec<StoreClient> = (0..CLIENTS).map(|_| stores.client()).collect();
    let workers = Workers::of(clients.into_iter(), StoreClient::number, &work);
    for _ in 0..FAILURES {
        stores.fail_power_after(cluster.draw_server(), cluster.draw(OPERATIONS_MAX));
        cluster.sleep_ms(cluster.draw(UP_MS_MAX));
        let failed = stores.without_power();
        failed.iter().for_each(|server| cluster.crash_keeping(*server, Unsynced::Draw));
        cluster.sleep_ms(cluster.draw(UP_MS_MAX));
        failed.iter().for_each(|server| cluster.restart(*server));
    }
    workers.stop();
    restart_all(&stores);
    settle(&stores, &workers.join());
}
