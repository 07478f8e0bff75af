//! A grade in words: for the student, and a table for the class.

use std::fmt::Write;

use super::mark::{Grade, TestGrade, cents};
use super::policy::Policy;
use crate::lab::find_hint;

/// What the student gets, in Markdown. No seed is in it that students do not know.
pub(super) fn feedback(grade: &Grade, policy: &Policy) -> String {
    let (passed, all) = grade.counts();
    let mut text = format!(
        "# {}: {}\n\n**{} of {} points**; {passed} of {all} tests pass.\n",
        grade.course, grade.name, grade.points, grade.points_max
    );
    if grade.days_late > 0 {
        let (days, in_time) = (grade.days_late, grade.points_in_time);
        let _ = writeln!(text, "\n{days} days late; {in_time} points in time.");
    }
    if let Some(why) = &grade.refused {
        let _ = writeln!(text, "\nNo test was run:\n\n```text\n{}\n```", why.trim_end());
    }
    if !grade.ignored.is_empty() {
        let shown: Vec<_> = grade.ignored.iter().take(10).map(|path| format!("`{path}`")).collect();
        let more = grade.ignored.len() - shown.len();
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let own: Vec<_> = policy.track.own().iter().map(|own| format!("`{own}`")).collect();
        let _ = writeln!(
            text,
            "\nOnly what is in {} counts. Changed or new, and not used: {}{more}.",
            own.join(" and "),
            shown.join(", ")
        );
    }
    if grade.refused.is_some() {
        return text;
    }
    let failed: Vec<&TestGrade> = grade.tests.iter().filter(|test| !test.is_passed()).collect();
    if !failed.is_empty() {
        text.push_str("\n## What failed\n");
    }
    for test in failed {
        text.push_str(&of_test(test, policy));
    }
    text.push_str("\n## All tests\n\n| Test | Part | Passed | Needed | Points |\n");
    text.push_str("| --- | --- | --- | --- | --- |\n");
    for test in &grade.tests {
        let TestGrade { test: name, part, need, passed, .. } = test;
        let (points, max) = (cents(test.points), cents(test.points_max));
        let runs = test.runs.len();
        let _ =
            writeln!(text, "| {name} | {part} | {passed} of {runs} | {need} | {points} of {max} |");
    }
    text
}

/// The first cause, the hint, and the command that shows the failure.
fn of_test(test: &TestGrade, policy: &Policy) -> String {
    let (name, passed, runs) = (test.test, test.passed, test.runs.len());
    let mut text = format!("\n### {name}: {passed} of {runs} runs pass\n\n");
    let Some(run) = test.first_failure() else { return text };
    let Some(cause) = &run.cause else { return text };
    let _ = writeln!(text, "```text\nbroken  {}: {}\n```\n", cause.name, cause.message);
    if let Some(hint) = find_hint(&cause.name) {
        let _ = writeln!(text, "{}\n", hint.title);
    }
    let course = match policy.schedule.as_str() {
        "random" => String::new(),
        schedule => format!(" --schedule {schedule}"),
    };
    let _ = match run.public {
        true => writeln!(
            text,
            "See it: `cargo run --release -- replay {name} --seed {}{course}`",
            run.seed
        ),
        false => writeln!(
            text,
            "It passes with the seeds 1 to {}, and fails with others. Find one: `cargo run --release \
             -- test {name} --until-fail 1{course}`",
            policy.public
        ),
    };
    text
}

/// The class, one line per submission, in Markdown.
pub(super) fn of_class(grades: &[Grade]) -> String {
    let mut text = String::from(
        "| Submission | Points | Of | Tests | CPU s | Build CPU s | MB | First failure |\n",
    );
    text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n");
    for grade in grades {
        let Grade { name, points, points_max, cpu_s, build_cpu_s, memory_mb, .. } = grade;
        let (passed, all) = grade.counts();
        let first = first_failure(grade).replace('|', "\\|");
        let _ = writeln!(
            text,
            "| {name} | {points} | {points_max} | {passed} of {all} | {cpu_s} | {build_cpu_s} | \
             {memory_mb} | {first} |"
        );
    }
    text
}

/// The first test that failed, and why, in a line; the reason if no test was run.
pub(super) fn first_failure(grade: &Grade) -> String {
    let line = |text: &str| text.lines().next().unwrap_or_default().to_string();
    if let Some(why) = &grade.refused {
        return line(why);
    }
    let Some(test) = grade.tests.iter().find(|test| !test.is_passed()) else {
        return String::new();
    };
    let cause = test.first_failure().and_then(|run| run.cause.as_ref());
    let why = cause.map(|cause| format!("{}: {}", cause.name, line(&cause.message)));
    format!("{}: {}", test.test, why.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::grade::mark::testing::graded;
    use crate::cli::grade::policy::testing::policy;

    const POINTS: &str = "[[points]]\nof = ['initial_election_2a']\npoints = 20\n";

    /// The feedback if the third of four runs fails, of which the first `public` are known.
    fn told(public: usize) -> String {
        let policy = policy(POINTS);
        let mut grade = graded(&policy, [true, true, false, true], 0);
        for (number, run) in grade.tests[0].runs.iter_mut().enumerate() {
            (run.seed, run.public) = (70 + number as u64, number < public);
        }
        feedback(&grade, &policy)
    }

    #[test]
    fn a_public_failure_comes_with_the_command_that_shows_it() {
        let text = told(4);
        assert!(text.contains("replay initial_election_2a --seed 72`"), "{text}");
        assert!(text.contains("broken  no result: no reason"), "{text}");
        assert!(text.contains("| initial_election_2a | 2A | 3 of 4 | 4 | 0 of 20 |"), "{text}");
    }

    #[test]
    fn no_private_seed_is_told() {
        let text = told(2);
        assert!(!text.contains("72"), "{text}");
        assert!(text.contains("test initial_election_2a --until-fail 1`"), "{text}");
    }

    #[test]
    fn a_refused_submission_and_unused_files_say_why() {
        let policy = policy(POINTS);
        let mut grade = graded(&policy, [true; 4], 0);
        grade.refused = Some("error: no".to_string());
        grade.ignored = (0..12).map(|number| format!("f{number}")).collect();
        let text = feedback(&grade, &policy);
        assert!(text.contains("No test was run:\n\n```text\nerror: no\n```"), "{text}");
        assert!(text.contains("in `src/raft` and `src/kv` counts. Changed"), "{text}");
        assert!(text.contains("`f9`, and 2 more."), "{text}");
        assert!(of_class(&[grade]).contains("| error: no |"));
    }
}
