//! Writing a message without ever being held up.
//!
//! outro's standard error is often a pipe to a log collector. If that one hangs, a plain write would
//! stall PID 1 in the middle of a stop; making the pipe non-blocking would change it for the
//! program too. So outro asks first, and drops what cannot be written.

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

fn write(fd: i32, text: &str) {
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
