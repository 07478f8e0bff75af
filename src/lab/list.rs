//! The list of all scenarios: the one place where each is registered.

/// Lists all scenarios, and hands the list to the macro named in the call.
///
/// This is the one place where a scenario is registered: it makes the table
/// [`SCENARIOS`](crate::lab::SCENARIOS), and one `#[test]` each in `tests/lab.rs`. To add one,
/// write a function `pub fn name_2b(cluster: &mut Cluster)` in a file of `src/lab/scenarios/`
/// and a line here; part `store` has a list of its own, in `store_list.rs`. Its network is
/// `reliable`, `unreliable`, or `puppets`: reliable, and the scenario itself plays every server
/// but S0.
#[macro_export]
macro_rules! scenarios {
    ($make:ident) => {
        $crate::with_store_scenarios! { $make
            initial_election_2a: P2A, 3 servers, reliable, "initial election",
                "no leader within five seconds; a term that nobody shares";
            reelection_2a: P2A, 3 servers, reliable, "election after network failure",
                "no new leader when the old one is gone; a leader without a majority";
            many_elections_2a: P2A, 7 servers, reliable, "multiple elections",
                "split votes that never end; a vote given twice";
            vote_rules_2a: P2A, 3 servers, puppets, "one vote per term",
                "two votes in one term; a vote that a newer term does not free";
            candidate_rules_2a: P2A, 3 servers, puppets, "a candidate asks everybody, again",
                "no vote for oneself; peers asked one by one; no second election";
            candidate_follows_2a: P2A, 3 servers, puppets, "a candidate hears its term's leader",
                "a candidate that goes on counting votes";
            stale_vote_replies_2a: P2A, 3 servers, puppets, "votes of an earlier election",
                "late votes taken for new ones";
            votes_at_the_last_moment_2a: P2A, 5 servers, puppets, "votes at the last moment",
                "a vote's term checked in one election and the vote counted in the next";
            newer_term_deposes_2a: P2A, 3 servers, puppets, "a newer term",
                "a leader that raises its term and goes on leading";
            one_look_2a: P2A, 3 servers, puppets, "a question while a leader is deposed",
                "a leadership and a term that were not so at one moment";
            majority_of_four_2a: P2A, 4 servers, puppets, "half is no majority",
                "a leader with two votes of four";
            majority_of_five_2a: P2A, 5 servers, puppets, "two of five are no majority",
                "a leader with two votes of five";
            election_timeouts_2a: P2A, 3 servers, puppets, "election timeouts",
                "timeouts of seconds; timeouts that are always the same";
            heartbeats_2a: P2A, 3 servers, puppets, "heartbeats",
                "a leader that is silent after its election; timeouts that one late heartbeat exceeds";
            timer_is_reset_2a: P2A, 3 servers, puppets, "what a follower waits for",
                "elections under a live leader, or right after a vote was given";
            timer_is_not_reset_2a: P2A, 3 servers, puppets, "what a follower does not wait for",
                "a timer that any call starts again";
            stable_leader_2a: P2A, 3 servers, reliable, "half a quiet minute",
                "elections without a cause";
            stable_leader_unreliable_2a: P2A, 3 servers, unreliable,
                "half a minute of lost heartbeats",
                "a leader that one lost heartbeat deposes";
            leader_is_replaced_2a: P2A, 3 servers, reliable, "time to a new leader",
                "election timeouts of many seconds";
            elections_leave_nothing_2a: P2A, 3 servers, reliable, "tasks after a hundred elections",
                "a task per election that stays until the server is killed";
            basic_agree_2b: P2B, 3 servers, reliable, "basic agreement",
                "commands that are not committed, or not at consecutive indices from 1";
            rpc_bytes_2b: P2B, 3 servers, reliable, "RPC byte count",
                "a command sent more than once to each follower";
            follower_failure_2b: P2B, 3 servers, reliable, "progressive failure of followers",
                "no progress with a majority; a commit without one";
            leader_failure_2b: P2B, 3 servers, reliable, "failure of leaders",
                "no new leader; a commit without a majority";
            fail_agree_2b: P2B, 3 servers, reliable, "agreement after follower reconnects",
                "a follower that comes back is not caught up";
            fail_no_agree_2b: P2B, 5 servers, reliable,
                "no agreement if too many followers disconnect",
                "a commit without a majority";
            concurrent_starts_2b: P2B, 3 servers, reliable, "concurrent start()s",
                "two commands in one place, or a command lost, when clients come together";
            rejoin_2b: P2B, 3 servers, reliable, "rejoin of partitioned leader",
                "entries of a deposed leader that survive";
            backup_2b: P2B, 5 servers, reliable,
                "leader backs up quickly over incorrect follower logs",
                "one call per conflicting entry";
            count_2b: P2B, 3 servers, reliable, "RPC counts aren't too high",
                "too many calls for an election, an agreement, or an idle second";
            vote_log_rules_2b: P2B, 3 servers, puppets, "votes and logs",
                "a vote for a log that lacks entries; logs compared by length or term alone";
            append_refused_2b: P2B, 3 servers, puppets, "refused AppendEntries",
                "entries or commits taken from an old leader, or from where the logs differ";
            append_conflict_2b: P2B, 3 servers, puppets, "conflicting and late AppendEntries",
                "a late, short request that takes acknowledged entries back";
            commit_rules_2b: P2B, 3 servers, puppets, "a follower's commit index",
                "a commit beyond the last new entry; a commit index that falls";
            applied_soon_2b: P2B, 3 servers, puppets, "the time from commit to service",
                "an applier that polls at leisure";
            conflict_answers_2b: P2B, 3 servers, puppets, "answers for fast backup",
                "a refusal that sends the leader to the wrong place";
            leader_rules_2b: P2B, 3 servers, puppets, "a leader's first command",
                "commands taken by others; next_index of an earlier life; a commit nobody has";
            one_look_2b: P2B, 3 servers, puppets, "commands while a leader is deposed",
                "a command that is said to be of a later term than it is";
            own_term_commits_2b: P2B, 5 servers, puppets, "an older term's entries",
                "an entry of an older term committed by counting copies";
            half_is_no_commit_2b: P2B, 4 servers, puppets, "two of four commit nothing",
                "a commit index from match[n/2]";
            half_confirms_no_read_2b: P2B, 4 servers, puppets, "two of four confirm no read",
                "a read that half of the servers confirm";
            late_reads_2b: P2B, 3 servers, puppets, "a read of an earlier leadership",
                "a read that a later leadership confirms";
            acknowledged_only_2b: P2B, 3 servers, puppets, "repeated answers",
                "match_index computed from what is so when the answer comes";
            late_success_2b: P2B, 5 servers, puppets, "late successes",
                "match_index that falls";
            late_refusals_2b: P2B, 3 servers, puppets, "late refusals",
                "a leader that late refusals send round in circles";
            earlier_leadership_2b: P2B, 7 servers, puppets, "answers to an earlier leadership",
                "late answers taken for new ones; match_index not reset";
            lost_requests_2b: P2B, 3 servers, puppets, "a follower that was away",
                "entries that are not sent again";
            late_answers_2b: P2B, 3 servers, puppets, "a follower whose answers are late",
                "refusals that count only until the next message";
            sent_at_once_2b: P2B, 3 servers, puppets, "a command that comes alone",
                "entries that wait for the next heartbeat; the paper allows it";
            figure7_2b: P2B, 7 servers, puppets, "Figure 7",
                "a follower's log that does not become the leader's";
            outdated_candidate_2b: P2B, 3 servers, puppets, "an outdated candidate that insists",
                "a timer that every request for a vote starts again";
            repeated_requests_2b: P2B, 5 servers, reliable, "requests repeated and out of order",
                "a late request that takes acknowledged entries back";
            held_requests_2b: P2B, 5 servers, reliable, "requests of a former leader",
                "entries taken from a leader whose term is over";
            oneway_cuts_2b: P2B, 5 servers, reliable, "links that work one way",
                "a leader that nobody hears and nobody replaces";
            lost_replies_2b: P2B, 3 servers, reliable, "a follower whose answers are lost",
                "heartbeats that become rare where no answer comes";
            large_commands_2b: P2B, 3 servers, reliable, "commands of 200 KiB and 1.25 MiB",
                "a command that is larger than a batch, and so never sent";
            dead_peer_2b: P2B, 3 servers, reliable, "a peer that is away for long",
                "calls to it that pile up";
            fast_backup_2c: P2C, 3 servers, puppets, "backing up by terms",
                "one call per conflicting entry";
            persist1_2c: P2C, 3 servers, reliable, "basic persistence",
                "a log or term that a restart forgets";
            persist2_2c: P2C, 5 servers, reliable, "more persistence",
                "the same, while servers come and go";
            persist3_2c: P2C, 3 servers, reliable,
                "partitioned leader and one follower crash, leader restarts",
                "an entry that was committed before a crash and is lost after it";
            figure8_2c: P2C, 5 servers, reliable, "Figure 8",
                "an entry of an older term committed by counting copies";
            unreliable_agree_2c: P2C, 5 servers, unreliable, "unreliable agreement",
                "an agreement that a lost message can stop";
            figure8_unreliable_2c: P2C, 5 servers, unreliable, "Figure 8 (unreliable)",
                "late and repeated replies taken for new ones; slow backup over long logs";
            reliable_churn_2c: P2C, 5 servers, reliable, "churn",
                "a committed command that is lost while servers come and go";
            unreliable_churn_2c: P2C, 5 servers, unreliable, "unreliable churn",
                "the same, while messages are lost";
            vote_is_durable_2c: P2C, 3 servers, puppets, "a vote, then a crash",
                "a vote that is not stored, or stored after the reply";
            term_is_durable_2c: P2C, 3 servers, puppets, "a newer term, then a crash",
                "a term that is stored only with a vote or with entries";
            candidacy_is_durable_2c: P2C, 3 servers, puppets, "a candidate, then a crash",
                "a vote for oneself that is not stored before others are asked";
            entries_are_durable_2c: P2C, 3 servers, puppets, "entries, then a crash",
                "acknowledged entries that are not stored, or that come back";
            own_entries_are_durable_2c: P2C, 3 servers, puppets, "a commit, then a crash",
                "a leader that counts itself before it has stored the entry";
            commits_are_replayed_2c: P2C, 3 servers, puppets, "a restart begins at the beginning",
                "a commit index that is stored although the service is not";
            figure8_steps_2c: P2C, 5 servers, puppets, "Figure 8, step by step",
                "an entry of an older term committed by counting copies";
            leader_crash_uncommitted_2c: P2C, 3 servers, reliable,
                "a leader crashes with entries nobody has",
                "uncommitted entries that survive their leader";
            kill_ends_tasks_2c: P2C, 3 servers, reliable, "killed servers end",
                "a task that does not look whether its instance was killed";
            torn_writes_2c: P2C, 5 servers, reliable, "crashes in the middle of writing",
                "a promise made before its write was synced";
            failed_sync_2c: P2C, 3 servers, reliable, "a sync that fails",
                "promises after a sync that failed";
            snapshot_basic_2d: P2D, 3 servers, reliable, "snapshots basic",
                "a log that is not trimmed; a deadlock between snapshot() and the apply channel";
            snapshot_install_2d: P2D, 3 servers, reliable, "install snapshots (disconnect)",
                "a follower that needs an entry its leader no longer has";
            snapshot_install_unreliable_2d: P2D, 3 servers, unreliable,
                "install snapshots (disconnect, unreliable)",
                "an old snapshot that moves the service backwards";
            snapshot_install_crash_2d: P2D, 3 servers, reliable, "install snapshots (crash)",
                "a restart that forgets the snapshot, or what follows it";
            snapshot_install_un_crash_2d: P2D, 3 servers, unreliable,
                "install snapshots (crash, unreliable)",
                "the same, while messages are lost";
            snapshot_all_crash_2d: P2D, 3 servers, unreliable, "crash and restart all servers",
                "a commit index that a restart moves backwards for good";
            snapshot_init_2d: P2D, 3 servers, unreliable, "snapshot initialization after crash",
                "a snapshot that is erased by the first write after a restart";
            install_rules_2d: P2D, 3 servers, puppets, "InstallSnapshot, late and of old leaders",
                "a service that moves backwards; a snapshot taken from an old leader";
            install_suffix_2d: P2D, 3 servers, puppets, "a snapshot and the log behind it",
                "entries dropped that follow the snapshot, or kept that do not";
            install_commits_2d: P2D, 3 servers, puppets, "a snapshot is committed",
                "a commit index that stays behind the snapshot";
            late_install_2d: P2D, 3 servers, puppets, "snapshots older than what is known",
                "a commit index that falls, or starts anew, and an older snapshot taken";
            install_resets_timer_2d: P2D, 3 servers, puppets, "a leader that sends snapshots",
                "a timer that only AppendEntries starts again";
            snapshot_is_durable_2d: P2D, 3 servers, puppets, "a snapshot, then two crashes",
                "a snapshot that the second restart has forgotten";
            install_sender_2d: P2D, 3 servers, puppets, "a leader sends its snapshot",
                "a wrong term or content; an answer taken for another snapshot's";
            install_of_no_term_2d: P2D, 3 servers, puppets, "an answer of term 0",
                "an answer that promises nothing, taken for success";
            install_reply_deposes_2d: P2D, 3 servers, puppets, "a newer term in an answer",
                "a newer term that counts only in some answers";
            snapshot_prefix_2d: P2D, 3 servers, puppets, "what a snapshot covers",
                "a search that runs into the discarded log; an older snapshot taken";
            snapshot_over_conflict_2d: P2D, 3 servers, reliable,
                "a snapshot in place of a conflicting log",
                "entries of a deposed leader that survive behind a snapshot";
            dropped_entries_are_freed_2d: P2D, 3 servers, reliable, "memory after snapshots",
                "entries that are kept in memory though a snapshot covers them";
            late_snapshots_2d: P2D, 3 servers, unreliable, "snapshots late and twice",
                "a late snapshot that moves the service or the log backwards";
            basic_3a: P3A, 5 servers, reliable, "one client",
                "a service that loses or repeats what one client does";
            speed_3a: P3A, 3 servers, reliable, "a thousand operations in a row",
                "operations that wait for the next heartbeat";
            concurrent_3a: P3A, 5 servers, reliable, "many clients",
                "an answer that belongs to somebody else's operation";
            unreliable_3a: P3A, 5 servers, unreliable, "many clients, messages are lost",
                "an operation that is carried out twice because it was sent twice";
            unreliable_one_key_3a: P3A, 3 servers, unreliable, "many clients append to one key",
                "a repetition that is looked for only where it comes in";
            one_partition_3a: P3A, 5 servers, reliable, "progress in a majority only",
                "answers from a minority; operations that never end after the heal";
            many_partitions_one_client_3a: P3A, 5 servers, reliable, "one client, partitions",
                "a client that sticks to a deposed leader; an old value read from one";
            many_partitions_many_clients_3a: P3A, 5 servers, reliable, "many clients, partitions",
                "an answer by index, though another leader's entry took the place";
            persist_one_client_3a: P3A, 5 servers, reliable, "one client, restarts",
                "what was answered is gone after a crash";
            persist_concurrent_3a: P3A, 5 servers, reliable, "many clients, restarts",
                "the same, for clients that came together";
            persist_concurrent_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients, restarts, messages are lost",
                "a repetition that is not known again after a restart";
            persist_partition_3a: P3A, 5 servers, reliable, "many clients, partitions, restarts",
                "operations that were stuck in a minority when it crashed";
            persist_partition_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients, partitions, restarts, messages are lost",
                "the same, while messages are lost";
            persist_partition_unreliable_linearizable_3a: P3A, 7 servers, unreliable,
                "shared keys, partitions, restarts, messages are lost",
                "answers that no order of the operations explains";
            versioned_basic_3a: P3A, 5 servers, reliable, "one client puts",
                "a put that is lost or done twice";
            versioned_speed_3a: P3A, 3 servers, reliable, "a thousand puts in a row",
                "puts that wait for the next heartbeat";
            versioned_concurrent_3a: P3A, 5 servers, reliable, "many clients put to one key",
                "two puts that make one version";
            versioned_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients put, messages are lost",
                "a put in doubt that is said to be refused, or done";
            versioned_one_partition_3a: P3A, 5 servers, unreliable,
                "versioned progress in a majority only",
                "answers from a minority; operations that never end after the heal";
            versioned_many_partitions_one_client_3a: P3A, 5 servers, reliable,
                "one client puts, partitions",
                "an old version read from a deposed leader";
            versioned_many_partitions_many_clients_3a: P3A, 5 servers, reliable,
                "many clients put, partitions",
                "a put that another leader's entry answers";
            versioned_persist_one_client_3a: P3A, 5 servers, reliable, "one client puts, restarts",
                "a version that is gone after a crash";
            versioned_persist_concurrent_3a: P3A, 5 servers, reliable, "many clients put, restarts",
                "the same, for clients that came together";
            versioned_persist_concurrent_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients put, restarts, messages are lost",
                "the same, while puts are in doubt";
            versioned_persist_partition_3a: P3A, 5 servers, reliable,
                "many clients put, partitions, restarts",
                "puts that were stuck in a minority when it crashed";
            versioned_persist_partition_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients put, partitions, restarts, messages are lost",
                "the same, while messages are lost";
            versioned_persist_partition_unreliable_linearizable_3a: P3A, 7 servers, unreliable,
                "a hundred keys, partitions, restarts, messages are lost",
                "answers that no order of the puts explains";
            versioned_reliable_put_3a: P3A, 3 servers, reliable, "what a put is answered",
                "a doubt without cause; one error in the place of another";
            versioned_put_concurrent_reliable_3a: P3A, 3 servers, reliable,
                "ten clients put for a second",
                "a version that is compared before the put is done";
            versioned_unreliable_net_3a: P3A, 3 servers, unreliable,
                "a hundred puts in a row, messages are lost",
                "a repetition's refusal that is passed on as it is";
            rsm_basic_3a: P3A, 3 servers, reliable, "a replicated counter",
                "an operation carried out only where it was submitted";
            rsm_concurrent_3a: P3A, 3 servers, reliable, "concurrent operations",
                "an answer missed, or given to another, when operations come together";
            rsm_leader_failure_3a: P3A, 3 servers, reliable, "a counter whose leader fails",
                "a service that stops, or loses an operation, with its leader";
            rsm_leader_partition_3a: P3A, 3 servers, reliable, "a counter whose leader is cut off",
                "success without a majority; operations that wait for ever";
            rsm_restart_replay_3a: P3A, 3 servers, reliable, "a counter that restarts",
                "a log that is not replayed, or twice";
            rsm_shutdown_3a: P3A, 3 servers, reliable, "shut down under load",
                "operations that wait for a server that is no more";
            rsm_restart_submit_3a: P3A, 3 servers, reliable, "shut down under load, and restart",
                "an answer of an earlier life";
            rsm_answer_3a: P3A, 3 servers, reliable, "answers to submitted operations",
                "an answer before the entry is committed; an operation taken by a follower";
            rsm_own_entry_3a: P3A, 3 servers, reliable, "another leader's entry at one's index",
                "an answer that belongs to another operation";
            rsm_leadership_lost_3a: P3A, 3 servers, reliable, "leadership lost in silence",
                "a wait that only an entry can end; a denial of what happens later";
            rsm_end_3a: P3A, 3 servers, reliable, "operations that wait when the instance ends",
                "waits that nobody ends; a killed consensus module that is not let go";
            rsm_reader_3a: P3A, 3 servers, reliable, "operations that were given up",
                "a reader of the apply channel that waits for who has gone";
            rsm_at_once_3a: P3A, 3 servers, reliable, "entries committed before start() returns",
                "a wait that begins after its entry was applied";
            rsm_replay_3a: P3A, 3 servers, reliable, "entries of an earlier life",
                "an answer from an earlier life's entry; an entry applied only where it was sent";
            service_duplicates_3a: P3A, 3 servers, reliable, "a request that is in the log twice",
                "a repetition that is looked for where it comes in; a retry with a new number";
            service_late_copies_3a: P3A, 3 servers, reliable, "copies of requests, late",
                "a session that knows only the last request again, and not older ones";
            versioned_mixed_3a: P3A, 3 servers, reliable, "versions, puts and appends",
                "a version that does not count every change";
            service_versioned_retry_3a: P3A, 3 servers, reliable, "a put that is repeated",
                "a repetition's refusal that is passed on as it is";
            service_reads_3a: P3A, 3 servers, reliable, "reads of a leader that may be deposed",
                "a read that nobody confirmed, or that misses what was committed";
            clerk_remembers_leader_3a: P3A, 3 servers, reliable, "ten operations in a row",
                "a clerk that looks for the leader again and again";
            service_end_3a: P3A, 3 servers, reliable, "a killed server and its callers",
                "calls that are not let go; a server that others keep alive";
            snapshot_rpc_3b: P3B, 3 servers, reliable, "a server that lags gets a snapshot",
                "a state that is not the snapshot's; a log that grows";
            snapshot_size_3b: P3B, 3 servers, reliable, "small snapshots of a small state",
                "a snapshot that has the past in it; a log that is not trimmed";
            speed_3b: P3B, 3 servers, reliable, "a thousand operations in a row, with snapshots",
                "snapshots that hold up the service";
            snapshot_recover_3b: P3B, 5 servers, reliable, "one client, restarts from snapshots",
                "a state that a restart does not find in its snapshot";
            snapshot_recover_many_clients_3b: P3B, 5 servers, reliable,
                "many clients, restarts from snapshots",
                "sessions that are not part of the snapshot";
            snapshot_unreliable_3b: P3B, 5 servers, unreliable,
                "many clients, snapshots, messages are lost",
                "snapshots and entries that are applied in the wrong order";
            snapshot_unreliable_recover_3b: P3B, 5 servers, unreliable,
                "many clients, restarts from snapshots, messages are lost",
                "a repetition that is not known again after a restart";
            snapshot_unreliable_recover_concurrent_partition_3b: P3B, 5 servers, unreliable,
                "many clients, partitions, restarts from snapshots, messages are lost",
                "the same, where a minority's log was given up for a snapshot";
            snapshot_unreliable_recover_concurrent_partition_linearizable_3b: P3B, 7 servers,
                unreliable,
                "shared keys, partitions, restarts from snapshots, messages are lost",
                "answers that no order of the operations explains";
            versioned_snapshot_rpc_3b: P3B, 3 servers, reliable,
                "a server that lags gets a snapshot of versions",
                "versions that are not part of the snapshot";
            versioned_snapshot_size_3b: P3B, 3 servers, reliable, "small snapshots of one version",
                "sessions that nobody needs";
            versioned_speed_3b: P3B, 3 servers, reliable,
                "a thousand puts in a row, with snapshots",
                "snapshots that hold up the service";
            versioned_snapshot_recover_3b: P3B, 5 servers, reliable,
                "one client puts, restarts from snapshots",
                "a version that a restart does not find";
            versioned_snapshot_recover_many_clients_3b: P3B, 5 servers, reliable,
                "many clients put, restarts from snapshots",
                "the same, for clients that came together";
            versioned_snapshot_unreliable_3b: P3B, 5 servers, unreliable,
                "many clients put, snapshots, messages are lost",
                "snapshots and entries that are applied in the wrong order";
            versioned_snapshot_unreliable_recover_3b: P3B, 5 servers, unreliable,
                "many clients put, restarts from snapshots, messages are lost",
                "a version that is made once more after a restart";
            versioned_snapshot_unreliable_recover_concurrent_partition_3b: P3B, 5 servers,
                unreliable, "many clients put, partitions, snapshots, restarts, messages are lost",
                "the same, where a minority's log was given up for a snapshot";
            versioned_snapshot_unreliable_recover_concurrent_partition_linearizable_3b: P3B,
                7 servers, unreliable, "a hundred keys, partitions, snapshots, restarts, messages are lost",
                "answers that no order of the puts explains";
            rsm_trims_3b: P3B, 3 servers, reliable, "a log with a bound, and one without",
                "snapshots too late, by leaders only, or of a state that is not the log's";
            rsm_installs_3b: P3B, 3 servers, reliable, "a leader's snapshot",
                "a snapshot that the service ignores; an answer out of one";
            rsm_covered_3b: P3B, 3 servers, reliable, "an operation under a leader's snapshot",
                "an operation that is said never to happen, though a snapshot has it";
            service_sessions_3b: P3B, 3 servers, reliable, "a request from before the snapshot",
                "sessions that are not part of the snapshot";
            service_restart_3b: P3B, 3 servers, reliable, "a read right after a restart",
                "a snapshot from which a server does not know how far it is";
            rsm_snapshot_3b: P3B, 3 servers, reliable, "a counter that takes snapshots",
                "a log that is not trimmed; a restart without the snapshot";
        }
    };
}
