//! Which key does what.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::walk::Sight;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To the next of these.
    Forth(Sight),
    /// Back to the one before.
    Back(Sight),
    /// To the first event.
    First,
    /// To the last event.
    Last,
    /// Show all events, or only those that tell something new.
    ShowAll,
    /// List other courses that the run may take from here.
    Courses,
    /// Take the last other course back.
    Undo,
    /// Choose what is marked in a list.
    Choose,
    /// Leave the list, or the program.
    Leave,
}

/// The keys, for a reader.
pub(super) const HELP: &str = "→ ← event   e election   c commit   f fault   t step of the test   \
                               v violation   (with shift: back)\n\
                               Home End   a all events   b other courses from here   \
                               u take the last one back   q leave";

/// The keys of the list of other courses, for a reader.
pub(super) const COURSES_HELP: &str = "↓ ↑ choose   Enter take it   Esc leave the list";

/// What `key` asks for; `None` if it asks for nothing.
pub(super) fn wish(key: KeyEvent) -> Option<Wish> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Wish::Leave);
    }
    Some(match key.code {
        KeyCode::Right | KeyCode::Down | KeyCode::Char('n' | 'j' | ' ') => {
            Wish::Forth(Sight::Event)
        }
        KeyCode::Left | KeyCode::Up | KeyCode::Char('p' | 'k') => Wish::Back(Sight::Event),
        KeyCode::Home | KeyCode::Char('g') => Wish::First,
        KeyCode::End | KeyCode::Char('G') => Wish::Last,
        KeyCode::Char('a') => Wish::ShowAll,
        KeyCode::Char('b') => Wish::Courses,
        KeyCode::Char('u') => Wish::Undo,
        KeyCode::Enter => Wish::Choose,
        KeyCode::Esc | KeyCode::Char('q') => Wish::Leave,
        KeyCode::Char(letter) => {
            let sight = sight(letter.to_ascii_lowercase())?;
            match letter.is_ascii_uppercase() {
                true => Wish::Back(sight),
                false => Wish::Forth(sight),
            }
        }
        _ => return None,
    })
}

fn sight(letter: char) -> Option<Sight> {
    Some(match letter {
        'e' => Sight::Election,
        'c' => Sight::Commit,
        'f' => Sight::Fault,
        't' => Sight::Step,
        'v' => Sight::Violation,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: KeyCode, modifiers: KeyModifiers) -> Option<Wish> {
        wish(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn shift_goes_back() {
        let none = KeyModifiers::NONE;
        assert_eq!(of(KeyCode::Char('e'), none), Some(Wish::Forth(Sight::Election)));
        let back = of(KeyCode::Char('E'), KeyModifiers::SHIFT);
        assert_eq!(back, Some(Wish::Back(Sight::Election)));
        assert_eq!(of(KeyCode::Char('x'), none), None);
    }

    #[test]
    fn control_c_leaves_and_is_no_commit() {
        assert_eq!(of(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Leave));
        assert_eq!(of(KeyCode::Char('e'), KeyModifiers::CONTROL), None);
    }
}
