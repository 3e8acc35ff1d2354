//! The log that witnesses write.

use std::fmt;

use crate::signal::Signal;

/// What the witnesses of a test noted, in order.
#[derive(Clone, Debug, Default)]
pub struct Log(Vec<String>);

impl Log {
    /// Reads the text of a log. A line that is still being written does not count.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Log(text
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
            .map(str::to_owned)
            .collect())
    }

    /// How many lines are `line` or begin with it and a space: `app ready` counts `app ready 12`.
    #[must_use]
    pub fn count(&self, line: &str) -> usize {
        self.0
            .iter()
            .filter(|own| {
                own.strip_prefix(line).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
            .count()
    }

    /// Whether there is such a line.
    #[must_use]
    pub fn has(&self, line: &str) -> bool {
        self.count(line) > 0
    }

    /// Which signals a witness got, in order.
    #[must_use]
    pub fn told(&self, name: &str) -> Vec<Signal> {
        let prefix = format!("{name} got ");
        self.0
            .iter()
            .filter_map(|line| line.strip_prefix(&prefix)?.parse().ok())
            .map(Signal)
            .collect()
    }

    /// The PID that a witness has inside the namespace, from its last `ready` line.
    #[must_use]
    pub fn pid(&self, name: &str) -> Option<u32> {
        let prefix = format!("{name} ready ");
        self.0.iter().rev().find_map(|line| line.strip_prefix(&prefix)?.parse().ok())
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
