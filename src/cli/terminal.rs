//! The whole terminal as a screen.

use std::io;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, enable_raw_mode};
use ratatui::{DefaultTerminal, Terminal};

use crate::cli::exit::Trouble;

/// The terminal, which is as before when this is dropped.
pub(super) struct Screen(pub(super) DefaultTerminal);

impl Screen {
    pub(super) fn open() -> Result<Screen, Trouble> {
        // Not ratatui::try_init: it sets a panic hook, which a panic inside of a run would call.
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).map_err(cannot_use)?;
        enable_raw_mode().map_err(cannot_use)?;
        let screen = Screen(terminal);
        execute!(io::stdout(), EnterAlternateScreen).map_err(cannot_use)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn cannot_use(error: io::Error) -> Trouble {
    Trouble::Machine(format!("cannot use the terminal: {error}"))
}
