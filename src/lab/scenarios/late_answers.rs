//! Part 2B: a follower whose answers are late, are lost, or both.

use std::sync::Arc;
use std::time::Duration;

use crate::api::ServerId;
use crate::lab::Cluster;
use crate::lab::puppet::{S0, S1, S2, Stage, at, entries};
use crate::labrpc::{Fault, Host, Leg};
use crate::runtime::thread;
use crate::runtime::time::{Instant, since_start};

/// How long the leader may take: four refusals and a success, each half a second late, are less
/// than three seconds, and one in five is repeated.
const CAUGHT_UP_MAX: Duration = Duration::from_secs(10);

/// How long the answers of one follower are lost.
const SILENCE: Duration = Duration::from_secs(10);

/// How often that is tried, where the schedule held up a server meanwhile.
const ATTEMPTS: u32 = 4;

/// A follower that is two terms behind is brought up to date although its answers are late.
///
/// Raft §5.3: "After a rejection, the leader decrements nextIndex and retries". S1's answers take
/// 300 to 500 ms, longer than a heartbeat, and one in five is lost. So each refusal comes when the
/// leader has sent something since; a leader that passes over such a refusal never gets further.
///
/// ```text
/// index   1  2  3  4  5  6
/// S0 S2   1  1  4  4  5  5
/// S1      1  1  2  2  3  3
/// ```
pub fn late_answers_2b(cluster: &mut Cluster) {
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
    while stage.follower(S1).last().index < index {
        if Instant::now() >= deadline {
            let has = stage.follower(S1);
            let message = format!(
                "S0, leader of term {}, has {index}; S1, whose answers are late, has {} after \
                 {CAUGHT_UP_MAX:?} and {} refusals",
                leading.term,
                has.last(),
                has.refused_after.len()
            );
            stage.cluster().end_by_limit("not_caught_up", message);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// `fault`, of calls from S0 to S1.
fn between(fault: Fault) -> Fault {
    fault.from(Host::Server(S0)).to(Host::Server(S1))
}

/// A follower whose answers are all lost hears its leader as well as before, so nothing happens.
///
/// Raft §5.2: "Leaders send periodic heartbeats [...] to all followers in order to maintain their
/// authority". A leader that gives up on who does not answer makes it stand for election. The other
/// follower's answers arrive, so a leader that wants to hear a majority does.
pub fn lost_replies_2b(cluster: &mut Cluster) {
    cluster.network().set_long_delays(false);
    for _ in 0..ATTEMPTS {
        let leader = cluster.wait_for_leader();
        let unheard = cluster.after(leader, 1);
        // As a call to nowhere, one whose answer is lost ends within 100 ms.
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

/// Whether `leader` leads on while it does not hear `unheard`. Fails if not, though nothing else
/// happened.
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
                "{leader} was heard by all, and only the answers of {unheard} were lost, but from \
                 {before:?} it went to {after:?}"
            );
            cluster.end_by_limit("needless_election", message);
        }
        return false;
    }
    true
}
