//! What a run keeps of the choices that its seed makes: all of them, or only some, so that a
//! failing run can be made smaller.
//!
//! Each kind of choice is numbered in the order in which a run makes it. A choice that is left out
//! is still drawn, and has its number; then the calm thing happens in its place. So a run is a
//! function of its seed and of what it keeps.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

/// A kind of choice that a run can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Choice {
    /// A step of the scenario: one round of faults, or one command of a client.
    Step,
    /// A task is held back for a while, or wakes without a reason.
    Stall,
    /// A task runs before one that was ready sooner.
    Switch,
    /// A message is lost, late or repeated.
    Fault,
    /// A pause of the scenario, in which the cluster runs, is as long as the scenario says.
    Pause,
    /// A wait of the scenario, or for a lock, lasts longer than such a wait usually does.
    Wait,
    /// The service applies many entries between two snapshots.
    Gap,
}

impl Choice {
    /// All kinds.
    pub const ALL: [Choice; 7] = [
        Choice::Step,
        Choice::Stall,
        Choice::Switch,
        Choice::Fault,
        Choice::Pause,
        Choice::Wait,
        Choice::Gap,
    ];

    /// The kind's name in a [`Kept`] that is written down.
    pub const fn name(self) -> &'static str {
        match self {
            Choice::Step => "steps",
            Choice::Stall => "stalls",
            Choice::Switch => "switches",
            Choice::Fault => "faults",
            Choice::Pause => "pauses",
            Choice::Wait => "waits",
            Choice::Gap => "gaps",
        }
    }
}

/// How many choices of each kind a run made, those that it left out included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices([u64; Choice::ALL.len()]);

impl Choices {
    /// The number of choices of one kind.
    pub const fn of(&self, choice: Choice) -> u64 {
        self.0[choice as usize]
    }
}

/// The choices of one kind that a run keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Numbers {
    /// All of them.
    #[default]
    All,
    /// Those with these numbers; the first has number 0. The ranges rise and do not touch.
    Only(Vec<RangeInclusive<u64>>),
}

impl Numbers {
    /// Makes the set of these numbers, which rise.
    pub fn only(numbers: impl IntoIterator<Item = u64>) -> Numbers {
        let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some(last) if last.end().checked_add(1) == Some(number) => {
                    *last = *last.start()..=number;
                }
                _ => ranges.push(number..=number),
            }
        }
        Numbers::Only(ranges)
    }

    /// Whether the set has `number`.
    pub fn has(&self, number: u64) -> bool {
        match self {
            Numbers::All => true,
            Numbers::Only(ranges) => {
                let place = ranges.partition_point(|range| *range.end() < number);
                ranges.get(place).is_some_and(|range| range.contains(&number))
            }
        }
    }
}

/// The choices that a run keeps; by default all.
///
/// Is written as `steps=3,5-7/stalls=none`: a kind that is not named is kept whole. For a command
/// line, so that a smaller run can be repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept([Numbers; Choice::ALL.len()]);

impl Kept {
    /// What is kept of one kind.
    pub const fn of(&self, choice: Choice) -> &Numbers {
        &self.0[choice as usize]
    }

    /// Keeps of one kind only `numbers`.
    pub fn with(mut self, choice: Choice, numbers: Numbers) -> Kept {
        self.0[choice as usize] = numbers;
        self
    }

    /// Whether all choices are kept.
    pub fn is_all(&self) -> bool {
        self.0.iter().all(|numbers| *numbers == Numbers::All)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut slash = "";
        for choice in Choice::ALL {
            let Numbers::Only(ranges) = self.of(choice) else { continue };
            write!(f, "{slash}{}=", choice.name())?;
            slash = "/";
            if ranges.is_empty() {
                f.write_str("none")?;
            }
            for (place, range) in ranges.iter().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                match (range.start(), range.end()) {
                    (first, last) if first == last => write!(f, "{comma}{first}")?,
                    (first, last) => write!(f, "{comma}{first}-{last}")?,
                }
            }
        }
        if slash.is_empty() { f.write_str("all") } else { Ok(()) }
    }
}

