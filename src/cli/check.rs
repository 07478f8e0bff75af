//! `raftlab check`: is a recorded history linearizable?

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::checker::describe::Describe;
use crate::checker::explain::{self, Explanation};
use crate::checker::{self, Budget, Counterexample, Operation, Verdict, Why};
use crate::history::{self, Judge, Place, Recorded};
use crate::runtime::time;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::args::CheckArgs;
use crate::cli::exit::{Status, Trouble};
use crate::cli::output::{self, BAD, ODD};
use crate::cli::verdict::{ContradictionLine, OddLine, OperationLine, VerdictLine};
use crate::cli::{history_page, view};

/// Maximum width of the drawing, however wide the terminal is.
const WIDTH_MAX: u16 = 160;
/// The width of the output if standard output is no terminal.
const WIDTH: u16 = 100;

/// Judges one file and prints the verdict.
pub(super) fn check(args: &CheckArgs) -> Result<Status, Trouble> {
    let name = name(&args.file);
    let bytes = bytes(&args.file)?;
    let recorded = history::read(&bytes, args.model.map(Into::into))
        .map_err(|error| Trouble::Input(format!("{name}:{error}")))?;
    let clock = Clock::start(args.timeout);
    let judged = recorded.history.judge(Judging { clock: &clock, recorded: &recorded });
    if let Some(path) = &args.html {
        let wrong = judged.illegal.as_ref().map(|illegal| illegal.drawing.as_str());
        let (verdict, stop) = (name_of(&judged.verdict), || clock.stop());
        view::write(path, &history_page::page(&name, &recorded.history, verdict, wrong, &stop))?;
    }
    clock.end();
    let status = match judged.verdict {
        Verdict::Ok => Status::Passed,
        Verdict::Illegal(_) => Status::Failed,
        Verdict::Unknown(_) => Status::Undecided,
    };
    output::print(&if args.json {
        json(&recorded, judged)
    } else {
        text(args, &recorded, &judged)
    })?;
    Ok(status)
}

fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn name(file: &Path) -> String {
    if is_standard_input(file) { "standard input".into() } else { file.display().to_string() }
}

fn bytes(file: &Path) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let read = if is_standard_input(file) {
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| {
        let name = name(file);
        Trouble::Input(format!("cannot read {name}: {error}; give a file with a history, or -"))
    })
}

/// Stops the check at its timeout; before that, shows a spinner if standard error is a terminal.
struct Clock {
    start: Duration,
    timeout: Duration,
    shown: Cell<u64>,
    spinner: ProgressBar,
}

impl Clock {
    fn start(timeout: Duration) -> Clock {
        let style = ProgressStyle::with_template("{spinner} {msg}");
        Clock {
            start: time::since_start(),
            timeout,
            shown: Cell::new(0),
            spinner: ProgressBar::new_spinner()
                .with_style(style.expect("the template is in this file")),
        }
    }

    /// Whether the timeout has passed. Moves the spinner.
    fn stop(&self) -> bool {
        let gone = time::since_start().saturating_sub(self.start);
        // `stop` is called far more often than the spinner needs to turn.
        let frames = gone.as_secs() * 10 + u64::from(gone.subsec_millis()) / 100;
        if self.shown.replace(frames) != frames {
            let (gone, most) = (gone.as_secs(), humantime::format_duration(self.timeout));
            self.spinner.set_message(format!("judging for {gone} s, {most} at most"));
            self.spinner.tick();
        }
        gone >= self.timeout
    }

    fn end(&self) {
        self.spinner.finish_and_clear();
    }
}

/// The verdict, and its explanation.
struct Judged {
    verdict: Verdict,
    /// The explanation; `None` unless the history is not linearizable.
    illegal: Option<Illegal>,
}

/// Why a history is not linearizable.
struct Illegal {
    /// The drawing with its text.
    drawing: String,
    line: ContradictionLine,
}

struct Judging<'a> {
    clock: &'a Clock,
    recorded: &'a Recorded,
}

impl Judge for Judging<'_> {
    type Output = Judged;

    fn judge<M: Describe>(
        self,
        model: &M,
        operations: &[Operation<M::Input, M::Output>],
    ) -> Judged {
        let stop = || self.clock.stop();
        let budget = Budget { steps: u64::MAX, stop: Some(&stop), ..Budget::default() };
        let verdict = checker::check(model, operations, &budget);
        let illegal = match &verdict {
            Verdict::Illegal(why) => {
                let explained = explain::explain_within(model, operations, why, &budget);
                let explained = explained.as_ref();
                let (all, places) = (operations, &self.recorded.places);
                Some(Illegal {
                    drawing: explain::render_explained(model, all, why, explained, width()),
                    line: contradiction(model, all, why, explained, places),
                })
            }
            _ => None,
        };
        Judged { verdict, illegal }
    }
}

