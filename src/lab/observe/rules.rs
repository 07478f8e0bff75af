//! The list of all rules, by the part of the course that they belong to.

use super::Liveness;
use super::accepts::MatchingPrefixAccepted;
use super::acknowledged::CommitNeedsAcknowledgements;
use super::applied_promptly::AppliedPromptly;
use super::commit::{CommitMonotonic, CommitNeedsMajority, CommitOnlyOwnTerm};
use super::durability::{PersistBeforeReply, PersistBeforeRequest};
use super::election::{ElectedByMajority, ElectionSafety};
use super::kept::{AcknowledgedStays, CommittedStays, LeaderAppendOnly};
use super::leader_completeness::LeaderCompleteness;
use super::log_matching::LogMatching;
use super::observer::Observer;
use super::own_log::SendsOwnLog;
use super::snapshots::{
    SnapshotCoversCommitted, SnapshotForward, SnapshotOfCurrentLeader, SnapshotTermCorrect,
};
use super::state_machine_safety::StateMachineSafety;
use super::terms::{MonotonicTerm, ReplyHasNewestTerm, StaleTermRefused};
use super::votes::{CandidateNamesOwnLog, OneVotePerTerm, VoteOnlyUpToDate};
use crate::lab::Part;

/// The rules of `until` and of the parts before it. If an event breaks several rules, the run
/// reports the first of these rules.
pub(super) fn rules(servers: usize, liveness: Liveness, until: Part) -> Box<dyn Observer> {
    // A server alone asks no other, so nothing shows that it leads.
    let by_messages = until == Part::P2B && servers > 1;
    let promptly = until >= Part::P2B && liveness == Liveness::Judged;
    Box::new(
        of_elections()
            .and((until >= Part::P2B).then(|| of_logs(servers)))
            .and((until >= Part::P2C).then(of_durability))
            .and(by_messages.then(|| CommitNeedsAcknowledgements::new(servers)))
            .and((until >= Part::P2D).then(of_snapshots))
            .and(promptly.then(|| AppliedPromptly::new(servers))),
    )
}

/// The rules of part 2A.
fn of_elections() -> impl Observer {
    ElectionSafety::default()
        .and(ElectedByMajority::default())
        .and(OneVotePerTerm::default())
        .and(MonotonicTerm)
        .and(StaleTermRefused)
        .and(ReplyHasNewestTerm)
}

/// The rules of part 2B. Rules that look at stored data do not blame a server that stores nothing
/// yet.
fn of_logs(servers: usize) -> impl Observer {
    VoteOnlyUpToDate
        .and(CandidateNamesOwnLog::default())
        .and(LogMatching::default())
        .and(SendsOwnLog::default())
        .and(LeaderAppendOnly)
        .and(AcknowledgedStays::new(servers))
        .and(CommittedStays)
        .and(MatchingPrefixAccepted)
        .and(StateMachineSafety::default())
        .and(CommitOnlyOwnTerm::default())
        .and(CommitMonotonic)
}

/// The rules of part 2C, about what must be durable.
fn of_durability() -> impl Observer {
    PersistBeforeReply
        .and(PersistBeforeRequest)
        .and(LeaderCompleteness::default())
        .and(CommitNeedsMajority::default())
}

/// The rules of part 2D.
fn of_snapshots() -> impl Observer {
    SnapshotForward
        .and(SnapshotOfCurrentLeader::default())
        .and(SnapshotCoversCommitted)
        .and(SnapshotTermCorrect)
}
