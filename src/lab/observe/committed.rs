//! The known commits: up to which index the log is committed, and by which term.

use crate::api::{Index, Position, Term};

/// For each term, the highest index that its servers reported as committed. Drawn over the terms,
/// these indices form a staircase; only its corners are kept.
///
/// ```text
/// index          ┌──── 9        a leader of term 7 reported 9
///          ┌── 5 ┘              a leader of term 4 reported 5
/// term ────┴─────┴────
/// ```
#[derive(Debug, Clone, Default)]
pub(super) struct Committed {
    corners: Vec<(Term, Position)>,
}

impl Committed {
    /// Records that the log up to `position` is committed in `term` at the latest. Returns whether
    /// that is new: a greater index, or the same index in an earlier term.
    pub(super) fn note(&mut self, term: Term, position: Position) -> bool {
        let at = self.corners.partition_point(|(seen, _)| *seen <= term);
        let known = at.checked_sub(1).map(|before| self.corners[before].1.index);
        if position.index == Index(0) || known.is_some_and(|known| known >= position.index) {
            return false;
        }
        let from = self.corners.partition_point(|(seen, _)| *seen < term);
        let covered = self.corners[from..].iter().take_while(|c| c.1.index <= position.index);
        let to = from + covered.count();
        self.corners.splice(from..to, [(term, position)]);
        true
    }

    /// The last entry known to be committed.
    pub(super) fn last(&self) -> Position {
        self.corners.last().map_or(Position::default(), |corner| corner.1)
    }

    /// The last entry known to be committed in a term before `term`, with its term.
    pub(super) fn before(&self, term: Term) -> Option<(Term, Position)> {
        let at = self.corners.partition_point(|(seen, _)| *seen < term);
        at.checked_sub(1).map(|before| self.corners[before])
    }

    /// The earliest term in which `index` is known to be committed, and the last entry known to be
    /// committed in that term.
    pub(super) fn covering(&self, index: Index) -> Option<(Term, Position)> {
        let at = self.corners.partition_point(|(_, position)| position.index < index);
        self.corners.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: u64) -> Position {
        Position { term: Term(1), index: Index(index) }
    }

    #[test]
    fn only_corners_are_kept() {
        let mut committed = Committed::default();
        assert!(!committed.note(Term(3), at(0)), "index 0 is no entry");
        assert!(committed.note(Term(4), at(5)), "the first report");
        assert!(committed.note(Term(7), at(9)), "a greater index");
        assert!(!committed.note(Term(5), at(5)), "known since term 4");
        assert!(committed.note(Term(5), at(7)), "a greater index for term 5");
        assert!(committed.note(Term(2), at(5)), "the same index in an earlier term");
        assert_eq!(
            committed.corners,
            [(Term(2), at(5)), (Term(5), at(7)), (Term(7), at(9))],
            "term 4 reported nothing that term 2 did not"
        );
        assert!(committed.note(Term(2), at(9)), "all of it in term 2");
        assert_eq!(committed.corners, [(Term(2), at(9))]);
    }

    #[test]
    fn a_corner_answers_for_what_lies_under_it() {
        let mut committed = Committed::default();
        committed.note(Term(2), at(5));
        committed.note(Term(7), at(9));
        assert_eq!(committed.covering(Index(5)), Some((Term(2), at(5))));
        assert_eq!(committed.covering(Index(6)), Some((Term(7), at(9))));
        assert_eq!(committed.covering(Index(10)), None);
        assert_eq!(committed.before(Term(2)), None);
        assert_eq!(committed.before(Term(7)), Some((Term(2), at(5))));
        assert_eq!(committed.last(), at(9));
    }
}
