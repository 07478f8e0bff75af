//! Situations: counts of rare events in a run, so that a campaign can name what it never exercised.
//!
//! A situation is no failure. Raft has a rule for each of them, and a rule that no run needed was
//! not tested. The observers count situations during a run; the command line adds them up.

use super::Part;

/// Makes [`Situation`] and the descriptions from one list.
macro_rules! situations {
    ($($name:ident: $part:ident, $what:literal,)*) => {
        /// An event for which Raft has a rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Situation {
            $(#[doc = $what] $name,)*
        }

        impl Situation {
            /// All situations, in the order in which they are printed.
            pub const ALL: &'static [Situation] = &[$(Situation::$name,)*];

            /// Describes the situation in words.
            pub const fn what(self) -> &'static str {
                match self { $(Situation::$name => $what,)* }
            }

            /// The part of the lab whose scenarios should exercise it.
            pub const fn part(self) -> Part {
                match self { $(Situation::$name => Part::$part,)* }
            }
        }
    };
}

situations! {
    RivalCandidates: P2A, "two candidates asked for votes in one term",
    NoLeaderElected: P2A, "a term in which votes were asked for had no leader",
    VoteTaken: P2A, "a vote was refused because the voter had voted for another",
    VoteToOutdatedRefused: P2C, "a vote was refused because of the candidate's log",
    LeaderReturned: P2A, "a server led again after another had",
    LeaderDeposed: P2A, "a leader heard of a newer term",
    LeaderCrashed: P2C, "a leader crashed",
    LeaderCrashedUncommitted: P2C, "a leader crashed with uncommitted entries of its term",
    CrashedUnsynced: P2C, "a server crashed with writes it had not synced",
    StaleRequest: P2B, "a request of an older term arrived",
    StaleReply: P2B, "a reply to a request of an older term arrived",
    MismatchRefused: P2B, "entries were refused because the logs differed before them",
    LogTruncated: P2C, "a follower's conflicting entries were deleted",
    OldEntriesCommitted: P2C, "entries of an older term were committed along with a leader's own",
    SnapshotTaken: P2D, "a server took a snapshot of its own",
    SnapshotInstalled: P2D, "a leader's snapshot was installed",
    SnapshotOverConflict: P2D, "a leader's snapshot replaced a conflicting log",
    SnapshotKeptSuffix: P2D, "a leader's snapshot was installed and the entries after it stayed",
    StaleSnapshotOffered: P2D, "a leader's snapshot arrived that the follower no longer needed",
}

/// How often each situation occurred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situations {
    counts: [u64; Situation::ALL.len()],
}

impl Situations {
    /// Counts one more occurrence of `situation`.
    pub(super) fn count(&mut self, situation: Situation) {
        self.counts[situation as usize] += 1;
    }

    /// How often `situation` occurred.
    pub fn of(&self, situation: Situation) -> u64 {
        self.counts[situation as usize]
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Situations) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }

    /// Description and count of each situation, including those that never occurred.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Situation::ALL.iter().map(|situation| (situation.what(), self.of(*situation)))
    }
}

impl Default for Situations {
    fn default() -> Situations {
        Situations { counts: [0; Situation::ALL.len()] }
    }
}
