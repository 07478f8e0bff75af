//! Elections, as far as they can be overheard: whether servers stand at the same time, again and
//! again. Then none is ever elected, and the report of that says why.

use std::time::Duration;

use crate::api::{ServerId, Term};
use crate::lab::Facts;

/// How close two candidates of one term stand who had the same timeout: a call takes longer.
const TOGETHER: Duration = Duration::from_millis(1);

/// How many such elections in a row are no chance: one in a hundred splits that closely.
const IN_A_ROW: u32 = 3;

/// Overhears who stands for election.
#[derive(Default)]
pub(super) struct Together {
    /// The latest term that anyone stood in.
    term: Term,
    /// Who stands in it, and since when.
    candidates: Vec<(ServerId, Duration)>,
    /// The elections before that one, up to the last in which anyone led or stood alone.
    together: u32,
}

impl Together {
    /// A request leaves a server at the moment `at`.
    pub(super) fn sent(&mut self, facts: &Facts, at: Duration) {
        match facts {
            Facts::AsksVote { candidate, term, .. } => self.stands(*candidate, *term, at),
            Facts::Acts { term, .. } | Facts::Beats { term, .. } => self.leads(*term),
            _ => {}
        }
    }

    fn stands(&mut self, candidate: ServerId, term: Term, at: Duration) {
        if term > self.term {
            self.together = if self.stand_together() { self.together + 1 } else { 0 };
            self.term = term;
            self.candidates.clear();
        }
        if term == self.term && self.candidates.iter().all(|(known, _)| *known != candidate) {
            self.candidates.push((candidate, at));
        }
    }

    fn leads(&mut self, term: Term) {
        if term >= self.term {
            *self = Together { term, ..Together::default() };
        }
    }

    fn stand_together(&self) -> bool {
        let since = self.candidates.iter().map(|(_, since)| *since);
        let (first, last) = (since.clone().min(), since.max());
        self.candidates.len() > 1
            && first.zip(last).is_some_and(|(first, last)| last - first < TOGETHER)
    }

    /// What to say where no leader was found; empty if there is nothing to say.
    pub(super) fn remark(&self) -> String {
        let together = self.together + u32::from(self.stand_together());
        if together < IN_A_ROW {
            return String::new();
        }
        format!(
            "; in {together} elections in a row several servers stood at the very same time, as if \
             they drew the same timeouts: `rand::stream` gives the same numbers for the same name"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S0: ServerId = ServerId(0);
    const S1: ServerId = ServerId(1);

    /// What is said when two servers stand in terms 1 to 4, the second one `later_us` later.
    fn remark(later_us: u64, leads: Option<u64>) -> String {
        let mut state = Together::default();
        for term in 1..=4 {
            let at = Duration::from_millis(300 * term);
            state.stands(S0, Term(term), at);
            state.stands(S1, Term(term), at + Duration::from_micros(later_us));
            state.stands(S0, Term(term), at + Duration::from_millis(100));
            if leads == Some(term) {
                state.leads(Term(term));
            }
        }
        state.remark()
    }

    #[test]
    fn equal_timeouts_are_seen_by_those_who_stand_together() {
        assert!(remark(0, None).contains("in 4 elections in a row"), "{}", remark(0, None));
        assert_eq!(remark(2000, None), "", "that is a split vote, and may go otherwise next time");
        assert_eq!(remark(0, Some(3)), "", "there was a leader");
    }
}
