//! Tests of the rules for commits: when an entry is committed, which servers know that, and what
//! they apply.

use bytes::Bytes;
use raftlab::api::{ApplyMsg, Index, Term};
use raftlab::lab::Facts;

use super::play::*;

#[test]
fn a_leader_has_all_entries_committed_in_earlier_terms() {
    breaks("LeaderCompleteness", |play| {
        play.let_s0_lead(2);
        play.send(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
        // S1 loses its entries in a crash, and then votes for a candidate without them.
        play.crash(S1);
        play.boot(S1, 1, Some(S0), &[]);
        play.elect(S2, 2, S1, at(0, 0));
    });
}

#[test]
fn entries_in_a_snapshot_that_a_leader_sends_count_as_committed() {
    breaks("LeaderCompleteness", |play| {
        play.let_s0_lead(2);
        play.send(S0, S2, install(S0, 1, at(1, 2)));
        play.crash(S1);
        play.boot(S1, 1, Some(S0), &[]);
        play.elect(S2, 2, S1, at(0, 0));
    });
}

#[test]
fn a_leader_lacks_no_entry_that_is_found_committed_only_later() {
    let message = breaks("LeaderCompleteness", |play| {
        play.let_s0_lead(2);
        play.crash(S1);
        play.boot(S1, 1, Some(S0), &[]);
        play.elect(S2, 2, S1, at(0, 0));
        play.save(S2, 1, &[2]);
        // S0 committed the entries in term 1, but announces that only now.
        play.send(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
    });
    assert!(message.contains("S2 became leader of term 2 without the entry 1/2"), "{message}");
}

#[test]
fn a_leader_may_lack_entries_committed_in_a_later_term() {
    holds(|play| {
        play.let_s0_lead(1);
        // S1 elects S2 in term 2. S2's messages are late, and S2 never hears of term 3.
        play.save_vote(S2, 1, None);
        play.save(S2, 1, &[1]);
        play.win(S2, 2, S1, at(1, 1));
        play.elect(S0, 3, S1, at(1, 1));
        play.save(S0, 2, &[3]);
        let sent = play.deliver(S0, S1, append(S0, 3, 0, at(1, 1), at(3, 2)));
        play.save(S1, 2, &[3]);
        play.reply(sent, append_reply(3, true));
        play.send(S0, S1, heartbeat(S0, 3, 2, at(3, 2)));
        // S2 sends two messages as leader. S0 has committed the entry 3/2, which S2 does not have.
        play.send(S2, S0, heartbeat(S2, 2, 0, at(1, 1)));
        play.send(S2, S0, heartbeat(S2, 2, 1, at(1, 1)));
    });
}

#[test]
fn a_leaders_snapshot_counts_as_the_entries_that_it_covers() {
    holds(|play| {
        play.let_s0_lead(3);
        play.send(S0, S1, heartbeat(S0, 1, 3, at(1, 3)));
        play.apply(S1, &command(1, 1));
        play.apply(S1, &command(1, 2));
        play.apply(S1, &command(1, 3));
        play.save_snapshot(S1, at(1, 3));
        play.win(S1, 2, S0, at(1, 3));
        play.send(S1, S0, heartbeat(S1, 2, 3, at(1, 3)));
    });
}

#[test]
fn servers_apply_what_a_leader_committed() {
    breaks("StateMachineSafety", |play| {
        play.let_s0_lead(1);
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
        play.apply(S1, &command(2, 1));
    });
}

#[test]
fn servers_apply_the_same_entries() {
    breaks("StateMachineSafety", |play| {
        play.let_s0_lead(1);
        play.apply(S0, &command(1, 1));
        let command = Bytes::from_static(b"other");
        play.apply(S1, &ApplyMsg::Command { index: Index(1), term: Term(1), command });
    });
    breaks("StateMachineSafety", |play| {
        play.let_s0_lead(1);
        play.apply(S0, &command(1, 1));
        play.apply(S1, &command(2, 1));
    });
    // The rule also holds if the observers saw the leader's commit index before the commands.
    breaks("StateMachineSafety", |play| {
        play.let_s0_lead(1);
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
        play.apply(S0, &command(1, 1));
        let command = Bytes::from_static(b"other");
        play.apply(S1, &ApplyMsg::Command { index: Index(1), term: Term(1), command });
    });
    // The last entry of a snapshot counts as applied, too.
    breaks("StateMachineSafety", |play| {
        play.let_s0_lead(1);
        play.apply(S0, &command(1, 1));
        play.apply(S1, &snapshot(at(2, 1)));
    });
}

#[test]
fn servers_may_apply_entries_at_different_times() {
    holds(|play| {
        play.let_s0_lead(2);
        play.send(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
        play.apply(S0, &command(1, 1));
        play.apply(S0, &command(1, 2));
        play.apply(S1, &command(1, 1));
        play.save_vote(S2, 1, None);
        play.apply(S2, &snapshot(at(1, 2)));
        // In a new life, S0 applies its entries again.
        play.crash(S0);
        play.boot(S0, 1, Some(S0), &[1, 1]);
        play.apply(S0, &command(1, 1));
    });
}

#[test]
fn an_entry_is_committed_by_a_majority() {
    breaks("CommitNeedsMajority", |play| {
        play.let_s0_lead(1);
        play.save(S0, 2, &[1]);
        play.send(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
    });
    // An applied entry counts as committed.
    breaks("CommitNeedsMajority", |play| {
        play.let_s0_lead(1);
        play.save(S0, 2, &[1]);
        play.apply(S0, &command(1, 1));
        play.apply(S0, &command(1, 2));
    });
}

#[test]
fn an_entry_of_an_older_term_is_not_committed_by_counting() {
    breaks("CommitOnlyOwnTerm", |play| {
        // Figure 8, (a) to (c): S0's entry of term 1 reaches a majority in term 3.
        let sent = play.let_two_lead();
        play.save(S1, 1, &[1]);
        play.reply(sent, append_reply(3, true));
        play.send(S0, S1, heartbeat(S0, 3, 1, at(1, 1)));
    });
}

#[test]
fn a_leader_may_know_from_a_heartbeat_what_is_committed() {
    holds(|play| {
        play.let_s0_lead(1);
        // S1 learns the commit index from a heartbeat. It leads the next term, and announces this
        // index although it has no entry of its own term yet.
        play.deliver(S0, S1, Facts::Heartbeat { leader: S0, term: Term(1), commit: Index(1) });
        play.elect(S1, 2, S0, at(1, 1));
        play.send(S1, S0, heartbeat(S1, 2, 1, at(1, 1)));
    });
}

#[test]
fn an_entry_of_an_older_term_is_committed_with_an_entry_of_the_leaders_term() {
    holds(|play| {
        play.let_s0_lead(1);
        play.elect(S1, 2, S0, at(1, 1));
        play.save(S1, 2, &[2]);
        let sent = play.deliver(S1, S0, append(S1, 2, 0, at(1, 1), at(2, 2)));
        play.save(S0, 2, &[2]);
        play.reply(sent, append_reply(2, true));
        // S1 applies the older entry before it announces the new commit index.
        play.apply(S1, &command(1, 1));
        play.send(S1, S0, heartbeat(S1, 2, 2, at(2, 2)));
        play.apply(S1, &command(2, 2));
    });
}

#[test]
fn a_leader_may_announce_a_commit_index_from_an_earlier_term() {
    holds(|play| {
        play.let_s0_lead(1);
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 1)));
        play.win(S1, 2, S0, at(1, 1));
        play.send(S1, S0, heartbeat(S1, 2, 1, at(1, 1)));
    });
    // S0 may have committed the entry in term 1, and announces it only in term 2.
    holds(|play| {
        play.let_s0_lead(1);
        play.win(S0, 2, S1, at(1, 1));
        play.send(S0, S1, heartbeat(S0, 2, 1, at(1, 1)));
    });
    // S0 may have committed the entry in an earlier life. The service has stored its own data, so
    // it begins the new life with the entry applied.
    holds(|play| {
        play.let_s0_lead(1);
        play.crash(S0);
        play.boot(S0, 1, Some(S0), &[1]);
        play.apply(S0, &snapshot(at(1, 1)));
        play.win(S0, 2, S1, at(1, 1));
        play.send(S0, S1, heartbeat(S0, 2, 1, at(1, 1)));
    });
    // S0 may have committed the entry in an earlier life, and its snapshot covers the entry.
    holds(|play| {
        play.let_s0_lead(1);
        play.apply(S0, &command(1, 1));
        play.save_snapshot(S0, at(1, 1));
        play.crash(S0);
        play.boot_from(S0, 1, at(1, 1));
        play.win(S0, 2, S1, at(1, 1));
        play.send(S0, S1, heartbeat(S0, 2, 1, at(1, 1)));
    });
}

#[test]
fn a_new_leader_does_not_forget_its_commit_index() {
    breaks("CommitMonotonic", |play| {
        play.let_s0_lead(2);
        let told = play.deliver(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
        play.reply(told, append_reply(1, true));
        play.win(S1, 2, S0, at(1, 2));
        play.send(S1, S0, heartbeat(S1, 2, 1, at(1, 2)));
    });
}

#[test]
fn a_message_of_an_earlier_life_does_not_bind_the_next_life_even_if_it_is_seen_late() {
    holds(|play| {
        play.let_s0_lead(2);
        let late = play.open(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
        play.crash(S0);
        play.boot(S0, 1, Some(S0), &[1, 1]);
        play.show(late);
        play.win(S0, 2, S1, at(1, 2));
        play.send(S0, S1, heartbeat(S0, 2, 0, at(1, 2)));
    });
}

#[test]
fn announced_commit_indexes_may_fall_by_reordering_or_by_a_crash() {
    holds(|play| {
        play.let_s0_lead(2);
        play.send(S0, S1, heartbeat(S0, 1, 2, at(1, 2)));
        play.send(S0, S1, heartbeat(S0, 1, 1, at(1, 2)));
        // A follower learns a commit index only up to the last entry of the message: here, 1.
        let told = play.deliver(S0, S1, heartbeat(S0, 1, 2, at(1, 1)));
        play.reply(told, append_reply(1, true));
        play.win(S1, 2, S0, at(1, 2));
        play.send(S1, S0, heartbeat(S1, 2, 1, at(1, 2)));
        play.crash(S0);
        play.boot(S0, 2, Some(S1), &[1, 1]);
        play.win(S0, 3, S1, at(1, 2));
        play.send(S0, S1, heartbeat(S0, 3, 0, at(1, 2)));
    });
}
