//! Draws a walk: the run, its servers, and the events around the reader's place.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::keys;
use super::walk::{Course, Walk};
use crate::record::{Role, Stamped};
use crate::view;

/// The other courses that the user may choose from.
pub(super) struct Courses {
    pub(super) all: Vec<Course>,
    /// The one that is marked.
    pub(super) at: usize,
}

/// Draws everything. `said` is the answer to the last key.
pub(super) fn draw(frame: &mut Frame<'_>, walk: &Walk, courses: Option<&Courses>, said: &str) {
    let servers = servers(walk);
    // A line of a server may take two on the screen.
    let width = usize::from(frame.area().width).max(1);
    let taken: usize = servers.iter().map(|line| line.width().div_ceil(width).max(1)).sum();
    let height = u16::try_from(taken).unwrap_or(u16::MAX).min(frame.area().height / 2);
    let rooms = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(height),
        Constraint::Min(3),
        Constraint::Length(3),
    ]);
    let [top, middle, events, bottom] = rooms.areas(frame.area());
    frame.render_widget(title(walk), top);
    let servers = Paragraph::new(Text::from(servers)).wrap(Wrap { trim: false });
    frame.render_widget(servers, middle);
    draw_events(frame, events, walk);
    let help = if courses.is_some() { keys::COURSES_HELP } else { keys::HELP };
    let dim = Style::new().add_modifier(Modifier::DIM);
    let mut last = Text::styled(help, dim);
    last.lines.insert(0, Line::raw(said));
    frame.render_widget(Paragraph::new(last), bottom);
    if let Some(courses) = courses {
        draw_courses(frame, events, courses);
    }
}

/// Which run it is, and which event of how many.
fn title(walk: &Walk) -> Paragraph<'_> {
    let report = walk.report();
    let verdict = match &report.failure {
        Some(failure) => format!("{} breaks at {:.6} s", failure.name, failure.at.as_secs_f64()),
        None => "nothing fails".to_string(),
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let first = Line::from(vec![
        Span::styled(report.test, bold),
        Span::raw(format!(", seed {}, {}: {verdict}", report.seed, report.design)),
    ]);
    let turns = match report.turns.iter().count() {
        0 => String::new(),
        1 => "; another course".to_string(),
        many => format!("; another course, {many} turns"),
    };
    let kind = if walk.shows_all() { "all events" } else { "events" };
    let (at, len) = (walk.at() + 1, walk.events().len());
    Paragraph::new(vec![first, Line::raw(format!("{kind}: {at} of {len}{turns}"))])
}

/// A line for each server after the event.
fn servers(walk: &Walk) -> Vec<Line<'static>> {
    let who = walk.event().and_then(|stamped| stamped.event.who?.server());
    let state = walk.state();
    let lines = state.servers().iter().enumerate().map(|(slot, server)| {
        let mut style = match (server.up, server.role) {
            (false, _) => Style::new().add_modifier(Modifier::DIM),
            (true, Role::Leader) => Style::new().fg(Color::Yellow),
            (true, Role::Candidate) => Style::new().fg(Color::Magenta),
            (true, Role::Follower) => Style::new(),
        };
        let here = who.is_some_and(|who| who.slot() == slot);
        if here {
            style = style.add_modifier(Modifier::BOLD);
        }
        let mark = if here { '▶' } else { ' ' };
        Line::styled(format!("{mark} S{slot}  {server}"), style)
    });
    lines.collect()
}

/// The events around the reader's event, which is in the middle.
fn draw_events(frame: &mut Frame<'_>, area: Rect, walk: &Walk) {
    let block = Block::bordered().title("events");
    let height = usize::from(block.inner(area).height);
    let first = walk.at().saturating_sub(height / 2);
    let first = first.min(walk.events().len().saturating_sub(height));
    let lines = walk.events().enumerate().skip(first).take(height);
    let lines: Vec<_> = lines.map(|(number, it)| event(it, number == walk.at())).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn event(stamped: &Stamped, here: bool) -> Line<'static> {
    let who = stamped.event.who.map(|who| who.to_string()).unwrap_or_default();
    let mut style = style_of(stamped);
    if here {
        style = style.add_modifier(Modifier::REVERSED);
    }
    let at = stamped.at.as_secs_f64();
    Line::styled(format!("{at:>12.6}  {who:<3} {}", stamped.event.what), style)
}

/// The style of the event's topic, as in the other views.
fn style_of(stamped: &Stamped) -> Style {
    let style = view::style_of(stamped.event.what.topic());
    let mut shown = Style::new();
    if let Some(anstyle::Color::Ansi(color)) = style.get_fg_color() {
        shown = shown.fg(Color::Indexed(anstyle::Ansi256Color::from(color).index()));
    }
    if style.get_effects().contains(anstyle::Effects::BOLD) {
        shown = shown.add_modifier(Modifier::BOLD);
    }
    if style.get_effects().contains(anstyle::Effects::DIMMED) {
        shown = shown.add_modifier(Modifier::DIM);
    }
    shown
}

/// The list of other courses, above the events.
fn draw_courses(frame: &mut Frame<'_>, area: Rect, courses: &Courses) {
    let block = Block::bordered().title("what goes first from here? all that is due sooner waits");
    let height = usize::from(block.inner(area).height);
    let first = (courses.at + 1).saturating_sub(height);
    let lines: Vec<_> = (courses.all.iter().enumerate().skip(first).take(height))
        .map(|(number, course)| {
            let style = match number == courses.at {
                true => Style::new().add_modifier(Modifier::REVERSED),
                false => Style::new(),
            };
            let due = course.due.as_secs_f64();
            Line::styled(format!("{due:>12.6}  {}", course.what), style)
        })
        .collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
