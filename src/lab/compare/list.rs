//! The list of what is measured, with the reason why the designs differ in it.

use super::metric::{LOADS, Metric, PLAIN, ROUND_TRIPS_MS, SIZES};

const COMMIT: Metric =
    Metric { group: "a command committed", at: LOADS, place: "{} in flight", ..PLAIN };
const LATENCY: Metric =
    Metric { group: "time, in round trips", at: ROUND_TRIPS_MS, place: "{} ms a trip", ..PLAIN };
const ELECTION: Metric = Metric { group: "elections", digits: 0, ..PLAIN };
const REPAIR: Metric = Metric { group: "repair", unit: "ms", digits: 0, ..PLAIN };
const UPKEEP: Metric = Metric { group: "upkeep", digits: 0, ..PLAIN };
const CODE: Metric = Metric { group: "code", digits: 0, ..PLAIN };

/// Whether two figures are the same for all purposes: a fifth apart at most.
fn alike(a: f64, b: f64) -> bool {
    (a - b).abs() <= 0.2 * a.abs().max(b.abs())
}

/// All that is measured, in the order in which it is shown.
pub static METRICS: &[Metric] = &[
    Metric {
        id: "requests",
        name: "requests",
        digits: 3,
        why: "rpc says with the next append that a command is committed; tick says so at once, in \
              an append of its own, which makes twice the requests of commands that come singly. \
              Under load commands wait for the append under way and share the next, which \
              carries that news too: the difference is gone.",
        holds: |at, rpc, tick| if at == 1 { tick > 1.9 * rpc } else { alike(rpc, tick) },
        ..COMMIT
    },
    Metric {
        id: "responses",
        name: "responses",
        digits: 3,
        why: "Each request calls forth one response in both, so these are the requests once more. \
              A response of tick is a message of its own to the core, but travels as the reply \
              of the call that brought the request.",
        holds: |at, rpc, tick| if at == 1 { tick > 1.9 * rpc } else { alike(rpc, tick) },
        ..COMMIT
    },
    Metric {
        id: "bytes",
        name: "bytes",
        unit: "B",
        digits: 0,
        why: "Two followers get a command of 100 bytes each: 200 bytes are payload. The rest is \
              framing, of which tick has more: a second append for the news, and in every message \
              who sends it to whom, which a call need not say.",
        holds: |_, rpc, tick| rpc > 200.0 && tick > rpc,
        ..COMMIT
    },
    Metric {
        id: "persisted_bytes",
        name: "bytes stored by a server",
        unit: "B",
        digits: 1,
        why: "Both store an entry once, as what is new, with its term and index. tick has a byte \
              more: it tells a command from the empty entry that opens a term.",
        holds: |_, rpc, tick| (0.9..1.5).contains(&(tick - rpc)),
        ..COMMIT
    },
    Metric {
        id: "syncs",
        name: "syncs of a server",
        why: "A command that comes singly is synced once by each server, before anything is \
              promised. Under load followers of both sync once per append. The leader of rpc \
              syncs each command; that of tick what its worker finds in its queue, which is \
              hardly ever two, since a sync takes no time here and so nothing queues up.",
        holds: |_, rpc, tick| alike(rpc, tick),
        ..COMMIT
    },
    Metric {
        id: "cpu",
        name: "CPU time of all servers",
        unit: "µs",
        digits: 1,
        why: "tick hands each command, message and answer to its worker through a queue, and the \
              worker hands what is committed to another task; rpc does the work where it comes \
              in, under its lock. Batches share that cost. Network and clock of the simulation \
              are counted with it, so a design with more requests pays for them here too.",
        holds: |_, rpc, tick| tick > rpc,
        is_repeatable: false,
        why_raft_rs: "raft-rs has messages of its own making, which its adapter turns into those \
                      of tick and back.",
        ..COMMIT
    },
    Metric {
        id: "commit_latency",
        name: "to the leader's service",
        why: "One round trip, in both: the leader sends at once, and its own copy and that of the \
              first follower to answer are a majority of three.",
        holds: |_, rpc, tick| (0.99..1.1).contains(&rpc) && (0.99..1.1).contains(&tick),
        ..LATENCY
    },
    Metric {
        id: "apply_latency",
        name: "to the last service",
        why: "Followers learn half a trip after the news leaves. tick sends it as soon as the \
              command is committed; rpc waits 10 ms for entries that could carry it, which is a \
              whole trip on the faster network and a fifth of one on the slower.",
        holds: |_, rpc, tick| rpc > tick + 0.1 && (1.49..1.6).contains(&tick),
        ..LATENCY
    },
    Metric {
        id: "latency_loaded",
        name: "under load, to the leader's service",
        why: "Both have one append with entries under way to a follower at a time. A command that \
              finds one there waits for its answer, and then makes a trip of its own.",
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
        why: "The shortest timeout decides, so more servers have a leader sooner. rpc draws 400 \
              to 800 ms; tick draws 10 to 19 ticks of 50 ms, of which the first is cut short.",
        holds: |_, rpc, tick| tick > rpc,
        ..ELECTION
    },
    Metric {
        id: "election_terms",
        name: "terms until then",
        at: SIZES,
        place: "{} servers",
        why: "A term more is a vote that was split. Timeouts of rpc are drawn to the nanosecond; \
              those of tick are whole ticks, but each server's ticks have a phase of their own. \
              So candidates hardly ever stand within a round trip of each other.",
        holds: |_, rpc, tick| rpc < 1.5 && tick < 1.5,
        ..ELECTION
    },
    Metric {
        id: "election_requests",
        name: "votes asked for",
        at: SIZES,
        place: "{} servers",
        why: "A candidate asks each of the others once; neither design asks beforehand (PreVote \
              is off in tick).",
        holds: |at, rpc, tick| [rpc, tick].iter().all(|it| alike(*it, f64::from(at) - 1.0)),
        ..ELECTION
    },
    Metric {
        id: "failover_ms",
        name: "from a leader's crash to the next leader",
        unit: "ms",
        why: "The same timeouts, of two servers, counted from the last heartbeat that they heard.",
        holds: |_, rpc, tick| tick > rpc,
        ..ELECTION
    },
    Metric {
        id: "failover_commit_ms",
        name: "from then to its first commit",
        unit: "ms",
        why: "A round trip (10 ms) in rpc. A leader of tick first sends the empty entry that opens \
              its term, which commits what earlier leaders left; a command that is there by then \
              waits for the answer to it: two round trips.",
        holds: |_, rpc, tick| alike(2.0 * rpc, tick),
        ..ELECTION
    },
    Metric {
        id: "heal_follower_ms",
        name: "a follower returns",
        why: "Without PreVote a server that was cut off comes back with a newer term and deposes a \
              leader that was well. The time is that of the election after it, in both.",
        holds: |_, rpc, tick| rpc > 300.0 && tick > 300.0,
        why_raft_rs: "A server of raft-rs does not answer a message of an older term, so the \
                      leader hears of the newer one only when the server stands again: an election \
                      timeout more.",
        ..REPAIR
    },
    Metric {
        id: "heal_leader_ms",
        name: "a deposed leader returns",
        why: "It hears of the newer term with the next heartbeat, within 100 ms in both, and gives \
              up what it could not commit in the exchange that follows.",
        holds: |_, rpc, tick| rpc < 150.0 && tick < 150.0,
        ..REPAIR
    },
    Metric {
        id: "heal_all_ms",
        name: "all return to each other",
        why: "All have stood for election in vain, so there is no leader to hear of: the next \
              timeout decides, if its candidate's term is the newest. Those of tick are longer.",
        holds: |_, rpc, tick| tick > rpc,
        ..REPAIR
    },
    Metric {
        id: "snapshot_ms",
        name: "a server needs a snapshot",
        why: "A server that was down is found by the next heartbeat, within 100 ms; its answer \
              calls forth the snapshot, and the answer to that the entries behind it. The same \
              three steps in both.",
        holds: |_, rpc, tick| [rpc, tick].iter().all(|it| (25.0..125.0).contains(it)),
        ..REPAIR
    },
    Metric {
        id: "lost_snapshot_ms",
        name: "a server needs a snapshot, the first is lost",
        why: "Both try again with the next heartbeat: 100 ms more. rpc repeats what had no answer; \
              tick is told by its driver that the call failed.",
        holds: |_, rpc, tick| [rpc, tick].iter().all(|it| (125.0..225.0).contains(it)),
        ..REPAIR
    },
    Metric {
        id: "silent_snapshot_ms",
        name: "a server needs a snapshot, the first is lost unnoticed",
        why: "To rpc it is all one: what had no answer by the next heartbeat is repeated. tick sends \
              nothing to a server that a snapshot is on its way to, until it is told what came of \
              it or five heartbeats have been answered.",
        holds: |_, rpc, tick| tick > 2.0 * rpc,
        why_raft_rs: "raft-rs waits for word of the snapshot and for nothing else: here until \
                      the call ends, after 7 s.",
        ..REPAIR
    },
    Metric {
        id: "append_ms",
        name: "a command, to all",
        why: "What a command takes when nothing is lost, to be compared with what follows. The \
              news of the commit leaves 10 ms later in rpc.",
        holds: |_, rpc, tick| alike(rpc, 25.0) && alike(tick, 15.0),
        ..REPAIR
    },
    Metric {
        id: "lost_append_ms",
        name: "a command, to all, an append is lost",
        why: "rpc sends nothing new to a follower that owes an answer before the next heartbeat, \
              even if the call has failed. tick hears of the failed call, and so the append with \
              the news of the commit begins where the follower stands: the entry goes along.",
        holds: |_, rpc, tick| rpc > 3.0 * tick,
        ..REPAIR
    },
    Metric {
        id: "silent_append_ms",
        name: "a command, to all, an append is lost unnoticed",
        why: "Now both wait for a heartbeat. That of rpc comes 100 ms after the append, which \
              counted as one; that of tick goes by its own clock, and so comes 50 ms after it in \
              the middle.",
        holds: |_, rpc, tick| rpc > tick && tick > 20.0,
        ..REPAIR
    },
    Metric {
        id: "lost_answer_ms",
        name: "a command, to all, an answer is lost",
        why: "The follower has the entry, but not the news that it is committed. rpc holds that back \
              as it does a lost append; tick does not.",
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
        why: "A heartbeat of rpc is an append without entries and names the place in the log that \
              it follows; one of tick does not, but says from whom to whom it goes, and so does \
              its response.",
        holds: |_, rpc, tick| tick > rpc,
        ..UPKEEP
    },
    Metric {
        id: "tasks_idle",
        name: "threads of the leader, idle",
        why: "rpc has one for its elections, one that fills the service's channel and one per \
              follower. tick has its worker and the one that hands on what is committed.",
        holds: |_, rpc, tick| rpc > tick,
        ..UPKEEP
    },
    Metric {
        id: "tasks_loaded",
        name: "threads of the leader, on average",
        digits: 1,
        at: LOADS,
        place: "{} in flight",
        why: "Each call under way has a short thread of its own. tick \
              has more of them out where commands come singly, since news of a commit does not \
              wait for the append before it.",
        holds: |at, rpc, tick| at != 1 || tick - 2.0 > rpc - 4.0,
        ..UPKEEP
    },
    Metric {
        id: "lines_core",
        name: "lines that know no thread, clock or network",
        why: "tick is written to need none of them; in rpc the rules are functions of the state \
              too, but when they are applied is for its threads to say. tick also has what rpc \
              has not: PreVote, CheckQuorum, transfer of leadership, pacing, a storage of its own.",
        holds: |_, rpc, tick| tick > rpc,
        why_raft_rs: "raft-rs is the crate raft 0.7.0, counted in the same way; it can change \
                      its members, too.",
        ..CODE
    },
    Metric {
        id: "lines_glue",
        name: "lines that do",
        why: "rpc starts elections and replicates from threads of their own; the driver of tick is \
              one loop, but must number commands, since a term opens with an entry that is none.",
        why_raft_rs: "raft-rs needs the same driver, and an adapter with a storage.",
        ..CODE
    },
];
