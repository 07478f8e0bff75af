//! Part 2B: services that take their time.

use std::time::Duration;

use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new("slow_service_2b", slow_service_2b)
    .title("services that take their time")
    .catches("an applier that drops a message, or blocks its server, because the service is slow")];

/// Time that a service needs for a command. Shorter than the second after which a server that
/// applies nothing is at fault, since here it is the service that is slow.
const PAUSE: Duration = Duration::from_millis(300);

/// How many commands wait for the services.
const COMMANDS: u64 = 10;

/// A service that needs long for each command gets them all, in order.
///
/// Figure 2: `last_applied` advances one entry at a time, and the apply channel has no room of its
/// own, so an applier waits for its service. A wrong applier gives up after a while and drops the
/// command, or holds the server's lock while it waits, so that the server hears no leader.
fn slow_service_2b(cluster: &mut Cluster) {
    let servers = cluster.server_count();
    cluster.one(b"first", servers, true);
    cluster.slow_services(PAUSE);
    let leader = cluster.wait_for_leader();
    let term = cluster.state_of(leader).map(|state| state.term);
    let mut last = None;
    for number in 0..COMMANDS {
        last = cluster.start(leader, format!("x{number}").as_bytes()).ok().or(last);
    }
    cluster.run_for(PAUSE * u32::try_from(COMMANDS).expect("few"));
    cluster.slow_services(Duration::ZERO);
    if let Some(last) = last.filter(|last| Some(last.term) == term) {
        cluster.wait(last.index, servers, Some(last.term));
    }
    cluster.one(b"end", servers, true);
}
