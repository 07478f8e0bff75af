//! The scenarios, one file per theme, and the table of them all.
//!
//! A scenario is a story with asserted steps; the observers check the rules that hold in every
//! story. A scenario must wait with the methods of [`Cluster`](super::Cluster) only: there the
//! hostile schedule can cut the run short. Its assertions must be true under every schedule.
//!
//! Each file begins with the list of its scenarios. To add a scenario, write a function and a row
//! of that list; to add a file, add its module here and its list to [`FILES`]. The doc comment of
//! the function tells the story, and `raftlab explain` prints it. If several rows share a function,
//! each row has a comment of its own instead. The name that a story gives to a failure needs a
//! section in `docs/hints.md`; the end of `docs/tests.md` lists the rest.

mod agreement;
mod appends;
mod backup;
mod churn;
mod durable;
mod election;
mod even_clusters;
mod faults;
mod growth;
mod install;
mod install_answers;
mod killed;
mod kv;
mod large_commands;
mod late_answers;
mod late_install;
mod late_reads;
mod leading;
mod one_look;
mod one_server;
mod persistence;
mod prompt;
mod rsm;
mod rsm_rules;
mod service_contract;
mod service_rules;
mod slow_minority;
mod slow_service;
mod snapshot_rules;
mod snapshots;
#[cfg(feature = "store")]
pub(super) mod store;
mod timing;
mod votes;

use super::{Part, Scenario};

/// The lists of the files. Every part begins with the scenarios of the course's older editions.
const FILES: &[&[Scenario]] = &[
    election::SCENARIOS,
    votes::SCENARIOS,
    agreement::SCENARIOS,
    one_look::SCENARIOS,
    appends::SCENARIOS,
    leading::SCENARIOS,
    even_clusters::SCENARIOS,
    late_reads::SCENARIOS,
    late_answers::SCENARIOS,
    prompt::SCENARIOS,
    persistence::SCENARIOS,
    churn::SCENARIOS,
    backup::SCENARIOS,
    timing::SCENARIOS,
    durable::SCENARIOS,
    snapshots::SCENARIOS,
    install::SCENARIOS,
    late_install::SCENARIOS,
    install_answers::SCENARIOS,
    faults::SCENARIOS,
    killed::SCENARIOS,
    large_commands::SCENARIOS,
    one_server::SCENARIOS,
    slow_minority::SCENARIOS,
    slow_service::SCENARIOS,
    growth::SCENARIOS,
    kv::classic::SCENARIOS,
    kv::versioned::SCENARIOS,
    rsm::SCENARIOS,
    rsm_rules::SCENARIOS,
    service_rules::SCENARIOS,
    service_contract::SCENARIOS,
    snapshot_rules::SCENARIOS,
    super::store_list::SCENARIOS,
];

/// Every scenario: in the order of the parts, and within a part in the order of the files.
pub static SCENARIOS: &[Scenario] = &by_part();

/// Finds the scenario with the name `name`.
pub fn find_scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

/// How many scenarios the files have.
const COUNT: usize = {
    let (mut file, mut count) = (0, 0);
    while file < FILES.len() {
        count += FILES[file].len();
        file += 1;
    }
    count
};

/// The scenarios of all files, part by part. Written with `while`, because a constant function
/// cannot use iterators.
const fn by_part() -> [Scenario; COUNT] {
    let mut all = [FILES[0][0]; COUNT];
    let (mut part, mut count) = (0, 0);
    while part < Part::ALL.len() {
        let mut file = 0;
        while file < FILES.len() {
            let mut row = 0;
            while row < FILES[file].len() {
                let scenario = FILES[file][row];
                if scenario.part as usize == Part::ALL[part] as usize {
                    all[count] = scenario;
                    count += 1;
                }
                row += 1;
            }
            file += 1;
        }
        part += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_scenario_of_every_file_once_part_by_part() {
        for (place, scenario) in SCENARIOS.iter().enumerate() {
            let first = SCENARIOS.iter().position(|other| other.name == scenario.name);
            assert_eq!(first, Some(place), "{} is listed twice", scenario.name);
        }
        for scenario in FILES.iter().copied().flatten() {
            assert!(find_scenario(scenario.name).is_some(), "{} is not listed", scenario.name);
        }
        assert!(SCENARIOS.is_sorted_by_key(|scenario| scenario.part), "the parts are mixed");
    }

    #[test]
    fn every_scenario_says_what_it_is_about_and_what_it_catches() {
        for Scenario { name, title, catches, .. } in SCENARIOS {
            assert!(!title.is_empty() && !catches.is_empty(), "{name}: {title:?}, {catches:?}");
        }
    }
}
