//! `raftlab watch`: after each save, builds and runs the tests; one screen shows them all.
//!
//! ```text
//! a save ──► build ──► the last failing run again ──► all chosen tests ──► wait for a save
//! saves.rs   build.rs  runs.rs: the program that was built, as a child; board.rs reads its report
//! ```

#![allow(clippy::disallowed_methods, reason = "this code is outside any run: it waits for saves")]

mod board;
mod build;
mod runs;
mod saves;
mod screen;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::cli::args::WatchArgs;
use crate::cli::exit::{Status, Trouble};
use crate::cli::select;
use crate::cli::terminal::{Screen, cannot_use};
use board::Board;
use build::{Built, Plan};
use runs::{Report, Runs};
use saves::Saves;

/// How often the screen is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// What the program does now.
enum Phase {
    /// The program is built.
    Building,
    /// It does not compile; the compiler's words.
    Broken(String),
    /// The last failing run is repeated: its test and its seed.
    Again(String, u64),
    /// The chosen tests run.
    Testing,
    /// All is done; or the program ended in an odd way.
    Ended(Option<String>),
}

/// Builds and tests until the user leaves.
pub(super) fn watch(args: &WatchArgs) -> Result<Status, Trouble> {
    let design = args.course.design();
    let tests = select::tests(&args.names, design)?;
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        let message = "watch needs a terminal; use test to run the tests once";
        return Err(Trouble::Input(message.to_string()));
    }
    let plan = Plan::of_this_program()?;
    let saves = Saves::of(&plan.root())?;
    let names: Vec<&str> = tests.iter().map(|test| test.name).collect();
    let mut watch = Watch {
        board: Board::new(&names),
        tests: args.arguments(&names),
        again: args.course.arguments(),
        built: plan.begin(),
        plan,
        saves,
        phase: Phase::Building,
        program: PathBuf::new(),
        runs: None,
        report: Report::new()?,
    };
    let mut screen = Screen::open()?;
    loop {
        let draw = screen.0.draw(|frame| screen::draw(frame, &watch.board, &watch.phase));
        draw.map_err(cannot_use)?;
        match next_key().map_err(cannot_use)? {
            Some(Key::Leave) => return Ok(Status::Passed),
            Some(Key::Run) => watch.begin_again(),
            None => watch.go_on()?,
        }
    }
}

/// What the user may press.
enum Key {
    Run,
    Leave,
}

/// Waits for a key, but not for long.
fn next_key() -> io::Result<Option<Key>> {
    if !event::poll(FRAME)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => meaning(key),
        _ => None,
    })
}

fn meaning(key: KeyEvent) -> Option<Key> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => Some(Key::Leave),
        KeyCode::Char('q') | KeyCode::Esc => Some(Key::Leave),
        KeyCode::Char('r') | KeyCode::Enter => Some(Key::Run),
        _ => None,
    }
}

struct Watch {
    board: Board,
    /// The arguments for the chosen tests.
    tests: Vec<String>,
    /// The arguments for any run of the same kind.
    again: Vec<String>,
    plan: Plan,
    saves: Saves,
    phase: Phase,
    /// The result of the latest build.
    built: Receiver<Built>,
    /// The program that was built last.
    program: PathBuf,
    runs: Option<Runs>,
    report: Report,
}

impl Watch {
    /// Stops what runs, and builds.
    fn begin_again(&mut self) {
        self.runs = None;
        self.board.begin_again();
        self.built = self.plan.begin();
        self.phase = Phase::Building;
    }

    /// Looks what has happened, and begins what comes next.
    fn go_on(&mut self) -> Result<(), Trouble> {
        if self.saves.are_over() {
            self.begin_again();
        }
        if matches!(self.phase, Phase::Building) {
            match self.built.try_recv() {
                Ok(Ok(program)) => {
                    self.program = program;
                    self.begin_runs()?;
                }
                Ok(Err(text)) => self.phase = Phase::Broken(text),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
        }
        let Some(runs) = &mut self.runs else { return Ok(()) };
        let (lines, end) = runs.news();
        for line in lines {
            self.board.take(&line);
        }
        match end {
            Some(status) => self.end_runs(status),
            None => Ok(()),
        }
    }

    /// Repeats the last failing run, if there is one that has not passed since.
    fn begin_runs(&mut self) -> Result<(), Trouble> {
        let Some((test, seed)) = self.board.unsolved.clone() else { return self.begin_tests() };
        let words = ["test", &test, "--runs", "1", "--seed", &seed.to_string()].map(str::to_string);
        let arguments = [&words[..], &self.again].concat();
        self.runs = Some(Runs::start(&self.program, &arguments, &self.report)?);
        self.phase = Phase::Again(test, seed);
        Ok(())
    }

    fn begin_tests(&mut self) -> Result<(), Trouble> {
        // The runs before are over: their file may be written again.
        self.runs = None;
        self.runs = Some(Runs::start(&self.program, &self.tests, &self.report)?);
        self.phase = Phase::Testing;
        Ok(())
    }

    fn end_runs(&mut self, status: ExitStatus) -> Result<(), Trouble> {
        let knows = |code: i32| (0..4).contains(&code) && code != 2;
        let odd = !status.code().is_some_and(knows);
        self.runs = None;
        match &self.phase {
            Phase::Again(..) if !odd => self.begin_tests(),
            _ => {
                let what = format!("the program ended with {status}");
                self.phase = Phase::Ended(odd.then_some(what));
                Ok(())
            }
        }
    }
}
