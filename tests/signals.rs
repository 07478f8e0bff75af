//! How a run treats the signals of its process.
//!
//! Each test has a process of its own, since handlers belong to the process.
#![cfg(all(target_os = "linux", not(raftlab_portable)))]
#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]
#![allow(unsafe_code, reason = "a host's handlers, as a C program would install them")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the host's side: what surrounds a run, not what runs in it"
)]

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use raftlab::runtime::{self, Outcome, RunConfig, thread};

fn virtual_run<T: Send + 'static>(
    seed: u64,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    runtime::run(&RunConfig { seed, ..RunConfig::default() }, main)
}

/// Runs `body` in a process of its own; returns whether it succeeded, and its standard error.
fn in_child(test: &str, body: impl FnOnce()) -> (bool, String) {
    if std::env::var_os("RAFTLAB_CHILD").is_some() {
        body();
        std::process::exit(0);
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env("RAFTLAB_CHILD", "1")
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn assert_child_passes(test: &str, body: impl FnOnce()) {
    let (ok, stderr) = in_child(test, body);
    assert!(ok, "{stderr}");
}

/// Overflows its stack.
#[allow(unconditional_recursion, reason = "that is the point")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(depth + 1)) + 1)
}

/// Counts until `STOP`, without a scheduling point.
fn spin() {
    while !STOP.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}

static STOP: AtomicBool = AtomicBool::new(false);

/// The number of calls of the host's handlers.
static CALLS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: c_int) {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

/// The handler that [`count_and_pass_on`] replaced.
static BEFORE: AtomicUsize = AtomicUsize::new(0);

/// A page that is not accessible until [`repair`] makes it so.
static PAGE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
const PAGE_SIZE: usize = 4096;

/// Makes the page accessible, like a host that loads pages on first access.
extern "C" fn repair(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    let page = PAGE.load(Ordering::Relaxed);
    unsafe { libc::mprotect(page, PAGE_SIZE, libc::PROT_READ | libc::PROT_WRITE) };
}

extern "C" fn count_and_pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    let before = BEFORE.load(Ordering::Relaxed);
    let before = unsafe { std::mem::transmute::<usize, Handler>(before) };
    before(signal, info, context);
}

/// Installs a handler of the host; returns the previous one.
fn install(signal: c_int, handler: usize, flags: c_int) -> usize {
    let mut old = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    unsafe {
        let mut new = std::mem::MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        (new.sa_sigaction, new.sa_flags) = (handler, flags);
        let status = libc::sigaction(signal, &raw const new, old.as_mut_ptr());
        assert_eq!(status, 0, "no handler can be installed for signal {signal}");
        old.assume_init().sa_sigaction
    }
}

fn handler_of(signal: c_int) -> usize {
    let mut old = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    unsafe {
        libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr());
        old.assume_init().sa_sigaction
    }
}

/// Writes to the page while it is not accessible; [`repair`] must make it so.
fn touch_forbidden_page() {
    let protection = libc::PROT_NONE;
    if PAGE.load(Ordering::Relaxed).is_null() {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let none = std::ptr::null_mut();
        PAGE.store(
            unsafe { libc::mmap(none, PAGE_SIZE, protection, flags, -1, 0) },
            Ordering::Relaxed,
        );
    }
    let page = PAGE.load(Ordering::Relaxed);
    let before = CALLS.load(Ordering::Relaxed);
    unsafe {
        libc::mprotect(page, PAGE_SIZE, protection);
        page.cast::<u8>().write_volatile(1);
    }
    assert!(CALLS.load(Ordering::Relaxed) > before, "the host's handler was not called");
}

fn raise(signal: c_int) {
    unsafe { libc::raise(signal) };
}

#[test]
fn a_stack_overflow_names_the_task() {
    let (ok, stderr) = in_child("a_stack_overflow_names_the_task", || {
        let outcome = virtual_run(9, || thread::spawn("victim", || deeper(0)).join());
        drop(outcome);
    });
    assert!(!ok, "the overflow went unnoticed");
    assert!(stderr.contains("task 'victim' has overflowed its stack"), "{stderr}");
    assert!(stderr.contains("seed 9"), "{stderr}");
}

#[test]
fn a_task_that_spins_without_a_scheduling_point_is_named_with_its_line() {
    assert_child_passes(
        "a_task_that_spins_without_a_scheduling_point_is_named_with_its_line",
        || {
            let outcome = virtual_run(1, || thread::spawn("spinner", spin).join());
            let failure = outcome.result.unwrap_err();
            assert_eq!((failure.name.as_str(), failure.task.as_str()), ("spin", "spinner"));
            assert!(failure.place.contains("signals.rs"), "{failure}");
        },
    );
}

