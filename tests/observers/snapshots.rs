//! Tests of the rules for snapshots: the entries that they cover, and the leaders that send them.

use super::play::*;

#[test]
fn a_snapshot_covers_only_committed_entries() {
    breaks("SnapshotCoversCommitted", |play| {
        play.let_s0_lead(1);
        play.save(S0, 2, &[1]);
        // S0 sends S2 a snapshot that covers an entry which no majority has. S2 installs it.
        play.arrive(play.unsent(S0, S2, install(S0, 1, at(1, 2))));
        play.save_vote(S2, 1, None);
        play.save_snapshot(S2, at(1, 2));
    });
}

#[test]
fn a_snapshot_does_not_move_backwards() {
    breaks("SnapshotForward", |play| {
        play.let_s0_lead(3);
        (1..=3).for_each(|index| play.apply(S0, &command(1, index)));
        play.save_snapshot(S0, at(1, 3));
        play.save_snapshot(S0, at(1, 2));
    });
}

#[test]
fn a_deposed_leaders_snapshot_is_not_installed() {
    breaks("SnapshotOfCurrentLeader", |play| {
        play.let_s0_lead(2);
        play.apply(S0, &command(1, 1));
        play.apply(S0, &command(1, 2));
        play.save_snapshot(S0, at(1, 2));
        play.save_vote(S2, 2, None);
        play.deliver(S0, S2, install(S0, 1, at(1, 2)));
        play.save_snapshot(S2, at(1, 2));
    });
}

#[test]
fn a_snapshot_offered_to_an_earlier_life_is_not_installed() {
    breaks("SnapshotOfCurrentLeader", |play| {
        play.let_s0_lead(2);
        play.apply(S0, &command(1, 1));
        play.apply(S0, &command(1, 2));
        play.save_snapshot(S0, at(1, 2));
        play.save_vote(S2, 1, None);
        play.deliver(S0, S2, install(S0, 1, at(1, 2)));
        play.crash(S2);
        play.boot(S2, 1, None, &[]);
        play.save_snapshot(S2, at(1, 2));
    });
}

#[test]
fn a_snapshot_is_offered_with_its_own_term() {
    breaks("SnapshotTermCorrect", |play| {
        play.let_s0_lead(2);
        play.apply(S0, &command(1, 1));
        play.apply(S0, &command(1, 2));
        play.win(S0, 2, S1, at(1, 2));
        play.save_snapshot(S0, at(1, 2));
        play.send(S0, S2, install(S0, 2, at(2, 2)));
    });
}

#[test]
fn an_older_snapshot_may_be_offered_when_a_newer_one_is_stored() {
    holds(|play| {
        play.let_s0_lead(1);
        play.win(S0, 2, S1, at(1, 1));
        play.save(S0, 2, &[2]);
        let sent = play.deliver(S0, S1, append(S0, 2, 0, at(1, 1), at(2, 2)));
        play.save(S1, 2, &[2]);
        play.reply(sent, append_reply(2, true));
        play.apply(S0, &command(1, 1));
        play.apply(S0, &command(2, 2));
        play.save_snapshot(S0, at(2, 2));
        play.send(S0, S2, install(S0, 2, at(1, 1)));
    });
}

#[test]
fn snapshots_may_arrive_late_and_twice() {
    holds(|play| {
        play.let_s0_lead(4);
        (1..=4).for_each(|index| play.apply(S0, &command(1, index)));
        play.save_snapshot(S0, at(1, 2));
        let early = play.send(S0, S2, install(S0, 1, at(1, 2)));
        play.save_snapshot(S0, at(1, 4));
        let late = play.send(S0, S2, install(S0, 1, at(1, 2)));
        play.arrive(early);
        play.save_vote(S2, 1, None);
        play.save_snapshot(S2, at(1, 2));
        play.reply(early, append_reply(1, true));
        play.apply(S2, &snapshot(at(1, 2)));
        // The same snapshot arrives again, and S2 has nothing to write.
        play.arrive(late);
        play.reply(late, append_reply(1, true));
        // S2 may also write the same snapshot again.
        play.save_snapshot(S2, at(1, 2));
        // S2 receives this snapshot in term 1, and may store it after it has entered term 2.
        play.deliver(S0, S2, install(S0, 1, at(1, 4)));
        play.save_vote(S2, 2, None);
        play.save_snapshot(S2, at(1, 4));
    });
}
