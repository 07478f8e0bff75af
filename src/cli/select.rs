//! Finds the tests that names and parts select, and the most similar name to a mistyped one.

use crate::cli::program;
use crate::lab::{Design, Part, SCENARIOS, Scenario, Unfit};

use crate::cli::exit::Trouble;

/// The tests that `names` select, each once, in the order of the list; without names, all tests.
/// Tests that `design` cannot play are [left out](left_out).
pub(super) fn tests(names: &[String], design: &Design) -> Result<Vec<&'static Scenario>, Trouble> {
    for name in names {
        if !SCENARIOS.iter().any(|scenario| stands_for(name, scenario)) {
            return Err(Trouble::Input(unknown(name, true)));
        }
    }
    let tests: Vec<_> = chosen(names).filter(|scenario| design.can_play(scenario)).collect();
    if tests.is_empty() {
        let chosen: Vec<_> = chosen(names).collect();
        let why = chosen.iter().find_map(|scenario| design.unfit_for(scenario));
        let why = why.expect("there is a test, and the design cannot play it");
        return Err(Trouble::Input(format!("{}; {}", reason(why, design), advice(&chosen))));
    }
    Ok(tests)
}

/// The tests that `names` select and that `design` cannot play for the reason `why`.
pub(super) fn left_out(names: &[String], design: &Design, why: Unfit) -> Vec<&'static str> {
    let unfit = chosen(names).filter(|scenario| design.unfit_for(scenario) == Some(why));
    unfit.map(|scenario| scenario.name).collect()
}

/// Why `design` cannot play a test.
pub(super) fn reason(why: Unfit, design: &Design) -> String {
    match why {
        Unfit::RaftRpc => {
            format!("these tests send RaftRpc messages, which design {} does not use", design.name)
        }
        Unfit::Service => format!("these tests need a service that design {} lacks", design.name),
    }
}

/// What the user can do if no test in `scenarios` can be played.
fn advice(scenarios: &[&Scenario]) -> String {
    let plays = |design: &&Design| scenarios.iter().any(|scenario| design.can_play(scenario));
    let players = program::designs().iter().filter(plays);
    let players: Vec<_> = players.map(|design| format!("--design {}", design.name)).collect();
    match players.as_slice() {
        [] => "choose other tests".to_string(),
        players => format!("try {}", players.join(" or ")),
    }
}

/// The tests of the parts, and those with the words in their names, in the order of the list;
/// without words, all tests. Every word must match a test.
pub(super) fn matching(words: &[String]) -> Result<Vec<&'static Scenario>, Trouble> {
    for word in words {
        if !SCENARIOS.iter().any(|scenario| matches(word, scenario)) {
            return Err(Trouble::Input(unknown(word, true)));
        }
    }
    let wanted =
        |scenario: &&Scenario| words.is_empty() || words.iter().any(|word| matches(word, scenario));
    Ok(SCENARIOS.iter().filter(wanted).collect())
}

/// The parts of which `tests` has every test that `design` can play.
pub(super) fn whole_parts(tests: &[&Scenario], design: &Design) -> Vec<Part> {
    let all = |part: &Part| {
        let mut of_part = SCENARIOS.iter().filter(|it| it.part == *part && design.can_play(it));
        let any = tests.iter().any(|test| test.part == *part);
        any && of_part.all(|scenario| tests.iter().any(|test| test.name == scenario.name))
    };
    Part::ALL.into_iter().filter(all).collect()
}

/// The words that select exactly these tests for `design`: nothing for all of them, the names of
/// whole parts, and the names of the other tests. Without a design, the names of the tests.
pub(super) fn words_for(names: &[String], design: Option<&Design>) -> Vec<String> {
    let Some(design) = design else { return names.to_vec() };
    let is_chosen = |scenario: &&Scenario| names.iter().any(|name| name == scenario.name);
    let tests: Vec<&Scenario> = SCENARIOS.iter().filter(is_chosen).collect();
    if SCENARIOS.iter().filter(|it| design.can_play(it)).all(|it| is_chosen(&it)) {
        return Vec::new();
    }
    let whole = whole_parts(&tests, design);
    let parts = whole.iter().map(|part| part.name().to_string());
    let others = tests.iter().filter(|test| !whole.contains(&test.part));
    parts.chain(others.map(|test| test.name.to_string())).collect()
}

