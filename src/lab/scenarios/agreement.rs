//! Part 2B: commands are replicated and committed, in one order, by a majority.

use crate::api::{Index, ServerId};
use crate::lab::{Cluster, Scenario, steps};
use crate::runtime::thread;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("basic_agree_2b", basic_agree_2b)
        .title("basic agreement")
        .catches("commands that are not committed, or not at consecutive indices from 1"),
    Scenario::new("rpc_bytes_2b", rpc_bytes_2b)
        .title("RPC byte count")
        .catches("a command sent more than once to each follower"),
    Scenario::new("follower_failure_2b", follower_failure_2b)
        .title("progressive failure of followers")
        .catches("no progress with a majority; a commit without a majority"),
    Scenario::new("leader_failure_2b", leader_failure_2b)
        .title("failure of leaders")
        .catches("no new leader; a commit without a majority"),
    Scenario::new("fail_agree_2b", fail_agree_2b)
        .title("agreement after follower reconnects")
        .catches("a follower that is not caught up after it reconnects"),
    Scenario::new("fail_no_agree_2b", fail_no_agree_2b)
        .servers(5)
        .title("no agreement if too many followers disconnect")
        .catches("a commit without a majority"),
    Scenario::new("concurrent_starts_2b", concurrent_starts_2b)
        .title("concurrent start()s")
        .catches("two commands at one index, or a lost command, when clients call start() at once"),
    Scenario::new("rejoin_2b", rejoin_2b)
        .title("rejoin of partitioned leader")
        .catches("uncommitted entries of a deposed leader that survive"),
    Scenario::new("backup_2b", backup_2b)
        .servers(5)
        .title("leader backs up quickly over incorrect follower logs")
        .catches("wrong entries that stay, or take too long to replace"),
    Scenario::new("count_2b", count_2b)
        .title("RPC counts aren't too high")
        .catches("too many calls for an election, an agreement, or an idle second"),
];

/// Three commands are committed at indices 1, 2 and 3, and none of them before it is started.
///
/// A wrong server starts its log at another index, skips an index, or adds entries of its own.
fn basic_agree_2b(cluster: &mut Cluster) {
    for index in 1..=3 {
        cluster.check_not_committed(Index(index));
        let command = (index * 100).to_string();
        let found = cluster.one(command.as_bytes(), 3, false);
        assert_eq!(found, Index(index), "{command} is committed at another index");
    }
}

/// A leader sends each command once to each follower.
///
/// Ten commands of 5000 bytes may cost 200 000 bytes in all. A wrong leader sends the same entries
/// more than once.
fn rpc_bytes_2b(cluster: &mut Cluster) {
    const COMMAND_SIZE: usize = 5000;
    cluster.one(b"99", 3, false);
    let before = cluster.rpc_bytes();

    let mut sent: u64 = 0;
    for index in 2..=11 {
        let command = cluster.draw_text(COMMAND_SIZE);
        let found = cluster.one(&command, 3, false);
        assert_eq!(found, Index(index), "the command is committed at another index");
        sent += COMMAND_SIZE as u64;
    }

    let used = cluster.rpc_bytes() - before;
    cluster.check_at_most("rpc_bytes", used, 3 * sent + 50_000);
}

/// One follower is cut off, then both: two of three servers commit commands, one alone does not.
///
/// Raft §5.3. A wrong leader stops when it lacks one follower, or commits without a majority.
fn follower_failure_2b(cluster: &mut Cluster) {
    cluster.one(b"101", 3, false);

    // One follower is cut off; the other two servers continue.
    let first = cluster.check_one_leader();
    cluster.disconnect(cluster.after(first, 1));
    cluster.one(b"102", 2, false);
    cluster.sleep_ms(1000);
    cluster.one(b"103", 2, false);

    // Both followers are cut off: the leader accepts a command, but cannot commit it.
    let second = cluster.check_one_leader();
    cluster.disconnect(cluster.after(second, 1));
    cluster.disconnect(cluster.after(second, 2));
    let index = cluster.start_at(second, "104");
    assert_eq!(index, Index(4), "three commands are in the log");
    cluster.sleep_ms(2000);
    cluster.check_not_committed(index);
}

