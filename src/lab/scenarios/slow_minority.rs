//! Part 2B: a minority of followers that answer late.

use std::sync::Arc;
use std::time::Duration;

use crate::api::ServerId;
use crate::lab::{Cluster, Scenario};
use crate::labrpc::{Fault, Host, Leg};
use crate::runtime::time::since_start;

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new("slow_minority_2b", slow_minority_2b)
    .servers(5)
    .title("two followers of four answer late")
    .catches("a leader that sends nothing more until all followers have replied")];

/// How late the replies of a slow follower are.
const LATE: Duration = Duration::from_millis(300);

/// How long a scenario waits until a leader has got used to new faults.
const SETTLE: Duration = Duration::from_secs(1);

/// How many commands are timed, each when the one before is applied.
const COMMANDS: usize = 11;

/// Late replies of two followers of four delay a command no more than lost ones do.
///
/// Raft §2: "a minority of slow servers need not impact overall system performance". All followers
/// hear their leader at once, so none starts an election, and the two quick ones are enough. A
/// wrong leader sends in rounds, and waits for all replies of a round before the next:
///
/// ```text
/// leader           x    y    z        a wrong one: x . . . . . . y . . . . . . z
/// quick followers  yes  yes  yes                   yes           yes
/// slow followers   ............. yes               ......... yes ......... yes
/// ```
fn slow_minority_2b(cluster: &mut Cluster) {
    let leader = cluster.wait_for_leader();
    let Some(state) = cluster.state_of(leader) else { return };
    let slow = [1, 2].map(|distance| cluster.after(leader, distance));
    let lost = usual_delay(cluster, slow, Fault::lose(Leg::Reply));
    let late = usual_delay(cluster, slow, Fault::hold(Leg::Reply, LATE));
    // An election takes its time, too, and may make a slow follower the leader.
    if cluster.someone_is_not_in(state.term) {
        return;
    }
    let (Some(lost), Some(late)) = (lost, late) else { return };
    // A server that sends entries with its heartbeats only takes anything up to their interval.
    if late > lost + LATE * 2 / 3 {
        let message = format!(
            "a command takes {late:?} while the replies of two followers of four are {LATE:?} \
             late, and {lost:?} while they are lost: the other two are enough"
        );
        cluster.end_by_limit("slow_minority", message);
    }
}

/// The median time from the start of a command until a server has applied it, under a `fault` of
/// the calls to the `slow` servers. Only commands count that no stall has disturbed; `None` if
/// there were too few.
fn usual_delay(cluster: &Cluster, slow: [ServerId; 2], fault: Fault) -> Option<Duration> {
    let rules = slow.map(|slow| {
        let fault = fault.clone().to(Host::Server(slow));
        cluster.network().add_rule("slow", Arc::new(fault))
    });
    cluster.run_for(SETTLE);
    let mut delays = Vec::new();
    for _ in 0..COMMANDS {
        let begun = since_start();
        cluster.one(&cluster.draw_command(), 1, true);
        if cluster.was_undisturbed_since(begun) {
            delays.push(since_start() - begun);
        }
    }
    rules.into_iter().for_each(|rule| cluster.network().remove_rule(rule));
    delays.sort();
    (delays.len() > COMMANDS / 2).then(|| delays[delays.len() / 2])
}