fn chosen(names: &[String]) -> impl Iterator<Item = &'static Scenario> {
    let wanted = |scenario: &Scenario| names.iter().any(|name| stands_for(name, scenario));
    SCENARIOS.iter().filter(move |scenario| names.is_empty() || wanted(scenario))
}

/// The test called `name`, whether or not any design can play it.
pub(super) fn known(name: &str) -> Result<&'static Scenario, Trouble> {
    let found = SCENARIOS.iter().find(|scenario| scenario.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| Trouble::Input(unknown(name, false)))
}

/// The test called `name`, for `design`.
pub(super) fn test(name: &str, design: &Design) -> Result<&'static Scenario, Trouble> {
    let scenario = known(name)?;
    match design.unfit_for(scenario) {
        None => Ok(scenario),
        Some(why) => {
            Err(Trouble::Input(format!("{}; {}", reason(why, design), advice(&[scenario]))))
        }
    }
}

fn stands_for(name: &str, scenario: &Scenario) -> bool {
    scenario.name.eq_ignore_ascii_case(name) || scenario.part.name().eq_ignore_ascii_case(name)
}

/// Whether `word` is the scenario's part or in its name.
fn matches(word: &str, scenario: &Scenario) -> bool {
    let part = scenario.part.name().eq_ignore_ascii_case(word);
    part || scenario.name.contains(&in_names(word))
}

/// `word` as names are written.
fn in_names(word: &str) -> String {
    word.to_ascii_lowercase().replace('-', "_")
}

/// The error message for a name that no test (and no part) has.
fn unknown(name: &str, parts_too: bool) -> String {
    let newer = |part: &Part| part.newer_name().split(", ").any(|n| n.eq_ignore_ascii_case(name));
    let of_store = name.to_ascii_lowercase().ends_with("store") && !cfg!(feature = "store");
    let advice = if of_store {
        "part store needs a build with a database: cargo build --release --features store"
            .to_string()
    } else if let Some(part) = Part::ALL.into_iter().find(newer) {
        let name = name.to_ascii_uppercase();
        format!("parts have their numbers from before 2024: {name} is {part} here")
    } else if !parts_too && name.parse::<Part>().is_ok() {
        "that is a part: give the name of one of its tests".to_string()
    } else if let Some(near) = alternatives(name) {
        format!("did you mean {near}?")
    } else {
        format!("see `{} list`", program::name())
    };
    format!("no {} called {name:?}; {advice}", if parts_too { "test or part" } else { "test" })
}

/// The names that were probably meant: all that contain the typed text, or the most similar one.
fn alternatives(name: &str) -> Option<String> {
    /// More names than that are no help.
    const NAMES_MAX: usize = 8;
    let name = in_names(name);
    let within = SCENARIOS.iter().filter(|it| name.len() >= 3 && it.name.contains(&name));
    let within: Vec<&str> = within.map(|scenario| scenario.name).collect();
    match within.as_slice() {
        [] => nearest(&name, SCENARIOS.iter().map(|it| it.name)).map(str::to_string),
        [one] => Some(one.to_string()),
        [some @ .., last] if within.len() <= NAMES_MAX => {
            Some(format!("{} or {last}", some.join(", ")))
        }
        more => Some(format!(
            "one of {} tests, which `{} list {name}` shows",
            more.len(),
            program::name()
        )),
    }
}

