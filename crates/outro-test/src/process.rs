//! Processes of the namespace, seen from outside of it.

use std::fs;
use std::path::PathBuf;

use crate::signal::Signal;

/// A process, by its PID outside of the namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Process(pub u32);

impl Process {
    /// Every process of the machine.
    pub(crate) fn all() -> Vec<Process> {
        let entries = fs::read_dir("/proc").expect("there is a /proc");
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok().map(Process))
            .collect()
    }

    /// Its children.
    #[must_use]
    pub fn children(self) -> Vec<Process> {
        let parent = self.0.to_string();
        let mut children = Self::all();
        children.retain(|child| child.status("PPid").is_some_and(|ppid| ppid == parent));
        children
    }

    /// Its children and theirs, down to the last.
    #[must_use]
    pub fn descendants(self) -> Vec<Process> {
        self.children()
            .into_iter()
            .flat_map(|child| [vec![child], child.descendants()].concat())
            .collect()
    }

    /// A field of /proc/PID/status, such as `SigIgn`; none if the process is gone.
    #[must_use]
    pub fn status(self, field: &str) -> Option<String> {
        let status = fs::read_to_string(self.path("status")).ok()?;
        let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
        Some(value.trim().to_owned())
    }

    /// The letter of its state, such as `S`, `T` or `Z`; none if it is gone.
    #[must_use]
    pub fn state(self) -> Option<char> {
        self.status("State")?.chars().next()
    }

    /// Its command line, with spaces.
    #[must_use]
    pub fn command(self) -> String {
        let bytes = fs::read(self.path("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ").trim().to_owned()
    }

    /// Its PID inside of the innermost namespace.
    #[must_use]
    pub fn pid_inside(self) -> Option<u32> {
        self.status("NSpid")?.split_whitespace().last()?.parse().ok()
    }

    /// Sends it a signal.
    pub fn signal(self, signal: Signal) {
        signal.send(self.0);
    }

    /// The program that it runs, once it has one.
    pub(crate) fn program(self) -> Option<PathBuf> {
        fs::read_link(self.path("exe")).ok()
    }

    /// The identity of its PID namespace.
    pub(crate) fn namespace(self) -> Option<PathBuf> {
        fs::read_link(self.path("ns/pid")).ok()
    }

    fn path(self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0)
    }
}
