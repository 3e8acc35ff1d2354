//! `tini`, `tini-static`, `docker-init`: the flags of tini 0.19.

use super::{
    LICENCE,
    getopt::{End, Item, Items, Spec},
    leading_number,
};
use crate::{
    called,
    plan::{Adoption, InheritedFiles, Plan, Request},
    voice::Voice,
};
use outro_core::{
    exit::{NOT_EXECUTABLE, NOT_FOUND},
    route::Route,
    settings::Forward,
    signal::Signal,
};
use outro_sys::{Errno, own};
use std::ffi::OsString;

const VERSION: &str = "tini version 0.19.0";

const SPEC: Spec = Spec {
    short: &[
        ('p', true),
        ('h', false),
        ('v', false),
        ('w', false),
        ('g', false),
        ('l', false),
        ('e', true),
        ('s', false),
    ],
    long: &[],
    end: End::Nowhere,
};

/// The names that `-p` takes; tini knows no others, and no numbers.
const PARENT_DEATH_SIGNALS: [&str; 27] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH",
];

pub(super) fn read(plan: &mut Plan, command_line: &[OsString]) -> Result<(), Request> {
    let name = called(command_line).to_owned();
    if let [_, only] = command_line
        && only == "--version"
    {
        return Err(Request::Print(format!("{VERSION}\n")));
    }
    let mut level = 1;
    let mut warns_of_reaped = false;
    let mut adoption = Adoption::OnlyAsPid1;
    let mut to_group = false;
    for item in Items::new(&SPEC, command_line) {
        match item {
            Item::Operand(operand) => plan.command.push(operand),
            Item::Mistake(text) => {
                return Err(Request::PrintError(format!("{text}{}", usage(&name)), 1));
            }
            Item::Flag('h', _) => return Err(Request::Print(usage(&name))),
            Item::Flag('l', _) => return Err(Request::Print(LICENCE.to_owned())),
            Item::Flag('s', _) => adoption = Adoption::Always,
            Item::Flag('v', _) => level += 1,
            Item::Flag('w', _) => warns_of_reaped = true,
            Item::Flag('g', _) => to_group = true,
            Item::Flag('p', value) => {
                plan.parent_death = Some(parent_death(&value).ok_or_else(|| invalid('p', &value))?);
            }
            Item::Flag(_, value) => {
                let code = number(&value.to_string_lossy()).filter(|code| (0..=255).contains(code));
                let code = code.ok_or_else(|| invalid('e', &value))?;
                plan.settings.expected.add(&code.to_string()).map_err(|_| invalid('e', &value))?;
            }
        }
    }
    if plan.command.is_empty() {
        return Err(Request::PrintError(usage(&name), 1));
    }
    let variable = |name: &str| std::env::var_os(name);
    if variable("TINI_SUBREAPER").is_some() {
        adoption = Adoption::Always;
    }
    if variable("TINI_KILL_PROCESS_GROUP").is_some() {
        to_group = true;
    }
    if let Some(value) = variable("TINI_VERBOSITY") {
        level = number_at_start(&value.to_string_lossy());
    }
    if to_group {
        plan.settings.route = Route::Group;
        plan.settings.forward = Forward::Group;
    }
    plan.adoption = adoption;
    plan.voice = Voice::Tini { level, warns_of_reaped };
    plan.passes_listen_pid = false;
    plan.inherited_files = InheritedFiles::Keep;
    plan.deaf_to = &[Signal::TTIN, Signal::TTOU];
    plan.start_failure = start_failure;
    Ok(())
}

fn start_failure(errno: Errno) -> u8 {
    match errno {
        Errno::NOENT => NOT_FOUND,
        Errno::ACCES => NOT_EXECUTABLE,
        _ => 1,
    }
}

fn parent_death(value: &OsString) -> Option<Signal> {
    let name = value.to_str()?.strip_prefix("SIG")?;
    let is_known = name == "SYS" || PARENT_DEATH_SIGNALS.contains(&name);
    is_known.then(|| Signal::parse(name).ok()).flatten()
}

fn invalid(flag: char, value: &OsString) -> Request {
    let (pid, value) = (own::pid(), value.to_string_lossy());
    let text = format!("[FATAL tini ({pid})] Not a valid option for -{flag}: {value}\n");
    Request::PrintError(text, 1)
}

/// As strtol(3) reads a whole argument: blanks before it and a sign are fine, nothing is 0.
fn number(text: &str) -> Option<i64> {
    match text.trim_start() {
        "" if text.is_empty() => Some(0),
        rest => rest.parse().ok(),
    }
}

/// As atoi(3): the number that the text begins with, or 0.
fn number_at_start(text: &str) -> i32 {
    leading_number(text).map_or(0, |(number, _)| number)
}

fn usage(name: &str) -> String {
    format!(
        "{name} ({VERSION})
Usage: {name} [OPTIONS] PROGRAM -- [ARGS] | --version

Execute a program under the supervision of a valid init process ({name}); outro stands in for tini here

Command line options:

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Adopt orphans where it is not PID 1 (as a subreaper).
  -p SIGNAL: Get SIGNAL when the parent ends, e.g. \"-p SIGKILL\".
  -v: Generate more verbose output. Repeat up to 3 times.
  -w: Warn of each orphan that is reaped.
  -g: Send signals to the program's process group.
  -e EXIT_CODE: Take EXIT_CODE (from 0 to 255) for 0.
  -l: Show license and exit.

Environment variables:

  TINI_SUBREAPER: As -s.
  TINI_VERBOSITY: Set the verbosity level (default: 1).
  TINI_KILL_PROCESS_GROUP: As -g.

"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_c_library_reads_them() {
        for (text, value) in
            [("143", Some(143)), (" +7", Some(7)), ("", Some(0)), ("0x1", None), ("1 ", None)]
        {
            assert_eq!(number(text), value, "{text:?}");
        }
        for (text, value) in [("3", 3), (" -1x", -1), ("x", 0), ("", 0), ("+", 0)] {
            assert_eq!(number_at_start(text), value, "{text:?}");
        }
    }
}
