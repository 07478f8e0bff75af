//! The list of metrics, each with the reason why the designs differ in it.

use super::metric::{LOADS, Metric, PLAIN, ROUND_TRIPS_MS, SIZES};

const COMMIT: Metric =
    Metric { group: "a command committed", at: LOADS, place: "{} in flight", ..PLAIN };
const LATENCY: Metric =
    Metric { group: "time, in round trips", at: ROUND_TRIPS_MS, place: "{} ms a trip", ..PLAIN };
const ELECTION: Metric = Metric { group: "elections", digits: 0, ..PLAIN };
const REPAIR: Metric = Metric { group: "repair", unit: "ms", digits: 0, ..PLAIN };
const UPKEEP: Metric = Metric { group: "upkeep", digits: 0, ..PLAIN };
const CODE: Metric = Metric { group: "code", digits: 0, ..PLAIN };

/// Whether two figures are practically equal: they differ by a fifth at most.
fn alike(a: f64, b: f64) -> bool {
    (a - b).abs() <= 0.2 * a.abs().max(b.abs())
}

/// All metrics, in the order in which they are shown.
pub static METRICS: &[Metric] = &[
    Metric {
        id: "requests",
        name: "requests",
        digits: 3,
        why: "rpc reports a commit with the next append. tick reports it at once, in an append of \
              its own, which makes twice as many requests when commands come singly. Under load, \
              commands wait for the append in flight and share the next one, which reports the \
              commit too: the difference is gone.",
        holds: |at, rpc, tick| if at == 1 { tick > 1.9 * rpc } else { alike(rpc, tick) },
        ..COMMIT
    },
    Metric {
        id: "responses",
        name: "responses",
        digits: 3,
        why: "In both designs each request causes one response, so these figures equal those of \
              the requests. In tick a response is a message of its own to the core, but it travels \
              as the reply of the call that brought the request.",
        holds: |at, rpc, tick| if at == 1 { tick > 1.9 * rpc } else { alike(rpc, tick) },
        ..COMMIT
    },
    Metric {
        id: "bytes",
        name: "bytes",
        unit: "B",
        digits: 0,
        why: "Two followers get a command of 100 bytes each: 200 bytes are payload. The rest is \
              framing, of which tick has more: a second append that reports the commit, and the \
              sender and the receiver in every message, which a call need not name.",
        holds: |_, rpc, tick| rpc > 200.0 && tick > rpc,
        ..COMMIT
    },
    Metric {
        id: "persisted_bytes",
        name: "bytes stored by a server",
        unit: "B",
        digits: 1,
        why: "Both designs store each new entry once, with its term and index. tick stores one \
              byte more, which distinguishes a command from the empty entry that opens a term.",
        holds: |_, rpc, tick| (0.9..1.5).contains(&(tick - rpc)),
        ..COMMIT
    },
    Metric {
        id: "syncs",
        name: "syncs of a server",
        why: "Each server syncs a command that comes singly once, before it promises anything. \
              Under load, the followers of both designs sync once per append. The leader of rpc \
              syncs each command. The leader of tick syncs all that its worker finds in its queue \
              at once; here that is hardly ever more than one command, since a sync takes no time \
              and so no queue builds up.",
        holds: |_, rpc, tick| alike(rpc, tick),
        ..COMMIT
    },
    Metric {
        id: "cpu",
        name: "CPU time of all servers",
        unit: "µs",
        digits: 1,
        why: "tick hands each command, message and answer to its worker through a queue, and the \
              worker hands each committed entry to another task. rpc does the work in the task \
              where it arrives, under its lock. Batches share that cost. The figure includes the \
              network and the clock of the simulation, so more requests also cost more here.",
        holds: |_, rpc, tick| tick > rpc,
        is_repeatable: false,
        why_raft_rs: "raft-rs has its own message types, which its adapter converts to those of \
                      tick and back.",
        ..COMMIT
    },
    Metric {
        id: "commit_latency",
        name: "to the leader's service",
        why: "One round trip in both designs: the leader sends at once, and its own copy and that \
              of the first follower to answer are a majority of three.",
        holds: |_, rpc, tick| (0.99..1.1).contains(&rpc) && (0.99..1.1).contains(&tick),
        ..LATENCY
    },
    Metric {
        id: "apply_latency",
        name: "to the last service",
        why: "A follower learns of a commit half a round trip after the leader reports it. tick \
              reports it as soon as the command is committed. rpc waits 10 ms for entries that \
              could carry the report: a whole round trip on the faster network, and a fifth of one \
              on the slower.",
        holds: |_, rpc, tick| rpc > tick + 0.1 && (1.49..1.6).contains(&tick),
        ..LATENCY
    },
    Metric {
        id: "latency_loaded",
        name: "under load, to the leader's service",
        why: "Both designs have one append with entries in flight to each follower. A command that \
              finds one in flight waits for its answer, and then makes a round trip of its own.",
        holds: |at, rpc, tick| alike(rpc, tick) && alike(rpc, if at == 1 { 1.0 } else { 2.0 }),
        at: LOADS,
        place: "{} in flight",
        ..LATENCY
    },
    Metric {
        id: "election_ms",
        name: "first leader",
        unit: "ms",
        at: SIZES,
        place: "{} servers",
        why: "The shortest timeout decides, so a larger cluster has a leader sooner. rpc draws 400 \
              to 800 ms; tick draws 10 to 19 ticks of 50 ms, of which the first is cut short.",
        holds: |_, rpc, tick| tick > rpc,
        ..ELECTION
    },
    Metric {
        id: "election_terms",
        name: "terms until the first leader",
        at: SIZES,
        place: "{} servers",
        why: "An additional term is a split vote. Timeouts of rpc are drawn to the nanosecond; \
              those of tick are whole ticks, but each server's ticks have a phase of their own. So \
              two servers hardly ever start an election within one round trip.",
        holds: |_, rpc, tick| rpc < 1.5 && tick < 1.5,
        ..ELECTION
    },
    Metric {
        id: "election_requests",
        name: "votes asked for",
        at: SIZES,
        place: "{} servers",
        why: "A candidate asks each other server once; neither design asks beforehand (PreVote is \
              off in tick).",
        holds: |at, rpc, tick| [rpc, tick].iter().all(|it| alike(*it, f64::from(at) - 1.0)),
        ..ELECTION
    },
    Metric {
        id: "failover_ms",
        name: "from a leader's crash to the next leader",
        unit: "ms",
        why: "The election timeouts of the two other servers, counted from the last heartbeat that \
              they heard; those of tick are longer.",
        holds: |_, rpc, tick| tick > rpc,
        ..ELECTION
    },
    Metric {
        id: "failover_commit_ms",
        name: "from the next leader to its first commit",
        unit: "ms",
        why: "One round trip (10 ms) in rpc. A leader of tick first sends the empty entry that \
              opens its term, which commits the entries of earlier leaders. A command that comes \
              meanwhile waits for the answer to it: two round trips.",
        holds: |_, rpc, tick| alike(2.0 * rpc, tick),
        ..ELECTION
    },
    Metric {
        id: "heal_follower_ms",
        name: "a follower returns",
        why: "Without PreVote, a server that was cut off comes back with a newer term and deposes \
              a healthy leader. In both designs the time is that of the next election.",
        holds: |_, rpc, tick| rpc > 300.0 && tick > 300.0,
        why_raft_rs: "A server of raft-rs does not answer a message of an older term, so the \
                      leader hears of the newer term only when the server starts another election: \
                      one election timeout more.",
        ..REPAIR
    },
    Metric {
        id: "heal_leader_ms",
        name: "a deposed leader returns",
        why: "The deposed leader hears of the newer term with the next heartbeat, within 100 ms in \
              both designs. In the exchange after that it gives up the entries that it could not \
              commit.",
        holds: |_, rpc, tick| rpc < 150.0 && tick < 150.0,
        ..REPAIR
    },
    Metric {
        id: "heal_all_ms",
        name: "all return to each other",
        why: "All servers have started elections in vain, so there is no leader to hear of. The \
              next timeout decides, if its candidate's term is the newest. The timeouts of tick \
              are longer.",
        holds: |_, rpc, tick| tick > rpc,
        ..REPAIR
    },
    Metric {
        id: "snapshot_ms",
        name: "a server needs a snapshot",
        why: "The next heartbeat finds a server that was down, within 100 ms. Its answer triggers \
              the snapshot, and the answer to that triggers the entries after it: the same three \
              steps in both designs.",
        holds: |_, rpc, tick| [rpc, tick].iter().all(|it| (25.0..125.0).contains(it)),
        ..REPAIR
    },
    Metric {
        id: "lost_snapshot_ms",
        name: "a server needs a snapshot, the first is lost",
        why: "Both designs retry with the next heartbeat: 100 ms more. rpc repeats a call that had \
              no answer; the driver of tick reports that the call failed.",
        holds: |_, rpc, tick| [rpc, tick].iter().all(|it| (125.0..225.0).contains(it)),
        ..REPAIR
    },
    Metric {
        id: "silent_snapshot_ms",
        name: "a server needs a snapshot, the first is lost unnoticed",
        why: "rpc makes no difference: it repeats at the next heartbeat whatever had no answer by \
              then. tick sends nothing to a server while a snapshot is in flight to it, until the \
              driver reports the outcome or five heartbeats have been answered.",
        holds: |_, rpc, tick| tick > 2.0 * rpc,
        why_raft_rs: "raft-rs waits only for a report on the snapshot: here until the call ends, \
                      after 7 s.",
        ..REPAIR
    },
    Metric {
        id: "append_ms",
        name: "a command, to all",
        why: "The time of a command when nothing is lost, for comparison with the next rows. rpc \
              reports the commit 10 ms later.",
        holds: |_, rpc, tick| alike(rpc, 25.0) && alike(tick, 15.0),
        ..REPAIR
    },
    Metric {
        id: "lost_append_ms",
        name: "a command, to all, an append is lost",
        why: "rpc sends nothing new to a follower that owes an answer before the next heartbeat, \
              even if the call has failed. The driver of tick reports the failed call, so the \
              append that reports the commit begins at the end of the follower's log and carries \
              the lost entry.",
        holds: |_, rpc, tick| rpc > 3.0 * tick,
        ..REPAIR
    },
    Metric {
        id: "silent_append_ms",
        name: "a command, to all, an append is lost unnoticed",
        why: "Now both designs wait for a heartbeat. That of rpc comes 100 ms after the append, \
              which counted as one. That of tick has its own clock, and comes 50 ms after the \
              append on average.",
        holds: |_, rpc, tick| rpc > tick && tick > 20.0,
        ..REPAIR
    },
    Metric {
        id: "lost_answer_ms",
        name: "a command, to all, an answer is lost",
        why: "The follower has the entry, but does not know that it is committed. rpc holds that \
              report back, as after a lost append; tick does not.",
        holds: |_, rpc, tick| rpc > 3.0 * tick,
        ..REPAIR
    },
    Metric {
        id: "idle_requests",
        name: "requests a second, idle",
        why: "Ten heartbeats a second to each of two followers: the most that the lab allows.",
        holds: |_, rpc, tick| alike(rpc, 20.0) && alike(tick, 20.0),
        ..UPKEEP
    },
    Metric {
        id: "idle_bytes",
        name: "bytes a second, idle",
        unit: "B",
        why: "A heartbeat of rpc is an append without entries, and names the place in the log that \
              it follows. A heartbeat of tick does not, but names its sender and its receiver, and \
              so does its response.",
        holds: |_, rpc, tick| tick > rpc,
        ..UPKEEP
    },
    Metric {
        id: "tasks_idle",
        name: "threads of the leader, idle",
        why: "rpc has one thread for elections, one that fills the service's channel, and one per \
              follower. tick has its worker, and one thread that delivers committed entries.",
        holds: |_, rpc, tick| rpc > tick,
        ..UPKEEP
    },
    Metric {
        id: "tasks_loaded",
        name: "threads of the leader, on average",
        digits: 1,
        at: LOADS,
        place: "{} in flight",
        why: "Each call in flight has a short-lived thread. tick has more of them when commands \
              come singly, since the report of a commit does not wait for the append before it.",
        holds: |at, rpc, tick| at != 1 || tick - 2.0 > rpc - 4.0,
        ..UPKEEP
    },
    Metric {
        id: "lines_core",
        name: "lines without threads, clock or network",
        why: "tick is written to need none of them. In rpc the rules are functions of the state \
              too, but its threads decide when to apply them. tick also has features that rpc \
              lacks: PreVote, CheckQuorum, leadership transfer, pacing, its own storage.",
        holds: |_, rpc, tick| tick > rpc,
        why_raft_rs: "raft-rs is the crate raft 0.7.0, counted in the same way; it has membership \
                      changes too.",
        ..CODE
    },
    Metric {
        id: "lines_glue",
        name: "lines with threads, clock or network",
        why: "rpc starts elections and replicates from threads of their own. The driver of tick is \
              one loop, but must number commands, since a term opens with an entry that is no \
              command.",
        why_raft_rs: "raft-rs needs the same driver, and an adapter with a storage.",
        ..CODE
    },
];
