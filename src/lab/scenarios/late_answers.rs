//! Part 2B: a follower whose replies are late, lost, or both.

use std::sync::Arc;
use std::time::Duration;

use crate::api::ServerId;
use crate::lab::puppet::{S0, S1, S2, Stage, at, entries};
use crate::lab::{Cluster, Scenario};
use crate::labrpc::{Fault, Host, Leg};
use crate::runtime::thread;
use crate::runtime::time::{Instant, since_start};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("late_answers_2b", late_answers_2b)
        .puppets()
        .title("a follower whose replies are late")
        .catches("a refusal that is ignored once another message has been sent"),
    Scenario::new("lost_replies_2b", lost_replies_2b)
        .title("a follower whose replies are lost")
        .catches("fewer heartbeats to a follower whose replies are lost"),
];

/// How long the leader may take to repair the log.
///
/// Four refusals and a success, each half a second late, take less than three seconds, and one in
/// five is lost.
const CAUGHT_UP_MAX: Duration = Duration::from_secs(10);

/// How long the replies of one follower are lost.
const SILENCE: Duration = Duration::from_secs(10);

/// How many attempts there are, since the schedule may delay a server meanwhile.
const ATTEMPTS: u32 = 4;

/// A leader repairs a follower's log with two wrong terms, although the replies are late.
///
/// Raft §5.3: "After a rejection, the leader decrements nextIndex and retries". S1's replies take
/// 300 to 500 ms, longer than a heartbeat interval, and one in five is lost. So the leader has
/// already sent something else when a refusal arrives. A wrong leader ignores such a refusal, and
/// never gets further.
///
/// ```text
/// index   1  2  3  4  5  6
/// S0 S2   1  1  4  4  5  5
/// S1      1  1  2  2  3  3
/// ```
fn late_answers_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let log: &[u64] = &[1, 1, 4, 4, 5, 5];
    stage.attempt(|| stage.give_log(log, 0));
    stage.has_log(S1, entries(at(0, 0), &[1, 1, 2, 2, 3, 3]));
    stage.has_log(S2, entries(at(0, 0), log));
    stage.puppets().for_each(|puppet| stage.follows(puppet));
    let (least, most) = (Duration::from_millis(300), Duration::from_millis(500));
    let late = between(Fault::reorder(Leg::Reply, least, most));
    let lost = between(Fault::lose(Leg::Reply)).per_mille(200);
    stage.cluster().network().add_rule("late", Arc::new(late));
    stage.cluster().network().add_rule("lost", Arc::new(lost));

    let leading = stage.elect();
    let index = leading.start("x");
    let deadline = Instant::now() + CAUGHT_UP_MAX;
    while stage.last_of(S1).index < index {
        if Instant::now() >= deadline {
            let has = stage.last_of(S1);
            let message = format!(
                "S0, leader of term {}, has {index}; S1, whose replies are late, has {} after \
                 {CAUGHT_UP_MAX:?} and {} refusals",
                leading.term,
                has,
                stage.refusals_of(S1)
            );
            stage.cluster().end_by_limit("not_caught_up", message);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Limits `fault` to calls from S0 to S1.
fn between(fault: Fault) -> Fault {
    fault.from(Host::Server(S0)).to(Host::Server(S1))
}

/// A follower whose replies are all lost still hears its leader, and so starts no election.
///
/// Raft §5.2: "Leaders send periodic heartbeats [...] to all followers in order to maintain their
/// authority". A wrong leader sends fewer heartbeats to a follower that does not reply, so that the
/// follower starts an election. The other follower's replies arrive, so the leader hears a
/// majority.
fn lost_replies_2b(cluster: &mut Cluster) {
    cluster.network().set_long_delays(false);
    for _ in 0..ATTEMPTS {
        let leader = cluster.wait_for_leader();
        let unheard = cluster.after(leader, 1);
        // A call whose reply is lost ends within 100 ms, as one to an unreachable server does.
        let (least, most) = (Duration::from_millis(1), Duration::from_millis(100));
        let of_it = |fault: Fault| fault.from(Host::Server(leader)).to(Host::Server(unheard));
        let network = cluster.network();
        let late = of_it(Fault::reorder(Leg::Reply, least, most));
        let late = network.add_rule("late", Arc::new(late));
        let lost = network.add_rule("lost", Arc::new(of_it(Fault::lose(Leg::Reply))));
        let quiet = keeps_leading(cluster, leader, unheard);
        network.remove_rule(late);
        network.remove_rule(lost);
        if quiet {
            break;
        }
    }
    cluster.one(b"end", cluster.server_count(), true);
}

/// Whether `leader` keeps leading while it does not hear `unheard`.
///
/// Fails if it does not, although the schedule delayed no server.
fn keeps_leading(cluster: &Cluster, leader: ServerId, unheard: ServerId) -> bool {
    let (begun, before) = (since_start(), cluster.state_of(leader));
    while since_start() - begun < SILENCE {
        let _ = cluster.start(leader, &cluster.draw_command());
        cluster.run_for(Duration::from_millis(250));
        let after = cluster.state_of(leader);
        if after == before {
            continue;
        }
        if cluster.was_undisturbed_since(begun) {
            let message = format!(
                "all servers heard {leader}, and only the replies of {unheard} were lost, but the \
                 leader went from {before:?} to {after:?}"
            );
            cluster.end_by_limit("needless_election", message);
        }
        return false;
    }
    true
}
