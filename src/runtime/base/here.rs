//! Which task runs now, and when: a failure has it besides its reason.

use std::time::Duration;

use super::outcome::{Failure, FailureKind};

/// The task that runs now, and the time since the run began.
pub(in crate::runtime) struct Here {
    pub(in crate::runtime) task: String,
    pub(in crate::runtime) label: Option<u32>,
    pub(in crate::runtime) at: Duration,
}

impl Here {
    /// Makes a failure that happens here and now.
    pub(in crate::runtime) fn failure(
        self,
        kind: FailureKind,
        name: &str,
        message: String,
    ) -> Failure {
        let Here { task, label, at } = self;
        Failure { kind, name: name.to_string(), message, task, label, place: String::new(), at }
    }
}
