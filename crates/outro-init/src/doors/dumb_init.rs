//! `dumb-init`: the flags of dumb-init 1.2.5.

use super::{
    getopt::{End, Item, Items, Spec},
    leading_number,
};
use crate::{
    plan::{Adoption, Directory, InheritedFiles, Plan, Request, TerminalChoice},
    voice::Voice,
};
use outro_core::{
    settings::{Farewell, Forward, Group, Suspend},
    signal::Signal,
};
use outro_sys::{
    own,
    spawn::{Blocked, Membership},
};
use std::ffi::OsString;

const VERSION: &str = "dumb-init v1.2.5\n";

const SPEC: Spec = Spec {
    short: &[('h', false), ('v', false), ('V', false), ('c', false), ('r', true)],
    long: &[
        ("help", 'h'),
        ("single-child", 'c'),
        ("rewrite", 'r'),
        ("verbose", 'v'),
        ("version", 'V'),
    ],
    end: End::FirstOperand,
};

/// What it exits with when the program cannot be started, whatever the reason.
const START_FAILURE: u8 = 2;

pub(super) fn read(plan: &mut Plan, command_line: &[OsString]) -> Result<(), Request> {
    let name = command_line.first().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let mut debug = false;
    let mut single_child = false;
    let mut rewritten: Vec<Signal> = Vec::new();
    for item in Items::new(&SPEC, command_line) {
        match item {
            Item::Operand(operand) => plan.command.push(operand),
            Item::Mistake(text) => return Err(Request::PrintError(text, 1)),
            Item::Flag('h', _) => return Err(Request::PrintError(help(&name), 0)),
            Item::Flag('V', _) => return Err(Request::PrintError(VERSION.to_owned(), 0)),
            Item::Flag('v', _) => debug = true,
            Item::Flag('c', _) => single_child = true,
            Item::Flag(_, value) => {
                let rewrite = rewrite(&value.to_string_lossy());
                let (from, to) =
                    rewrite.ok_or_else(|| Request::PrintError(BAD_REWRITE.to_owned(), 1))?;
                plan.settings.rewrites.set(from, to);
                rewritten.push(from);
            }
        }
    }
    if plan.command.is_empty() {
        let text =
            format!("Usage: {name} [option] program [args]\nTry {name} --help for full usage.\n");
        return Err(Request::PrintError(text, 1));
    }
    let is = |variable: &str, value: &str| std::env::var_os(variable).is_some_and(|it| it == value);
    let debug_by_variable = is("DUMB_INIT_DEBUG", "1");
    let voice = Voice::DumbInit { debug: debug || debug_by_variable };
    if debug_by_variable {
        voice.dumb_init(format_args!("Running in debug mode."));
    }
    if is("DUMB_INIT_SETSID", "0") {
        single_child = true;
        voice.dumb_init(format_args!("Not running in setsid mode."));
    }
    plan.voice = voice;
    plan.adoption = Adoption::OnlyAsPid1;
    plan.blocked = Blocked::None;
    plan.directory = Directory::Root;
    plan.passes_listen_pid = false;
    plan.inherited_files = InheritedFiles::Keep;
    plan.start_failure = |_| START_FAILURE;
    plan.settings.suspend = Suspend::StopToo;
    if single_child {
        plan.membership = Membership::Shared;
        plan.settings.group = Group::Shared;
        plan.terminal = TerminalChoice::Leave;
    } else {
        plan.membership = Membership::Session;
        plan.terminal = TerminalChoice::NewSession;
        plan.settings.forward = Forward::Group;
        // As PID 1 what is left is stopped by the tree, and nobody told twice.
        if own::pid().0 != 1 {
            plan.settings.farewell = Farewell::TellGroup;
        }
        // The session has no terminal's shell to continue it, so a plain stop is meant.
        for signal in Signal::JOB_CONTROL {
            let is_ours = plan.settings.rewrites.apply(signal) != Some(signal);
            if !rewritten.contains(&signal) && !is_ours {
                plan.settings.rewrites.set(signal, Some(Signal::STOP));
            }
        }
    }
    Ok(())
}

const BAD_REWRITE: &str = "\
Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.
";

/// `FROM:TO` as scanf's `%d:%d` reads it: 1 to 31 to 0 to 31, and what follows does not count.
fn rewrite(text: &str) -> Option<(Signal, Option<Signal>)> {
    let (from, rest) = leading_number(text)?;
    let (to, _) = leading_number(rest.strip_prefix(':')?)?;
    let in_range = (1..=31).contains(&from) && (0..=31).contains(&to);
    in_range.then(|| Signal::new(from).map(|from| (from, Signal::new(to)))).flatten()
}

fn help(name: &str) -> String {
    format!(
        "{VERSION}Usage: {name} [option] command [[arg] ...]

dumb-init is a simple process supervisor that forwards signals to children.
It is designed to run as PID1 in minimal container environments.

Optional arguments:
   -c, --single-child   Run in single-child mode.
                        In this mode, signals are only proxied to the
                        direct child and not any of its descendants.
   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.
                        To ignore (not proxy) a signal, rewrite it to 0.
                        This option can be specified multiple times.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

Full help is available online at https://github.com/Yelp/dumb-init
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewrite_is_read_as_scanf_reads_it() {
        let numbers =
            |text| rewrite(text).map(|(from, to)| (from.number(), to.map_or(0, Signal::number)));
        for (text, expected) in [
            ("15:2", Some((15, 2))),
            (" 15: +2x", Some((15, 2))),
            ("1:0", Some((1, 0))),
            ("15::2", None),
            ("0:15", None),
            ("1:32", None),
            ("15", None),
            ("herp:derp", None),
            ("", None),
        ] {
            assert_eq!(numbers(text), expected, "{text:?}");
        }
    }
}
