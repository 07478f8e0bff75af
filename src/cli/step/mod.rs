//! `raftlab step`: walks through one run, event by event, and tries other courses of it.
//!
//! Files: [`walk`] (the run, and the reader's place in it), [`keys`] (which key does what),
//! [`screen`] (draws the walk).

mod keys;
mod screen;
#[cfg(test)]
mod tests;
mod walk;

use std::io::{self, IsTerminal};

use ratatui::backend::Backend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::{DefaultTerminal, Terminal};

use crate::cli::args::StepArgs;
use crate::cli::exit::{Status, Trouble};
use crate::cli::terminal::{Screen, cannot_use};
use crate::cli::{output, select};
use keys::Wish;
use screen::Courses;
use walk::Walk;

/// Shows the run until the user leaves. Then prints the line that repeats the run as it was left,
/// and gives status 1 if that run fails.
pub(super) fn step(args: &StepArgs) -> Result<Status, Trouble> {
    let design = args.run.course.design();
    let scenario = select::test(&args.run.name, design)?;
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        let message = "step needs a terminal; use replay to print the run";
        return Err(Trouble::Input(message.to_string()));
    }
    let mut session = Session::new(Walk::new(scenario, design, args.run.config()));
    {
        let mut screen = Screen::open()?;
        while let Some(wish) = next_wish(&mut screen.0, &session).map_err(cannot_use)? {
            if !session.grant(wish) {
                break;
            }
        }
    }
    let report = session.walk.report();
    output::print(&format!("{}\n", output::here(&report.replay_line())))?;
    Ok(if report.failure.is_some() { Status::Failed } else { Status::Passed })
}

/// Draws, and waits for a key that asks for something. `None`: there will be no more keys.
fn next_wish(terminal: &mut DefaultTerminal, session: &Session) -> io::Result<Option<Wish>> {
    loop {
        session.draw(terminal)?;
        match event::read() {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                if let Some(wish) = keys::wish(key) {
                    return Ok(Some(wish));
                }
            }
            // A new size: draw again.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// A walk with what is on the screen beside it.
struct Session {
    walk: Walk,
    courses: Option<Courses>,
    /// The answer to the last key.
    said: String,
}

impl Session {
    fn new(walk: Walk) -> Session {
        Session { walk, courses: None, said: String::new() }
    }

    fn draw<B: Backend>(&self, terminal: &mut Terminal<B>) -> Result<(), B::Error> {
        terminal
            .draw(|frame| screen::draw(frame, &self.walk, self.courses.as_ref(), &self.said))?;
        Ok(())
    }

    /// Does what the user wishes. Returns false when the user leaves.
    fn grant(&mut self, wish: Wish) -> bool {
        self.said.clear();
        match &mut self.courses {
            Some(_) => self.choose(wish),
            None if wish == Wish::Leave => return false,
            None => self.go(wish),
        }
        true
    }

    fn go(&mut self, wish: Wish) {
        let walk = &mut self.walk;
        let found = match wish {
            Wish::Forth(sight) => walk.forth(sight),
            Wish::Back(sight) => walk.back(sight),
            Wish::First => {
                walk.go_to(0);
                true
            }
            Wish::Last => {
                walk.go_to(usize::MAX);
                true
            }
            Wish::ShowAll => {
                walk.show_all(!walk.shows_all());
                true
            }
            Wish::Undo => walk.undo(),
            Wish::Courses => {
                let all = walk.courses();
                let some = !all.is_empty();
                self.courses = some.then_some(Courses { all, at: 0 });
                some
            }
            Wish::Choose | Wish::Leave => true,
        };
        if !found {
            self.said = "there is none".to_string();
        }
    }

    fn choose(&mut self, wish: Wish) {
        let Some(courses) = &mut self.courses else { return };
        match wish {
            Wish::Forth(_) => courses.at = (courses.at + 1).min(courses.all.len() - 1),
            Wish::Back(_) => courses.at = courses.at.saturating_sub(1),
            Wish::First => courses.at = 0,
            Wish::Last => courses.at = courses.all.len() - 1,
            Wish::Choose => {
                let course = courses.all.swap_remove(courses.at);
                self.courses = None;
                self.walk.take(course.timer);
                self.said = format!("first: {}", course.what);
            }
            Wish::Leave => self.courses = None,
            Wish::ShowAll | Wish::Courses | Wish::Undo => {}
        }
    }
}
