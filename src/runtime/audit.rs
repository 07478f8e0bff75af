//! Audit: checks that a run is a function of its seed, by running it twice and comparing events.

use std::fmt;

use super::base::outcome::{Clock, RunConfig};
use super::sim::{self, Trace};
use super::{context, panic_hook};

/// The first difference between two runs of one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Number of the first event that differs, from 0.
    pub event: usize,
    /// That event in the first run; `None` if the run had ended.
    pub first: Option<String>,
    /// That event in the second run; `None` if the run had ended.
    pub second: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = "ended".to_string();
        write!(
            f,
            "two runs of one seed differ at event {}:\nfirst   {}\nsecond  {}",
            self.event,
            self.first.as_ref().unwrap_or(&ended),
            self.second.as_ref().unwrap_or(&ended)
        )
    }
}

/// Runs `main` twice on the virtual clock and compares all events of the two runs.
///
/// Returns the hash on which both runs agree.
///
/// # Errors
/// [`Difference`] names the first event that differs. At that event, or shortly before it, look for
/// something that does not follow from the seed: the order of a hash map, an address, a static that
/// an earlier run changed.
///
/// # Panics
/// When called from inside a run, and with a config for the real clock, which cannot repeat a run.
pub fn audit<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Clone + Send + 'static,
) -> Result<u64, Difference> {
    assert!(!context::in_run(), "runtime::audit called from inside a run");
    assert_eq!(config.clock, Clock::Virtual, "only the virtual clock repeats a run");
    panic_hook::install();
    let (first, events) = sim::run_traced(config, main.clone());
    let (second, others) = sim::run_traced(config, main);
    match events.iter().zip(&others).position(|(one, other)| one != other) {
        None if events.len() == others.len() && first.hash == second.hash => Ok(first.hash),
        part => {
            let event = part.unwrap_or(events.len().min(others.len()));
            let at = |trace: &Trace| trace.get(event).map(ToString::to_string);
            Err(Difference { event, first: at(&events), second: at(&others) })
        }
    }
}