/// The counterexample, as `--json` shows it.
fn contradiction<M: Describe>(
    model: &M,
    operations: &[Operation<M::Input, M::Output>],
    why: &Counterexample,
    explained: Option<&Explanation>,
    places: &[Place],
) -> ContradictionLine {
    let line = |index: &usize| OperationLine {
        line: places[*index].line,
        client: operations[*index].client,
        call: operations[*index].call,
        r#return: operations[*index].returned.as_ref().map(|(at, _)| *at),
        operation: explain::operation(model, &operations[*index]),
    };
    let odd = explained.map(|explanation| OddLine {
        operation: line(&explanation.odd),
        after: explanation.order.iter().map(line).collect(),
        state: explanation.state.clone(),
        right_answer: explanation.right_answer.clone(),
    });
    ContradictionLine {
        minimal: why.minimal,
        conflict: why.conflict.iter().map(line).collect(),
        context: why.context.iter().map(line).collect(),
        cannot_be_placed: odd,
    }
}

/// The width of the drawing.
fn width() -> usize {
    let columns = console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| columns);
    usize::from(columns.min(WIDTH_MAX))
}

fn text(args: &CheckArgs, recorded: &Recorded, judged: &Judged) -> String {
    let (name, format) = (name(&args.file), recorded.format.name());
    let operations = counted(recorded.history.len());
    let model = recorded.history.model().name();
    let told = if args.model.is_none() { ", inferred from the operations" } else { "" };
    let mut text = format!("{name}: {format}, {operations}; model {model}{told}\n");
    match &judged.verdict {
        Verdict::Ok => text.push_str("linearizable\n"),
        Verdict::Illegal(why) => {
            let what = match (why.conflict.len(), why.minimal) {
                (1, _) => "1 operation cannot be right".to_string(),
                (n, true) => format!("{n} operations cannot all be right (none can be left out)"),
                (n, false) => format!("{n} operations cannot all be right (fewer may be enough)"),
            };
            let _ = writeln!(text, "{BAD}not linearizable{BAD:#}: {what}\n");
        }
        Verdict::Unknown(why) => {
            let _ = writeln!(text, "{ODD}undecided{ODD:#}: {}", ran_out(*why, args.timeout));
        }
    }
    let Some(illegal) = &judged.illegal else { return text };
    text.push_str(&painted(&illegal.drawing));
    if let Some(odd) = &illegal.line.cannot_be_placed {
        let _ = writeln!(text, "  its call is at           {name}:{}", odd.operation.line);
    }
    text
}

fn counted(operations: usize) -> String {
    format!("{operations} operation{}", if operations == 1 { "" } else { "s" })
}

const fn name_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "linearizable",
        Verdict::Illegal(_) => "not linearizable",
        Verdict::Unknown(_) => "undecided",
    }
}

fn json(recorded: &Recorded, judged: Judged) -> String {
    let why = match judged.verdict {
        Verdict::Ok | Verdict::Illegal(_) => None,
        Verdict::Unknown(Why::Stopped) => Some("timeout"),
        Verdict::Unknown(Why::Memory) => Some("memory"),
        Verdict::Unknown(Why::Steps) => Some("steps"),
    };
    let line = VerdictLine {
        verdict: name_of(&judged.verdict),
        why,
        format: recorded.format.name(),
        model: recorded.history.model().name(),
        operations: recorded.history.len(),
        contradiction: judged.illegal.map(|illegal| illegal.line),
    };
    serde_json::to_string(&line).expect("a verdict has string keys only") + "\n"
}

/// The drawing, with the lines of the operation that cannot be placed in colour.
fn painted(drawing: &str) -> String {
    drawing.lines().fold(String::new(), |mut text, line| {
        let _ = if line.starts_with(explain::ODD) {
            writeln!(text, "{BAD}{line}{BAD:#}")
        } else {
            writeln!(text, "{line}")
        };
        text
    })
}

fn ran_out(why: Why, timeout: Duration) -> String {
    let timeout = humantime::format_duration(timeout);
    match why {
        Why::Stopped => format!("no verdict within {timeout}; give more time with --timeout"),
        Why::Memory => "memory ran out; judge a part of the history on its own".to_string(),
        Why::Steps => "no verdict within the largest number of steps that exists".to_string(),
    }
}
