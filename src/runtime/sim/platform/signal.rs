//! A handler of ours in front of the host's, for as long as it is needed.
//!
//! Signals belong to the whole process, and the process to a host that may have handlers too. So a
//! handler of ours is installed while somebody needs it, passes on every signal that is not ours
//! to the handler behind it, and gives way when it is needed no more, if it is still in front.
//!
//! A host may install its handler while ours is there. It is in front then, and well-mannered
//! handlers pass on to us. The next time ours goes in front of it, the two would call each other
//! for ever; so we remember what was behind us each time, and a signal that comes back to us is
//! passed on to the one before:
//!
//! ```text
//! ours ──► the host's ──► ours, a second time ──► what was there before the host's
//! ```

#![allow(unsafe_code, reason = "signal handlers")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A handler as `SA_SIGINFO` wants it.
pub(super) type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// How many handlers behind ours are remembered for one signal.
const BEHIND_MAX: usize = 8;

/// One signal's handler of ours, and what is behind it.
pub(super) struct Front {
    signal: c_int,
    flags: c_int,
    handler: Handler,
    users: parking_lot::Mutex<u32>,
    /// The handler that ours is in front of. Links are never freed: a handler may be at one.
    behind: AtomicPtr<Link>,
}

/// A handler of the host's, and the one that it had found in front of ours before.
struct Link {
    action: libc::sigaction,
    below: *const Link,
}

/// Where a signal stands that is being passed on.
#[derive(Clone, Copy)]
struct Passing {
    signal: c_int,
    /// How often it has come to us, and the stack's address when it first did.
    times: usize,
    frame: usize,
}

thread_local! {
    static PASSING: Cell<Passing> = const { Cell::new(Passing { signal: 0, times: 0, frame: 0 }) };
}

impl Front {
    pub(super) const fn new(signal: c_int, flags: c_int, handler: Handler) -> Front {
        let (users, behind) = (parking_lot::Mutex::new(0), AtomicPtr::new(std::ptr::null_mut()));
        Front { signal, flags, handler, users, behind }
    }

    /// Has the handler in place until as many [`leave`](Front::leave) as `enter` were called.
    pub(super) fn enter(&self) {
        let mut users = self.users.lock();
        *users += 1;
        let current = self.replace(None);
        if *users > 1 || self.is_ours(&current) {
            return;
        }
        self.remember(current);
        let mut ours = current;
        ours.sa_sigaction = self.handler as *const () as usize;
        let kept = current.sa_flags & (libc::SA_NODEFER | libc::SA_RESTART);
        ours.sa_flags = libc::SA_SIGINFO | self.flags | kept;
        // Another thread of the host's may have installed one just now.
        self.remember(self.replace(Some(&ours)));
    }

    /// Gives way to the host's handler, unless that has been put in front of ours meanwhile.
    pub(super) fn leave(&self) {
        let mut users = self.users.lock();
        *users -= 1;
        if *users > 0 || !self.is_ours(&self.replace(None)) {
            return;
        }
        // SAFETY: links are never freed, and the first `enter` set one.
        if let Some(link) = unsafe { self.behind.load(Ordering::Acquire).as_ref() } {
            self.replace(Some(&link.action));
        }
    }

    /// What is in force for the signal; then `new` is, if given.
    fn replace(&self, new: Option<&libc::sigaction>) -> libc::sigaction {
        let mut old = MaybeUninit::<libc::sigaction>::zeroed();
        let new = new.map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: `new` is null or a valid action whose handler has the signature that its flags
        // promise. A zeroed action is a valid one, should the call fail.
        unsafe {
            libc::sigaction(self.signal, new, old.as_mut_ptr());
            old.assume_init()
        }
    }

    fn is_ours(&self, action: &libc::sigaction) -> bool {
        action.sa_sigaction == self.handler as *const () as usize
    }

    /// Notes what is behind our handler; called with the lock on `users`.
    fn remember(&self, action: libc::sigaction) {
        let behind = self.behind.load(Ordering::Acquire);
        // SAFETY: links are never freed.
        let known = unsafe { behind.as_ref() }.is_some_and(|link| equal(&link.action, &action));
        if known || self.is_ours(&action) {
            return;
        }
        let below = if self.link(BEHIND_MAX - 1).is_some() { std::ptr::null() } else { behind };
        let link = Box::into_raw(Box::new(Link { action, below }));
        self.behind.store(link, Ordering::Release);
    }

    /// The handler behind ours, or one that was there before it.
    fn link(&self, number: usize) -> Option<&Link> {
        let mut link = self.behind.load(Ordering::Acquire).cast_const();
        for _ in 0..number {
            // SAFETY: links are never freed.
            link = unsafe { link.as_ref() }?.below;
        }
        // SAFETY: as above.
        unsafe { link.as_ref() }
    }

    /// Hands a signal that is not ours to the handler behind. For our handler alone to call.
    pub(super) fn pass_on(&self, info: *mut libc::siginfo_t, context: *mut c_void) {
        let before = PASSING.get();
        let frame = (&raw const before).addr();
        // A handler may leave by a jump, and then what it left in PASSING is stale: a signal that
        // comes back to us does so further down the stack than where it came first.
        let again = before.times > 0 && before.signal == self.signal && frame < before.frame;
        let (times, frame) = if again { (before.times, before.frame) } else { (0, frame) };
        PASSING.set(Passing { signal: self.signal, times: times + 1, frame });
        match self.link(times) {
            Some(link) => self.call(&link.action, info, context),
            None => self.default_action(info),
        }
        PASSING.set(before);
    }

    fn call(&self, action: &libc::sigaction, info: *mut libc::siginfo_t, context: *mut c_void) {
        match action.sa_sigaction {
            libc::SIG_DFL => self.default_action(info),
            libc::SIG_IGN if was_sent(info) => {}
            // The kernel does not let a fault be ignored either.
            libc::SIG_IGN => self.default_action(info),
            handler if action.sa_flags & libc::SA_SIGINFO != 0 => {
                // SAFETY: the host promised this signature with SA_SIGINFO.
                let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
                handler(self.signal, info, context);
            }
            handler => {
                // SAFETY: the host promised this signature by the lack of SA_SIGINFO.
                let handler =
                    unsafe { std::mem::transmute::<usize, extern "C" fn(c_int)>(handler) };
                handler(self.signal);
            }
        }
    }

    /// What the kernel does where no handler is: for our signals, it ends the process.
    fn default_action(&self, info: *mut libc::siginfo_t) {
        // SAFETY: a zeroed action is a valid one, and means SIG_DFL.
        self.replace(Some(&unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() }));
        if was_sent(info) {
            // SAFETY: raise may be called in a handler.
            unsafe { libc::raise(self.signal) };
        }
        // Else the fault happens again on return.
    }
}

/// Whether somebody sent the signal, rather than the processor.
pub(super) fn was_sent(info: *const libc::siginfo_t) -> bool {
    // SAFETY: the kernel passes a valid siginfo to a SA_SIGINFO handler.
    unsafe { (*info).si_code <= 0 }
}

fn equal(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    one.sa_sigaction == other.sa_sigaction
        && one.sa_flags == other.sa_flags
        // SAFETY: both masks are valid, and so are the numbers.
        && (1..=64).all(|signal| unsafe {
            libc::sigismember(&raw const one.sa_mask, signal)
                == libc::sigismember(&raw const other.sa_mask, signal)
        })
}
