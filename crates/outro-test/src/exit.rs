//! How a namespace ended.

use std::fmt;
use std::time::Duration;

use crate::log::Log;

/// What is known when PID 1 has gone. Printed, it shows everything.
#[derive(Clone, Debug)]
pub struct Exit {
    /// PID 1's exit code, or 128 and the signal that it died of.
    pub code: i32,
    /// What was written to standard output by anyone in the namespace.
    pub stdout: String,
    /// What was written to standard error by anyone in the namespace.
    pub stderr: String,
    /// What the witnesses noted.
    pub log: Log,
    /// The exit report, if one was asked for by [`Init::report`](crate::Init::report).
    pub report: serde_json::Value,
    /// From the first signal to the end; from the start if there was none.
    pub took: Duration,
}

impl Exit {
    /// The lines that the init itself wrote to standard error.
    #[must_use]
    pub fn messages(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.starts_with("outro: ")).collect()
    }

    /// The report's entry of the process whose command contains `command`; the innermost, as a shell's
    /// command contains its program's.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn reported(&self, command: &str) -> &serde_json::Value {
        let processes = self.report["processes"].as_array().map(Vec::as_slice).unwrap_or_default();
        processes
            .iter()
            .rfind(|process| process["command"].as_str().is_some_and(|own| own.contains(command)))
            .unwrap_or_else(|| panic!("the report does not name {command}\n{self}"))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit code {} after {:?}", self.code, self.took)?;
        write!(
            f,
            "--- stdout\n{}\n--- stderr\n{}\n--- log\n{}",
            self.stdout, self.stderr, self.log
        )?;
        if self.report.is_null() { Ok(()) } else { write!(f, "--- report\n{:#}", self.report) }
    }
}
