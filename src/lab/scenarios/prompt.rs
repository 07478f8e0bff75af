//! Part 2B: what the paper leaves to a server's diligence, and costs its clients dear.

use std::time::Duration;

use crate::lab::Cluster;
use crate::lab::puppet::{Heard, S1, Stage};
use crate::runtime::time::since_start;

/// How many commands are timed.
const COMMANDS: usize = 7;

/// A command that comes alone is sent at once, not with the next heartbeat.
///
/// Figure 2, Rules for Servers, Leaders: "If last log index ≥ nextIndex for a follower: send
/// AppendEntries". It does not say how soon, so a server that waits for its heartbeat may follow
/// the paper and fail here, and here alone. Each command comes right after a heartbeat; most must
/// be heard within a third of the time to the next.
pub fn sent_at_once_2b(cluster: &mut Cluster) {
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
            "a command that comes right after a heartbeat is sent after {usual:?}; heartbeats come \
             every {interval:?}"
        );
        stage.cluster().end_by_limit("sent_late", message);
    }
}

/// The longest time in a quiet second in which S1 hears nothing.
fn longest_silence(stage: &Stage<'_>) -> Duration {
    stage.cluster().run_for(Duration::from_millis(300));
    let mark = stage.mark();
    stage.cluster().run_for(Duration::from_secs(1));
    let heard = stage.heard_since(mark);
    let times: Vec<Duration> =
        heard.iter().filter(|heard: &&Heard| heard.puppet == S1).map(|heard| heard.at).collect();
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_else(|| {
        let message = format!("a leader was heard {} times in a second", times.len());
        stage.cluster().end_by_limit("heartbeats_too_rare", message)
    })
}
