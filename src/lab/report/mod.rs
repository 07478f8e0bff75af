//! The report of one run of a scenario, as data; `text.rs` has it as text.

mod text;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::{Hint, Part, find_hint};
use crate::history::History;
use crate::record::Stamped;
use crate::runtime::{Choices, Clock, Failure, Kept, Pending, Schedule, Turns};

/// The result of one run of one scenario.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The scenario's name.
    pub test: &'static str,
    /// The scenario's part.
    pub part: Part,
    /// The number of servers.
    pub servers: usize,
    /// The design that ran.
    pub design: &'static str,
    /// Whether the user asked for the rules of later parts too: `--strict`.
    pub strict: bool,
    /// The clock of the run.
    pub clock: Clock,
    /// The schedule, which the real clock ignores.
    pub schedule: Schedule,
    /// The seed.
    pub seed: u64,
    /// Which of the seed's choices the run kept.
    pub kept: Kept,
    /// How many choices the run made, those that it left out included.
    pub choices: Choices,
    /// Which timers went before those that were due sooner.
    pub turns: Turns,
    /// How many of the turns were not taken, because the run did not come so far, or because no
    /// task waited for the timer any more.
    pub missed_turns: usize,
    /// The timers that tasks waited for at the moment that the configuration named.
    pub pending: Vec<Pending>,
    /// Whether nothing failed and nothing was left undecided. A run that was cut short is ok.
    pub ok: bool,
    /// Why the checker could not judge the clients' histories, if nothing failed.
    pub undecided: Option<String>,
    /// Under the hostile schedule: the wait or limit that ended the run early.
    pub cut_short: Option<String>,
    /// Duration on the run's own clock.
    pub elapsed: Duration,
    /// Duration in wall time.
    pub wall: Duration,
    /// CPU time of the run's tasks and of judging the histories; zero if the system does not tell.
    pub cpu: Duration,
    /// Calls that servers and clients made.
    pub rpcs: u64,
    /// Bytes of arguments, and of replies that arrived.
    pub bytes: u64,
    /// The highest index that any server applied.
    pub commits: u64,
    /// Hash of everything that happened; 0 on the real clock.
    pub hash: u64,
    /// Whether an OS thread of the run is left behind, see
    /// [`Outcome::thread_left`](crate::runtime::Outcome::thread_left).
    pub thread_left: bool,
    /// Why the run failed, if it did.
    pub failure: Option<Failure>,
    /// How often each situation occurred. Situations that never occurred are listed with 0.
    pub situations: BTreeMap<&'static str, u64>,
    /// The operations of key/value clients: one history per kind of operation.
    pub histories: Vec<History>,
    /// The run's events, if it kept a record.
    pub record: Vec<Stamped>,
}

impl Report {
    /// The command line that repeats this run; on the real clock, where no run can be repeated,
    /// the command line that tries again.
    pub fn replay_line(&self) -> String {
        if self.clock == Clock::Real {
            return format!(
                "raftlab test {} --clock real --runs 100 --design {}",
                self.test, self.design
            );
        }
        let mut line = format!("raftlab replay {} --seed {}", self.test, self.seed);
        let _ = write!(line, " --design {}", self.design);
        if self.schedule != Schedule::Random {
            let _ = write!(line, " --schedule {}", self.schedule);
        }
        if self.strict {
            line.push_str(" --strict");
        }
        if !self.kept.is_all() {
            let _ = write!(line, " --keep {}", self.kept);
        }
        if !self.turns.is_empty() {
            let _ = write!(line, " --turns {}", self.turns);
        }
        line
    }

    /// The record of the run, with what a reader of its file must know.
    #[cfg(feature = "history")]
    pub fn to_record(&self) -> crate::record::Record {
        use crate::record::{Failed, Header, Record};

        let nanoseconds = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let failure = self.failure.as_ref().map(|failure| Failed {
            rule: failure.name.clone(),
            message: failure.message.clone(),
            place: text::place(self, failure, &text::last_state(self)),
            at: nanoseconds(failure.at),
        });
        let header = Header {
            raftlab_record: Header::VERSION,
            test: self.test.to_string(),
            part: self.part.to_string(),
            design: self.design.to_string(),
            schedule: self.schedule.to_string(),
            seed: self.seed,
            strict: self.strict,
            servers: self.servers,
            elapsed: nanoseconds(self.elapsed),
            hash: format!("{:016x}", self.hash),
            again: self.replay_line(),
            failure,
        };
        Record { header, events: self.record.clone() }
    }

    /// The command line that tells more: the next step of the failure's hint or, if a check of the
    /// test failed, the test's story. `None` without a hint.
    pub fn hint_line(&self) -> Option<String> {
        let name = &self.failure.as_ref()?.name;
        let of_the_test = name == "assertion";
        find_hint(name).map(|_| match of_the_test {
            true => format!("raftlab explain {}", self.test),
            false => Hint::line(name, 1),
        })
    }

    /// Renders the failure, or why there is no verdict: see `text.rs`. Empty if all is well.
    pub fn render(&self) -> String {
        text::render(self)
    }
}
