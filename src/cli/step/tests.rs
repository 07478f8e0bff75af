//! Walks, as a user makes them.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::Session;
use super::keys::Wish;
use super::walk::{Sight, Walk};
use crate::lab::{DESIGNS, find_scenario};
use crate::record::{Role, What};
use crate::runtime::RunConfig;

fn walk(test: &str) -> Walk {
    Walk::new(find_scenario(test).unwrap(), &DESIGNS[0], RunConfig::default())
}

/// The screen as lines.
fn shown(session: &Session) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(120, 30)).unwrap();
    session.draw(&mut terminal).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |row: &[ratatui::buffer::Cell]| -> String {
        row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_string()
    };
    buffer.content.chunks(120).map(line).collect()
}

#[test]
fn a_reader_goes_from_election_to_election_and_back() {
    let mut walk = walk("reelection_2a");
    assert!(walk.forth(Sight::Election), "a server asks for votes");
    let first = walk.at();
    let role = |walk: &Walk| {
        let who = walk.event().unwrap().event.who.unwrap().server().unwrap();
        walk.state().servers()[who.slot()].role
    };
    assert_eq!(role(&walk), Role::Candidate);
    assert!(walk.forth(Sight::Election), "it leads");
    assert_eq!(role(&walk), Role::Leader);
    assert!(walk.back(Sight::Election), "back again");
    assert_eq!(walk.at(), first);
    assert!(!walk.back(Sight::Election), "it was the first one");
    assert_eq!(walk.at(), first, "the place is the same");
    assert!(!walk.forth(Sight::Violation), "nothing fails");
}

#[test]
fn faults_and_steps_are_found() {
    let mut walk = walk("reelection_2a");
    assert!(walk.forth(Sight::Step), "the test does something");
    assert!(matches!(walk.event().unwrap().event.what, What::Step { .. }), "a step");
    walk.show_all(true);
    assert!(walk.forth(Sight::Fault), "links are cut");
    let at = walk.event().cloned();
    walk.show_all(false);
    let (before, fault) = (walk.event().unwrap().at, at.unwrap().at);
    assert!(before <= fault, "the nearest event before it that is shown");
}

#[test]
fn another_course_is_the_same_run_until_then_and_can_be_taken_back() {
    let mut walk = walk("basic_agree_2b");
    assert!(walk.forth(Sight::Election), "a server asks for votes");
    let (place, hash) = (walk.at(), walk.report().hash);
    // As lines: when a step of the test is over belongs to the rest of the run.
    let until = |walk: &Walk| -> Vec<_> {
        let events = walk.events().take(place + 1);
        events.map(|it| (it.at, it.event.who, it.event.what.to_string())).collect()
    };
    let before = until(&walk);
    let courses = walk.courses();
    assert!(courses.len() > 2, "{courses:?}");
    let other = courses.iter().find(|course| course.what.contains("election")).unwrap();
    walk.take(other.timer);
    assert_ne!(walk.report().hash, hash);
    assert_eq!((walk.at(), walk.report().missed_turns), (place, 0));
    assert_eq!(until(&walk), before, "the same events until then");
    assert!(walk.report().replay_line().contains(&format!(" --turns {}@", other.timer)));
    assert!(walk.undo(), "there is one to take back");
    assert_eq!((walk.at(), walk.report().hash), (place, hash));
    assert!(!walk.undo(), "there is none left");
}

#[test]
fn a_message_on_its_way_is_named() {
    let mut walk = walk("figure8_unreliable_2c");
    assert!(walk.forth(Sight::Election), "a server asks for votes");
    walk.forth(Sight::Event);
    let courses = walk.courses();
    let request = courses.iter().find(|it| it.what.contains("request_vote")).unwrap();
    assert!(request.what.contains(" → S"), "{request:?}");
    walk.take(request.timer);
    assert_eq!(walk.report().missed_turns, 0);
    // What was not waiting continues; then it arrives before everything else.
    walk.show_all(true);
    let now = walk.event().unwrap().at;
    let next = walk.events().find(|it| it.at > now + Duration::from_millis(1)).unwrap();
    assert!(next.at >= request.due, "{next:?}");
    assert!(matches!(next.event.what, What::Delivered { .. }), "{next:?}");
}

#[test]
fn the_screen_shows_the_run_the_servers_and_the_events() {
    let mut session = Session::new(walk("reelection_2a"));
    session.grant(Wish::Forth(Sight::Election));
    session.grant(Wish::Forth(Sight::Election));
    let lines = shown(&session);
    assert_eq!(lines[0], "reelection_2a, seed 1, rpc: nothing fails");
    assert!(lines[1].starts_with("events: "), "{lines:?}");
    let leads = lines.iter().find(|line| line.contains("leader of term 1")).unwrap();
    assert!(leads.starts_with("▶ S"), "{leads}");
    session.grant(Wish::Courses);
    assert!(shown(&session).iter().any(|line| line.contains("what goes first")), "the list");
    session.grant(Wish::Leave);
    assert!(session.grant(Wish::Forth(Sight::Violation)), "the reader stays");
    assert!(shown(&session).contains(&"there is none".to_string()), "the answer");
    assert!(!session.grant(Wish::Leave), "the user leaves");
}

#[test]
fn a_small_terminal_is_enough() {
    let session = Session::new(walk("reelection_2a"));
    for (width, height) in [(1, 1), (10, 3), (40, 9)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        session.draw(&mut terminal).unwrap();
    }
}
