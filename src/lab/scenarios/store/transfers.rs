//! Part `store`: snapshots in transfer, and what they must contain.

use super::rounds::ELECTION_MS;
use crate::api::ServerId;
use crate::api::kv_rpc::{ClientId, PutArgs, RequestId};
use crate::lab::Cluster;
use crate::lab::store::Stores;
use crate::labrpc;
use crate::persister::Unsynced;
use crate::runtime::block_on;
use crate::store::{StoreConfig, StoreEnd};

/// How many applied entries a log may keep.
const LOG_GC_LIMIT: u64 = 10;

/// How many keys are put while a server is away, so that the log no longer has all of them.
const KEYS: usize = 40;

/// Bytes of a chunk; a snapshot of these keys has some fifty chunks.
const CHUNK_BYTES: usize = 32;

/// How long a transfer runs before something happens to it, in milliseconds.
///
/// A chunk takes some twenty milliseconds, so that a few chunks have arrived, but not all.
const UNDER_WAY_MS: u64 = 200;

const S0: ServerId = ServerId(0);
const S1: ServerId = ServerId(1);
const S2: ServerId = ServerId(2);

/// Starts servers with short logs and with small chunks, two of them in flight at a time.
fn serve(cluster: &Cluster) -> Stores {
    cluster.serve_store(StoreConfig {
        log_gc_limit: Some(LOG_GC_LIMIT),
        chunk_bytes: CHUNK_BYTES,
        chunks_in_flight: 2,
    })
}

/// Keys with values: enough for a snapshot in many chunks.
fn pairs() -> Vec<(String, String)> {
    (0..KEYS).map(|number| (format!("k{number:02}"), format!("v{number:02}"))).collect()
}

/// Cuts S0 off while the others store `pairs` and cut their logs.
fn leave_behind(stores: &Stores, pairs: &[(String, String)]) {
    let cluster = stores.cluster();
    cluster.partition(&[&[S0], &[S1, S2]]);
    let mut client = stores.client_of(&[S1, S2]);
    pairs.iter().for_each(|(key, value)| client.put(key, value));
    cluster.sleep_ms(ELECTION_MS);
}

/// Fails unless all servers have `pairs`.
fn check_all(stores: &Stores, pairs: &[(String, String)]) {
    let wanted = pairs.iter().map(|(key, value)| (key.as_str(), Some(value.as_str())));
    stores.check_all_have(&wanted.collect::<Vec<_>>());
}

/// A snapshot in many chunks arrives, although a fifth of the calls is lost.
///
/// A wrong receiver leaves a gap in the snapshot, or puts a chunk into another one's place.
pub(crate) fn lost_chunks_store(cluster: &mut Cluster) {
    let (stores, pairs) = (serve(cluster), pairs());
    leave_behind(&stores, &pairs);
    cluster.heal();
    check_all(&stores, &pairs);
    assert!(stores.snapshots_installed(S0) > 0, "the log does not have what S0 lacks");
}

/// The receiver of a snapshot crashes twice during the transfer, and then the sender crashes.
///
/// A wrong receiver installs half a snapshot; a wrong sender never resumes the transfer.
///
/// ```text
/// S0       away │ chunks … crash │ chunks … crash │ chunks …        │ has it all
/// leader        │                │                │ …        crash  │
/// ```
pub(crate) fn snapshot_interrupted_store(cluster: &mut Cluster) {
    let (stores, pairs) = (serve(cluster), pairs());
    leave_behind(&stores, &pairs);
    cluster.heal();
    for _ in 0..2 {
        cluster.sleep_ms(UNDER_WAY_MS);
        cluster.crash_keeping(S0, Unsynced::Draw);
        cluster.restart(S0);
    }
    let leader = cluster.wait_for_leader();
    cluster.crash_keeping(leader, Unsynced::Draw);
    cluster.sleep_ms(UNDER_WAY_MS);
    cluster.restart(leader);
    check_all(&stores, &pairs);
}

/// An empty value is a value, even in a snapshot and after a restart; a missing key has none.
///
/// A wrong server takes the put of an empty value for a delete.
pub(crate) fn empty_value_store(cluster: &mut Cluster) {
    let (stores, pairs) = (serve(cluster), pairs());
    let mut client = stores.client();
    client.put("deleted", "");
    client.put("empty", "something");
    client.put("empty", "");
    client.delete("deleted");
    assert_eq!(client.get("empty").as_deref(), Some(""), "an empty value is not a missing one");
    assert_eq!(client.get("deleted"), None, "a key that was deleted has no value");
    let empty = [("empty".to_string(), String::new())];
    assert_eq!(client.scan("e"), empty, "a key with an empty value is there");
    leave_behind(&stores, &pairs);
    cluster.heal();
    let wanted = [("empty", Some("")), ("deleted", None)];
    stores.check_all_have(&wanted);
    cluster.servers().for_each(|server| cluster.crash_keeping(server, Unsynced::Draw));
    cluster.servers().for_each(|server| cluster.boot(server));
    cluster.heal();
    assert_eq!(client.get("empty").as_deref(), Some(""), "nor after a restart");
    stores.check_all_have(&wanted);
}

/// A request from before a snapshot is not carried out again by a server with only the snapshot.
///
/// A wrong server leaves the clients' sessions out of its snapshot.
///
/// ```text
/// S0       away                        │ snapshot │ the same request, once more ─ ignored
/// S1, S2   append; 40 puts; log cut    │          │ the same request, once more ─ ignored
/// ```
pub(crate) fn sessions_store(cluster: &mut Cluster) {
    let (stores, pairs) = (serve(cluster), pairs());
    cluster.partition(&[&[S0], &[S1, S2]]);
    let append = PutArgs {
        key: "k".to_string(),
        value: "once".to_string(),
        request: RequestId { client: ClientId(u64::MAX), number: 1 },
    };
    append_at_leader(&stores, &append);
    leave_behind(&stores, &pairs);
    cluster.heal();
    check_all(&stores, &pairs);
    append_at_leader(&stores, &append);
    check_all(&stores, &[("k".to_string(), "once".to_string())]);
}

/// Asks one server after the other, until one has carried out `append`.
fn append_at_leader(stores: &Stores, append: &PutArgs) {
    let ends: Vec<StoreEnd> = stores.ends();
    loop {
        for end in &ends {
            let call = end.append(labrpc::context(), append.clone());
            if let Ok(Ok(())) = block_on(call) {
                return;
            }
        }
        stores.cluster().sleep_ms(UNDER_WAY_MS);
    }
}
