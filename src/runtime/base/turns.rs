//! Turns: at chosen moments, another timer goes first than the run alone would let go.
//!
//! When no task can run, the virtual clock moves to the timer that is due next. A turn chooses
//! another timer. All that was due sooner is held back for as long as that timer needs, as on a
//! machine that does not run those tasks for a while. So nothing happens sooner than its code has
//! asked for, and a server that is correct stays correct.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// One turn: the timer that goes first, and when.
///
/// Is written as `813@1.234567890`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The timer's number: the run's first timer has number 1.
    pub timer: u64,
    /// When, in time since the run began: everything that is due until then happens before the
    /// turn.
    pub at: Duration,
}

/// The turns of a run, soonest first; by default none.
///
/// Is written as the turns with commas between them, or as `none`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns(Vec<Turn>);

impl Turns {
    /// Whether there is no turn.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The turns, soonest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Turn> {
        self.0.iter()
    }

    /// Adds `turn`, without the turns at its time or later: after it the run takes another course.
    pub fn then(mut self, turn: Turn) -> Turns {
        self.0.retain(|other| other.at < turn.at);
        self.0.push(turn);
        self
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}.{:09}", self.timer, self.at.as_secs(), self.at.subsec_nanos())
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (place, turn) in self.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{turn}")?;
        }
        Ok(())
    }
}

/// A text that is no list of [`Turns`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not like 813@1.234567890: a timer's number and seconds; later turns stand later")]
pub struct NotTurns(String);

impl FromStr for Turns {
    type Err = NotTurns;

    fn from_str(text: &str) -> Result<Turns, NotTurns> {
        if text == "none" {
            return Ok(Turns::default());
        }
        let mut turns: Vec<Turn> = Vec::new();
        for word in text.split(',') {
            let turn = turn(word).ok_or_else(|| NotTurns(word.to_string()))?;
            if turns.last().is_some_and(|before| before.at >= turn.at) {
                return Err(NotTurns(word.to_string()));
            }
            turns.push(turn);
        }
        Ok(Turns(turns))
    }
}

/// Reads a turn as it is written: the seconds have nine decimals.
fn turn(word: &str) -> Option<Turn> {
    let (timer, at) = word.split_once('@')?;
    let (seconds, nanoseconds) = at.split_once('.')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if nanoseconds.len() != 9 || ![timer, seconds, nanoseconds].into_iter().all(is_number) {
        return None;
    }
    let at = Duration::new(seconds.parse().ok()?, nanoseconds.parse().ok()?);
    Some(Turn { timer: timer.parse().ok()?, at })
}

/// A timer that a task waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// Its number, for a [`Turn`].
    pub timer: u64,
    /// When it is due, in time since the run began.
    pub due: Duration,
    /// The label of the task that waits for it.
    pub label: Option<u32>,
    /// What waits for it, and where in the source.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(timer: u64, ms: u64) -> Turn {
        Turn { timer, at: Duration::from_millis(ms) }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let turns = Turns::default().then(at(813, 1234)).then(at(9, 2000));
        assert_eq!(turns.to_string(), "813@1.234000000,9@2.000000000");
        assert_eq!(turns.to_string().parse(), Ok(turns));
        assert_eq!(Turns::default().to_string().parse(), Ok(Turns::default()));
    }

    #[test]
    fn a_turn_replaces_those_that_come_later() {
        let turns = Turns::default().then(at(1, 10)).then(at(2, 20)).then(at(3, 20));
        assert_eq!(turns, Turns(vec![at(1, 10), at(3, 20)]));
        assert_eq!(turns.then(at(4, 5)), Turns(vec![at(4, 5)]));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let long = format!("{}0@1.000000000", u64::MAX);
        let words = ["", "8", "8@1", "8@1.5", "x@1.000000000", "8@-1.000000000", "8@1.+00000000"];
        for word in words.into_iter().chain([long.as_str()]) {
            let error = word.parse::<Turns>().unwrap_err().to_string();
            assert!(error.contains("is not like 813@1.234567890"), "{word}: {error}");
        }
        let late_first = "8@2.000000000,9@1.000000000";
        assert!(late_first.parse::<Turns>().is_err(), "the second one is sooner");
    }
}
