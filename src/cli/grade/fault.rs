//! Why a submission was not built, and who is to blame.

/// Why a submission was not built.
#[derive(Debug)]
pub(super) enum Fault {
    /// The submission is wrong: it has no points, and its student reads why.
    Student(String),
    /// This machine failed: grading stops.
    Machine(String),
}

impl Fault {
    /// What happened.
    pub(super) fn message(self) -> String {
        match self {
            Fault::Student(message) | Fault::Machine(message) => message,
        }
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Fault {
        Fault::Student(message)
    }
}
