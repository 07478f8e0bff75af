//! A replicated counter above every server of a cluster, and who submits to it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{RsmConfig, ServerId, SubmitError};
use crate::lab::application::{Application, Living, Seat};
use crate::lab::cluster::Cluster;
use crate::lab::service::{self, Count, Counting, KvDesign};
use crate::runtime::sync::Quiet;
use crate::runtime::thread;
use crate::runtime::time::Instant;

/// How long an operation is offered to one server after the other: the course's limit.
const ONE_MAX: Duration = Duration::from_secs(10);

/// The course's pause when no server took an operation.
const ONE_PAUSE: Duration = Duration::from_millis(50);

/// How often a counter is looked at in vain, with longer and longer pauses: the course's limit.
const LOOKS_MAX: u32 = 30;

/// The first pause between two looks, and the longest.
const LOOK_PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(1280)];

/// The counters of a cluster's servers. A handle: clones are the same counters.
///
/// An operation whose leader was deposed may have been carried out, and is tried again all the
/// same. So what a counter must show is a range, of one number as long as that has not happened.
#[derive(Clone)]
pub struct Counters {
    cluster: Cluster,
    above: Arc<Above>,
    asked: Arc<Quiet<Asked>>,
    /// Who took an operation last.
    leader: Cell<ServerId>,
}

/// What the counters were asked for, all in all.
#[derive(Default)]
struct Asked {
    operations: u64,
    /// What they have counted at least: what was answered.
    least: i64,
    /// And at most: what was not refused.
    most: i64,
}

/// What runs: one slot per server, empty while that is down.
type Running = Arc<Quiet<Vec<Option<Arc<dyn Counting>>>>>;

/// The application. It holds no cluster, since the cluster holds it.
struct Above {
    design: KvDesign,
    config: RsmConfig,
    running: Running,
}

impl Application for Above {
    fn begin_life(&self, seat: Seat) -> Box<dyn Living> {
        let slot = seat.server.slot();
        let counter = service::begin(seat, self.config, self.design.counter);
        self.running.with(|running| running[slot] = Some(counter.clone()));
        Box::new(Life { counter, slot, running: self.running.clone() })
    }
}

struct Life {
    counter: Arc<dyn Counting>,
    slot: usize,
    running: Running,
}

impl Living for Life {
    fn end(&self) {
        drop(self.running.with(|running| running[self.slot].take()));
        self.counter.kill();
    }
}

impl Cluster {
    /// Boots the servers with a counter above them.
    pub fn serve_counter(&self, raft_state_max: Option<usize>) -> Counters {
        self.network().set_long_delays(false);
        let config = RsmConfig { raft_state_max, ..RsmConfig::default() };
        let running = Arc::new(Quiet::new(vec![None; self.server_count()]));
        let above = Arc::new(Above { design: self.kv_design(), config, running });
        self.serve(above.clone());
        let asked = Arc::default();
        Counters { cluster: self.clone(), above, asked, leader: Cell::new(ServerId(0)) }
    }
}

impl Counters {
    /// Submits an operation that adds `by` to `server` and waits; what the counter was afterwards,
    /// or nothing if the server is down or has no output.
    pub fn submit(&self, server: ServerId, by: i64) -> Option<i64> {
        let counter = self.above.running.with(|running| running[server.slot()].clone())?;
        let tag = self.asked.with(|asked| {
            (asked.operations, asked.most) = (asked.operations + 1, asked.most + by.max(0));
            asked.operations
        });
        let op = Count { by, tag };
        match thread::under_test(server.0, || counter.submit(&op)) {
            Ok(counted) => {
                assert_eq!(counted.tag, tag, "{op:?} got the answer of another: {counted:?}");
                self.asked.with(|asked| asked.least += by);
                Some(counted.value)
            }
            Err(SubmitError::NotLeader(_) | SubmitError::Replaced) => {
                self.asked.with(|asked| asked.most -= by.max(0));
                None
            }
            Err(SubmitError::LeadershipLost | SubmitError::Stopped) => None,
        }
    }

    /// Submits to one connected server after the other, for ten seconds at most.
    pub fn try_one(&self, by: i64) -> Option<i64> {
        let deadline = Instant::now() + ONE_MAX;
        while Instant::now() < deadline {
            for step in 0..self.cluster.server_count() {
                let server = self.cluster.after(self.leader.get(), step);
                if !self.cluster.is_connected(server) {
                    continue;
                }
                if let Some(value) = self.submit(server, by) {
                    self.leader.set(server);
                    return Some(value);
                }
            }
            thread::sleep(ONE_PAUSE);
        }
        None
    }

    /// Counts one more, somewhere; what the counter was afterwards.
    pub fn inc(&self) -> i64 {
        let before = self.asked.with(|asked| asked.least);
        let Some(value) = self.try_one(1) else {
            let message = format!("no server counted one more within {ONE_MAX:?}");
            self.cluster.end_by_limit("one", message)
        };
        let most = self.asked.with(|asked| asked.most);
        assert!(
            (before + 1..=most).contains(&value),
            "{before} were counted before this one and {most} in all, but it was number {value}"
        );
        value
    }

    /// Who took an operation last.
    pub fn leader(&self) -> ServerId {
        self.leader.get()
    }

    /// What the counters of the servers that are up show.
    pub fn values(&self) -> Vec<i64> {
        let running = self.above.running.with(|running| running.clone());
        running.iter().flatten().map(|counter| counter.value()).collect()
    }

    /// Waits until `servers` counters agree, and show what was counted.
    pub fn check(&self, servers: usize) {
        let (least, most) = self.asked.with(|asked| (asked.least, asked.most));
        let [mut pause, longest] = LOOK_PAUSES;
        for _ in 0..LOOKS_MAX {
            let values = self.values();
            let agree = |value: &i64| values.iter().filter(|other| *other == value).count();
            if values.iter().any(|value| (least..=most).contains(value) && agree(value) >= servers)
            {
                return;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(longest);
        }
        let values = self.values();
        let message = format!("{servers} counters should show {least}, {most} at most: {values:?}");
        self.cluster.end_by_limit("counters", message);
    }
}
