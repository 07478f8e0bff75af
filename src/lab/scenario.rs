//! The type of a scenario, and the parts of the lab.

use std::fmt;
use std::str::FromStr;

use super::Cluster;
use crate::runtime::{Choice, keeps};

/// A part of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Leader election.
    P2A,
    /// The log.
    P2B,
    /// Persistence.
    P2C,
    /// Snapshots.
    P2D,
    /// A key/value service.
    P3A,
    /// A key/value service that takes snapshots.
    P3B,
    /// A key/value service in a database; only in a build with the cargo feature `store`.
    Store,
}

impl Part {
    /// All parts of this build, in order.
    pub const ALL: [Part; 6 + cfg!(feature = "store") as usize] = [
        Part::P2A,
        Part::P2B,
        Part::P2C,
        Part::P2D,
        Part::P3A,
        Part::P3B,
        #[cfg(feature = "store")]
        Part::Store,
    ];

    /// The last of all parts.
    pub const LAST: Part = Part::Store;

    /// The part in which a scenario's name ends, if this build has it: `2C` for `figure8_2c`.
    const fn of(scenario: &str) -> Option<Part> {
        let mut place = 0;
        while place < Part::ALL.len() {
            if ends_in(scenario.as_bytes(), Part::ALL[place].name().as_bytes()) {
                return Some(Part::ALL[place]);
            }
            place += 1;
        }
        None
    }

    /// The part's number in 6.824 up to 2023, which raftlab uses: `2A`. The last part is not from
    /// that course, so it has a name instead.
    pub const fn name(self) -> &'static str {
        match self {
            Part::P2A => "2A",
            Part::P2B => "2B",
            Part::P2C => "2C",
            Part::P2D => "2D",
            Part::P3A => "3A",
            Part::P3B => "3B",
            Part::Store => "store",
        }
    }

    /// The part's number in the course since 2024: `3A` for part 2A. Two numbers if the course has
    /// divided the part, a dash if the course does not have it.
    pub const fn newer_name(self) -> &'static str {
        match self {
            Part::P2A => "3A",
            Part::P2B => "3B",
            Part::P2C => "3C",
            Part::P2D => "3D",
            Part::P3A => "4A, 4B",
            Part::P3B => "4C",
            Part::Store => "–",
        }
    }

    /// The part's subject.
    pub const fn title(self) -> &'static str {
        match self {
            Part::P2A => "leader election",
            Part::P2B => "log",
            Part::P2C => "persistence",
            Part::P2D => "snapshots",
            Part::P3A => "key/value service",
            Part::P3B => "key/value service with snapshots",
            Part::Store => "key/value service in a database",
        }
    }

    /// Whether the suite's own service takes snapshots.
    pub const fn takes_snapshots(self) -> bool {
        matches!(self, Part::P2D)
    }

    /// Whether its scenarios choose the service, with [`Cluster::serve`], or bring servers of their
    /// own. In all other parts the service is the suite's, and the servers are up before the
    /// scenario begins.
    pub const fn chooses_service(self) -> bool {
        matches!(self, Part::P3A | Part::P3B | Part::Store)
    }
}

