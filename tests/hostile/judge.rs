//! Runs one hostile program and says what is wrong with its outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use raftlab::runtime::{self, Clock, Failure, FailureKind, Outcome};

use crate::generate;
use crate::program::{Program, Temper};
use crate::steps;
use crate::world::{Bomb, Ctx, Thrown, World, text_of};

/// Main's result: the seed, and maybe a value with a destructor.
struct Answer(u64, #[allow(dead_code, reason = "for its destructor")] Option<Bomb>);

/// Runs the program of `seed`; returns what the runtime does wrong with it, empty if nothing.
pub(crate) fn judge(seed: u64) -> Vec<String> {
    let program = Arc::new(generate::program(seed));
    let (first, mut wrong) = run(&program);
    if program.config.clock == Clock::Virtual && wrong.is_empty() {
        let (second, _) = run(&program);
        if first != second {
            wrong.push(format!("two runs differ: {first:?} and {second:?}"));
        }
    }
    wrong
}

/// The facts that two runs of one seed must have in common.
type Told = Option<(Result<u64, Failure>, u64, u32)>;

/// Runs the program once; returns its outcome, and what is wrong with it.
fn run(program: &Arc<Program>) -> (Told, Vec<String>) {
    let world = Arc::new(World::default());
    let (theirs, code) = (world.clone(), program.clone());
    let main = move || {
        let root = steps::Root::new(theirs.clone());
        let ctx = Ctx::new(theirs);
        steps::take(&code.main, &ctx);
        let answer = Answer(code.config.seed, code.result.as_ref().map(|value| ctx.bomb(value)));
        drop(root);
        answer
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime::run(&program.config, main)));
    world.retired.store(true, Ordering::SeqCst);
    world.wakers.with(std::mem::take).into_iter().for_each(Waker::wake);
    match outcome {
        Ok(outcome) => {
            let wrong = wrong_with(program, &world, &outcome);
            let (hash, tasks_left) = (outcome.hash, outcome.tasks_left);
            (Some((outcome.result.map(|answer| answer.0), hash, tasks_left)), wrong)
        }
        Err(payload) => {
            let text = text_of(&*payload);
            // The payload's destructor may be what panicked.
            std::mem::forget(payload);
            (None, vec![format!("a panic came out of the run: {text:?}")])
        }
    }
}

fn wrong_with(program: &Program, world: &World, outcome: &Outcome<Answer>) -> Vec<String> {
    let tame = matches!(program.temper, Temper::Calm | Temper::Failing);
    let mut wrong = world.complaints.with(std::mem::take);
    wrong.sort();
    wrong.dedup();
    let kind = outcome.result.as_ref().err().map(|failure| failure.kind);
    let by_surprise = [FailureKind::Deadlock, FailureKind::Livelock, FailureKind::Limit];
    if kind.is_some_and(|kind| by_surprise.contains(&kind)) {
        // The program did not end such a run itself, so probes in destructors prove nothing.
        wrong.retain(|text| !text.starts_with("probe"));
    }
    if !tame && kind.is_some() {
        // Nor do they if a task's result panicked when it was dropped, after the task's end.
        wrong.retain(|text| !text.starts_with("probe"));
    }
    match (&outcome.result, program.temper) {
        (Ok(answer), _) if answer.0 != program.config.seed => {
            wrong.push(format!("main's value became {}", answer.0));
        }
        (Ok(_), Temper::Failing) => wrong.push("main failed, and the run is fine".to_string()),
        (Err(failure), Temper::Calm) => wrong.push(format!("nothing failed, but: {failure}")),
        (Err(failure), temper) if temper != Temper::Doomed => {
            wrong.extend(wrong_report(&world.thrown.with(|all| all.clone()), failure, tame));
        }
        _ => {}
    }
    if tame && outcome.tasks_left > 0 {
        wrong.push(format!("{} tasks were left", outcome.tasks_left));
    }
    wrong
}

/// Checks that the failure is of something that the program did, and reports it correctly.
fn wrong_report(thrown: &[Thrown], failure: &Failure, tame: bool) -> Option<String> {
    let by_program = match failure.kind {
        FailureKind::Assertion | FailureKind::Panic | FailureKind::Observer => true,
        // A wild program may well deadlock, or take too long.
        FailureKind::Deadlock | FailureKind::Livelock | FailureKind::Limit => tame,
    };
    if !by_program {
        return None;
    }
    let same = |one: &&Thrown| one.message == failure.message && one.task == failure.task;
    let causes: Vec<&Thrown> = thrown.iter().filter(same).collect();
    if causes.is_empty() {
        return Some(format!("the program threw {thrown:?}, and the failure is: {failure}"));
    }
    let marked = |one: &Thrown| one.label.is_none_or(|label| label == failure.label);
    if causes.iter().all(|one| !marked(one)) {
        let label = failure.label;
        return Some(format!(
            "thrown as {causes:?}, the failure has the mark {label:?}: {failure}"
        ));
    }
    None
}
