//! Tests of the counts of situations, which the observers keep.

use raftlab::api::Term;
use raftlab::lab::situations::{Situation, Situations};
use raftlab::persister::Write;

use super::play::*;

#[test]
fn elections() {
    let seen = holds(|play| {
        play.saves_vote(S0, 1, Some(S0));
        play.saves_vote(S2, 1, Some(S2));
        let lost = play.delivers(S2, S1, asks(S2, 1, at(0, 0)));
        let won = play.delivers(S0, S1, asks(S0, 1, at(0, 0)));
        play.saves_vote(S1, 1, Some(S0));
        play.replies(won, votes(1, true));
        play.replies(lost, votes(1, false));
        play.sends(S0, S1, beat(S0, 1, 0, at(0, 0)));
        play.saves(S0, 1, &[1]);
        // A term without a leader, since the candidate's log is outdated.
        play.saves_vote(S1, 2, Some(S1));
        let outdated = play.delivers(S1, S0, asks(S1, 2, at(0, 0)));
        play.saves_vote(S0, 2, None);
        play.replies(outdated, votes(2, false));
        play.elects(S2, 3, S1, at(0, 0));
        play.elects(S0, 4, S1, at(1, 1));
    });
    assert_eq!(seen.of(Situation::RivalCandidates), 1);
    assert_eq!(seen.of(Situation::VoteTaken), 1);
    assert_eq!(seen.of(Situation::VoteToOutdatedRefused), 1);
    assert_eq!(seen.of(Situation::LeaderDeposed), 1);
    assert_eq!(seen.of(Situation::LeaderReturned), 1);
    assert_eq!(seen.of(Situation::NoLeaderElected), 1);
}

#[test]
fn crashes_and_stale_messages() {
    let seen = holds(|play| {
        play.led_by_s0(1);
        let stale = play.sends(S0, S1, beat(S0, 1, 0, at(1, 1)));
        let late = play.delivers(S0, S1, beat(S0, 1, 0, at(1, 1)));
        play.replies(late, matches(1, true));
        play.saves_vote(S0, 2, None);
        play.saves_vote(S1, 2, None);
        play.arrives(stale);
        play.ends(late, true);
        play.write(S0, &Write::Vote { term: Term(3), voted_for: Some(S0) });
        play.crashes(S0);
        play.boots(S0, 2, None, &[1]);
        play.elects(S0, 4, S1, at(1, 1));
        play.saves(S0, 2, &[4]);
        play.crashes(S0);
    });
    assert_eq!(seen.of(Situation::StaleRequest), 1);
    assert_eq!(seen.of(Situation::StaleReply), 1);
    assert_eq!(seen.of(Situation::CrashedUnsynced), 1);
    assert_eq!(seen.of(Situation::LeaderCrashed), 1);
    assert_eq!(seen.of(Situation::LeaderCrashedUncommitted), 1);
}

#[test]
fn logs_and_snapshots() {
    let seen = holds(|play| {
        play.elects(S0, 1, S1, at(0, 0));
        play.saves(S0, 1, &[1, 1]);
        play.elects(S2, 2, S1, at(0, 0));
        play.saves(S2, 1, &[2, 2, 2]);
        play.elects(S2, 3, S1, at(2, 3));
        play.saves(S2, 4, &[3]);
        let sent = play.delivers(S2, S1, acts(S2, 3, 0, at(0, 0), at(3, 4)));
        play.saves(S1, 1, &[2, 2, 2, 3]);
        play.replies(sent, matches(3, true));
        play.sends(S2, S1, beat(S2, 3, 4, at(3, 4)));
        (1..=3).for_each(|index| play.applies(S2, &command(2, index)));
        play.applies(S2, &command(3, 4));
        play.saves_snapshot(S2, at(2, 2));
        // S0 has another entry at that index; S1 has entries after it.
        let offered = play.delivers(S2, S0, installs(S2, 3, at(2, 2)));
        play.saves_vote(S0, 3, None);
        play.saves_snapshot(S0, at(2, 2));
        play.replies(offered, matches(3, true));
        play.applies(S0, &snapshot(at(2, 2)));
        play.delivers(S2, S0, installs(S2, 3, at(2, 2)));
        play.calls(S2, S0, beat(S2, 3, 4, at(3, 4)), matches(3, false));
        play.delivers(S2, S1, installs(S2, 3, at(2, 2)));
        play.saves_snapshot(S1, at(2, 2));
        assert_eq!(play.situation(Situation::SnapshotInstalled), 2, "so far");
    });
    assert_eq!(seen.of(Situation::SnapshotTaken), 1);
    assert_eq!(seen.of(Situation::SnapshotOverConflict), 1);
    assert_eq!(seen.of(Situation::SnapshotKeptSuffix), 1);
    assert_eq!(seen.of(Situation::StaleSnapshotOffered), 1);
    assert_eq!(seen.of(Situation::MismatchRefused), 1);
    assert_eq!(seen.of(Situation::LogTruncated), 1);
    assert_eq!(seen.of(Situation::OldEntriesCommitted), 1);
}

#[test]
fn counts_of_runs_add_up() {
    let mut sum = Situations::default();
    let one = holds(|play| play.led_by_s0(1));
    let crash = holds(|play| {
        play.led_by_s0(1);
        play.crashes(S0);
    });
    sum.add(&one);
    sum.add(&crash);
    sum.add(&crash);
    let seen: Vec<_> = sum.iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(
        seen,
        [("a leader crashed", 2), ("a leader crashed with uncommitted entries of its term", 2),]
    );
    assert_eq!(sum.iter().count(), Situation::ALL.len(), "also those that never occurred");
}
