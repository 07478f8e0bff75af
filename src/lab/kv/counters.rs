//! A replicated counter on the servers of a cluster, and the calls that submit to it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{RsmConfig, ServerId, SubmitError, Term};
use crate::lab::cluster::{Cluster, waits_on};
use crate::lab::service::{self, Count, Counting, ServiceInstance};
use crate::runtime::sync::Quiet;
use crate::runtime::thread;
use crate::runtime::time::Instant;

/// Maximum time that [`Counters::try_one`] offers an operation to the servers: the course's limit.
const ONE_MAX: Duration = Duration::from_secs(10);

/// The time in which a server usually takes it.
const ONE_USUAL: Duration = Duration::from_millis(500);

/// The course's pause when no server accepted an operation.
const ONE_PAUSE: Duration = Duration::from_millis(50);

/// Maximum number of looks of [`Counters::check`], with growing pauses: the course's limit.
const LOOKS_MAX: u32 = 30;

/// Number of looks, in 0.63 s, after which the counters usually agree.
const LOOKS_USUAL: u32 = 6;

/// The first pause between two looks, and the longest.
const LOOK_PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(1280)];

/// The counters of a cluster's servers. A handle: all clones refer to the same counters.
///
/// An operation whose leader was deposed is tried again, although it may have been applied. So the
/// expected value of a counter is a range. While no operation is open, or has an unknown end, the
/// range is a single number.
#[derive(Clone)]
pub struct Counters {
    cluster: Cluster,
    running: Running,
    asked: Arc<Quiet<Asked>>,
    /// The server that completed the last operation.
    leader: Cell<ServerId>,
    /// Its term before it got that operation.
    term: Cell<Term>,
}

/// Totals of the submitted operations.
#[derive(Default)]
struct Asked {
    operations: u64,
    /// The lowest possible value of a counter.
    least: i64,
    /// The highest possible value of a counter.
    most: i64,
}

impl Asked {
    /// Counts an operation that adds `by`, and may be carried out or not. Returns its tag.
    fn begin(&mut self, by: i64) -> u64 {
        self.operations += 1;
        self.least += by.min(0);
        self.most += by.max(0);
        self.operations
    }

    /// Counts that an operation was carried out.
    fn carried_out(&mut self, by: i64) {
        self.least += by.max(0);
        self.most += by.min(0);
    }

    /// Counts that an operation will never be carried out.
    fn refused(&mut self, by: i64) {
        self.least -= by.min(0);
        self.most -= by.max(0);
    }
}

/// The running counters: one slot per server, empty while the server is down.
type Running = Arc<Quiet<Vec<Option<Arc<dyn Counting>>>>>;

/// A counter in one life of its server. It is in [`Running`] while the server is up.
struct Life {
    counter: Arc<dyn Counting>,
    slot: usize,
    running: Running,
}

impl ServiceInstance for Life {
    fn end(&self) {
        drop(self.running.with(|running| running[self.slot].take()));
        self.counter.end();
    }
}

impl Cluster {
    /// Boots the servers, each with a counter as its service.
    pub fn serve_counter(&self, raft_state_max: Option<usize>) -> Counters {
        self.network().set_long_delays(false);
        let config = RsmConfig { raft_state_max, ..RsmConfig::default() };
        let start = self.kv_design().counter;
        let running: Running = Arc::new(Quiet::new(vec![None; self.server_count()]));
        // The cluster holds this function, so the function must not hold the cluster.
        let up = running.clone();
        self.serve(move |context| {
            let slot = context.server.slot();
            let counter = service::start(context, config, start);
            up.with(|running| running[slot] = Some(counter.clone()));
            Box::new(Life { counter, slot, running: up.clone() })
        });
        let (asked, leader, term) = (Arc::default(), Cell::default(), Cell::default());
        Counters { cluster: self.clone(), running, asked, leader, term }
    }
}

