//! Exit codes, as shells give them, and their remapping.

use crate::signal::Signal;

/// How a process ended, as wait(2) tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It called exit with this code.
    Code(u8),
    /// A signal ended it.
    Signal(Signal),
}

/// outro's own exit code when the command line is wrong.
pub const USAGE: u8 = 2;
/// A program that is there but cannot be run, as shells say it.
pub const NOT_EXECUTABLE: u8 = 126;
/// A program that is not there, as shells say it.
pub const NOT_FOUND: u8 = 127;

impl ExitStatus {
    /// The code that stands for it: the exit code, or 128 and the signal's number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal.number() as u8,
        }
    }

    /// Whether it counts as a success where nothing else is said.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

/// Which exit codes are expected, and what each becomes (`--expect`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectations([Option<u8>; 256]);

impl Default for Expectations {
    fn default() -> Self {
        Self([None; 256])
    }
}

impl Expectations {
    /// Adds what one `CODES[:AS]` says: lists and ranges of codes, `143`, `1-5,7:0`; `AS` is 0
    /// when it is left out. What is said later wins.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn add(&mut self, text: &str) -> Result<(), BadExpectation> {
        let bad = || BadExpectation(text.to_owned());
        let code = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u8>().ok()).flatten().ok_or_else(bad)
        };
        let (codes, target) = match text.split_once(':') {
            Some((codes, target)) => (codes, code(target)?),
            None => (text, 0),
        };
        let mut added = self.clone();
        for part in codes.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (code(first)?, code(last)?),
                None => (code(part)?, code(part)?),
            };
            if first > last {
                return Err(bad());
            }
            for expected in first..=last {
                added.0[usize::from(expected)] = Some(target);
            }
        }
        *self = added;
        Ok(())
    }

    /// What this code becomes.
    #[must_use]
    pub fn apply(&self, code: u8) -> u8 {
        self.0[usize::from(code)].unwrap_or(code)
    }

    /// Whether the code was said to be expected.
    #[must_use]
    pub fn contains(&self, code: u8) -> bool {
        self.0[usize::from(code)].is_some()
    }
}

/// A text that is no `CODES[:AS]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not CODES[:AS] (codes from 0 to 255, such as 143, 1-5,7 or 143:0)")]
pub struct BadExpectation(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_codes_are_remapped_and_others_are_not() {
        let mut expectations = Expectations::default();
        for text in ["143", "1-3,7:9", "3:4"] {
            expectations.add(text).expect(text);
        }
        for (code, becomes) in [(143, 0), (1, 9), (2, 9), (3, 4), (7, 9), (8, 8), (0, 0)] {
            assert_eq!(expectations.apply(code), becomes, "{code}");
        }
    }

    #[test]
    fn a_bad_expectation_changes_nothing() {
        let mut expectations = Expectations::default();
        for text in
            ["", "256", "-1", "1-", "5-1", "1,", "1:", "1:256", "a", "1,2,x:0", "+1", "1:0:0"]
        {
            assert!(expectations.add(text).is_err(), "{text}");
        }
        assert_eq!(expectations, Expectations::default());
    }
}
