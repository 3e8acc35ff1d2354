//! Writing a message without ever being held up.
//!
//! outro's standard error is often a pipe to a log collector. If that one hangs, a plain write would
//! stall PID 1 in the middle of a stop; making the pipe non-blocking would change it for the
//! program too. So outro asks first, and drops what cannot be written.

use std::ffi::CString;

/// The most that is written at once: a pipe that poll(2) calls writable takes this much without
/// waiting (PIPE_BUF, pipe(7)).
const CHUNK: usize = 4096;

/// Writes to standard error, as far as that is possible at once. Whoever cannot be reached is not
/// waited for.
pub fn error(text: &str) {
    write(2, text);
}

/// Writes to standard output, in the same way.
pub fn standard(text: &str) {
    write(1, text);
}

/// For opening a file without being held up (O_NONBLOCK, open(2)).
pub const NONBLOCKING: i32 = libc::O_NONBLOCK;

/// Writes to a descriptor, in the same way.
pub fn write(fd: i32, text: &str) {
    match reopen(fd) {
        Some(own) => {
            while_writable(own, text);
            // SAFETY: opened by `reopen`, used here alone, and closed once.
            unsafe { libc::close(own) };
        }
        None => while_writable(fd, text),
    }
}

/// The same pipe or terminal once more, as an open file of outro's own that does not wait: between
/// poll and write any other writer may take the room. Not a file on a disk, where the second
/// opening would write at another place.
fn reopen(fd: i32) -> Option<i32> {
    // SAFETY: all zeroes is a valid stat, which fstat fills in.
    let (result, stat) = unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        (libc::fstat(fd, &mut stat), stat)
    };
    let kind = stat.st_mode & libc::S_IFMT;
    if result != 0 || kind != libc::S_IFIFO && kind != libc::S_IFCHR {
        return None;
    }
    let path = CString::new(format!("/proc/self/fd/{fd}")).ok()?;
    let flags = libc::O_WRONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: a NUL-terminated path.
    let own = unsafe { libc::open(path.as_ptr(), flags) };
    (own >= 0).then_some(own)
}

fn while_writable(fd: i32, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let mut ready = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
        // SAFETY: one pollfd, valid to write to.
        let count = unsafe { libc::poll(&mut ready, 1, 0) };
        if count != 1 || ready.revents & libc::POLLOUT == 0 {
            return;
        }
        let length = rest.len().min(CHUNK);
        // SAFETY: `rest` has at least `length` bytes to read.
        let written = unsafe { libc::write(fd, rest.as_ptr().cast(), length) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => rest = &rest[written..],
            _ => return,
        }
    }
}
