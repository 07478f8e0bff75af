//! A walk through one run: the reader's place among its events, and other courses from there.
//!
//! The run is over before the walk begins, so a step back needs no run. Another course is another
//! run: the same seed, and one more [`Turn`]. It is the same run up to the turn, so the reader
//! keeps their place.

use std::time::Duration;

use crate::api::{Host, ServerId};
use crate::lab::{self, Design, Report, Scenario};
use crate::record::{Change, Fate, Leg, Record, Role, Stamped, State, What};
use crate::runtime::{Pending, RunConfig, Turn, Turns};
use crate::view::Filter;

/// What the reader may look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Any event that is shown.
    Event,
    /// A server becomes candidate or leader.
    Election,
    /// A commit index rises.
    Commit,
    /// A server crashes, starts, is cut off, is reached again, or is held back.
    Fault,
    /// A step of the test.
    Step,
    /// The rule that was broken.
    Violation,
}

/// Another course that the run may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    /// The timer that would go first.
    pub(super) timer: u64,
    /// When it is due.
    pub(super) due: Duration,
    /// The message that would arrive, or the task that would continue.
    pub(super) what: String,
}

/// A run, and the reader's place in it.
pub(super) struct Walk {
    scenario: &'static Scenario,
    design: &'static Design,
    config: RunConfig,
    report: Report,
    record: Record,
    /// For each event of the record, what it is.
    sights: Vec<Vec<Sight>>,
    all: bool,
    /// The places of the events that are shown, in the record.
    shown: Vec<usize>,
    /// The reader's event, as a number among those that are shown.
    at: usize,
}

impl Walk {
    /// Begins at the first event.
    pub(super) fn new(
        scenario: &'static Scenario,
        design: &'static Design,
        config: RunConfig,
    ) -> Walk {
        let config = RunConfig { record: true, ..config };
        let report = lab::run_scenario(scenario, design, &config);
        let record = report.to_record();
        let sights = Vec::new();
        let mut walk = Walk {
            scenario,
            design,
            config,
            report,
            record,
            sights,
            all: false,
            shown: Vec::new(),
            at: 0,
        };
        walk.look_again(0);
        walk
    }

    /// The run.
    pub(super) const fn report(&self) -> &Report {
        &self.report
    }

    /// The events that are shown, oldest first.
    pub(super) fn events(&self) -> impl ExactSizeIterator<Item = &Stamped> {
        self.shown.iter().map(|place| &self.record.events[*place])
    }

    /// The number of the reader's event among those that are shown.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The reader's event; `None` if the run has no event.
    pub(super) fn event(&self) -> Option<&Stamped> {
        self.shown.get(self.at).map(|place| &self.record.events[*place])
    }

    /// Whether events that tell nothing new are shown, too.
    pub(super) const fn shows_all(&self) -> bool {
        self.all
    }

    /// The state of the servers after the reader's event.
    pub(super) fn state(&self) -> State {
        let mut state = State::new(self.record.header.servers);
        let end = self.shown.get(self.at).map_or(0, |place| place + 1);
        for stamped in &self.record.events[..end] {
            state.see(&stamped.event);
        }
        state
    }

    /// Goes to the next event that is a `sight`. Returns whether there is one.
    pub(super) fn forth(&mut self, sight: Sight) -> bool {
        let next = (self.at + 1..self.shown.len()).find(|at| self.is(*at, sight));
        self.at = next.unwrap_or(self.at);
        next.is_some()
    }

    /// Goes back to the last event before this one that is a `sight`. Returns whether there is one.
    pub(super) fn back(&mut self, sight: Sight) -> bool {
        let last = (0..self.at).rev().find(|at| self.is(*at, sight));
        self.at = last.unwrap_or(self.at);
        last.is_some()
    }