/// The name that is most similar to `name`, which is in lower case.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Minimum similarity: names below it have no more in common than any two words.
    const ALIKE_MIN: f64 = 0.75;
    let alike = |known: &'a str| (strsim::jaro_winkler(&known.to_ascii_lowercase(), name), known);
    let best = names.map(alike).max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(alike, _)| *alike >= ALIKE_MIN).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use crate::lab::DESIGNS;

    use super::*;

    fn complaint(name: &str) -> String {
        tests(&[name.to_string()], &DESIGNS[0]).unwrap_err().to_string()
    }

    #[test]
    fn parts_and_names_in_either_case_give_each_test_once() {
        let names = ["2a", "Figure8_2C", "INITIAL_ELECTION_2A", "2A"].map(str::to_string);
        let found: Vec<_> = tests(&names, &DESIGNS[0]).unwrap().iter().map(|s| s.name).collect();
        let of_2a = SCENARIOS.iter().filter(|s| s.part == Part::P2A).map(|s| s.name);
        assert_eq!(found, of_2a.chain(["figure8_2c"]).collect::<Vec<_>>());
    }

    #[test]
    fn no_names_are_all_tests_of_the_design() {
        let of_rpc = SCENARIOS.iter().filter(|s| s.part != Part::Store).count();
        assert_eq!(tests(&[], &DESIGNS[0]).unwrap().len(), of_rpc);
    }

    #[test]
    fn a_part_is_whole_with_all_tests_that_the_design_can_play() {
        let [rpc, tick, ..] = DESIGNS else { panic!("two designs at least") };
        let select = |names: &[&str], design| {
            let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
            whole_parts(&tests(&names, design).unwrap(), design)
        };
        assert_eq!(select(&["2A", "figure8_2c"], rpc), [Part::P2A]);
        assert_eq!(select(&["2A", "2D"], tick), [Part::P2A, Part::P2D]);
        assert_eq!(select(&["figure8_2c"], tick), []);
    }

    #[test]
    fn the_fewest_words_select_the_same_tests() {
        let [rpc, tick, ..] = DESIGNS else { panic!("two designs at least") };
        for (words, design, fewest) in [
            (&[][..], tick, &[][..]),
            (&["figure8_2c", "2A"], rpc, &["2A", "figure8_2c"]),
            (&["2a", "2B"], tick, &["2A", "2B"]),
        ] {
            let words: Vec<_> = words.iter().map(|word| word.to_string()).collect();
            let names = |tests: Vec<&Scenario>| -> Vec<String> {
                tests.iter().map(|test| test.name.to_string()).collect()
            };
            let selected = names(tests(&words, design).unwrap());
            let found = words_for(&selected, Some(design));
            assert_eq!(found, fewest, "{words:?}");
            assert_eq!(names(tests(&found, design).unwrap()), selected, "{words:?}");
            assert_eq!(words_for(&selected, None), selected, "a design of another program");
        }
    }

    #[test]
    fn part_store_says_what_it_needs() {
        let needs = match cfg!(feature = "store") {
            true => "these tests need a service that design rpc lacks; try --design tick",
            false => "cargo build --release --features store",
        };
        for name in ["store", "basic_store"] {
            assert!(complaint(name).ends_with(needs), "{}", complaint(name));
        }
    }

    #[test]
    fn what_says_nothing_about_a_design_is_named() {
        let [rpc, tick, ..] = DESIGNS else { panic!("two designs at least") };
        let why = Unfit::RaftRpc;
        assert_eq!(left_out(&[], rpc, why), [""; 0]);
        let of_store = SCENARIOS.iter().filter(|s| s.part == Part::Store).count();
        assert_eq!(left_out(&[], rpc, Unfit::Service).len(), of_store);
        assert_eq!(left_out(&[], tick, Unfit::Service), [""; 0]);
        let names = ["2A", "figure8_2c"].map(str::to_string);
        let (played, left_out) = (tests(&names, tick).unwrap(), left_out(&names, tick, why));
        assert_eq!(played.len() + left_out.len(), tests(&names, rpc).unwrap().len());
        assert!(left_out.contains(&"vote_rules_2a"), "{left_out:?}");
    }

    #[test]
    fn a_typing_error_gets_the_nearest_name() {
        for (typed, meant) in [
            ("figure8_2d", "figure8_2c"),
            ("fig8_2c", "figure8_2c"),
            ("re-election-2a", "reelection_2a"),
            ("backup", "backup_2b or fast_backup_2c"),
            ("snapshot_instal_2d", "snapshot_install_2d"),
        ] {
            let complaint = complaint(typed);
            assert!(complaint.ends_with(&format!("did you mean {meant}?")), "{complaint}");
        }
        assert!(complaint("zzz").ends_with("see `raftlab list`"), "{}", complaint("zzz"));
    }

    #[test]
    fn newer_part_numbers_are_explained() {
        for (newer, ours) in [("3c", "3C is 2C here"), ("4b", "4B is 3A here")] {
            assert!(complaint(newer).contains(ours), "{}", complaint(newer));
        }
    }
}
