//! Signal numbers, names and sets, as Linux has them on x86_64 and aarch64 (signal(7)).

use std::fmt;

/// A signal number, 1 to 64.
///
/// Prints without the `SIG` prefix: `TERM`, `RTMIN+3`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

/// What the kernel does with a signal that a process neither handles nor ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultAction {
    /// The process ends (with or without a core dump).
    Terminate,
    /// Nothing happens.
    Ignore,
    /// The process is stopped, as by ^Z.
    Stop,
}

/// The standard names, in order of their numbers from 1 on.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Other names that people use for the same numbers.
const SYNONYMS: [(&str, Signal); 4] =
    [("IOT", Signal(6)), ("CLD", Signal(17)), ("POLL", Signal(29)), ("UNUSED", Signal(31))];

/// The first real-time signal that programs may use. The kernel's range begins at 32, but both
/// glibc and musl keep the first ones for their threads; tools and images count from 34.
const RTMIN: u8 = 34;
const RTMAX: u8 = 64;

impl Signal {
    /// Hang-up of a terminal; by habit "read your configuration again".
    pub const HUP: Self = Self(1);
    /// What ^C sends.
    pub const INT: Self = Self(2);
    /// What ^\ sends; for nginx and others the graceful stop.
    pub const QUIT: Self = Self(3);
    /// Cannot be caught.
    pub const KILL: Self = Self(9);
    /// Written to a pipe that nobody reads.
    pub const PIPE: Self = Self(13);
    /// What every platform but a few sends first.
    pub const TERM: Self = Self(15);
    /// A child changed its state.
    pub const CHLD: Self = Self(17);
    /// Go on after a stop.
    pub const CONT: Self = Self(18);
    /// Cannot be caught either.
    pub const STOP: Self = Self(19);
    /// What ^Z sends.
    pub const TSTP: Self = Self(20);
    /// A background process read from its terminal.
    pub const TTIN: Self = Self(21);
    /// A background process wrote to its terminal.
    pub const TTOU: Self = Self(22);
    /// Wrote beyond the limit of a file's size.
    pub const XFSZ: Self = Self(25);

    /// Those of the keyboard that ask a program to end.
    pub const KEYBOARD: [Self; 2] = [Self::INT, Self::QUIT];
    /// Those that stop a job of a terminal's.
    pub const JOB_CONTROL: [Self; 3] = [Self::TSTP, Self::TTIN, Self::TTOU];

    /// The signal with this number; `None` unless it is 1 to 64.
    #[must_use]
    pub const fn new(number: i32) -> Option<Self> {
        if number >= 1 && number <= 64 { Some(Self(number as u8)) } else { None }
    }

    /// The number that the kernel knows it by.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0 as i32
    }

    /// The signal that a person means by `TERM`, `sigterm`, `15`, `RTMIN+3` or `RTMAX-1`.
    ///
    /// # Errors
    /// The text itself and the nearest name, when it means no signal.
    pub fn parse(text: &str) -> Result<Self, UnknownSignal> {
        let unknown = || UnknownSignal::new(text);
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            return text.parse().ok().and_then(Self::new).ok_or_else(unknown);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some(index) = NAMES.iter().position(|known| *known == name) {
            return Ok(Self(index as u8 + 1));
        }
        if let Some((_, signal)) = SYNONYMS.iter().find(|(known, _)| *known == name) {
            return Ok(*signal);
        }
        real_time(name).ok_or_else(unknown)
    }

    /// What happens to a process that neither handles nor ignores it.
    #[must_use]
    pub const fn default_action(self) -> DefaultAction {
        match self.0 {
            17 | 18 | 23 | 28 => DefaultAction::Ignore, // CHLD, CONT, URG, WINCH
            19..=22 => DefaultAction::Stop,             // STOP, TSTP, TTIN, TTOU
            _ => DefaultAction::Terminate,
        }
    }
}

/// `RTMIN`, `RTMIN+N`, `RTMAX`, `RTMAX-N`.
fn real_time(name: &str) -> Option<Signal> {
    let offset = |rest: &str, sign: char| -> Option<u8> {
        if rest.is_empty() {
            return Some(0);
        }
        let digits = rest.strip_prefix(sign)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().filter(|offset| *offset <= RTMAX - RTMIN)
    };
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return offset(rest, '+').map(|offset| Signal(RTMIN + offset));
    }
    offset(name.strip_prefix("RTMAX")?, '-').map(|offset| Signal(RTMAX - offset))
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0) - 1) {
            Some(name) => formatter.write_str(name),
            None if self.0 == RTMIN => formatter.write_str("RTMIN"),
            None if self.0 > RTMIN => write!(formatter, "RTMIN+{}", self.0 - RTMIN),
            None => write!(formatter, "{}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text that names no signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownSignal {
    text: String,
    nearest: Option<&'static str>,
}

impl UnknownSignal {
    fn new(text: &str) -> Self {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        Self { text: text.to_owned(), nearest: nearest(name, NAMES.iter().copied()) }
    }
}

impl fmt::Display for UnknownSignal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unknown signal '{}'", self.text)?;
        match self.nearest {
            Some(name) => write!(formatter, " (did you mean {name}?)"),
            None => {
                formatter.write_str(" (a name such as TERM or RTMIN+3, or a number from 1 to 64)")
            }
        }
    }
}

/// The candidate that is nearest to what was written, if any is near enough to be meant.
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = text.chars().count().div_ceil(3);
    candidates
        .map(|candidate| (strsim::osa_distance(text, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A set of signals.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct SignalSet(u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);

    /// The set from the kernel's mask: bit 0 is signal 1.
    #[must_use]
    pub const fn from_mask(mask: u64) -> Self {
        Self(mask)
    }

    /// The kernel's mask of the set.
    #[must_use]
    pub const fn mask(self) -> u64 {
        self.0
    }

    /// The set with this signal as well.
    #[must_use]
    pub const fn with(self, signal: Signal) -> Self {
        Self(self.0 | 1 << (signal.0 - 1))
    }

    /// Whether the signal is in the set.
    #[must_use]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & 1 << (signal.0 - 1) != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_set()
            .entries((1..=64).filter_map(Signal::new).filter(|signal| self.contains(*signal)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_known_by_name_number_and_real_time_offset() {
        for (text, number) in [
            ("TERM", 15),
            ("sigterm", 15),
            ("15", 15),
            ("SIGRTMIN+3", 37),
            ("RTMIN", 34),
            ("rtmax-1", 63),
            ("CLD", 17),
            ("64", 64),
        ] {
            assert_eq!(Signal::parse(text).map(Signal::number), Ok(number), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_signal_gets_the_nearest_name() {
        let message = |text: &str| Signal::parse(text).expect_err(text).to_string();
        assert_eq!(message("TREM"), "unknown signal 'TREM' (did you mean TERM?)");
        for text in [
            "",
            "0",
            "65",
            "999999999999999999999",
            "RTMIN+31",
            "RTMIN-1",
            "SIG",
            "+15",
            "RTMIN++1",
            "RTMIN+ 1",
        ] {
            assert!(message(text).starts_with("unknown signal"), "{text}");
        }
    }

    #[test]
    fn every_signal_prints_as_a_text_that_means_it() {
        for signal in (1..=64).filter_map(Signal::new) {
            assert_eq!(Signal::parse(&signal.to_string()), Ok(signal));
        }
    }
}
