//! The configuration and the outcome of a run.

use std::fmt;
use std::time::Duration;

use super::kept::{Choices, Kept};
use super::turns::{Pending, Turns};

/// The clock that a run is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Coroutines on one OS thread, in virtual time, scheduled from the seed.
    Virtual,
    /// OS threads in wall time.
    Real,
}

/// How the virtual clock chooses the task to run. The real clock ignores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// First come, first served: no preemption, no stalls.
    Fifo,
    /// Seeded choice, mild preemption, mild stalls: like a busy but healthy machine.
    Random,
    /// Strong stalls and spurious wake-ups. Only safety may be judged under it.
    Hostile,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Clock::Virtual => "virtual",
            Clock::Real => "real",
        })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Schedule::Fifo => "fifo",
            Schedule::Random => "random",
            Schedule::Hostile => "hostile",
        })
    }
}

/// Everything that a run depends on, apart from the code.
#[derive(Debug, Clone)]
pub struct RunConfig {
    /// Which clock the run is on.
    pub clock: Clock,
    /// The seed: all random numbers of the run follow from it.
    pub seed: u64,
    /// How the virtual clock chooses the task to run.
    pub schedule: Schedule,
    /// The run fails with [`FailureKind::Limit`] once this much of its own time has passed.
    pub elapsed_max: Duration,
    /// The run fails with [`FailureKind::Livelock`] after this many scheduling points.
    pub points_max: u64,
    /// The run fails with [`FailureKind::Limit`] when it has this many tasks and starts another.
    pub tasks_max: u32,
    /// Whether `record` keeps events. Changes nothing about the run itself.
    pub record: bool,
    /// Which of the seed's choices the run keeps. The real clock keeps all.
    pub kept: Kept,
    /// Which timers go before those that are due sooner. The real clock takes no turns.
    pub turns: Turns,
    /// The moment at which [`SchedulerNotes::pending`] is noted, on the virtual clock.
    pub look_at: Option<Duration>,
}

impl Default for RunConfig {
    /// Virtual clock, seed 1, random schedule, no record; at most four hours, 10^9 points and
    /// 10,000 tasks.
    fn default() -> RunConfig {
        RunConfig {
            clock: Clock::Virtual,
            seed: 1,
            schedule: Schedule::Random,
            elapsed_max: Duration::from_secs(4 * 3600),
            points_max: 1_000_000_000,
            tasks_max: 10_000,
            record: false,
            kept: Kept::default(),
            turns: Turns::default(),
            look_at: None,
        }
    }
}

/// The result of a run, and its figures.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome<T> {
    /// The value that `main` returned, or the first failure.
    pub result: Result<T, Failure>,
    /// Rolling hash of every event on the virtual clock; two runs of one seed agree. 0 on the
    /// real clock.
    pub hash: u64,
    /// The run's own time: virtual or wall.
    pub elapsed: Duration,
    /// CPU time that the run's tasks used; zero where the system does not tell.
    pub cpu: Duration,
    /// Scheduling points passed; 0 on the real clock.
    pub points: u64,
    /// Switches from one task to another; 0 on the real clock.
    pub switches: u64,
    /// Number of tasks that the run gave up, because they did not end; leaked. 0 in a healthy run.
    pub tasks_left: u32,
    /// Whether an OS thread of the run could not be ended and exists until the process ends. After
    /// a panic in a destructor during unwinding, the thread is parked and does no harm. If the
    /// failure is a [`FailureKind::Livelock`], the thread may use a processor all the time.
    pub thread_left: bool,
    /// What the scheduler adds to the record of the run.
    pub notes: SchedulerNotes,
    /// How many choices the run made; none on the real clock.
    pub choices: Choices,
}

/// What the scheduler adds to the record of a run. The tasks and the stalls are empty without a
/// record; on the real clock all is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchedulerNotes {
    /// What the tasks of each label did when the run failed, in lines.
    pub tasks: Vec<(u32, String)>,
    /// The times for which the schedule held a task back.
    pub stalls: Vec<Stall>,
    /// The timers that tasks waited for at [`RunConfig::look_at`], soonest first.
    pub pending: Vec<Pending>,
    /// How many of [`RunConfig::turns`] were taken: the run reached them, and their timers were
    /// waited for.
    pub turns_taken: usize,
}

/// A time for which the schedule held a task back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stall {
    /// The task's label.
    pub label: u32,
    /// Time since the run began.
    pub at: Duration,
    /// For how long.
    pub span: Duration,
    /// Where in the source the task was.
    pub place: String,
}

/// The kind of failure that ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// An observer saw a rule of Raft broken.
    Observer,
    /// A check of the scenario failed.
    Assertion,
    /// Code under test panicked: the task had a label.
    Panic,
    /// Tasks wait for each other, or for something that never comes.
    Deadlock,
    /// Tasks run without making progress.
    Livelock,
    /// A limit on time, calls, bytes or tasks was exceeded.
    Limit,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::Observer => "observer",
            FailureKind::Assertion => "assertion",
            FailureKind::Panic => "panic",
            FailureKind::Deadlock => "deadlock",
            FailureKind::Livelock => "livelock",
            FailureKind::Limit => "limit",
        })
    }
}

/// Why a run ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Which kind of rule, check or limit was broken.
    pub kind: FailureKind,
    /// The rule, limit or check that was broken, e.g. `LogMatching`.
    pub name: String,
    /// What was wrong, with the values. May have several lines.
    pub message: String,
    /// The task in which the failure showed; empty if a server as a whole is at fault.
    pub task: String,
    /// The label of the code under test that was running, e.g. its server's number; see
    /// [`under_test`](crate::runtime::thread::under_test).
    pub label: Option<u32>,
    /// `file:line:column` of a panic; empty where there is none.
    pub place: String,
    /// Time of the failure since the run began.
    pub at: Duration,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.name, self.message)?;
        let at = self.at.as_secs_f64();
        match (self.label, self.task.as_str()) {
            (Some(label), "") => write!(f, "\nin S{label} at {at:.6} s")?,
            (_, task) => write!(f, "\nin task {task} at {at:.6} s")?,
        }
        if !self.place.is_empty() {
            write!(f, ", {}", self.place)?;
        }
        Ok(())
    }
}
