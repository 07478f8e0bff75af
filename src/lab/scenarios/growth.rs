//! Parts 2A, 2B and 2D: a server's tasks and memory do not grow without limit.
//!
//! The limits are far above what any design needs: a task per follower and per call, calls that
//! last as long as the network makes them, entries kept for slow followers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

use crate::api::ServerId;
use crate::lab::{Cluster, LONG, Scenario};
use crate::runtime;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("elections_leave_nothing_2a", elections_leave_nothing_2a)
        .title("tasks after a hundred elections")
        .catches("a task per election that runs until the server is killed"),
    Scenario::new("dead_peer_2b", dead_peer_2b)
        .title("a peer that is unreachable for long")
        .catches("calls to an unreachable peer that pile up"),
    Scenario::new("dropped_entries_are_freed_2d", dropped_entries_are_freed_2d)
        .title("memory after snapshots")
        .catches("entries that stay in memory although a snapshot covers them"),
];

/// How many more tasks than before a server may have, whatever it is doing.
const TASKS_SPARE: u64 = 20;

/// How many commands a leader gets while a peer is away.
///
/// The leader may keep one call in flight for each command until the peer has the entry.
const WHILE_AWAY: u32 = 100;

/// How many other calls to one peer may be in flight: heartbeats every 25 ms that take 7 s each.
const CALLS_MAX: u64 = 300;

/// How long each server of [`elections_leave_nothing_2a`] is isolated: about a hundred elections.
const ALONE: Duration = Duration::from_secs(60);

/// How many commands [`dropped_entries_are_freed_2d`] starts, and their size in bytes.
const COMMANDS: usize = 300;
const COMMAND_SIZE: usize = 100;

/// A hundred elections without a winner leave no task behind.
///
/// A wrong server starts tasks for each election that stay until the server is killed.
///
/// ```text
/// S0   S1   S2      each alone: T2 T3 T4 … T100       heal ── 10 s ── as many tasks as before
/// ```
fn elections_leave_nothing_2a(cluster: &mut Cluster) {
    cluster.wait_for_leader();
    cluster.run_for(LONG);
    let (before, first) = (most_tasks(cluster), newest_term(cluster));
    cluster.servers().for_each(|server| cluster.isolate(server));
    cluster.run_for(ALONE);
    let elections = newest_term(cluster) - first;
    cluster.heal();
    cluster.wait_for_leader();
    // By now all calls from before have ended: the slowest takes 7 s.
    cluster.run_for(LONG);
    let why = format!("after {elections} elections");
    check_tasks(cluster, before + TASKS_SPARE + elections / 3, &why);
}

/// Calls to a peer that cannot be reached do not pile up, however long it is away.
///
/// A wrong leader starts new calls to the peer faster than the old ones end.
///
/// ```text
/// leader ── 100 commands in 50 s, heartbeats ──► follower   ✓
///                                           ──► dead       each call fails after 0 to 7 s
/// ```
fn dead_peer_2b(cluster: &mut Cluster) {
    let leader = cluster.wait_for_leader();
    cluster.agree("shared");
    let before = most_tasks(cluster);
    cluster.isolate(cluster.after(leader, 1));
    for number in 0..WHILE_AWAY {
        let _ = cluster.start(leader, &number.to_be_bytes());
        cluster.sleep_ms(500);
    }
    cluster.run_for(LONG);
    let calls = CALLS_MAX + u64::from(WHILE_AWAY);
    check_tasks(cluster, before + calls, "while a peer is away");
    cluster.heal();
    cluster.one(b"end", cluster.server_count(), true);
    cluster.run_for(LONG);
    check_tasks(cluster, before + TASKS_SPARE, "10 s after the peer has come back");
}

/// A server frees the memory of the entries that its snapshot covers.
///
/// "Raft must discard old log entries in a way that allows" their memory to be used again, says the
/// course. A server may keep some of them for slow followers; a wrong server keeps them all.
fn dropped_entries_are_freed_2d(cluster: &mut Cluster) {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut leader = cluster.wait_for_leader();
    let mut started = 0;
    while started < COMMANDS {
        let command = Counted::new(&alive, started);
        match cluster.start_bytes(leader, Bytes::from_owner(command)) {
            Ok(_) => started += 1,
            Err(_) => leader = cluster.wait_for_leader(),
        }
        if started % 10 == 0 {
            cluster.sleep_ms(30);
        }
    }
    cluster.one(b"end", cluster.server_count(), true);
    cluster.run_for(LONG);
    let left = alive.load(Ordering::Relaxed) as u64;
    cluster.check_at_most("commands_kept", left, COMMANDS as u64 / 2);
}

/// A command that is counted in `alive` until its memory is freed.
struct Counted {
    alive: Arc<AtomicUsize>,
    text: Vec<u8>,
}

impl Counted {
    fn new(alive: &Arc<AtomicUsize>, number: usize) -> Counted {
        alive.fetch_add(1, Ordering::Relaxed);
        let text = format!("{number:0>COMMAND_SIZE$}").into_bytes();
        Counted { alive: alive.clone(), text }
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

fn newest_term(cluster: &Cluster) -> u64 {
    let terms = cluster.servers().filter_map(|server| cluster.state_of(server));
    terms.map(|state| state.term.0).max().unwrap_or_default()
}

/// How many tasks a server has; 0 on the real clock, which keeps no list.
fn tasks_of(server: ServerId) -> u64 {
    runtime::tasks_labelled(server.0).map_or(0, |tasks| tasks.len() as u64)
}

fn most_tasks(cluster: &Cluster) -> u64 {
    cluster.servers().map(tasks_of).max().unwrap_or_default()
}

fn check_tasks(cluster: &Cluster, most: u64, when: &str) {
    for server in cluster.servers() {
        let tasks = tasks_of(server);
        if tasks > most {
            let what = runtime::describe_tasks(server.0).unwrap_or_default();
            let message = format!(
                "{when}, {server} has {tasks} tasks; at most {most} are allowed:\n{}",
                what.trim_end()
            );
            cluster.end_by_limit("tasks_pile_up", message);
        }
    }
}
