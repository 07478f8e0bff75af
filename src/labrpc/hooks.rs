//! The rules and taps in force: a list that is replaced as a whole, so that a call keeps its list.

use std::sync::Arc;
use std::time::Duration;

use super::{Call, Leg, Rule, RuleId, Tap, Verdict};
use crate::record::{self, Fate};
use crate::runtime::rand::{self, Chance};
use crate::runtime::sync::Quiet;
use crate::runtime::{Choice, keeps};

/// A rule with its random stream, which continues across all lists that contain the rule.
pub(super) struct Judge {
    pub(super) id: RuleId,
    /// The rule's name, for the record.
    name: &'static str,
    rule: Arc<dyn Rule>,
    chance: Quiet<Chance>,
}

impl Judge {
    pub(super) fn new(
        id: RuleId,
        name: &'static str,
        stream: &str,
        rule: Arc<dyn Rule>,
    ) -> Arc<Judge> {
        Arc::new(Judge { id, name, rule, chance: Quiet::new(rand::stream(stream)) })
    }

    /// The rule's verdict; without a fault that the run leaves out.
    fn judge(&self, call: &Call<'_>, leg: Leg, bytes: usize) -> Verdict {
        match self.chance.with(|chance| self.rule.judge(call, leg, bytes, chance)) {
            Verdict::Pass => Verdict::Pass,
            fault if keeps(Choice::Fault) => fault,
            _ => Verdict::Pass,
        }
    }
}

/// The rules and taps that were in force when a call was made.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) judges: Vec<Arc<Judge>>,
    pub(super) taps: Vec<Arc<dyn Tap>>,
}

/// The combined verdict of all rules on one message.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) delay: Duration,
    /// The rules that delay it; only in a run with a record.
    delayed_by: Vec<&'static str>,
    /// The first rule that drops it.
    dropped_by: Option<&'static str>,
    /// One per copy: how long after the message itself the copy arrives.
    pub(super) copies: Vec<Duration>,
}

impl Judged {
    pub(super) fn is_dropped(&self) -> bool {
        self.dropped_by.is_some()
    }

    /// The delay, for the record.
    pub(super) fn as_delayed(&self) -> Fate {
        let rules = self.delayed_by.iter().map(|name| (*name).to_string()).collect();
        Fate::Delayed { by: self.delay, rules }
    }

    /// The loss, for the record.
    pub(super) fn as_lost(&self) -> Fate {
        Fate::Lost(self.dropped_by.unwrap_or_default().to_string())
    }
}

impl Hooks {
    pub(super) fn each_tap(&self, show: impl Fn(&dyn Tap)) {
        self.taps.iter().for_each(|tap| show(&**tap));
    }

    pub(super) fn has_taps(&self) -> bool {
        !self.taps.is_empty()
    }

    /// Asks all rules. Rules after the first drop still draw, so that a rule's numbers do not
    /// depend on the other rules' verdicts. After a drop, only duplicates count.
    pub(super) fn judge(&self, call: &Call<'_>, leg: Leg, bytes: usize) -> Judged {
        let mut judged = Judged::default();
        for judge in &self.judges {
            match judge.judge(call, leg, bytes) {
                Verdict::Delay(span) if !judged.is_dropped() => {
                    judged.delay += span;
                    if record::on() && !span.is_zero() {
                        judged.delayed_by.push(judge.name);
                    }
                }
                Verdict::Pass | Verdict::Delay(_) => {}
                Verdict::Drop => judged.dropped_by = judged.dropped_by.or(Some(judge.name)),
                Verdict::Duplicate { after } => judged.copies.push(after),
            }
        }
        judged
    }
}