/// Whether `name` ends in an underscore and `part`, in either case.
const fn ends_in(name: &[u8], part: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(part.len()) else { return false };
    let mut place = 0;
    while place < part.len() {
        if !name[start + place].eq_ignore_ascii_case(&part[place]) {
            return false;
        }
        place += 1;
    }
    start > 0 && name[start - 1] == b'_'
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error that no part has the given name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no part is called {0:?}; the parts are {parts}", parts = Part::ALL.map(Part::name).join(", "))]
pub struct NoSuchPart(pub String);

impl FromStr for Part {
    type Err = NoSuchPart;

    /// Reads `2A` or `2a`.
    fn from_str(text: &str) -> Result<Part, NoSuchPart> {
        Part::ALL
            .into_iter()
            .find(|part| part.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| NoSuchPart(text.to_string()))
    }
}

/// One test of the suite: a story that a cluster goes through.
///
/// [`new`](Scenario::new) makes a scenario of three servers on a reliable network; the methods
/// after it say what is different, and what the scenario is about.
///
/// ```
/// use raftlab::lab::{Cluster, Part, Scenario};
///
/// fn two_leaders(cluster: &mut Cluster) {
///     let first = cluster.wait_for_leader();
///     cluster.isolate(first);
///     assert_ne!(cluster.wait_for_leader(), first, "the first leader is cut off");
/// }
///
/// const TWO_LEADERS: Scenario = Scenario::new("two_leaders_2a", two_leaders)
///     .servers(5)
///     .title("two leaders, one after the other")
///     .catches("no new leader after the old one is cut off");
/// assert_eq!(TWO_LEADERS.part, Part::P2A);
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Scenario {
    /// Its name, which ends in its part: `figure8_2c`.
    pub name: &'static str,
    /// The part of the lab that it belongs to.
    pub part: Part,
    /// Number of servers.
    pub servers: usize,
    /// Whether the network delays and loses messages.
    pub unreliable: bool,
    /// Whether only S0 is real and the scenario plays the others with messages of `RaftRpc`. Such a
    /// scenario is for designs that speak `RaftRpc`: see
    /// [`Design::can_play`](super::Design::can_play).
    pub puppets: bool,
    /// Its subject; for the course's scenarios, in the course's words.
    pub title: &'static str,
    /// The mistakes that fail it.
    pub catches: &'static str,
    /// The story.
    pub story: fn(&mut Cluster),
}

impl Scenario {
    /// A scenario of three servers on a reliable network, in the part in which `name` ends.
    ///
    /// # Panics
    /// If `name` does not end in a part, as `figure8_2c` does. In a constant, the build fails.
    pub const fn new(name: &'static str, story: fn(&mut Cluster)) -> Scenario {
        let Some(part) = Part::of(name) else {
            panic!("a scenario's name must end in its part, as figure8_2c does");
        };
        let (title, catches) = ("", "");
        let (servers, unreliable, puppets) = (3, false, false);
        Scenario { name, part, servers, unreliable, puppets, title, catches, story }
    }

    /// Has `count` servers.
    pub const fn servers(self, count: usize) -> Scenario {
        Scenario { servers: count, ..self }
    }

    /// Has a network that delays and loses messages.
    pub const fn unreliable(self) -> Scenario {
        Scenario { unreliable: true, ..self }
    }

    /// Has one real server, S0; the story plays the others, as [`puppet`](super::puppet) explains.
    pub const fn puppets(self) -> Scenario {
        Scenario { puppets: true, ..self }
    }

    /// Has this subject, for lists of scenarios.
    pub const fn title(self, title: &'static str) -> Scenario {
        Scenario { title, ..self }
    }

    /// Says which mistakes fail it, separated by semicolons.
    pub const fn catches(self, mistakes: &'static str) -> Scenario {
        Scenario { catches: mistakes, ..self }
    }
}

/// The steps of a loop in a story: `all` of them, except those that the run leaves out.
///
/// Use it if no step needs another one, as with rounds of faults or commands. Then a run that fails
/// can be repeated with fewer steps: [`shrink`](super::shrink).
///
/// ```
/// use raftlab::lab::steps;
///
/// for round in steps(1..=3) {
///     println!("round {round}");
/// }
/// ```
pub fn steps<T>(all: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    all.into_iter().filter(|_| keeps(Choice::Step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::SCENARIOS;

    #[test]
    fn a_name_that_ends_in_a_part_is_of_that_part() {
        assert_eq!(Scenario::new("figure8_2c", |_| {}).part, Part::P2C);
        assert_eq!(Scenario::new("own_2B", |_| {}).part, Part::P2B);
        for name in ["2c", "figure82c", "figure8_2c_late", "figure8_5z", ""] {
            assert_eq!(Part::of(name), None, "{name:?} ends in no part");
        }
    }

    #[test]
    fn parts_are_read_in_either_case() {
        assert_eq!("2c".parse(), Ok(Part::P2C));
        assert_eq!("2C".parse(), Ok(Part::P2C));
        let unknown = "5Z".parse::<Part>().expect_err("there is no such part");
        let message = r#"no part is called "5Z"; the parts are 2A, 2B, 2C, 2D, 3A, 3B"#;
        assert!(unknown.to_string().starts_with(message), "{unknown}");
    }

    #[test]
    fn part_store_is_there_where_the_build_has_a_database() {
        let built = cfg!(feature = "store");
        assert_eq!("store".parse::<Part>().is_ok(), built, "by its name");
        let has = SCENARIOS.iter().any(|scenario| scenario.part == Part::Store);
        assert_eq!(has, built, "by its tests");
    }
}
