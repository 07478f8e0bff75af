//! The rules and taps in force: a list that is replaced as a whole, so that a call keeps its list.

use std::sync::Arc;
use std::time::Duration;

use super::{Call, Leg, Rule, RuleId, Tap, Verdict};
use crate::runtime::rand::{self, Chance};
use crate::runtime::sync::Quiet;

/// A rule with its random stream, which continues across all lists that contain the rule.
pub(super) struct Judge {
    pub(super) id: RuleId,
    rule: Arc<dyn Rule>,
    chance: Quiet<Chance>,
}

impl Judge {
    pub(super) fn new(id: RuleId, stream: &str, rule: Arc<dyn Rule>) -> Arc<Judge> {
        Arc::new(Judge { id, rule, chance: Quiet::new(rand::stream(stream)) })
    }

    fn judge(&self, call: &Call<'_>, leg: Leg, bytes: usize) -> Verdict {
        self.chance.with(|chance| self.rule.judge(call, leg, bytes, chance))
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
    pub(super) dropped: bool,
    /// One per copy: how long after the message itself the copy arrives.
    pub(super) copies: Vec<Duration>,
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
                Verdict::Delay(span) if !judged.dropped => judged.delay += span,
                Verdict::Pass | Verdict::Delay(_) => {}
                Verdict::Drop => judged.dropped = true,
                Verdict::Duplicate { after } => judged.copies.push(after),
            }
        }
        judged
    }
}
