//! A moment on the monotonic clock, and durations as people write them.

use std::{fmt, ops, time::Duration};

/// A moment, as the time since some fixed one (the machine's boot, say). Only differences mean
/// anything; the core never asks what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(Duration);

impl Moment {
    /// The moment this long after the fixed one.
    #[must_use]
    pub const fn at(since: Duration) -> Self {
        Self(since)
    }

    /// The time from the fixed moment.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// The time from an earlier moment to this one; zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl ops::Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }
}

impl ops::Add<Duration> for Moment {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// The longest duration that is accepted: a year. What is longer is a slip of the pen.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads `500ms`, `10s`, `1m30s`, `2h`, `0`; a bare number is seconds, a fraction is allowed on
/// any part (`1.5s`).
///
/// # Errors
/// The text, and what is accepted.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.to_owned());
    let mut rest = text;
    let mut total = Duration::ZERO;
    let mut smallest = Duration::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            // A bare number stands alone: `1m30` would be a guess.
            "" if number.len() == text.len() => Duration::from_secs(1),
            _ => return Err(bad()),
        };
        // Units go down: `30s1m` is a slip, `1m1m` as well.
        if unit >= smallest {
            return Err(bad());
        }
        smallest = unit;
        let part = multiple(number, unit).ok_or_else(bad)?;
        total = total.checked_add(part).filter(|total| *total <= LONGEST).ok_or_else(bad)?;
        rest = next;
    }
    if text.is_empty() { Err(bad()) } else { Ok(total) }
}

/// `number`, which may have a fraction of up to three digits, times the unit. In whole numbers: the
/// tables for reading a float would be a thirtieth of the smallest binary.
fn multiple(number: &str, unit: Duration) -> Option<Duration> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (number, "0"),
    };
    if whole.is_empty() || fraction.len() > 3 {
        return None;
    }
    let whole = unit.checked_mul(whole.parse().ok()?)?;
    let thousandths = fraction.parse::<u32>().ok()? * 10_u32.pow(3 - fraction.len() as u32);
    whole.checked_add(unit.checked_mul(thousandths)? / 1000)
}

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a duration (such as 500ms, 10s, 1m30s or 2h)")]
pub struct BadDuration(String);

/// A duration as a person says it: `350ms`, `9.5s`, `2m10s`, `3h05m`, `4d02h`.
#[derive(Clone, Copy, Debug)]
pub struct Spoken(pub Duration);

impl fmt::Display for Spoken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if self.0 < Duration::from_secs(1) {
            write!(formatter, "{}ms", self.0.as_millis())
        } else if seconds < 60 {
            let tenths = self.0.as_millis() / 100;
            match tenths % 10 {
                0 => write!(formatter, "{}s", tenths / 10),
                tenth => write!(formatter, "{}.{tenth}s", tenths / 10),
            }
        } else if seconds < 3600 {
            write!(formatter, "{}m{:02}s", seconds / 60, seconds % 60)
        } else if seconds < 24 * 3600 {
            write!(formatter, "{}h{:02}m", seconds / 3600, seconds / 60 % 60)
        } else {
            write!(formatter, "{}d{:02}h", seconds / 86400, seconds / 3600 % 24)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("0", 0),
            ("10", 10_000),
            ("500ms", 500),
            ("1.5s", 1500),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1h0m0s1ms", 3_600_001),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_millis()), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "", "s", "-1s", "1m30", "30s1m", "1s1s", "1d", ".5s", "1.s", "1..5s", "10 s", "1e3",
            "1.2345s", "1.2.3s", "+1s", "9999999h", "auto",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_spoken_with_two_units_at_most() {
        for (ms, text) in [
            (0, "0ms"),
            (350, "350ms"),
            (9_500, "9.5s"),
            (30_000, "30s"),
            (130_000, "2m10s"),
            (11_100_000, "3h05m"),
            (352_800_000, "4d02h"),
        ] {
            assert_eq!(Spoken(Duration::from_millis(ms)).to_string(), text);
        }
    }
}