impl Counters {
    /// Submits to `server` an operation that adds `by`, and waits. Returns the counter's value
    /// after it, or `None` if the server is down or gives no result.
    pub fn submit(&self, server: ServerId, by: i64) -> Option<i64> {
        let counter = self.running.with(|running| running[server.slot()].clone())?;
        let tag = self.asked.with(|asked| asked.begin(by));
        let op = Count { by, tag };
        match thread::under_test(server.0, || counter.submit(&op)) {
            Ok(counted) => {
                assert_eq!(counted.tag, tag, "{op:?} got another's answer: {counted:?}");
                self.asked.with(|asked| asked.carried_out(by));
                Some(counted.value)
            }
            Err(SubmitError::NotLeader(_) | SubmitError::Replaced) => {
                self.asked.with(|asked| asked.refused(by));
                None
            }
            Err(SubmitError::LeadershipLost | SubmitError::Stopped) => None,
        }
    }

    /// Submits an operation that adds `by` to the connected servers in turn, for at most ten
    /// seconds, until one returns its result.
    pub fn try_one(&self, by: i64) -> Option<i64> {
        let begun = Instant::now();
        while begun.elapsed() < ONE_MAX && waits_on(begun.elapsed() < ONE_USUAL) {
            let value = self.try_each(by);
            if value.is_some() {
                return value;
            }
            thread::sleep(ONE_PAUSE);
        }
        None
    }

    /// Submits an operation that adds `by` to each connected server, until one returns its result.
    fn try_each(&self, by: i64) -> Option<i64> {
        let first = self.leader.get();
        let servers = (0..self.cluster.server_count()).map(|step| self.cluster.after(first, step));
        servers.filter(|server| self.cluster.is_connected(*server)).find_map(|server| {
            let term = self.cluster.state_of(server)?.term;
            let value = self.submit(server, by)?;
            self.leader.set(server);
            self.term.set(term);
            Some(value)
        })
    }

    /// Adds one, on any server, and returns the counter's value after it.
    pub fn inc(&self) -> i64 {
        let before = self.asked.with(|asked| asked.least);
        let Some(value) = self.try_one(1) else {
            let message = format!("no server incremented the counter within {ONE_MAX:?}");
            self.cluster.end_by_limit("one", message)
        };
        let most = self.asked.with(|asked| asked.most);
        assert!(
            (before + 1..=most).contains(&value),
            "the counter was at least {before} before and at most {most} after, but it is {value}"
        );
        value
    }

    /// The server that completed the last operation.
    pub fn leader(&self) -> ServerId {
        self.leader.get()
    }

    /// The values of the counters on all servers that are up.
    pub fn values(&self) -> Vec<i64> {
        let running = self.running.with(|running| running.clone());
        running.iter().flatten().map(|counter| counter.value()).collect()
    }

    /// Waits until `servers` counters agree on a value that the operations allow.
    ///
    /// If that takes longer than usual, and the term is a new one, submits an operation that adds
    /// nothing: a new leader may commit the last operation only with an entry of its own term
    /// (§5.4.2).
    pub fn check(&self, servers: usize) {
        let (least, most) = self.asked.with(|asked| (asked.least, asked.most));
        let [mut pause, longest] = LOOK_PAUSES;
        for look in (0..LOOKS_MAX).take_while(|look| waits_on(*look < LOOKS_USUAL)) {
            if look >= LOOKS_USUAL && self.cluster.someone_is_past(self.term.get()) {
                self.try_each(0);
            }
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
        let message = format!("{servers} counters should agree on {least} to {most}: {values:?}");
        self.cluster.end_by_limit("counters", message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_widens_the_range_until_its_end_is_known() {
        for (by, open) in [(3, (0, 3)), (-3, (-3, 0))] {
            let mut asked = Asked::default();
            asked.begin(by);
            assert_eq!((asked.least, asked.most), open, "while {by} is open");
            asked.refused(by);
            assert_eq!((asked.least, asked.most), (0, 0), "{by} was refused");
            asked.begin(by);
            asked.carried_out(by);
            assert_eq!((asked.least, asked.most), (by, by), "{by} was carried out");
        }
    }
}
