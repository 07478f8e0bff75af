//! Parts 2A, 2B and 2D: what a server piles up is bounded by what it was asked for.
//!
//! The limits are far above what any way of writing a server needs: a task per follower and call,
//! calls that last as long as the network makes them, entries kept for slow followers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

use crate::api::ServerId;
use crate::lab::{Cluster, LONG};
use crate::runtime;

/// By how many tasks a server may differ from before, whatever it is at.
const TASKS_SPARE: u64 = 20;

/// How many commands a leader is given while a peer is away. A server may keep one call going for
/// each, until the peer has it.
const WHILE_AWAY: u32 = 100;

/// How many calls to one peer may be under way beside those: heartbeats every 25 ms that take 7 s
/// each.
const CALLS_MAX: u64 = 300;

/// How long the servers of [`elections_leave_nothing_2a`] are alone: some hundred elections.
const ALONE: Duration = Duration::from_secs(60);

/// How many commands [`dropped_entries_are_freed_2d`] starts, and of what size.
const COMMANDS: usize = 300;
const COMMAND_SIZE: usize = 100;

/// A hundred elections that nobody wins leave no task behind.
///
/// ```text
/// S0   S1   S2      each alone: T2 T3 T4 … T100       heal ── 10 s ── as many tasks as before
/// ```
pub fn elections_leave_nothing_2a(cluster: &mut Cluster) {
    cluster.wait_for_leader();
    cluster.run_for(LONG);
    let (before, first) = (most_tasks(cluster), newest_term(cluster));
    cluster.servers().for_each(|server| cluster.isolate(server));
    cluster.run_for(ALONE);
    let elections = newest_term(cluster) - first;
    cluster.heal();
    cluster.wait_for_leader();
    // Every call of then has ended: the slowest takes 7 s.
    cluster.run_for(LONG);
    let why = format!("after {elections} elections");
    check_tasks(cluster, before + TASKS_SPARE + elections / 3, &why);
}

/// Calls to a peer that cannot be reached do not pile up, however long it is away.
///
/// ```text
/// leader ── 100 commands in 50 s, heartbeats ──► follower   ✓
///                                           ──► dead       each call fails after 0 to 7 s
/// ```
pub fn dead_peer_2b(cluster: &mut Cluster) {
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

/// What a snapshot covers is freed: "Raft must discard old log entries in a way that allows" their
/// memory to be used again, says the course.
///
/// A server may keep some for slow followers, but not all of them.
pub fn dropped_entries_are_freed_2d(cluster: &mut Cluster) {
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

/// A command that says when it is freed.
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

/// How many tasks a server has; none on the real clock, where no list is kept.
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
