//! Waiting for a condition, with a deadline that a slow machine does not reach.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long any wait of a test goes on before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks `condition` until it gives a value, for [`PATIENCE`] at most.
///
/// # Errors
/// The name of what did not come.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> Result<T, String> {
    let began = Instant::now();
    loop {
        if let Some(value) = condition() {
            return Ok(value);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("waited {} s in vain for {what}", PATIENCE.as_secs()));
        }
        sleep(Duration::from_millis(4));
    }
}
