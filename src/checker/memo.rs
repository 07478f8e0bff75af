//! The memory of a search: numbered states, and the configurations that it has visited.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::table::Table;

/// All different states that a search has reached. Two states are equal if their numbers are equal.
pub(super) struct States<S> {
    states: Vec<S>,
    table: Table,
    /// Bytes that the states hold beyond their own size.
    heap_bytes: usize,
}

impl<S: Eq + Hash> States<S> {
    pub(super) fn new() -> States<S> {
        States { states: Vec::new(), table: Table::default(), heap_bytes: 0 }
    }

    /// Returns the state's number; a new state gets the next one, from 0. `heap_bytes` is called
    /// only for a new state.
    pub(super) fn number(&mut self, state: S, heap_bytes: impl FnOnce(&S) -> usize) -> u32 {
        let mut hasher = FxHasher::default();
        state.hash(&mut hasher);
        let fresh = u32::try_from(self.states.len()).expect("memory ends before 2^32 states");
        let found = self
            .table
            .find_or_enter(hasher.finish(), fresh, |other| self.states[other as usize] == state);
        found.unwrap_or_else(|| {
            self.heap_bytes += heap_bytes(&state);
            self.states.push(state);
            fresh
        })
    }

    pub(super) fn get(&self, number: u32) -> &S {
        &self.states[number as usize]
    }

    /// Approximate number of bytes in use.
    pub(super) fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<S>() + self.heap_bytes + self.table.bytes()
    }
}

/// The configurations that one search has visited.
///
/// A configuration is a row of words. The first words say exactly where the search is. The last few
/// words are a set, as bits, of the open operations that are used up: they can no longer be placed.
/// Suppose that a search reaches the same first words again. If everything that was used up at the
/// earlier visit is used up now as well, the search can do nothing that it could not do then.
pub(super) struct Memo {
    table: Table,
    /// All rows, one after another.
    rows: Vec<u64>,
    width: usize,
    /// Number of words of a row that are not part of the set.
    exact: usize,
}

impl Memo {
    /// Makes a memo of rows with `exact` first words, and `used` words for the set.
    pub(super) fn new(exact: usize, used: usize) -> Memo {
        Memo { table: Table::default(), rows: Vec::new(), width: exact + used, exact }
    }

    /// Records a visit. Returns `false` if an earlier visit makes this one unnecessary.
    pub(super) fn visit(&mut self, row: &[u64]) -> bool {
        debug_assert_eq!(row.len(), self.width, "a row of another search");
        let (place, used) = row.split_at(self.exact);
        let mut hasher = FxHasher::default();
        place.iter().for_each(|word| hasher.write_u64(*word));
        let fresh = self.rows.len() / self.width;
        let fresh = u32::try_from(fresh).expect("memory ends before 2^32 rows");
        let known = self.table.find_or_enter(hasher.finish(), fresh, |other| {
            let start = other as usize * self.width;
            let (other_place, other_used) =
                self.rows[start..start + self.width].split_at(self.exact);
            other_place == place
                && other_used.iter().zip(used).all(|(less, more)| less & !more == 0)
        });
        if known.is_none() {
            self.rows.extend_from_slice(row);
        }
        known.is_none()
    }

    /// Approximate number of bytes in use.
    pub(super) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<u64>() + self.table.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_states_have_one_number() {
        let mut states = States::new();
        let numbers: Vec<u32> =
            ["a", "b", "a", "c", "b"].iter().map(|state| states.number(*state, |_| 0)).collect();
        assert_eq!(numbers, [0, 1, 0, 2, 1]);
        assert_eq!(*states.get(2), "c");
    }

    #[test]
    fn a_place_is_visited_once() {
        let mut memo = Memo::new(2, 0);
        assert!(memo.visit(&[1, 2]), "the first time");
        assert!(memo.visit(&[1, 3]), "another configuration");
        assert!(!memo.visit(&[1, 2]), "the second time");
    }

    #[test]
    fn coming_with_more_used_up_is_needless_and_with_less_is_not() {
        let mut memo = Memo::new(1, 1);
        assert!(memo.visit(&[7, 0b011]), "the first time");
        assert!(!memo.visit(&[7, 0b111]), "more is used up");
        assert!(!memo.visit(&[7, 0b011]), "as much is used up");
        assert!(memo.visit(&[7, 0b101]), "something else is used up");
        assert!(memo.visit(&[7, 0b001]), "less is used up");
        assert!(memo.visit(&[8, 0b111]), "another configuration");
    }
}