/// A text that is no [`Kept`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not like steps=3,5-7/stalls=none; \
     the kinds are steps, stalls, switches, faults, pauses, waits, gaps"
)]
pub struct NotKept(String);

impl FromStr for Kept {
    type Err = NotKept;

    fn from_str(text: &str) -> Result<Kept, NotKept> {
        if text == "all" {
            return Ok(Kept::default());
        }
        let mut kept = Kept::default();
        for part in text.split('/') {
            let wrong = || NotKept(part.to_string());
            let (name, list) = part.split_once('=').ok_or_else(wrong)?;
            let choice = Choice::ALL.into_iter().find(|choice| choice.name() == name);
            let numbers = numbers(list).ok_or_else(wrong)?;
            kept = kept.with(choice.ok_or_else(wrong)?, numbers);
        }
        Ok(kept)
    }
}

/// Reads `3,5-7` or `none`. The numbers must rise.
fn numbers(list: &str) -> Option<Numbers> {
    match list {
        "all" => return Some(Numbers::All),
        "none" => return Some(Numbers::Only(Vec::new())),
        _ => {}
    }
    let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
    for word in list.split(',') {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let range = first.parse().ok()?..=last.parse().ok()?;
        let after = ranges.last().is_none_or(|before| before.end() < range.start());
        if range.is_empty() || !after {
            return None;
        }
        ranges.push(range);
    }
    Some(Numbers::Only(ranges))
}

/// Numbers the choices of a run.
pub(in crate::runtime) struct Keeping {
    kept: Kept,
    made: Choices,
}

impl Keeping {
    pub(in crate::runtime) fn new(kept: Kept) -> Keeping {
        Keeping { kept, made: Choices::default() }
    }

    /// Gives the run's next choice of this kind its number. Returns whether it is kept.
    #[inline]
    pub(in crate::runtime) fn keeps(&mut self, choice: Choice) -> bool {
        let number = self.made.0[choice as usize];
        self.made.0[choice as usize] += 1;
        self.kept.of(choice).has(number)
    }

    /// Whether no choice of this kind is kept.
    pub(in crate::runtime) fn keeps_none(&self, choice: Choice) -> bool {
        matches!(self.kept.of(choice), Numbers::Only(ranges) if ranges.is_empty())
    }

    pub(in crate::runtime) const fn made(&self) -> Choices {
        self.made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let some = Numbers::only([0, 3, 4, 5, 9]);
        let kept = Kept::default().with(Choice::Step, some).with(Choice::Stall, Numbers::only([]));
        assert_eq!(kept.to_string(), "steps=0,3-5,9/stalls=none");
        assert_eq!(kept.to_string().parse(), Ok(kept));
        assert_eq!(Kept::default().to_string().parse(), Ok(Kept::default()));
    }

    #[test]
    fn a_set_has_its_numbers_and_no_others() {
        let some = Numbers::only([0, 3, 4, 5, 9]);
        let found: Vec<u64> = (0..12).filter(|number| some.has(*number)).collect();
        assert_eq!(found, [0, 3, 4, 5, 9]);
        assert!(Numbers::All.has(u64::MAX), "all");
        assert!(!Numbers::only([]).has(0), "none");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for text in ["", "steps", "steps=", "steps=x", "steps=5-3", "steps=3,2", "stops=1"] {
            let error = text.parse::<Kept>().unwrap_err().to_string();
            assert!(error.contains("is not like steps=3,5-7"), "{text}: {error}");
        }
        let large = format!("steps={}-{}", u64::MAX, u64::MAX);
        assert!(large.parse::<Kept>().is_ok(), "the largest number");
    }

    #[test]
    fn each_kind_has_its_own_numbers() {
        let kept = "stalls=1/faults=none".parse().unwrap();
        let mut keeping = Keeping::new(kept);
        let mut three = |choice| [(); 3].map(|()| keeping.keeps(choice));
        assert_eq!(three(Choice::Stall), [false, true, false]);
        assert_eq!(three(Choice::Fault), [false; 3]);
        assert_eq!(three(Choice::Step), [true; 3]);
        assert_eq!(keeping.made().of(Choice::Stall), 3);
        assert_eq!(keeping.made().of(Choice::Switch), 0);
    }
}
