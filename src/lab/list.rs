//! The list of all scenarios: the one place where each is registered.

/// Lists all scenarios and passes the list to the macro named in the call.
///
/// This is the one place where a scenario is registered: the list becomes the table
/// [`SCENARIOS`](crate::lab::SCENARIOS) and one `#[test]` per scenario in `tests/lab.rs`. To add a
/// scenario, write a function `pub fn name_2b(cluster: &mut Cluster)` in a file of
/// `src/lab/scenarios/` and a line in this list; part `store` has a list of its own, in
/// `store_list.rs`. A line has the part, the number of servers, the network, the title, and the
/// mistakes that fail the scenario. The network is `reliable`, `unreliable`, or `puppets`: a
/// reliable network on which the scenario itself plays every server but S0.
#[macro_export]
macro_rules! scenarios {
    ($make:ident) => {
        $crate::with_store_scenarios! { $make
            initial_election_2a: P2A, 3 servers, reliable, "initial election",
                "no leader within five seconds; servers in different terms";
            reelection_2a: P2A, 3 servers, reliable, "election after network failure",
                "no new leader after the old one is cut off; a leader without a majority";
            many_elections_2a: P2A, 7 servers, reliable, "multiple elections",
                "split votes that never end; a vote given twice in one term";
            vote_rules_2a: P2A, 3 servers, puppets, "one vote per term",
                "two votes in one term; a vote that is not cleared when the term rises";
            candidate_rules_2a: P2A, 3 servers, puppets,
                "a candidate asks every peer, again and again",
                "no vote for oneself; votes requested one by one; no second election";
            candidate_follows_2a: P2A, 3 servers, puppets, "a candidate hears its term's leader",
                "a candidate that keeps counting votes after it heard its term's leader";
            stale_vote_replies_2a: P2A, 3 servers, puppets, "votes of an earlier election",
                "votes of an earlier election that count in a later one";
            votes_at_the_last_moment_2a: P2A, 5 servers, puppets,
                "votes right before the next election",
                "a vote whose term is checked in one election and that counts in the next";
            newer_term_deposes_2a: P2A, 3 servers, puppets, "a newer term deposes a leader",
                "a leader or candidate that adopts a newer term and keeps its role";
            one_look_2a: P2A, 3 servers, puppets, "get_state() while a leader is deposed",
                "get_state() that pairs a role with the term of another moment";
            majority_of_four_2a: P2A, 4 servers, puppets, "two votes of four are no majority",
                "a leader elected with two votes of four";
            majority_of_five_2a: P2A, 5 servers, puppets, "two votes of five are no majority",
                "a leader elected with two votes of five";
            election_timeouts_2a: P2A, 3 servers, puppets, "election timeouts",
                "election timeouts of several seconds, or always the same timeout";
            heartbeats_2a: P2A, 3 servers, puppets, "heartbeats",
                "a silent new leader; an election timeout that one late heartbeat exceeds";
            timer_is_reset_2a: P2A, 3 servers, puppets, "what resets the election timer",
                "elections although the leader is alive, or right after a vote was given";
            timer_is_not_reset_2a: P2A, 3 servers, puppets,
                "what does not reset the election timer",
                "an election timer that any call resets";
            stable_leader_2a: P2A, 3 servers, reliable, "half a minute without faults",
                "elections while the leader is alive and connected";
            stable_leader_unreliable_2a: P2A, 3 servers, unreliable,
                "half a minute of lost heartbeats",
                "a leader that is deposed because one heartbeat was lost";
            leader_is_replaced_2a: P2A, 3 servers, reliable, "time to a new leader",
                "election timeouts of many seconds";
            elections_leave_nothing_2a: P2A, 3 servers, reliable, "tasks after a hundred elections",
                "a task per election that runs until the server is killed";
            basic_agree_2b: P2B, 3 servers, reliable, "basic agreement",
                "commands that are not committed, or not at consecutive indices from 1";
            rpc_bytes_2b: P2B, 3 servers, reliable, "RPC byte count",
                "a command sent more than once to each follower";
            follower_failure_2b: P2B, 3 servers, reliable, "progressive failure of followers",
                "no progress with a majority; a commit without a majority";
            leader_failure_2b: P2B, 3 servers, reliable, "failure of leaders",
                "no new leader; a commit without a majority";
            fail_agree_2b: P2B, 3 servers, reliable, "agreement after follower reconnects",
                "a follower that is not caught up after it reconnects";
            fail_no_agree_2b: P2B, 5 servers, reliable,
                "no agreement if too many followers disconnect",
                "a commit without a majority";
            concurrent_starts_2b: P2B, 3 servers, reliable, "concurrent start()s",
                "two commands at one index, or a lost command, when clients call start() at once";
            rejoin_2b: P2B, 3 servers, reliable, "rejoin of partitioned leader",
                "uncommitted entries of a deposed leader that survive";
            backup_2b: P2B, 5 servers, reliable,
                "leader backs up quickly over incorrect follower logs",
                "one call per conflicting entry";
            count_2b: P2B, 3 servers, reliable, "RPC counts aren't too high",
                "too many calls for an election, an agreement, or an idle second";
            vote_log_rules_2b: P2B, 3 servers, puppets, "votes and logs",
                "a vote for an outdated log; logs compared by length alone or by term alone";
            append_refused_2b: P2B, 3 servers, puppets, "refused AppendEntries",
                "entries or commits accepted from an old leader, or where the logs do not match";
            append_conflict_2b: P2B, 3 servers, puppets, "conflicting and late AppendEntries",
                "a late, short request that deletes acknowledged entries";
            commit_rules_2b: P2B, 3 servers, puppets, "a follower's commit index",
                "a commit index beyond the last new entry, or one that decreases";
            applied_soon_2b: P2B, 3 servers, puppets, "the delay from commit to service",
                "an applier that polls at long intervals";
            conflict_answers_2b: P2B, 3 servers, puppets, "replies for fast backup",
                "a refusal that names a wrong conflict term or index";
            leader_rules_2b: P2B, 3 servers, puppets, "a leader's first command",
                "a follower that accepts commands; next_index not reset; a commit by a minority";
            one_look_2b: P2B, 3 servers, puppets, "start() while a leader is deposed",
                "start() that returns a later term than that of the entry";
            own_term_commits_2b: P2B, 5 servers, puppets, "an older term's entries",
                "an entry of an older term committed by counting replicas";
            half_is_no_commit_2b: P2B, 4 servers, puppets, "two servers of four commit nothing",
                "an entry committed by half of the servers, as with match[n/2]";
            half_confirms_no_read_2b: P2B, 4 servers, puppets,
                "two servers of four confirm no read",
                "a read that only half of the servers confirm";
            late_reads_2b: P2B, 3 servers, puppets, "a read of an earlier leadership",
                "a read of an earlier leadership that a later one confirms";
            acknowledged_only_2b: P2B, 3 servers, puppets, "repeated replies",
                "match_index computed from the state at the reply instead of from the request";
            late_success_2b: P2B, 5 servers, puppets, "late successful replies",
                "a late reply that decreases match_index";
            late_refusals_2b: P2B, 3 servers, puppets, "late refusals",
                "late refusals that make a leader retry the same entries for ever";
            earlier_leadership_2b: P2B, 7 servers, puppets, "replies to an earlier leadership",
                "replies of an earlier leadership that count; match_index not reset";
            lost_requests_2b: P2B, 3 servers, puppets, "a follower that was unreachable",
                "lost entries that are not sent again";
            late_answers_2b: P2B, 3 servers, puppets, "a follower whose replies are late",
                "a refusal that is ignored once another message has been sent";
            sent_at_once_2b: P2B, 3 servers, puppets, "a single command",
                "a command that waits for the next heartbeat (the paper allows it)";
            figure7_2b: P2B, 7 servers, puppets, "Figure 7",
                "a follower's log that never becomes the leader's";
            outdated_candidate_2b: P2B, 3 servers, puppets,
                "an outdated candidate that keeps asking",
                "an election timer that every vote request resets";
            repeated_requests_2b: P2B, 5 servers, reliable, "requests repeated and out of order",
                "a late or repeated request that deletes acknowledged entries";
            held_requests_2b: P2B, 5 servers, reliable, "requests of a former leader",
                "entries accepted from a leader of an older term";
            oneway_cuts_2b: P2B, 5 servers, reliable, "links that work one way",
                "a leader that no server hears and that is never replaced";
            lost_replies_2b: P2B, 3 servers, reliable, "a follower whose replies are lost",
                "fewer heartbeats to a follower whose replies are lost";
            large_commands_2b: P2B, 3 servers, reliable, "commands of 0 bytes, 200 KiB and 1.25 MiB",
                "a command that is larger than a batch and never sent; an empty one that is skipped";
            one_server_2b: P2B, 1 servers, reliable, "a cluster of one server",
                "a server that waits for replies although it is a majority by itself";
            slow_service_2b: P2B, 3 servers, reliable, "services that take their time",
                "an applier that drops a message, or blocks its server, because the service is slow";
            dead_peer_2b: P2B, 3 servers, reliable, "a peer that is unreachable for long",
                "calls to an unreachable peer that pile up";
            fast_backup_2c: P2C, 3 servers, puppets, "backing up one term at a time",
                "one call per conflicting entry instead of one per conflicting term";
            persist1_2c: P2C, 3 servers, reliable, "basic persistence",
                "a log or term that is lost in a restart";
            persist2_2c: P2C, 5 servers, reliable, "more persistence",
                "a log or term that is lost while servers crash and restart in turns";
            persist3_2c: P2C, 3 servers, reliable,
                "partitioned leader and one follower crash, leader restarts",
                "a committed entry that is lost when the leader and a follower crash";
            figure8_2c: P2C, 5 servers, reliable, "Figure 8",
                "an entry of an older term committed by counting replicas";
            unreliable_agree_2c: P2C, 5 servers, unreliable, "unreliable agreement",
                "an agreement that one lost message prevents";
            figure8_unreliable_2c: P2C, 5 servers, unreliable, "Figure 8 (unreliable)",
                "late and repeated replies that count as new; slow backup over long logs";
            reliable_churn_2c: P2C, 5 servers, reliable, "churn",
                "a committed command that is lost while servers crash and restart";
            unreliable_churn_2c: P2C, 5 servers, unreliable, "unreliable churn",
                "a committed command that is lost while servers restart and messages are lost";
            vote_is_durable_2c: P2C, 3 servers, puppets, "a vote, then a crash",
                "a vote that is not stored, or stored only after the reply";
            term_is_durable_2c: P2C, 3 servers, puppets, "a newer term, then a crash",
                "a newer term that is stored only along with a vote or entries";
            candidacy_is_durable_2c: P2C, 3 servers, puppets, "a candidate, then a crash",
                "a candidate that requests votes before its vote for itself is stored";
            entries_are_durable_2c: P2C, 3 servers, puppets, "entries, then a crash",
                "acknowledged entries that are not stored; deleted entries that come back";
            own_entries_are_durable_2c: P2C, 3 servers, puppets, "a commit, then a crash",
                "a leader that counts itself before it has stored the entry";
            commits_are_replayed_2c: P2C, 3 servers, puppets, "a restart applies the log again",
                "a commit index that is stored although the service's state is not";
            figure8_steps_2c: P2C, 5 servers, puppets, "Figure 8, step by step",
                "an entry of an older term committed by counting replicas";
            leader_crash_uncommitted_2c: P2C, 3 servers, reliable,
                "a leader crashes with entries that no other server has",
                "uncommitted entries of a crashed leader that survive in its log";
            kill_ends_tasks_2c: P2C, 3 servers, reliable, "killed servers stop",
                "a task that never checks whether its instance was killed";
            one_server_restarts_2c: P2C, 1 servers, reliable, "a cluster of one server restarts",
                "a server alone that does not commit its old entries after a restart";
            killed_refuses_2c: P2C, 3 servers, reliable, "a killed leader accepts nothing",
                "an instance that accepts commands after it was killed";
            torn_writes_2c: P2C, 5 servers, reliable, "crashes in the middle of writing",
                "a vote or success that is sent before its write was synced";
            failed_sync_2c: P2C, 3 servers, reliable, "a sync that fails",
                "a vote or success that is sent after a failed sync";
            snapshot_basic_2d: P2D, 3 servers, reliable, "snapshots basic",
                "a log that is not trimmed; a deadlock between snapshot() and the apply channel";
            snapshot_install_2d: P2D, 3 servers, reliable, "install snapshots (disconnect)",
                "a lagging follower that needs discarded entries and gets no snapshot";
            snapshot_install_unreliable_2d: P2D, 3 servers, unreliable,
                "install snapshots (disconnect, unreliable)",
                "a late snapshot that moves the service backwards";
            snapshot_install_crash_2d: P2D, 3 servers, reliable, "install snapshots (crash)",
                "a restart that loses the snapshot, or the log after it";
            snapshot_install_un_crash_2d: P2D, 3 servers, unreliable,
                "install snapshots (crash, unreliable)",
                "a restart that loses the snapshot, or the log after it, while messages are lost";
            snapshot_all_crash_2d: P2D, 3 servers, unreliable, "crash and restart all servers",
                "a commit index that decreases in a restart and never recovers";
            snapshot_init_2d: P2D, 3 servers, unreliable, "snapshot initialization after crash",
                "a snapshot that the first write after a restart erases";
            install_rules_2d: P2D, 3 servers, puppets, "InstallSnapshot, late or from old leaders",
                "a service that moves backwards; a snapshot accepted from an old leader";
            install_suffix_2d: P2D, 3 servers, puppets, "a snapshot and the log after it",
                "matching entries after the snapshot that are dropped; others that are kept";
            install_commits_2d: P2D, 3 servers, puppets, "a snapshot commits what it covers",
                "a commit index that stays behind the snapshot";
            late_install_2d: P2D, 3 servers, puppets, "snapshots older than the commit index",
                "an older snapshot installed because the commit index decreased or restarted at 0";
            install_resets_timer_2d: P2D, 3 servers, puppets, "a leader that sends snapshots",
                "an election timer that only AppendEntries resets";
            snapshot_is_durable_2d: P2D, 3 servers, puppets, "a snapshot, then two crashes",
                "a snapshot that is lost in the second restart";
            install_sender_2d: P2D, 3 servers, puppets, "a leader sends its snapshot",
                "a snapshot with a wrong term or content; a reply credited to another snapshot";
            install_of_no_term_2d: P2D, 3 servers, puppets, "a reply of term 0",
                "a reply of term 0, which promises nothing, that counts as success";
            install_reply_deposes_2d: P2D, 3 servers, puppets, "a newer term in a reply",
                "a newer term that is ignored in the reply to InstallSnapshot";
            snapshot_prefix_2d: P2D, 3 servers, puppets, "what a snapshot covers",
                "a search that runs into the discarded log; an older snapshot accepted";
            snapshot_over_conflict_2d: P2D, 3 servers, reliable,
                "a snapshot in place of a conflicting log",
                "entries of a deposed leader that survive after a snapshot";
            dropped_entries_are_freed_2d: P2D, 3 servers, reliable, "memory after snapshots",
                "entries that stay in memory although a snapshot covers them";
            late_snapshots_2d: P2D, 3 servers, unreliable, "late and repeated snapshots",
                "a late snapshot that moves the service or the log backwards";
            basic_3a: P3A, 5 servers, reliable, "one client",
                "an operation of a single client that is lost or applied twice";
            speed_3a: P3A, 3 servers, reliable, "a thousand operations in a row",
                "operations that wait for the next heartbeat";
            concurrent_3a: P3A, 5 servers, reliable, "many clients",
                "a client that gets the answer to another client's operation";
            unreliable_3a: P3A, 5 servers, unreliable, "many clients, messages are lost",
                "an operation that is applied twice because it was sent twice";
            unreliable_one_key_3a: P3A, 3 servers, unreliable, "many clients append to one key",
                "a retry that is recognised only when it arrives, not when it is applied";
            one_partition_3a: P3A, 5 servers, reliable, "progress in a majority only",
                "answers from a minority; operations that hang after the partition heals";
            many_partitions_one_client_3a: P3A, 5 servers, reliable, "one client, partitions",
                "a client that stays with a deposed leader, or reads an old value from it";
            many_partitions_many_clients_3a: P3A, 5 servers, reliable, "many clients, partitions",
                "an answer by index alone, although another leader's entry is there";
            persist_one_client_3a: P3A, 5 servers, reliable, "one client, restarts",
                "an answered operation that is lost in a crash";
            persist_concurrent_3a: P3A, 5 servers, reliable, "many clients, restarts",
                "an answered operation that is lost in a crash while several clients are busy";
            persist_concurrent_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients, restarts, messages are lost",
                "a retry that is applied again after a restart";
            persist_partition_3a: P3A, 5 servers, reliable, "many clients, partitions, restarts",
                "an operation lost or repeated because it was pending in a minority that crashed";
            persist_partition_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients, partitions, restarts, messages are lost",
                "an operation lost or repeated when a minority crashes and messages are lost";
            persist_partition_unreliable_linearizable_3a: P3A, 7 servers, unreliable,
                "shared keys, partitions, restarts, messages are lost",
                "answers that no order of the operations explains";
            versioned_basic_3a: P3A, 5 servers, reliable, "one client puts",
                "a put that is lost or applied twice";
            versioned_speed_3a: P3A, 3 servers, reliable, "a thousand puts in a row",
                "puts that wait for the next heartbeat";
            versioned_concurrent_3a: P3A, 5 servers, reliable, "many clients put to one key",
                "two puts that create the same version";
            versioned_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients put, messages are lost",
                "a put with an unknown outcome that is reported as refused or as done";
            versioned_one_partition_3a: P3A, 5 servers, unreliable,
                "versioned progress in a majority only",
                "answers from a minority; operations that hang after the partition heals";
            versioned_many_partitions_one_client_3a: P3A, 5 servers, reliable,
                "one client puts, partitions",
                "an old version read from a deposed leader";
            versioned_many_partitions_many_clients_3a: P3A, 5 servers, reliable,
                "many clients put, partitions",
                "a put that gets the answer of another leader's entry";
            versioned_persist_one_client_3a: P3A, 5 servers, reliable, "one client puts, restarts",
                "a version that is lost in a crash";
            versioned_persist_concurrent_3a: P3A, 5 servers, reliable, "many clients put, restarts",
                "a version that is lost in a crash while several clients put";
            versioned_persist_concurrent_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients put, restarts, messages are lost",
                "a version that is lost in a crash while puts have unknown outcomes";
            versioned_persist_partition_3a: P3A, 5 servers, reliable,
                "many clients put, partitions, restarts",
                "a put lost or repeated because it was pending in a minority that crashed";
            versioned_persist_partition_unreliable_3a: P3A, 5 servers, unreliable,
                "many clients put, partitions, restarts, messages are lost",
                "a put lost or repeated when a minority crashes and messages are lost";
            versioned_persist_partition_unreliable_linearizable_3a: P3A, 7 servers, unreliable,
                "a hundred keys, partitions, restarts, messages are lost",
                "answers that no order of the puts explains";
            versioned_reliable_put_3a: P3A, 3 servers, reliable, "what put returns",
                "a Maybe where no message was lost; one error in the place of another";
            versioned_put_concurrent_reliable_3a: P3A, 3 servers, reliable,
                "ten clients put for a second",
                "a version that is compared when the put arrives, not when it is applied";
            versioned_unreliable_net_3a: P3A, 3 servers, unreliable,
                "a hundred puts in a row, messages are lost",
                "a retry's version error passed on, although the first try may have succeeded";
            rsm_basic_3a: P3A, 3 servers, reliable, "a replicated counter",
                "an operation applied only by the server it was submitted to";
            rsm_concurrent_3a: P3A, 3 servers, reliable, "concurrent operations",
                "concurrent operations that get no answer, or another's answer";
            rsm_leader_failure_3a: P3A, 3 servers, reliable, "a counter whose leader fails",
                "a service that stops, or loses an operation, when its leader fails";
            rsm_leader_partition_3a: P3A, 3 servers, reliable, "a counter whose leader is cut off",
                "success without a majority; operations that hang for ever";
            rsm_restart_replay_3a: P3A, 3 servers, reliable, "a counter that restarts",
                "a log that is not replayed after a restart, or is replayed twice";
            rsm_shutdown_3a: P3A, 3 servers, reliable, "shut down under load",
                "operations that hang because their server was shut down";
            rsm_restart_submit_3a: P3A, 3 servers, reliable, "shut down under load, and restart",
                "an operation that gets an answer from before the restart";
            rsm_answer_3a: P3A, 3 servers, reliable, "answers to submitted operations",
                "an answer before the entry is committed; an operation accepted by a follower";
            rsm_own_entry_3a: P3A, 3 servers, reliable, "another leader's entry at the same index",
                "an answer taken from another leader's entry";
            rsm_leadership_lost_3a: P3A, 3 servers, reliable, "leadership lost without a new entry",
                "an operation that hangs under a deposed leader, or is wrongly reported as lost";
            rsm_end_3a: P3A, 3 servers, reliable, "pending operations when the instance ends",
                "operations that hang after the end; a killed consensus module that is never freed";
            rsm_reader_3a: P3A, 3 servers, reliable, "operations whose callers gave up",
                "an apply channel reader that blocks on a caller that has given up";
            rsm_at_once_3a: P3A, 3 servers, reliable, "entries committed before start() returns",
                "a wait that begins after the entry was applied";
            rsm_replay_3a: P3A, 3 servers, reliable, "entries of an earlier life",
                "an answer from an earlier life's entry; an entry applied only where submitted";
            service_duplicates_3a: P3A, 3 servers, reliable, "a request that is in the log twice",
                "a retry that is recognised only when it arrives; a retry with a new number";
            service_late_copies_3a: P3A, 3 servers, reliable, "late copies of requests",
                "a session that recognises only the last request, and no older ones";
            versioned_mixed_3a: P3A, 3 servers, reliable, "versions, puts and appends",
                "a version that does not count every change";
            service_versioned_retry_3a: P3A, 3 servers, reliable, "a put that is retried",
                "a retry's version error passed on, although the first try may have succeeded";
            service_reads_3a: P3A, 3 servers, reliable, "reads from a leader that may be deposed",
                "a read without confirmed leadership, or one that misses committed entries";
            clerk_remembers_leader_3a: P3A, 3 servers, reliable, "ten operations in a row",
                "a clerk that searches for the leader before every operation";
            service_end_3a: P3A, 3 servers, reliable, "a killed server and its callers",
                "calls that a killed server never ends; a killed server that is never freed";
            snapshot_rpc_3b: P3B, 3 servers, reliable, "a server that lags gets a snapshot",
                "a state that differs from the snapshot's; a log that keeps growing";
            snapshot_size_3b: P3B, 3 servers, reliable, "small snapshots of a small state",
                "a snapshot that contains everything ever put; a log that is not trimmed";
            speed_3b: P3B, 3 servers, reliable, "a thousand operations in a row, with snapshots",
                "snapshots that slow the service down";
            snapshot_recover_3b: P3B, 5 servers, reliable, "one client, restarts from snapshots",
                "a state that is not restored from the snapshot after a restart";
            snapshot_recover_many_clients_3b: P3B, 5 servers, reliable,
                "many clients, restarts from snapshots",
                "sessions that are missing from the snapshot";
            snapshot_unreliable_3b: P3B, 5 servers, unreliable,
                "many clients, snapshots, messages are lost",
                "snapshots and entries that are applied in the wrong order";
            snapshot_unreliable_recover_3b: P3B, 5 servers, unreliable,
                "many clients, restarts from snapshots, messages are lost",
                "a retry that is applied again after a restart from a snapshot";
            snapshot_unreliable_recover_concurrent_partition_3b: P3B, 5 servers, unreliable,
                "many clients, partitions, restarts from snapshots, messages are lost",
                "a retry that is applied again after a snapshot replaced a minority's log";
            snapshot_unreliable_recover_concurrent_partition_linearizable_3b: P3B, 7 servers,
                unreliable,
                "shared keys, partitions, restarts from snapshots, messages are lost",
                "answers that no order of the operations explains";
            versioned_snapshot_rpc_3b: P3B, 3 servers, reliable,
                "a server that lags gets a snapshot of versions",
                "versions that are missing from the snapshot";
            versioned_snapshot_size_3b: P3B, 3 servers, reliable, "small snapshots of one version",
                "a snapshot with session data, which versioned puts do not need";
            versioned_speed_3b: P3B, 3 servers, reliable,
                "a thousand puts in a row, with snapshots",
                "snapshots that slow down a service of versioned puts";
            versioned_snapshot_recover_3b: P3B, 5 servers, reliable,
                "one client puts, restarts from snapshots",
                "a version that is not restored from the snapshot after a restart";
            versioned_snapshot_recover_many_clients_3b: P3B, 5 servers, reliable,
                "many clients put, restarts from snapshots",
                "a version that is not restored from the snapshot when several clients put";
            versioned_snapshot_unreliable_3b: P3B, 5 servers, unreliable,
                "many clients put, snapshots, messages are lost",
                "snapshots and puts that are applied in the wrong order";
            versioned_snapshot_unreliable_recover_3b: P3B, 5 servers, unreliable,
                "many clients put, restarts from snapshots, messages are lost",
                "a version that is created a second time after a restart";
            versioned_snapshot_unreliable_recover_concurrent_partition_3b: P3B, 5 servers,
                unreliable,
                "many clients put, partitions, snapshots, restarts, messages are lost",
                "a version created a second time after a snapshot replaced a minority's log";
            versioned_snapshot_unreliable_recover_concurrent_partition_linearizable_3b: P3B,
                7 servers, unreliable, "a hundred keys, partitions, snapshots, restarts, messages are lost",
                "answers that no order of the puts explains";
            rsm_trims_3b: P3B, 3 servers, reliable, "a log with a size limit, and one without",
                "snapshots taken too late, by leaders only, or of a state that is not the log's";
            rsm_installs_3b: P3B, 3 servers, reliable, "a leader's snapshot",
                "a leader's snapshot that is ignored; a definite answer for what it covers";
            rsm_covered_3b: P3B, 3 servers, reliable,
                "an operation that a leader's snapshot may cover",
                "an operation reported as not applied, although a snapshot may contain it";
            service_sessions_3b: P3B, 3 servers, reliable, "a request from before the snapshot",
                "sessions that are missing from the snapshot";
            service_restart_3b: P3B, 3 servers, reliable, "a read right after a restart",
                "a server that does not know the index of the snapshot it restarted from";
            service_installed_3b: P3B, 3 servers, reliable, "a read right after an installed snapshot",
                "a server that does not know the index of the snapshot it installed";
            rsm_snapshot_3b: P3B, 3 servers, reliable, "a counter that takes snapshots",
                "a log that is not trimmed; a restart that ignores the snapshot";
        }
    };
}
