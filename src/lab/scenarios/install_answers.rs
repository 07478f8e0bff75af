//! Part 2D: how a leader handles the replies to its snapshot.

use std::time::Duration;

use super::install::wait_stored;
use crate::api::Term;
use crate::api::raft_rpc::{InstallSnapshotReply, RaftRpcResponse};
use crate::lab::puppet::{Appends, Heard, Leading, S1, S2, Stage, at, entries};
use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("install_of_no_term_2d", install_of_no_term_2d)
        .puppets()
        .title("a reply of term 0")
        .catches("a reply of term 0, which promises nothing, that counts as success"),
    Scenario::new("install_reply_deposes_2d", install_reply_deposes_2d)
        .puppets()
        .title("a newer term in a reply")
        .catches("a newer term that is ignored in the reply to InstallSnapshot"),
];

/// A reply of term 0 promises nothing: the follower has stopped, and does not have the snapshot.
///
/// No server in the paper replies with a term below the request's. Here a server whose storage has
/// failed does, as `InstallSnapshotReply` says. S1 is such a server; then a new one with an empty
/// log takes its place. A wrong leader takes the reply for success and does not send the snapshot
/// again.
///
/// ```text
/// S0   [1/5] 1 1 1 x
///        └── snapshot ──► S1   term 0
///        └── snapshot ──► S1'  yes
/// ```
fn install_of_no_term_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let (leading, install) = sends_snapshot(&stage);
    // S1 lies: a puppet never stops, so its state does not lead to this reply.
    let none = InstallSnapshotReply { term: Term(0) };
    stage.lie(&install, RaftRpcResponse::InstallSnapshot(none));
    stage.cluster().run_for(Duration::from_millis(10));
    stage.follows(S1);
    let index = leading.start("x");
    stage.wait_followed(S1, index);
}

/// A leader steps down when the reply to its snapshot has a newer term.
///
/// Figure 2, Rules for Servers, All Servers: "If RPC request or response contains term T >
/// currentTerm: set currentTerm = T, convert to follower". S1 sends nothing else after that. A
/// wrong leader looks at the term only in replies to other calls.
fn install_reply_deposes_2d(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let (leading, install) = sends_snapshot(&stage);
    stage.appends(S1, Appends::Hold);
    let newer = stage.fresh_term();
    stage.learns_of(S1, newer);
    stage.release(&install);
    if !stage.happens_soon(|| stage.state().term >= newer) {
        let (term, now) = (leading.term, stage.state());
        let message = format!("S1 told S0, leader of term {term}, of term {newer}; S0: {now:?}");
        stage.cluster().end_by_limit("not_deposed", message);
    }
}

/// Makes S0 leader with `[1/5] 1 1 1` while S1 has nothing; returns the snapshot that S0 sends S1.
///
/// S2 has all of S0's entries.
fn sends_snapshot<'s, 'c>(stage: &'s Stage<'c>) -> (Leading<'s, 'c>, Heard) {
    stage.attempt(|| {
        stage.snapshot_at(at(1, 5));
        stage.give_log(&[1; 8], 8)?;
        stage.wait_applied(8);
        wait_stored(stage, at(1, 5));
        Ok(())
    });
    stage.has_log(S1, Vec::new());
    stage.appends(S1, Appends::HoldSnapshots);
    stage.has_log(S2, entries(at(0, 0), &[1; 8]));
    stage.follows(S2);
    let leading = stage.elect();
    let installs = |heard: &Heard| heard.puppet == S1 && heard.install().is_some();
    let within = Duration::from_secs(5);
    let install = stage.hear(leading.mark, within, "send its snapshot to S1", installs);
    (leading, install)
}
