//! The events of a traced run, which an audit compares.

use std::fmt;
use std::time::Duration;

use super::{Event, Place};

/// All events of a run, in order.
pub(in crate::runtime) type Trace = Vec<Traced>;

/// One event of a traced run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runtime) struct Traced {
    pub(super) at_ns: u64,
    pub(super) task: u32,
    pub(super) what: Event,
    pub(super) place: Option<Place>,
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Duration::from_nanos(self.at_ns).as_secs_f64();
        write!(f, "{at:.9} s, task number {}: {:?}", self.task, self.what)?;
        match self.place {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}
