//! What part `store` asks of snapshots on their way, and of what they must have in them.

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

/// How many keys are put while a server is away, so that the log no longer has all of it.
const KEYS: usize = 40;

/// A snapshot of those has some fifty chunks of this many bytes.
const CHUNK_BYTES: usize = 32;

/// How long a snapshot is under way before something happens to it, in milliseconds: a few chunks
/// have arrived, of which each takes some twenty, but not all.
const UNDER_WAY_MS: u64 = 200;

const S0: ServerId = ServerId(0);
const S1: ServerId = ServerId(1);
const S2: ServerId = ServerId(2);

/// Servers whose log is short, and whose snapshots go in small chunks, one after the other.
fn serve(cluster: &Cluster) -> Stores {
    cluster.serve_store(StoreConfig {
        log_gc_limit: Some(LOG_GC_LIMIT),
        chunk_bytes: CHUNK_BYTES,
        chunks_in_flight: 2,
    })
}

/// Keys with values, as many as a snapshot needs to be long.
fn pairs() -> Vec<(String, String)> {
    (0..KEYS).map(|number| (format!("k{number:02}"), format!("v{number:02}"))).collect()
}

/// S0 is away while the others put `pairs`, and their log is cut.
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

/// A snapshot in many chunks arrives although a fifth of their calls are lost.
pub fn lost_chunks_store(cluster: &mut Cluster) {
    let (stores, pairs) = (serve(cluster), pairs());
    leave_behind(&stores, &pairs);
    stores.heal();
    check_all(&stores, &pairs);
    assert!(stores.snapshots_installed(S0) > 0, "the log does not have what S0 lacks");
}

/// The receiver of a snapshot crashes while the chunks come, twice, and then the sender does.
///
/// ```text
/// S0       away │ chunks … crash │ chunks … crash │ chunks …        │ has it all
/// leader        │                │                │ …        crash  │
/// ```
pub fn snapshot_interrupted_store(cluster: &mut Cluster) {
    let (stores, pairs) = (serve(cluster), pairs());
    leave_behind(&stores, &pairs);
    stores.heal();
    for _ in 0..2 {
        cluster.sleep_ms(UNDER_WAY_MS);
        stores.crash(S0, Unsynced::Draw);
        stores.restart(S0);
    }
    let leader = stores.wait_for_leader();
    stores.crash(leader, Unsynced::Draw);
    cluster.sleep_ms(UNDER_WAY_MS);
    stores.restart(leader);
    check_all(&stores, &pairs);
}

/// An empty value is a value, also in a snapshot and after a restart; a missing key has none.
pub fn empty_value_store(cluster: &mut Cluster) {
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
    stores.heal();
    let wanted = [("empty", Some("")), ("deleted", None)];
    stores.check_all_have(&wanted);
    cluster.servers().for_each(|server| stores.crash(server, Unsynced::Draw));
    cluster.servers().for_each(|server| stores.boot(server));
    stores.heal();
    assert_eq!(client.get("empty").as_deref(), Some(""), "not after a restart either");
    stores.check_all_have(&wanted);
}

/// A request that was carried out before a snapshot is known to who has the snapshot only.
///
/// ```text
/// S0       away                        │ snapshot │ the same request, once more ─ nothing
/// S1, S2   append; 40 puts; log cut    │          │ the same request, once more ─ nothing
/// ```
pub fn sessions_store(cluster: &mut Cluster) {
    let (stores, pairs) = (serve(cluster), pairs());
    cluster.partition(&[&[S0], &[S1, S2]]);
    let append = PutArgs {
        key: "k".to_string(),
        value: "once".to_string(),
        request: RequestId { client: ClientId(u64::MAX), number: 1 },
    };
    append_at_leader(&stores, &append);
    leave_behind(&stores, &pairs);
    stores.heal();
    check_all(&stores, &pairs);
    append_at_leader(&stores, &append);
    check_all(&stores, &[("k".to_string(), "once".to_string())]);
}

/// Asks one server after the other, until one has carried `append` out.
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
