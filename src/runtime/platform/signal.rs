//! A handler of ours in front of the host's, for as long as it is needed.
//!
//! Signals belong to the whole process, and the process to a host that may have handlers too. So a
//! handler of ours is installed only while it is needed. It passes on every signal that is not ours
//! to the handler behind it. When it is no longer needed, it is removed if it is still in front.
//!
//! A host may install its handler while ours is installed. The host's is in front then, and a
//! well-behaved one passes signals on to ours. The next time ours goes in front of it, the two
//! would call each other for ever. So we remember each handler that was behind ours, and when a
//! signal comes back to us, we pass it on to the handler remembered before:
//!
//! ```text
//! ours ──► the host's ──► ours, a second time ──► the one that was behind ours before
//! ```

#![allow(unsafe_code, reason = "signal handlers")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A handler as `SA_SIGINFO` wants it.
pub(super) type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Maximum number of handlers behind ours that are remembered for one signal.
const BEHIND_MAX: usize = 8;

/// Our handler for one signal, and the handlers behind it.
pub(super) struct Front {
    signal: c_int,
    flags: c_int,
    handler: Handler,
    users: parking_lot::Mutex<u32>,
    /// The handler behind ours. Links are never freed: a running handler may be using one.
    behind: AtomicPtr<Link>,
}

/// A handler of the host's, and the link that was remembered before it.
struct Link {
    action: libc::sigaction,
    below: *const Link,
}

/// The state of a signal that is being passed on.
#[derive(Clone, Copy)]
struct Passing {
    signal: c_int,
    /// How often the signal has come to us, and the stack's address when it came first.
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

    /// Installs the handler, until [`leave`](Front::leave) was called as often as `enter`.
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
        // Another thread of the host may have installed a handler in the meantime.
        self.remember(self.replace(Some(&ours)));
    }

    /// Restores the host's handler, unless the host has put one in front of ours meanwhile.
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

    /// Returns the signal's action, and sets `new` in its place, if given.
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

    /// Remembers the handler behind ours; called with the lock on `users`.
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

    /// The handler behind ours (0), or the one remembered `number` links before it.
    fn link(&self, number: usize) -> Option<&Link> {
        let mut link = self.behind.load(Ordering::Acquire).cast_const();
        for _ in 0..number {
            // SAFETY: links are never freed.
            link = unsafe { link.as_ref() }?.below;
        }
        // SAFETY: as above.
        unsafe { link.as_ref() }
    }

    /// Passes a signal that is not ours to the handler behind. Only our handler may call this.
    pub(super) fn pass_on(&self, info: *mut libc::siginfo_t, context: *mut c_void) {
        let before = PASSING.get();
        let frame = (&raw const before).addr();
        // A handler may leave by a jump, and then its value in PASSING is stale. A signal that
        // really comes back to us does so at a lower address of the stack than when it came first.
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

    /// Does what the kernel does without a handler: for our signals, it ends the process.
    fn default_action(&self, info: *mut libc::siginfo_t) {
        // SAFETY: a zeroed action is a valid one, and means SIG_DFL.
        self.replace(Some(&unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() }));
        if was_sent(info) {
            // SAFETY: raise may be called in a handler.
            unsafe { libc::raise(self.signal) };
        }
        // Otherwise the fault happens again on return.
    }
}

/// Whether a process or thread sent the signal, not the processor.
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
