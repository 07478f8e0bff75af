//! What clients see: each operation takes effect once, whatever crashes.

use super::cluster::{Cluster, LONG, SERVERS, in_virtual_time, other_than};
use crate::runtime::thread;
use crate::store::{Keys, StoreConfig};

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn operations_do_what_they_say() {
    in_virtual_time(3, || {
        let cluster = Cluster::new(StoreConfig::default());
        let mut clerk = cluster.clerk(1);
        assert_eq!(clerk.get("a"), None, "nothing was put yet");
        clerk.put("a", "1");
        clerk.append("a", "2");
        clerk.append("b", "3");
        clerk.put("c", "");
        clerk.put("d", "4");
        clerk.delete("d");
        assert_eq!(clerk.get("a").as_deref(), Some("12"));
        assert_eq!(clerk.get("c").as_deref(), Some(""), "an empty value is a value");
        assert_eq!(clerk.get("d"), None);
        let all = Keys::Range { start: String::new(), end: None };
        let found = clerk.scan(all.clone(), 10);
        assert_eq!(found, [pair("a", "12"), pair("b", "3"), pair("c", "")]);
        assert_eq!(clerk.scan(all, 1), [pair("a", "12")]);
        let some = Keys::Range { start: "b".into(), end: Some("c".into()) };
        assert_eq!(clerk.scan(some, 10), [pair("b", "3")]);
        assert_eq!(clerk.scan(Keys::Prefix("b".into()), 10), [pair("b", "3")]);
        cluster.shutdown();
    });
}

#[test]
fn what_was_answered_survives_a_crash_of_all_servers() {
    in_virtual_time(8, || {
        let mut cluster = Cluster::new(StoreConfig::default());
        let mut clerk = cluster.clerk(1);
        for round in 0..4 {
            for piece in 0..5 {
                clerk.append("a", &format!("{round}{piece} "));
            }
            cluster.crash_and_restart_all();
        }
        let expected: String =
            (0..4).flat_map(|round| (0..5).map(move |piece| format!("{round}{piece} "))).collect();
        assert_eq!(clerk.get("a"), Some(expected));
        cluster.shutdown();
    });
}

#[test]
fn a_leader_that_was_cut_off_neither_reads_nor_writes() {
    in_virtual_time(5, || {
        let cluster = Cluster::new(StoreConfig::default());
        let mut clerk = cluster.clerk(1);
        clerk.put("a", "old");
        let leader = cluster.leader();
        cluster.connect(leader, false);
        clerk.put("a", "new");
        assert_eq!(clerk.get("a").as_deref(), Some("new"));
        assert_eq!(cluster.server(leader).look("a").as_deref(), Some("old"));
        assert!(cluster.read_at(leader, "a").is_err(), "it cannot know that it leads");
        cluster.connect(leader, true);
        thread::sleep(LONG);
        assert_eq!(cluster.server(leader).look("a").as_deref(), Some("new"));
        cluster.shutdown();
    });
}

#[test]
fn a_follower_applies_what_the_leader_does() {
    in_virtual_time(3, || {
        let cluster = Cluster::new(StoreConfig::default());
        let mut clerk = cluster.clerk(1);
        clerk.put("a", "1");
        let leader = cluster.leader();
        for me in 0..SERVERS {
            assert_eq!(cluster.server(me).look("a").as_deref(), Some("1"), "server {me}");
            assert_eq!(cluster.server(me).applied(), cluster.server(leader).applied());
        }
        assert!(!cluster.server(other_than(leader)).get_state().is_leader, "one leads");
        cluster.shutdown();
    });
}

#[test]
fn a_command_costs_the_same_whatever_is_there_already() {
    in_virtual_time(1, || {
        let cluster = Cluster::new(StoreConfig { log_gc_limit: None, ..StoreConfig::default() });
        let mut clerk = cluster.clerk(1);
        let mut costs = Vec::new();
        for batch in [0, 100, 3900] {
            (0..batch).for_each(|number| clerk.put(&format!("{batch} {number}"), "value"));
            let before = cluster.usage();
            (0..100).for_each(|number| clerk.put(&format!("measured {number}"), "value"));
            let after = cluster.usage();
            costs.push((after.bytes_written - before.bytes_written, after.syncs - before.syncs));
        }
        let (few, many) = (costs[1], costs[2]);
        assert!(many.0 < 2 * few.0, "{costs:?}: bytes grow with what is there");
        assert!(many.1 < few.1 + 20, "{costs:?}: syncs grow with what is there");
        assert!(few.1 <= 3 * 100 + 20, "{costs:?}: a command is one sync on each server");
        cluster.shutdown();
    });
}
