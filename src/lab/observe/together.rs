//! Detects candidates that start elections at the same time, again and again.
//!
//! Then no leader is ever elected, and the report of the missing leader says why.

use std::time::Duration;

use crate::api::{ServerId, Term};
use crate::lab::Facts;

/// Two candidates of one term that start less than this apart had the same timeout: a call takes
/// longer.
const TOGETHER: Duration = Duration::from_millis(1);

/// Three such elections in a row are no coincidence: by chance it happens in one of a hundred.
const IN_A_ROW: u32 = 3;

/// Records the candidates of each election.
#[derive(Default)]
pub(super) struct Together {
    /// The latest term with a candidate or a leader.
    term: Term,
    /// The candidates of that term, and when each started.
    candidates: Vec<(ServerId, Duration)>,
    /// Number of elections, right before `term`, with candidates at the same time and no leader.
    together: u32,
}

impl Together {
    /// Records that a request leaves a server at the moment `at`.
    pub(super) fn sent(&mut self, facts: &Facts, at: Duration) {
        match facts {
            Facts::VoteRequest { candidate, term, .. } => self.stands(*candidate, *term, at),
            Facts::Append { term, .. } | Facts::Heartbeat { term, .. } => self.leads(*term),
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

    /// A remark for the report of a missing leader; empty if there is none.
    pub(super) fn remark(&self) -> String {
        let together = self.together + u32::from(self.stand_together());
        if together < IN_A_ROW {
            return String::new();
        }
        format!(
            "; in {together} elections in a row several candidates started at the same time, as if \
             they drew the same timeouts: `rand::stream` gives the same numbers for the same name"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S0: ServerId = ServerId(0);
    const S1: ServerId = ServerId(1);

    /// The remark when two servers are candidates in terms 1 to 4, the second one starting
    /// `later_us` microseconds later.
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
        assert_eq!(remark(2000, None), "", "a split vote, which may end differently next time");
        assert_eq!(remark(0, Some(3)), "", "there was a leader");
    }
}
