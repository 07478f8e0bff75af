//! The rules and taps in force: a list that is replaced as a whole, so that a call keeps its own.

use std::sync::Arc;
use std::time::Duration;

use super::{Call, Leg, Rule, RuleId, Tap, Verdict};
use crate::runtime::rand::{self, Chance};
use crate::runtime::sync::Quiet;

/// A rule with its stream of chance, which goes on wherever the rule is in force.
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

/// Rules and taps as a call found them.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) judges: Vec<Arc<Judge>>,
    pub(super) taps: Vec<Arc<dyn Tap>>,
}

/// What all rules together say about one message.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) delay: Duration,
    pub(super) dropped: bool,
    /// One per copy: how long after the message itself.
    pub(super) copies: Vec<Duration>,
}

impl Hooks {
    pub(super) fn each_tap(&self, show: impl Fn(&dyn Tap)) {
        self.taps.iter().for_each(|tap| show(&**tap));
    }

    pub(super) fn no_taps(&self) -> bool {
        self.taps.is_empty()
    }

    /// Asks all rules. What comes after the first drop still draws its chance, so that a rule's
    /// numbers do not depend on what other rules say, but counts only where it makes copies.
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
