//! The report of one run of a scenario, as data and as text.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::{Hint, Part, find_hint};
use crate::api::ServerId;
use crate::history::History;
use crate::record::Stamped;
use crate::runtime::{Clock, Failure, Schedule};

/// Maximum number of events that a failure's text shows; it shows the last ones.
const LAST_EVENTS_MAX: usize = 12;

/// The result of one run of one scenario.
#[derive(Debug, Clone)]
pub struct Report {
    /// The scenario's name.
    pub test: &'static str,
    /// The scenario's part.
    pub part: Part,
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
        line
    }

    /// The command line that shows the next step of the failure's hint; `None` without a hint.
    pub fn hint_line(&self) -> Option<String> {
        let name = &self.failure.as_ref()?.name;
        find_hint(name).map(|_| Hint::line(name, 1))
    }

    /// Renders the failure, or why there is no verdict: the place, the last events, a hint, and the
    /// line that repeats the run. Empty if all is well.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let Some(failure) = &self.failure else {
            if let Some(why) = &self.undecided {
                let _ = writeln!(text, "unknown  Linearizability: {why}");
                self.render_again(&mut text);
            }
            return text;
        };
        for (number, line) in failure.message.lines().enumerate() {
            match number {
                0 => drop(writeln!(text, "broken   {}: {line}", failure.name)),
                _ => drop(writeln!(text, "         {line}")),
            }
        }
        let _ = writeln!(text, "where    {}", self.place_of(failure));
        for (number, stamped) in self.last_events().enumerate() {
            let heading = if number == 0 { "last" } else { "" };
            let who = stamped.event.server.map(|server| server.to_string()).unwrap_or_default();
            let at = stamped.at.as_secs_f64();
            let _ = writeln!(text, "{heading:<9}{at:.6}  {who:<3} {}", stamped.event.what);
        }
        self.render_hint(&mut text);
        self.render_again(&mut text);
        text
    }

    /// Adds the first step of the failure's hint, and the line that shows the next step.
    fn render_hint(&self, text: &mut String) {
        let hint = self.failure.as_ref().and_then(|failure| find_hint(&failure.name));
        let (Some(hint), Some(more)) = (hint, self.hint_line()) else { return };
        for (number, line) in Hint::lines(hint.steps[0]).enumerate() {
            let heading = if number == 0 { "hint" } else { "" };
            let _ = writeln!(text, "{heading:<9}{line}");
        }
        let _ = writeln!(text, "         more: {more}");
    }

    /// Adds the line that repeats the run.
    fn render_again(&self, text: &mut String) {
        match self.clock {
            Clock::Virtual => drop(writeln!(text, "again    {}", self.replay_line())),
            Clock::Real => drop(writeln!(
                text,
                "again    a run on the real clock cannot be repeated; try\n         {}",
                self.replay_line()
            )),
        }
    }

    fn place_of(&self, failure: &Failure) -> String {
        let mut place = String::new();
        if let Some(server) = failure.label.map(ServerId) {
            let _ = match self.role_of(server) {
                Some(role) => write!(place, "{server}, {role}; "),
                None => write!(place, "{server}; "),
            };
        }
        let at = failure.at.as_secs_f64();
        if !failure.task.is_empty() {
            let _ = write!(place, "task {}; ", failure.task);
        }
        let _ = write!(place, "{} time {at:.6} s", self.clock);
        if !failure.place.is_empty() {
            let _ = write!(place, "; {}", failure.place);
        }
        place
    }

    /// The role that `server` reported last, e.g. `candidate of term 2`, if the run kept a record.
    fn role_of(&self, server: ServerId) -> Option<&str> {
        let own = self.record.iter().rev().filter(|it| it.event.server == Some(server));
        own.map(|it| it.event.what.as_str()).find_map(role_in)
    }

    fn last_events(&self) -> impl Iterator<Item = &Stamped> {
        self.record.iter().skip(self.record.len().saturating_sub(LAST_EVENTS_MAX))
    }
}

/// The role that a line of the record reports, without the details after it.
fn role_in(what: &str) -> Option<&str> {
    let role = what.strip_prefix("is ").or_else(|| what.strip_prefix("starts as "))?;
    role.split(',').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_where_a_server_starts_and_where_it_changes() {
        let start = "starts as follower of term 0, log 0/0..0/0, commit_index=0 last_applied=0";
        assert_eq!(role_in(start), Some("follower of term 0"));
        assert_eq!(role_in("is leader of term 2"), Some("leader of term 2"));
        assert_eq!(role_in("votes for S1"), None);
    }
}
