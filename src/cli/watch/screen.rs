//! Draws the state of all tests on one screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::Phase;
use super::board::{Board, State};
use crate::cli::output;

/// The minimum number of lines for the failure.
const FAILURE_LINES: u16 = 8;

pub(super) fn draw(frame: &mut Frame<'_>, board: &Board, phase: &Phase) {
    let [top, tests, bottom, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(rows(board, frame.area())),
        Constraint::Min(FAILURE_LINES),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title(board, phase), top);
    draw_tests(frame, tests, board);
    let (heading, text) = match (phase, &board.failure) {
        (Phase::Broken(text), _) => ("the compiler says", text.clone()),
        (_, Some(failure)) => {
            let again = output::here(&failure.replay);
            let (test, seed, message) = (&failure.test, failure.seed, &failure.message);
            ("the first failure", format!("{test}, seed {seed}: {message}\n\nagain  {again}"))
        }
        _ => ("", String::new()),
    };
    let block = Block::bordered().title(heading);
    let text = Paragraph::new(Text::raw(text)).wrap(Wrap { trim: false }).block(block);
    frame.render_widget(text, bottom);
    let dim = Style::new().add_modifier(Modifier::DIM);
    frame.render_widget(Line::styled("r run again   q leave", dim), keys);
}

/// What happens now, and how far it is.
fn title(board: &Board, phase: &Phase) -> Line<'static> {
    let failed = board.tests.iter().filter(|test| matches!(test.state, State::Failed(_))).count();
    let bold = |color| Style::new().fg(color).add_modifier(Modifier::BOLD);
    let (text, style) = match phase {
        Phase::Building => ("builds".to_string(), bold(Color::Yellow)),
        Phase::Broken(_) => ("does not compile".to_string(), bold(Color::Red)),
        Phase::Again(test, seed) => {
            (format!("runs {test} with seed {seed} again"), bold(Color::Yellow))
        }
        Phase::Testing => ("runs the tests".to_string(), bold(Color::Yellow)),
        Phase::Ended(Some(what)) => (what.clone(), bold(Color::Red)),
        Phase::Ended(None) if failed > 0 => ("failed".to_string(), bold(Color::Red)),
        Phase::Ended(None) => ("passed".to_string(), bold(Color::Green)),
    };
    let (runs, tests) = (board.runs, board.tests.len());
    let rest = format!("; {runs} runs, {failed} of {tests} tests failed");
    Line::from(vec![Span::styled(text, style), Span::raw(rest)])
}

/// The width of a test on the screen.
fn width(board: &Board) -> u16 {
    let longest = board.tests.iter().map(|test| test.name.len()).max().unwrap_or(0);
    // A mark before the name, a space behind it.
    u16::try_from(longest + 3).unwrap_or(u16::MAX)
}

/// The number of lines that the tests need, as far as there are.
fn rows(board: &Board, area: Rect) -> u16 {
    let columns = usize::from((area.width / width(board)).max(1));
    let rows = u16::try_from(board.tests.len().div_ceil(columns)).unwrap_or(u16::MAX);
    rows.min(area.height.saturating_sub(FAILURE_LINES + 2)).max(1)
}

/// The tests in columns. If not all fit, those that failed come first.
fn draw_tests(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    let columns = usize::from((area.width / width(board)).max(1));
    let room = columns * usize::from(area.height);
    let mut tests: Vec<_> = board.tests.iter().collect();
    if tests.len() > room {
        tests.sort_by_key(|test| !matches!(test.state, State::Failed(_)));
    }
    let rows = usize::from(area.height).max(1);
    let mut lines = vec![Line::default(); rows];
    for (number, test) in tests.into_iter().take(room).enumerate() {
        let (mark, style) = match test.state {
            State::Waiting => ('·', Style::new().add_modifier(Modifier::DIM)),
            State::Passing(_) => ('✓', Style::new().fg(Color::Green)),
            State::Failed(_) => ('✗', Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)),
        };
        let width = usize::from(width(board)) - 2;
        let text = format!("{mark} {:<width$}", test.name);
        // Down the columns: the tests of a part stand together.
        lines[number % rows].push_span(Span::styled(text, style));
    }
    frame.render_widget(Paragraph::new(lines), area);
}