#[test]
fn the_hosts_handlers_are_in_force_again_after_a_run() {
    assert_child_passes("the_hosts_handlers_are_in_force_again_after_a_run", || {
        let handler = count as *const () as usize;
        for signal in [libc::SIGUSR2, libc::SIGSEGV] {
            install(signal, handler, libc::SA_RESTART);
        }
        assert!(virtual_run(1, || ()).result.is_ok());
        for (called, signal) in [libc::SIGUSR2, libc::SIGSEGV].into_iter().enumerate() {
            assert_eq!(handler_of(signal), handler, "signal {signal} has another handler");
            raise(signal);
            assert_eq!(CALLS.load(Ordering::Relaxed) as usize, called + 1);
        }
    });
}

#[test]
fn the_hosts_signals_reach_it_while_a_task_is_asked_and_after() {
    assert_child_passes("the_hosts_signals_reach_it_while_a_task_is_asked_and_after", || {
        let handler = count as *const () as usize;
        install(libc::SIGUSR2, handler, 0);
        let raised = std::thread::spawn(|| {
            // Raises from before the runtime asks the task until after. It asks after five
            // seconds of CPU time.
            let mut raised = 0;
            while !STOP.load(Ordering::Relaxed) {
                raise(libc::SIGUSR2);
                raised += 1;
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            raised
        });
        let outcome = virtual_run(1, || thread::spawn("spinner", spin).join());
        assert_eq!(outcome.result.unwrap_err().task, "spinner");
        STOP.store(true, Ordering::Relaxed);
        assert_eq!(CALLS.load(Ordering::Relaxed), raised.join().unwrap(), "a signal was lost");
        assert_eq!(handler_of(libc::SIGUSR2), handler, "the host's handler is gone");
    });
}

#[test]
fn a_fault_of_the_hosts_is_repaired_by_it_and_ours_is_still_named() {
    let test = "a_fault_of_the_hosts_is_repaired_by_it_and_ours_is_still_named";
    let (ok, stderr) = in_child(test, || {
        install(libc::SIGSEGV, repair as *const () as usize, libc::SA_SIGINFO);
        let outcome = virtual_run(4, || {
            // Inside a task, and twice: the handlers must still be in place after the first fault.
            touch_forbidden_page();
            touch_forbidden_page();
        });
        assert!(outcome.result.is_ok());
        touch_forbidden_page();
        drop(virtual_run(5, || {
            touch_forbidden_page();
            thread::spawn("victim", || deeper(0)).join()
        }));
    });
    assert!(!ok, "the overflow went unnoticed");
    assert!(stderr.contains("task 'victim' has overflowed its stack"), "{stderr}");
    assert!(stderr.contains("seed 5"), "{stderr}");
}

#[test]
fn a_handler_that_the_host_installs_during_a_run_stays_and_may_pass_on() {
    let test = "a_handler_that_the_host_installs_during_a_run_stays_and_may_pass_on";
    assert_child_passes(test, || {
        install(libc::SIGSEGV, repair as *const () as usize, libc::SA_SIGINFO);
        let handler = count_and_pass_on as *const () as usize;
        let outcome = virtual_run(1, move || {
            BEFORE.store(install(libc::SIGSEGV, handler, libc::SA_SIGINFO), Ordering::Relaxed);
            touch_forbidden_page();
        });
        assert!(outcome.result.is_ok());
        assert_eq!(handler_of(libc::SIGSEGV), handler, "the host's later handler is gone");
        touch_forbidden_page();
        // The runtime's handler now comes before the host's, which passes the signal back to it.
        assert!(virtual_run(2, touch_forbidden_page).result.is_ok());
        assert_eq!(handler_of(libc::SIGSEGV), handler, "the host's later handler is gone");
        touch_forbidden_page();
    });
}

#[test]
fn the_handler_is_there_until_the_last_of_several_runs_has_ended() {
    let test = "the_handler_is_there_until_the_last_of_several_runs_has_ended";
    let (ok, stderr) = in_child(test, || {
        let (begun, wait) = std::sync::mpsc::channel();
        let other = std::thread::spawn(move || {
            drop(virtual_run(2, move || {
                begun.send(()).unwrap();
                spin();
                deeper(0)
            }));
        });
        wait.recv().unwrap();
        let before = handler_of(libc::SIGSEGV);
        assert!(virtual_run(1, || ()).result.is_ok());
        assert_eq!(
            handler_of(libc::SIGSEGV),
            before,
            "the end of one run removed the other run's handler"
        );
        STOP.store(true, Ordering::Relaxed);
        let _ = other.join();
    });
    assert!(!ok, "the overflow went unnoticed");
    assert!(stderr.contains("task 'main' has overflowed its stack"), "{stderr}");
    assert!(stderr.contains("seed 2"), "{stderr}");
}