/// One leader is cut off, then the next: two of three servers commit commands, one does not.
///
/// Raft §5.2 and §5.3. A wrong server elects no new leader, or commits without a majority.
fn leader_failure_2b(cluster: &mut Cluster) {
    cluster.one(b"101", 3, false);

    // The first leader is cut off; the other two servers elect a leader and continue.
    let first = cluster.check_one_leader();
    cluster.disconnect(first);
    cluster.one(b"102", 2, false);
    cluster.sleep_ms(1000);
    cluster.one(b"103", 2, false);

    // The second leader is cut off too: a server may accept a command, but none can commit it.
    let second = cluster.check_one_leader();
    cluster.disconnect(second);
    for server in cluster.servers() {
        let _ = cluster.start(server, b"104");
    }
    cluster.sleep_ms(2000);
    cluster.check_not_committed(Index(4));
}

/// A follower that was cut off gets the entries that it missed when it comes back.
///
/// Raft §5.3. A wrong leader gives up on a follower that it could not reach.
fn fail_agree_2b(cluster: &mut Cluster) {
    cluster.one(b"101", 3, false);

    let leader = cluster.check_one_leader();
    let follower = cluster.after(leader, 1);
    cluster.disconnect(follower);
    for command in steps(["102", "103"]) {
        cluster.one(command.as_bytes(), 2, false);
    }
    cluster.sleep_ms(1000);
    for command in steps(["104", "105"]) {
        cluster.one(command.as_bytes(), 2, false);
    }

    cluster.connect(follower);
    cluster.one(b"106", 3, true);
    cluster.sleep_ms(1000);
    cluster.one(b"107", 3, true);
}

/// Two of five servers commit nothing; their entry may survive or be lost when the others return.
///
/// A wrong leader commits an entry that only two of five servers have.
fn fail_no_agree_2b(cluster: &mut Cluster) {
    cluster.one(b"10", 5, false);

    // Three followers of five are cut off.
    let first = cluster.check_one_leader();
    let lost = [1, 2, 3].map(|distance| cluster.after(first, distance));
    lost.iter().for_each(|server| cluster.disconnect(*server));
    let index = cluster.start_at(first, "20");
    assert_eq!(index, Index(2), "one command is in the log");
    cluster.sleep_ms(2000);
    cluster.check_not_committed(index);

    // They come back, and may elect one of themselves, which lacks the entry.
    lost.iter().for_each(|server| cluster.connect(*server));
    let second = cluster.check_one_leader();
    let index = cluster.start_at(second, "30");
    assert!((2..=3).contains(&index.0), "index {index} leaves a gap, or is used twice");
    cluster.one(b"1000", 5, true);
}

/// Five clients start a command at the same moment; all five are committed, each at its own index.
///
/// A wrong leader gives two commands one index, or loses one. The scenario counts only if one
/// leader accepts all five in one term: when the term changes it tries again, five times at most.
fn concurrent_starts_2b(cluster: &mut Cluster) {
    for attempt in 0..5 {
        if attempt > 0 {
            // Give the servers time to settle.
            cluster.sleep_ms(3000);
        }
        if concurrent_starts_succeed(cluster) {
            return;
        }
    }
    cluster.end_by_limit("term_changes", "the term changed in each of five tries".to_string());
}

/// Makes one try; false if the term changed meanwhile.
fn concurrent_starts_succeed(cluster: &Cluster) -> bool {
    let leader = cluster.check_one_leader();
    let Ok(first) = cluster.start(leader, b"1") else { return false };

    let clients: Vec<_> = (100..105)
        .map(|command: u64| {
            let cluster = cluster.clone();
            thread::spawn(format!("client{command}"), move || {
                let started = cluster.start(leader, command.to_string().as_bytes()).ok()?;
                (started.term == first.term).then_some(started.index)
            })
        })
        .collect();
    let indices: Vec<Index> = clients.into_iter().filter_map(|client| client.join()).collect();

    let mut committed = Vec::new();
    for index in indices {
        match cluster.wait(index, 3, Some(first.term)) {
            Some(command) => committed.push(command),
            None => return false,
        }
    }
    // An entry may have been replaced between two looks, but only in a later term.
    if cluster.someone_is_not_in(first.term) {
        return false;
    }
    for command in 100..105 {
        let command = command.to_string();
        let found = committed.iter().any(|committed| *committed == command.as_bytes());
        assert!(found, "command {command} was accepted in term {} and lost", first.term);
    }
    true
}

/// A leader comes back with entries that were never committed, and the new leader replaces them.
///
/// Raft §5.3. A wrong server keeps its own entries where they conflict with the leader's.
fn rejoin_2b(cluster: &mut Cluster) {
    cluster.one(b"101", 3, true);

    // The first leader is cut off, and still accepts commands.
    let first = cluster.check_one_leader();
    cluster.disconnect(first);
    for command in steps(["102", "103", "104"]) {
        let _ = cluster.start(first, command.as_bytes());
    }

    // The others commit another command in their place.
    cluster.one(b"103", 2, true);

    // Now the second leader is cut off, and the first one comes back.
    let second = cluster.check_one_leader();
    cluster.disconnect(second);
    cluster.connect(first);
    cluster.one(b"104", 2, true);

    // All servers are connected again.
    cluster.connect(second);
    cluster.one(b"105", 3, true);
}