    /// Goes to the event with this number among those that are shown, or to the last one.
    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at.min(self.shown.len().saturating_sub(1));
    }

    /// Shows all events, or only those that tell something new.
    pub(super) fn show_all(&mut self, all: bool) {
        self.all = all;
        let place = self.shown.get(self.at).copied().unwrap_or(0);
        self.look_again(place);
    }

    /// The courses that the run may take from here: the timers that are waited for, soonest first.
    pub(super) fn courses(&self) -> Vec<Course> {
        let Some(now) = self.event().map(|stamped| stamped.at) else { return Vec::new() };
        let config = RunConfig { look_at: Some(now), ..self.config.clone() };
        let again = lab::run_scenario(self.scenario, self.design, &config);
        let course = |pending: &Pending| Course {
            timer: pending.timer,
            due: pending.due,
            what: self.message(pending).unwrap_or_else(|| pending.what.clone()),
        };
        again.pending.iter().map(course).collect()
    }

    /// Takes another course from here: `timer` goes first.
    pub(super) fn take(&mut self, timer: u64) {
        let Some(at) = self.event().map(|stamped| stamped.at) else { return };
        let turns = self.config.turns.clone().then(Turn { timer, at });
        self.run_with(turns);
    }

    /// Takes the last other course back. Returns whether there was one.
    pub(super) fn undo(&mut self) -> bool {
        let turns: Vec<Turn> = self.config.turns.iter().copied().collect();
        let Some((_, rest)) = turns.split_last() else { return false };
        self.run_with(rest.iter().fold(Turns::default(), |turns, turn| turns.then(*turn)));
        true
    }

    fn run_with(&mut self, turns: Turns) {
        let place = self.shown.get(self.at).copied().unwrap_or(0);
        self.config.turns = turns;
        self.report = lab::run_scenario(self.scenario, self.design, &self.config);
        self.record = self.report.to_record();
        self.sights.clear();
        self.look_again(place);
    }

    /// Selects the events again. The reader's event is then the one at `place` in the record, or
    /// the last one before it.
    fn look_again(&mut self, place: usize) {
        if self.sights.is_empty() {
            self.sights = sights(&self.record);
        }
        self.shown = Filter { all: self.all, ..Filter::default() }.places(&self.record);
        self.at = self.shown.partition_point(|shown| *shown <= place).saturating_sub(1);
    }

    fn is(&self, at: usize, sight: Sight) -> bool {
        sight == Sight::Event || self.sights[self.shown[at]].contains(&sight)
    }

    /// The message that arrives when `pending` is due; `None` if it is another kind of timer.
    fn message(&self, pending: &Pending) -> Option<String> {
        let delayed = self.record.events.iter().find_map(|stamped| {
            let What::Fate { call, to, leg, fate: Fate::Delayed { by, .. } } = &stamped.event.what
            else {
                return None;
            };
            (stamped.at + *by == pending.due).then_some((*call, stamped.event.who?, *to, *leg))
        });
        let (call, from, to, leg) = delayed?;
        let of_the_call = |stamped: &&Stamped| match (&stamped.event.what, leg) {
            (What::Sent { call: other, .. }, Leg::Request)
            | (What::Answered { call: other, .. }, Leg::Reply) => *other == call,
            _ => false,
        };
        let sent = self.record.events.iter().find(of_the_call)?;
        let sender: Host = if leg == Leg::Request { from } else { to };
        Some(format!("{sender} {}", sent.event.what))
    }
}

/// For each event of `record`, what it is.
fn sights(record: &Record) -> Vec<Vec<Sight>> {
    let mut state = State::new(record.header.servers);
    let of = |stamped: &Stamped| {
        let change = state.see(&stamped.event);
        let who = stamped.event.who.and_then(|who| who.server());
        let role = who.map_or(Role::Follower, |who: ServerId| state.servers()[who.slot()].role);
        sights_of(&stamped.event.what, change, role)
    };
    record.events.iter().map(of).collect()
}

fn sights_of(what: &What, change: Change, role: Role) -> Vec<Sight> {
    let is_fault = match what {
        What::Crashed | What::Linked { .. } | What::Stalled { .. } => true,
        What::Started { .. } => change.up,
        _ => false,
    };
    let all = [
        (change.role && role != Role::Follower, Sight::Election),
        (change.commit, Sight::Commit),
        (is_fault, Sight::Fault),
        (matches!(what, What::Step { .. }), Sight::Step),
        (matches!(what, What::Broken { .. }), Sight::Violation),
    ];
    all.into_iter().filter(|(is, _)| *is).map(|(_, sight)| sight).collect()
}
