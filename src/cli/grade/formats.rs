//! A grade in the formats that other programs read.

use std::fmt::Write;

use serde_json::{Value, json};

use super::mark::{Grade, TestGrade, cents};
use super::policy::Policy;
use super::words;

/// Gradescope's `results.json`.
pub(super) fn gradescope(grade: &Grade, policy: &Policy) -> Value {
    let tests = grade.tests.iter().map(|test| {
        json!({
            "name": test.test,
            "number": test.part,
            "score": cents(test.points),
            "max_score": cents(test.points_max),
            "status": if test.is_passed() { "passed" } else { "failed" },
            "output": cause(test),
            "visibility": "visible",
        })
    });
    json!({
        "score": grade.points,
        "output": words::feedback(grade, policy),
        "output_format": "md",
        "stdout_visibility": "hidden",
        "tests": tests.collect::<Vec<_>>(),
        "extra_data": {
            "build_cpu_s": grade.build_cpu_s,
            "cpu_s": grade.cpu_s,
            "days_late": grade.days_late,
            "memory_mb": grade.memory_mb,
        },
    })
}

/// JUnit XML: a suite per part, as most servers for continuous integration read it.
pub(super) fn junit(grade: &Grade) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (passed, all) = grade.counts();
    let name = escaped(&grade.name);
    let failed = all - passed;
    let _ = writeln!(text, "<testsuites name=\"{name}\" tests=\"{all}\" failures=\"{failed}\">");
    for part in grade.tests.chunk_by(|one, next| one.part == next.part) {
        let failed = part.iter().filter(|test| !test.is_passed()).count();
        let (name, tests) = (part[0].part, part.len());
        let _ =
            writeln!(text, "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\">");
        for test in part {
            let seconds = test.runs.iter().map(|run| run.cpu_ms).sum::<f64>() / 1e3;
            let start =
                format!("classname=\"{name}\" name=\"{}\" time=\"{seconds:.3}\"", test.test);
            let _ = match test.is_passed() {
                true => writeln!(text, "    <testcase {start}/>"),
                false => writeln!(
                    text,
                    "    <testcase {start}><failure message=\"{}\"/></testcase>",
                    escaped(&cause(test))
                ),
            };
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// The headings of the class's table.
pub(super) const COLUMNS: [&str; 10] = [
    "name",
    "points",
    "points_max",
    "tests_passed",
    "tests",
    "days_late",
    "cpu_s",
    "build_cpu_s",
    "memory_mb",
    "reason",
];

/// The row of a submission.
pub(super) fn cells(grade: &Grade) -> [String; 10] {
    let (passed, all) = grade.counts();
    let Grade { name, points, points_max, days_late, cpu_s, build_cpu_s, memory_mb, .. } = grade;
    [
        name.clone(),
        points.to_string(),
        points_max.to_string(),
        passed.to_string(),
        all.to_string(),
        days_late.to_string(),
        cpu_s.to_string(),
        build_cpu_s.to_string(),
        memory_mb.to_string(),
        words::first_failure(grade),
    ]
}

/// The class as CSV: a line per submission. The first and the last field are always quoted.
pub(super) fn csv(grades: &[Grade]) -> String {
    let mut text = COLUMNS.join(",") + "\n";
    for grade in grades {
        let mut cells = cells(grade);
        for words in [0, COLUMNS.len() - 1] {
            cells[words] = format!("\"{}\"", cells[words].replace('"', "\"\""));
        }
        let _ = writeln!(text, "{}", cells.join(","));
    }
    text
}

/// GitHub's annotations: a line per test that failed.
pub(super) fn annotations(grade: &Grade) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut text = String::new();
    if let Some(why) = &grade.refused {
        let _ = writeln!(text, "::error title={}::{}", property(&grade.name), data(why));
    }
    for test in grade.tests.iter().filter(|test| grade.refused.is_none() && !test.is_passed()) {
        let title = property(&format!("{} {}", grade.name, test.test));
        let _ = writeln!(text, "::error title={title}::{}", data(&cause(test)));
    }
    text
}

/// The first cause of a test's failure; empty if it passed.
fn cause(test: &TestGrade) -> String {
    let run = test.first_failure().filter(|_| !test.is_passed());
    let cause = run.and_then(|run| run.cause.as_ref());
    cause.map(|cause| format!("{}: {}", cause.name, cause.message)).unwrap_or_default()
}

/// `text` in an attribute of XML, which allows few control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::grade::mark::testing::graded;
    use crate::cli::grade::policy::testing::policy;
    use crate::cli::grade::trial::Cause;

    /// A grade whose only test fails with this message.
    fn failed(message: &str) -> (Grade, Policy) {
        let policy = policy("[[points]]\nof = ['initial_election_2a']\npoints = 20\n");
        let mut grade = graded(&policy, [false, true, true, true], 0);
        let (name, message) = ("panic".to_string(), message.to_string());
        grade.tests[0].runs[0].cause = Some(Cause { name, message });
        (grade, policy)
    }

    #[test]
    fn gradescope_reads_score_and_tests() {
        let (grade, policy) = failed("over");
        let value = gradescope(&grade, &policy);
        assert_eq!((&value["score"], &value["tests"][0]["max_score"]), (&json!(0.0), &json!(20.0)));
        assert_eq!(value["tests"][0]["status"], json!("failed"));
        assert_eq!(value["tests"][0]["output"], json!("panic: over"));
    }

    #[test]
    fn what_a_stranger_prints_stays_text() {
        let (grade, _) = failed("a <b> \"c\" & \u{1} % ,:\nsecond, \u{fffe}");
        let xml = junit(&grade);
        let text = "panic: a &lt;b&gt; &quot;c&quot; &amp; \u{fffd} % ,:&#10;second, \u{fffd}";
        assert!(xml.contains(text), "{xml}");
        assert!(xml.contains("<testsuite name=\"2A\" tests=\"1\" failures=\"1\">"), "{xml}");
        let lines = annotations(&grade);
        assert_eq!(lines.lines().count(), 1, "{lines}");
        let start = "::error title=ann initial_election_2a::panic: a <b>";
        assert!(lines.starts_with(start) && lines.contains("%25 ,:%0Asecond"), "{lines}");
    }

    #[test]
    fn a_line_per_submission_whatever_the_reason() {
        let (grade, _) = failed("he said \"no\",\nand more");
        let text = csv(&[grade]);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with("\"initial_election_2a: panic: he said \"\"no\"\",\"\n"), "{text}");
    }
}
