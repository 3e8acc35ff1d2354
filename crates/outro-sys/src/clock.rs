//! The clocks.

use outro_core::{process::Ticks, time::Moment};
use std::time::Duration;

/// Now, on the monotonic clock (clock_gettime(2)).
#[must_use]
pub fn now() -> Moment {
    Moment::at(read(libc::CLOCK_MONOTONIC))
}

/// Now, on the clock of process starts.
#[must_use]
pub fn ticks() -> Ticks {
    let millis = read(libc::CLOCK_BOOTTIME).as_millis() as u64;
    Ticks(millis / outro_core::process::TICK_MS)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to; both clocks exist on every Linux, so the
    // call cannot fail.
    unsafe { libc::clock_gettime(clock, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
