//! Tests of the counts of situations, which the observers keep.

use raftlab::api::Term;
use raftlab::lab::situations::{Situation, Situations};
use raftlab::persister::Write;

use super::play::*;

#[test]
fn elections() {
    let seen = holds(|play| {
        play.save_vote(S0, 1, Some(S0));
        play.save_vote(S2, 1, Some(S2));
        let lost = play.deliver(S2, S1, vote_request(S2, 1, at(0, 0)));
        let won = play.deliver(S0, S1, vote_request(S0, 1, at(0, 0)));
        play.save_vote(S1, 1, Some(S0));
        play.reply(won, vote_reply(1, true));
        play.reply(lost, vote_reply(1, false));
        play.send(S0, S1, heartbeat(S0, 1, 0, at(0, 0)));
        play.save(S0, 1, &[1]);
        // Term 2 has no leader, because the log of its only candidate is outdated.
        play.save_vote(S1, 2, Some(S1));
        let outdated = play.deliver(S1, S0, vote_request(S1, 2, at(0, 0)));
        play.save_vote(S0, 2, None);
        play.reply(outdated, vote_reply(2, false));
        play.elect(S2, 3, S1, at(0, 0));
        play.elect(S0, 4, S1, at(1, 1));
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
        play.let_s0_lead(1);
        let stale = play.send(S0, S1, heartbeat(S0, 1, 0, at(1, 1)));
        let late = play.deliver(S0, S1, heartbeat(S0, 1, 0, at(1, 1)));
        play.reply(late, append_reply(1, true));
        play.save_vote(S0, 2, None);
        play.save_vote(S1, 2, None);
        play.arrive(stale);
        play.end(late, true);
        play.write(S0, &Write::Vote { term: Term(3), voted_for: Some(S0) });
        play.crash(S0);
        play.boot(S0, 2, None, &[1]);
        play.elect(S0, 4, S1, at(1, 1));
        play.save(S0, 2, &[4]);
        play.crash(S0);
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
        play.elect(S0, 1, S1, at(0, 0));
        play.save(S0, 1, &[1, 1]);
        play.elect(S2, 2, S1, at(0, 0));
        play.save(S2, 1, &[2, 2, 2]);
        play.elect(S2, 3, S1, at(2, 3));
        play.save(S2, 4, &[3]);
        let sent = play.deliver(S2, S1, append(S2, 3, 0, at(0, 0), at(3, 4)));
        play.save(S1, 1, &[2, 2, 2, 3]);
        play.reply(sent, append_reply(3, true));
        play.send(S2, S1, heartbeat(S2, 3, 4, at(3, 4)));
        (1..=3).for_each(|index| play.apply(S2, &command(2, index)));
        play.apply(S2, &command(3, 4));
        play.save_snapshot(S2, at(2, 2));
        // S0 has another entry at index 2; S1 has entries after index 2.
        let offered = play.deliver(S2, S0, install(S2, 3, at(2, 2)));
        play.save_vote(S0, 3, None);
        play.save_snapshot(S0, at(2, 2));
        play.reply(offered, append_reply(3, true));
        play.apply(S0, &snapshot(at(2, 2)));
        play.deliver(S2, S0, install(S2, 3, at(2, 2)));
        play.call(S2, S0, heartbeat(S2, 3, 4, at(3, 4)), append_reply(3, false));
        play.deliver(S2, S1, install(S2, 3, at(2, 2)));
        play.save_snapshot(S1, at(2, 2));
        assert_eq!(
            play.situation(Situation::SnapshotInstalled),
            2,
            "S0 and S1 must have installed it"
        );
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
    let one = holds(|play| play.let_s0_lead(1));
    let crash = holds(|play| {
        play.let_s0_lead(1);
        play.crash(S0);
    });
    sum.add(&one);
    sum.add(&crash);
    sum.add(&crash);
    let seen: Vec<_> = sum.iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(
        seen,
        [("a leader crashed", 2), ("a leader crashed with uncommitted entries of its term", 2),]
    );
    assert_eq!(sum.iter().count(), Situation::ALL.len(), "the sum must list every situation");
}
