//! The screen, as a user sees it.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::board::Board;
use super::{Phase, screen};

fn shown(board: &Board, phase: &Phase) -> String {
    let mut terminal = Terminal::new(TestBackend::new(60, 16)).unwrap();
    terminal.draw(|frame| screen::draw(frame, board, phase)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn all_tests_and_the_first_failure_are_on_the_screen() {
    let mut board = Board::new(&["one_2a", "two_2a", "three_2b"]);
    let text = shown(&board, &Phase::Testing);
    assert!(text.contains("runs the tests; 0 runs, 0 of 3 tests failed"), "{text}");
    board.take(r#"{"test":"one_2a","seed":1,"ok":true,"failure":null}"#);
    board.take(
        r#"{"test":"two_2a","seed":4,"ok":false,
            "failure":{"name":"OneVote","message":"two votes","replay":"raftlab replay two_2a"}}"#,
    );
    let text = shown(&board, &Phase::Ended(None));
    for part in ["✓ one_2a", "✗ two_2a", "· three_2b", "two_2a, seed 4: OneVote: two votes"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert!(text.contains("failed; 2 runs, 1 of 3 tests failed"), "{text}");
    assert!(text.contains("replay two_2a"), "{text}");
}

#[test]
fn what_the_compiler_says_is_on_the_screen() {
    let board = Board::new(&["one_2a"]);
    let text = shown(&board, &Phase::Broken("error[E0308]: mismatched types".to_string()));
    assert!(text.contains("does not compile") && text.contains("error[E0308]"), "{text}");
}

#[test]
fn a_failed_test_is_shown_even_if_not_all_fit() {
    let names: Vec<String> = (0..200).map(|number| format!("test_{number}_2a")).collect();
    let mut board = Board::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    board.take(r#"{"test":"test_199_2a","seed":1,"ok":false}"#);
    assert!(shown(&board, &Phase::Testing).contains("✗ test_199_2a"), "it comes first");
}