/// A leader repairs followers with fifty wrong entries within seconds.
///
/// Raft §5.3. A wrong leader leaves the wrong entries in place, or takes too long to replace them.
///
/// ```text
/// first, +1    1   50 that no majority ever gets
/// +2, +3, +4   1   50 committed            (one is then cut off: it lacks the next fifty)
/// ```
fn backup_2b(cluster: &mut Cluster) {
    const ENTRIES: usize = 50;
    let start_many = |leader: ServerId| {
        for _ in steps(0..ENTRIES) {
            let _ = cluster.start(leader, &cluster.draw_command());
        }
    };
    let commit_many = || {
        for _ in steps(0..ENTRIES) {
            cluster.one(&cluster.draw_command(), 3, true);
        }
    };
    cluster.one(&cluster.draw_command(), 5, true);

    // A leader and one follower, alone, fill up with entries that cannot be committed.
    let first = cluster.check_one_leader();
    let rest = [2, 3, 4].map(|distance| cluster.after(first, distance));
    rest.iter().for_each(|server| cluster.disconnect(*server));
    start_many(first);
    cluster.sleep_ms(500);

    // The other three take over and commit fifty of their own.
    cluster.disconnect(first);
    cluster.disconnect(cluster.after(first, 1));
    rest.iter().for_each(|server| cluster.connect(*server));
    commit_many();

    // Then one of the three is cut off, and the other two fill up in the same way.
    let second = cluster.check_one_leader();
    let mut other = cluster.after(first, 2);
    if other == second {
        other = cluster.after(second, 1);
    }
    cluster.disconnect(other);
    start_many(second);
    cluster.sleep_ms(500);

    // The first pair comes back with the one that lacks the last fifty, and the three commit more.
    cluster.servers().for_each(|server| cluster.disconnect(server));
    cluster.connect(first);
    cluster.connect(cluster.after(first, 1));
    cluster.connect(other);
    commit_many();

    cluster.servers().for_each(|server| cluster.connect(server));
    cluster.one(&cluster.draw_command(), 5, true);
}

/// The servers make few calls: 30 for an election, 42 for twelve commands, 60 in an idle second.
///
/// A wrong server repeats a call without waiting for its reply.
fn count_2b(cluster: &mut Cluster) {
    const COMMANDS: u64 = 10;
    cluster.check_one_leader();
    let elected = cluster.rpc_count();
    assert!(elected >= 1, "a leader was elected without a call");
    cluster.check_at_most("rpcs_for_election", elected, 30);

    let mut used = None;
    for attempt in 0..5 {
        if attempt > 0 {
            // Give the servers time to settle.
            cluster.sleep_ms(3000);
        }
        used = calls_for_agreement(cluster, COMMANDS);
        if used.is_some() {
            break;
        }
    }
    match used {
        Some(calls) => cluster.check_at_most("rpcs_for_agreement", calls, (COMMANDS + 4) * 3),
        None => {
            cluster.end_by_limit("term_changes", "the term changed in each of five tries".into());
        }
    }

    let before = cluster.rpc_count();
    cluster.sleep_ms(1000);
    cluster.check_at_most("rpcs_when_idle", cluster.rpc_count() - before, 3 * 20);
}

/// Returns how many calls `count` + 2 commands took; `None` if the term changed meanwhile.
fn calls_for_agreement(cluster: &Cluster, count: u64) -> Option<u64> {
    let leader = cluster.check_one_leader();
    let before = cluster.rpc_count();
    let first = cluster.start(leader, b"1").ok()?;

    let mut commands = Vec::new();
    for place in 1..count + 2 {
        let command = cluster.draw_command();
        let started = cluster.start(leader, &command).ok()?;
        if started.term != first.term {
            return None;
        }
        let expected = Index(first.index.0 + place);
        assert_eq!(started.index, expected, "indices in one term must be consecutive");
        commands.push((started.index, command));
    }

    for (index, command) in commands.iter().take(usize::try_from(count).ok()?) {
        let committed = cluster.wait(*index, 3, Some(first.term))?;
        if cluster.someone_is_not_in(first.term) {
            return None;
        }
        assert_eq!(committed, *command, "index {index} has another command than was started there");
    }
    Some(cluster.rpc_count() - before)
}
