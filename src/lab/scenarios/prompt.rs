//! Part 2B: a delay that the paper allows, and that slows down every client.

use std::time::Duration;

use crate::lab::puppet::{Heard, S1, Stage};
use crate::lab::{Cluster, Scenario};
use crate::runtime::time::since_start;

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new("sent_at_once_2b", sent_at_once_2b)
    .puppets()
    .title("a single command")
    .catches("a command that waits for the next heartbeat (the paper allows it)")];

/// How many commands are timed.
const COMMANDS: usize = 7;

/// A leader sends a single command at once, not with its next heartbeat.
///
/// Figure 2, Rules for Servers, Leaders: "If last log index ≥ nextIndex for a follower: send
/// AppendEntries". The paper does not say how soon, so a leader that waits for its next
/// heartbeat follows the paper, and fails only here. Each command comes right after a heartbeat;
/// most must be sent within a third of the heartbeat interval.
fn sent_at_once_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.puppets().for_each(|puppet| stage.follows(puppet));
    let leading = stage.elect();
    let interval = longest_silence(&stage);
    let mut delays = Vec::new();
    for number in 0..COMMANDS {
        // Nothing is left to send, so the next thing that S1 hears is a heartbeat.
        stage.cluster().run_for(interval * 2);
        let heartbeat = leading.append_to(S1, stage.mark(), "send a heartbeat", |_| true);
        stage.cluster().run_for(interval / 20);
        let asked = since_start();
        let index = leading.start(&format!("alone {number}"));
        let delay = leading.brings(S1, heartbeat.mark(), index).at - asked;
        if stage.cluster().was_undisturbed_since(heartbeat.at) {
            delays.push(delay);
        }
    }
    delays.sort();
    let Some(usual) = delays.get(delays.len() / 2).copied() else { return };
    if usual > interval / 3 {
        let message = format!(
            "a command that comes right after a heartbeat is sent {usual:?} later; heartbeats come \
             every {interval:?}"
        );
        stage.cluster().end_by_limit("sent_late", message);
    }
}

/// The longest pause between two calls to S1 in a quiet second.
fn longest_silence(stage: &Stage<'_>) -> Duration {
    stage.cluster().run_for(Duration::from_millis(300));
    let mark = stage.mark();
    stage.cluster().run_for(Duration::from_secs(1));
    let heard = stage.heard_since(mark);
    let times: Vec<Duration> =
        heard.iter().filter(|heard: &&Heard| heard.puppet == S1).map(|heard| heard.at).collect();
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_else(|| {
        let message = format!("S1 heard its leader {} times in a second", times.len());
        stage.cluster().end_by_limit("heartbeats_too_rare", message)
    })
}
