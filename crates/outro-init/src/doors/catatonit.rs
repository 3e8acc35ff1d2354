//! `catatonit`: the flags of catatonit 0.1.7.

use super::{
    LICENCE,
    getopt::{End, Item, Items, Spec},
};
use crate::{
    plan::{Plan, Request, TerminalChoice},
    voice::Voice,
};
use outro_core::{
    route::Route,
    settings::{Forward, Suspend},
};
use outro_sys::own;
use std::ffi::OsString;

/// Docker looks for tini's words.
const VERSION: &str = "tini version 0.1.7_catatonit\n";

const USAGE: &str = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n";

const HELP: &str = "
options:
  -g               send signals to the program's process group
  -h               print this help and exit
  -L               print the licence and exit
  -P               run no program: pause until TERM or INT
  -V, --version    print the version and exit

outro stands in for catatonit here.
";

const SPEC: Spec = Spec {
    short: &[('g', false), ('h', false), ('L', false), ('P', false), ('V', false)],
    long: &[("version", 'V')],
    end: End::Nowhere,
};

pub(super) fn read(plan: &mut Plan, command_line: &[OsString]) -> Result<(), Request> {
    let variable = |name: &str| std::env::var_os(name).is_some();
    if variable("CATATONIT_LOG") {
        return Err(refusal("CATATONIT_LOG is reserved for future use", ""));
    }
    for item in Items::new(&SPEC, command_line) {
        match item {
            Item::Operand(operand) => plan.command.push(operand),
            Item::Mistake(text) => return Err(Request::PrintError(format!("{text}{USAGE}"), 1)),
            Item::Flag('h', _) => return Err(Request::PrintError(format!("{USAGE}{HELP}"), 0)),
            Item::Flag('L', _) => return Err(Request::Print(LICENCE.to_owned())),
            Item::Flag('V', _) => return Err(Request::Print(VERSION.to_owned())),
            Item::Flag('P', _) => plan.is_pause = true,
            Item::Flag(..) => {
                plan.settings.route = Route::Group;
                plan.settings.forward = Forward::Group;
            }
        }
    }
    if plan.command.is_empty() && !plan.is_pause {
        return Err(refusal("missing program name", USAGE));
    }
    plan.voice = Voice::Catatonit { debug: variable("CATATONIT_DEBUG") };
    plan.terminal = TerminalChoice::Controlling;
    plan.start_failure = |_| 1;
    plan.settings.suspend = Suspend::Drop;
    Ok(())
}

fn refusal(text: &str, after: &str) -> Request {
    let pid = own::pid();
    Request::PrintError(format!("ERROR (catatonit:{pid}): {text}\n{after}"), 1)
}
