//! Waiting for a condition, with a deadline that a slow machine does not reach.

use std::env;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long any wait of a test goes on before the test fails: 20 s, or `$OUTRO_TEST_PATIENCE`
/// seconds on a machine that needs more.
fn patience() -> Duration {
    let seconds = env::var("OUTRO_TEST_PATIENCE").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(20))
}

/// Asks `condition` until it gives a value, for 20 s (`$OUTRO_TEST_PATIENCE`) at most.
///
/// # Errors
/// The name of what did not come.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> Result<T, String> {
    let (began, patience) = (Instant::now(), patience());
    loop {
        if let Some(value) = condition() {
            return Ok(value);
        }
        if began.elapsed() > patience {
            return Err(format!("waited {} s in vain for {what}", patience.as_secs()));
        }
        sleep(Duration::from_millis(4));
    }
}
