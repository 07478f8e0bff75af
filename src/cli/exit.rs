//! The program's exit status, and the errors that lead to it.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing failed.
    Passed,
    /// A run failed.
    Failed,
    /// The arguments cannot be used.
    BadInput,
    /// Nothing failed, but a history could not be judged.
    Undecided,
    /// The machine failed: a full disk, no more threads.
    Machine,
    /// Not all runs of a plan are there, whether or not one of them failed.
    Incomplete,
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl Status {
    /// The number that scripts see.
    const fn code(self) -> u8 {
        match self {
            Status::Passed => 0,
            Status::Failed => 1,
            Status::BadInput => 2,
            Status::Undecided => 3,
            Status::Machine => 4,
            Status::Incomplete => 5,
            Status::Interrupted => 130,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status.code())
    }
}

/// Why the program could not do its job, and what the user can do next, in one line.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The arguments cannot be used.
    #[error("{0}")]
    Input(String),
    /// The machine failed.
    #[error("{0}")]
    Machine(String),
}

impl Trouble {
    /// The exit status of a program that ends with this trouble.
    pub(super) const fn status(&self) -> Status {
        match self {
            Trouble::Input(_) => Status::BadInput,
            Trouble::Machine(_) => Status::Machine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_see_the_numbers_of_the_help() {
        let statuses = [
            Status::Passed,
            Status::Failed,
            Status::BadInput,
            Status::Undecided,
            Status::Machine,
            Status::Incomplete,
            Status::Interrupted,
        ];
        assert_eq!(statuses.map(Status::code), [0, 1, 2, 3, 4, 5, 130]);
        assert_eq!(Trouble::Input(String::new()).status(), Status::BadInput);
        assert_eq!(Trouble::Machine(String::new()).status(), Status::Machine);
    }
}
