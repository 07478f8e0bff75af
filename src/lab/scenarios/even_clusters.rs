//! Part 2B: two servers of four are no majority, neither for a commit nor for a read.
//!
//! With three or five servers the middle of the sorted `match_index` is what a majority has, from
//! whichever end one counts. With four it is not.

use std::sync::Arc;
use std::time::Duration;

use super::appends::A_WHILE;
use crate::api::Index;
use crate::lab::Cluster;
use crate::lab::puppet::{Appends, S0, S1, S2, S3, Stage};
use crate::runtime::sync::Quiet;
use crate::runtime::thread;

/// Longer than a leader may rely on what it heard: longer than any election timeout.
const FORGOTTEN: Duration = Duration::from_secs(3);

/// An entry on two of four servers is not committed.
///
/// Raft §5.3: "A log entry is committed once the leader that created the entry has replicated it
/// on a majority of the servers".
pub fn half_is_no_commit_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let leading = stage.elect();
    stage.follows(S1);
    let index = leading.start("x");
    stage.wait_followed(S1, index);
    stage.cluster().run_for(A_WHILE);
    assert_eq!(stage.applied_index(), Index(0), "S0 and S1 have it: two of four");
    assert_eq!(leading.commit_told(), Index(0), "S0 and S1 have it: two of four");

    stage.follows(S2);
    stage.wait_applied(index.0);
}

/// Two of four servers cannot say that their leader still leads.
///
/// A leader "waits for acknowledgments from a majority of the cluster" (thesis §6.4). S2 and S3 are
/// silent, so they may have elected another leader long ago.
pub fn half_confirms_no_read_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    stage.puppets().for_each(|puppet| stage.follows(puppet));
    let leading = stage.elect();
    let index = leading.start("x");
    stage.wait_applied(index.0);
    for silent in [S2, S3] {
        stage.appends(silent, Appends::Hold);
    }
    stage.cluster().run_for(FORGOTTEN);

    // A read may wait for ever here, so it has a task of its own.
    let answer = Arc::new(Quiet::new(None));
    let (here, told) = (stage.cluster().clone(), answer.clone());
    let reader = thread::spawn("reader", move || {
        let read = here.read_index(S0);
        told.with(|told| *told = read);
    });
    stage.cluster().run_for(FORGOTTEN);
    let early = answer.with(|answer| *answer);
    let confirmed = matches!(early, Some(Ok(Some(_))));
    assert!(!confirmed, "S2 and S3 are silent, and S0 lets its service read: {early:?}");
    [S2, S3].into_iter().for_each(|silent| stage.follows(silent));
    reader.join();
}
