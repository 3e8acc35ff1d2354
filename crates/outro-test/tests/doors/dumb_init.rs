//! The door `dumb-init`, against dumb-init 1.2.5.

use crate::table::{Expect, exits, row, says, table};

/// The whole help text; line two begins with the program as it was called.
const HELP: [&str; 17] = [
    "dumb-init v1.2.5",
    "Usage: dumb-init [option] command [[arg] ...]",
    "",
    "dumb-init is a simple process supervisor that forwards signals to children.",
    "It is designed to run as PID1 in minimal container environments.",
    "",
    "Optional arguments:",
    "   -c, --single-child   Run in single-child mode.",
    "                        In this mode, signals are only proxied to the",
    "                        direct child and not any of its descendants.",
    "   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.",
    "                        To ignore (not proxy) a signal, rewrite it to 0.",
    "                        This option can be specified multiple times.",
    "   -v, --verbose        Print debugging information to stderr.",
    "   -h, --help           Print this help message and exit.",
    "   -V, --version        Print the current version and exit.",
    "",
];

const USAGE: [&str; 2] =
    ["Usage: dumb-init [option] program [args]", "Try dumb-init --help for full usage."];

const REWRITE_USAGE: [&str; 3] = [
    "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.",
    "This option can be specified multiple times.",
    "Use --help for full usage.",
];

// Debug lines, in the order of a life.
const DEBUG_MODE: &str = "[dumb-init] Running in debug mode.";
const NO_SETSID: &str = "[dumb-init] Not running in setsid mode.";
const NO_TTY: &str =
    "[dumb-init] Unable to detach from controlling tty (errno=25 Inappropriate ioctl for device).";
const SPAWNED: &str = "[dumb-init] Child spawned with PID #.";
const SETSID_DONE: &str = "[dumb-init] setsid complete.";
const CHILD_SIGNAL: &str = "[dumb-init] Received signal 17.";
const ENDED: &str = "[dumb-init] A child with PID # exited with exit status 0.";
const FAREWELL: &str = "[dumb-init] Forwarded signal 15 to children.";
const GOODBYE: &str = "[dumb-init] Child exited with status 0. Goodbye.";

/// The lines of `true`'s life in single-child mode, in their order.
const SINGLE: [&str; 5] = [SPAWNED, CHILD_SIGNAL, ENDED, FAREWELL, GOODBYE];

/// The parent's lines and the child's come in any order, save for the last.
fn a_debugged_life() -> Expect {
    let lines = [NO_TTY, SPAWNED, SETSID_DONE].map(|line| format!("{line}\n"));
    let end = [CHILD_SIGNAL, ENDED, FAREWELL, GOODBYE].map(|line| format!("{line}\n")).concat();
    exits(0).err_has([&lines[0], &lines[1], &lines[2], &end])
}

#[test]
fn help_and_version_go_to_standard_error() {
    let help = || {
        let text = HELP.join("\n")
            + "\nFull help is available online at https://github.com/Yelp/dumb-init";
        exits(0).err([text.as_str()])
    };
    table([
        row("dumb-init -h", help()),
        row("dumb-init --help", help()),
        row("dumb-init --he", help()),
        row("exec dumb-init -h", help()),
        row("dumb-init -hz", help()),
        row("dumb-init -V", exits(0).err(["dumb-init v1.2.5"])),
        row("dumb-init --version", exits(0).err(["dumb-init v1.2.5"])),
        row("dumb-init -V false", exits(0).err(["dumb-init v1.2.5"])),
        row("DUMB_INIT_DEBUG=1 dumb-init -vV", exits(0).err(["dumb-init v1.2.5"])),
    ]);
}

#[test]
fn a_long_flag_may_be_shortened_until_it_is_ambiguous() {
    let ambiguous =
        "dumb-init: option '--ver' is ambiguous; possibilities: '--verbose' '--version'";
    table([
        row("dumb-init --vers", exits(0).err(["dumb-init v1.2.5"])),
        row("dumb-init --verb --single true", exits(0).err(SINGLE)),
        row("dumb-init --rew 15:2 --rewr=1:2 true", exits(0)),
        row("dumb-init --ver", exits(1).err([ambiguous])),
    ]);
}

#[test]
fn a_wrong_command_line_is_an_error_without_the_help() {
    table([
        row("dumb-init", exits(1).err(USAGE)),
        row("dumb-init --", exits(1).err(USAGE)),
        row("dumb-init -v -c", exits(1).err(USAGE)),
        row("dumb-init --yolo true", exits(1).err(["dumb-init: unrecognized option '--yolo'"])),
        row("dumb-init -z true", exits(1).err(["dumb-init: invalid option -- 'z'"])),
        row("dumb-init -zh", exits(1).err(["dumb-init: invalid option -- 'z'"])),
        row(
            "dumb-init --help=x",
            exits(1).err(["dumb-init: option '--help' doesn't allow an argument"]),
        ),
        row(
            "dumb-init --rewrite",
            exits(1).err(["dumb-init: option '--rewrite' requires an argument"]),
        ),
        row("dumb-init -r", exits(1).err(["dumb-init: option requires an argument -- 'r'"])),
        // It names itself as it was called.
        row(
            "\"$(command -v dumb-init)\"",
            exits(1).err_has(["/dumb-init [option] program [args]\nTry /"]),
        ),
    ]);
}

#[test]
fn flags_end_at_the_program() {
    table([
        row("dumb-init echo -v -z", says(["-v -z"])),
        row("dumb-init -c -- echo -c", says(["-c"])),
        row("dumb-init -- -v", exits(2).err(["[dumb-init] -v: No such file or directory"])),
    ]);
}

#[test]
fn a_rewrite_is_two_numbers_and_what_follows_them_is_not_read() {
    let taken = |value: &str| row(format!("dumb-init -r '{value}' true"), exits(0));
    table(
        [
            "15:2", "15:0", "1:31", "31:1", " 15:2", "+15:+2", "15: 2", "15:2x", "15:2:9",
            "15:2,2:3", "015:02",
        ]
        .map(taken),
    );
    table([row("dumb-init -r15:2 true", exits(0)), row("dumb-init --rewrite=15:2 true", exits(0))]);
    let refused =
        |value: &str| row(format!("dumb-init -r '{value}' true"), exits(1).err(REWRITE_USAGE));
    table(
        [
            "",
            "15",
            "15:",
            ":15",
            "15::12",
            "15 :12",
            "herp",
            "herp:derp",
            "15:derp",
            "0:1",
            "32:1",
            "1:32",
            "-1:1",
            "15:-1",
            "TERM:INT",
            "1 2",
        ]
        .map(refused),
    );
    table([
        row("dumb-init -r 15:12 -r 0 true", exits(1).err(REWRITE_USAGE)),
        row("dumb-init -r true", exits(1).err(REWRITE_USAGE)),
        row(
            "dumb-init -r 15:12 -r",
            exits(1).err(["dumb-init: option requires an argument -- 'r'"]),
        ),
    ]);
}

#[test]
fn a_program_that_cannot_be_started_is_exit_code_2() {
    let fails = |program: &str, error: &str| {
        let message = format!("[dumb-init] {program}: {error}");
        row(format!("dumb-init -- '{program}' a"), exits(2).err([message.as_str()]))
    };
    table([
        fails("nowhere", "No such file or directory"),
        fails("", "No such file or directory"),
        fails("adrift", "No such file or directory"),
        fails("/etc", "Permission denied"),
        fails("/etc/passwd", "Permission denied"),
        fails("/etc/passwd/x", "Not a directory"),
        row(
            "dumb-init -c nowhere",
            exits(2).err(["[dumb-init] nowhere: No such file or directory"]),
        ),
        row(
            "exec dumb-init nowhere",
            exits(2).err(["[dumb-init] nowhere: No such file or directory"]),
        ),
    ]);
}

#[test]
fn debug_lines_tell_a_whole_life() {
    table([
        row("dumb-init -v true", a_debugged_life()),
        row("exec dumb-init -v true", a_debugged_life()),
        row("dumb-init -v -c true", exits(0).err(SINGLE)),
        row("exec dumb-init -vc true", exits(0).err(SINGLE)),
        row(
            "dumb-init -vc sh -c 'exit 3'",
            exits(3).err([
                SPAWNED,
                CHILD_SIGNAL,
                "[dumb-init] A child with PID # exited with exit status 3.",
                FAREWELL,
                "[dumb-init] Child exited with status 3. Goodbye.",
            ]),
        ),
        row(
            "dumb-init -vc sh -c 'kill -9 $$'",
            exits(137).err([
                SPAWNED,
                CHILD_SIGNAL,
                "[dumb-init] A child with PID # was terminated by signal 9.",
                FAREWELL,
                "[dumb-init] Child exited with status 137. Goodbye.",
            ]),
        ),
    ]);
}

/// What the original's child says of itself, outro's does not.
#[test]
fn the_child_is_not_quoted() {
    const NO_TTY: &str = "[dumb-init] Unable to attach to controlling tty (errno=25 Inappropriate ioctl for device).\n";
    const NOWHERE: &str = "[dumb-init] nowhere: No such file or directory\n";
    table([
        row("dumb-init -v true", exits(0).err_has([NO_TTY])).but_outro(exits(0).err_lacks(NO_TTY)),
        row(
            "dumb-init -vc nowhere",
            exits(2).err_has([
                NOWHERE,
                "[dumb-init] A child with PID # exited with exit status 2.\n",
                "[dumb-init] Child exited with status 2. Goodbye.\n",
            ]),
        )
        .but_outro(exits(2).err([NOWHERE.trim_end()])),
    ]);
}

#[test]
fn two_variables_stand_for_two_flags_by_one_value_each() {
    table([
        row("DUMB_INIT_DEBUG=1 dumb-init true", a_debugged_life()),
        row(
            "DUMB_INIT_DEBUG=1 dumb-init -c true",
            exits(0).err([DEBUG_MODE, SPAWNED, CHILD_SIGNAL, ENDED, FAREWELL, GOODBYE]),
        ),
        row(
            "DUMB_INIT_DEBUG=1 DUMB_INIT_SETSID=0 dumb-init true",
            exits(0).err([DEBUG_MODE, NO_SETSID, SPAWNED, CHILD_SIGNAL, ENDED, FAREWELL, GOODBYE]),
        ),
        row("DUMB_INIT_DEBUG=yes dumb-init true", exits(0)),
        row("DUMB_INIT_DEBUG=0 dumb-init -vc true", exits(0).err(SINGLE)),
        row("DUMB_INIT_SETSID=no dumb-init whoami", exits(0).out_has(["session its own"])),
        row("DUMB_INIT_SETSID=0 dumb-init whoami", exits(0).out_has(["session inherited"])),
        row("DUMB_INIT_SETSID=1 dumb-init -c whoami", exits(0).out_has(["session inherited"])),
        row(
            "DUMB_INIT_DEBUG=0 DUMB_INIT_SETSID=0 dumb-init sh -c 'env | grep ^DUMB | sort'",
            says(["DUMB_INIT_DEBUG=0", "DUMB_INIT_SETSID=0"]),
        ),
        // The command line's own errors come before either is read.
        row("DUMB_INIT_DEBUG=1 DUMB_INIT_SETSID=0 dumb-init", exits(1).err(USAGE)),
    ]);
}

#[test]
fn the_program_starts_with_no_signal_blocked() {
    let whoami = |ignores, group, session| says([ignores, "blocks nothing", group, session]);
    let leads = |ignores| whoami(ignores, "group its own", "session its own");
    let follows = |ignores| whoami(ignores, "group inherited", "session inherited");
    table([
        row("dumb-init whoami", leads("ignores nothing")),
        row("exec dumb-init whoami", leads("ignores nothing")),
        row("dumb-init -c whoami", follows("ignores nothing")),
        row("with '' 4,15,21,37 dumb-init whoami", leads("ignores nothing")),
        row("with '' 4,15,21,37 dumb-init -c whoami", follows("ignores nothing")),
    ]);
}

/// The original handles every signal before it starts the program, and so loses what `nohup` did.
#[test]
fn what_was_ignored_stays_ignored() {
    let ignored = || exits(0).out_has(["ignores 1 10\n"]);
    let lost = || exits(0).out_has(["ignores nothing\n"]);
    table([
        row("with 1,10 '' dumb-init whoami", lost()).but_outro(ignored()),
        row("with 1,10 '' dumb-init -c whoami", lost()).but_outro(ignored()),
        row("exec with 1,10 '' dumb-init whoami", lost()).but_outro(ignored()),
    ]);
}

#[test]
fn init_itself_moves_to_the_root_and_the_program_does_not() {
    let both = |flags| {
        row(
            format!(
                "cd /usr; dumb-init {flags} sh -c \
                 'until [ \"$(readlink /proc/$PPID/cwd)\" = / ]; do sleep 0.01; done; pwd'"
            ),
            says(["/usr"]),
        )
    };
    table([both(""), both("-c")]);
}

#[test]
fn debug_lines_tell_what_became_of_a_signal() {
    // The program waits for what it asked init to do.
    let asks = |flags: &str, signal: i32, trap: &str| {
        format!(
            "dumb-init -v {flags} sh -c 'trap \"exit 4\" {trap}; kill -{signal} $PPID; while :; do sleep 0.02; done'"
        )
    };
    table([
        row(
            asks("-c", 10, "10"),
            exits(4).err_has([
                "[dumb-init] Received signal 10.\n[dumb-init] Forwarded signal 10 to children.\n",
            ]),
        ),
        row(
            asks("", 10, "10"),
            exits(4).err_has([
                "[dumb-init] Received signal 10.\n[dumb-init] Forwarded signal 10 to children.\n",
            ]),
        ),
        row(
            asks("-r 10:12", 10, "12"),
            exits(4).err_has([
                "[dumb-init] Received signal 10.\n[dumb-init] Translating signal 10 to 12.\n[dumb-init] Forwarded signal 12 to children.\n",
            ]),
        ),
        row(
            "dumb-init -v -r 10:0 sh -c 'trap \"exit 4\" 12; kill -10 $PPID; kill -12 $PPID; while :; do sleep 0.02; done'",
            exits(4).err_has([
                "[dumb-init] Received signal 10.\n[dumb-init] Translating signal 10 to 0.\n[dumb-init] Not forwarding signal 0 to children (ignored).\n",
                "[dumb-init] Received signal 12.\n[dumb-init] Forwarded signal 12 to children.\n",
            ]),
        ),
        // The farewell is a signal like any other.
        row(
            "dumb-init -v -c -r 15:9 true",
            exits(0).err([
                SPAWNED,
                CHILD_SIGNAL,
                ENDED,
                "[dumb-init] Translating signal 15 to 9.",
                "[dumb-init] Forwarded signal 9 to children.",
                GOODBYE,
            ]),
        ),
        row(
            "dumb-init -v -c -r 15:0 true",
            exits(0).err([
                SPAWNED,
                CHILD_SIGNAL,
                ENDED,
                "[dumb-init] Translating signal 15 to 0.",
                "[dumb-init] Not forwarding signal 0 to children (ignored).",
                GOODBYE,
            ]),
        ),
    ]);
}

#[test]
fn rewrites_are_looked_up_once_and_the_last_one_counts() {
    // The shell may remark that the signal ended its `sleep`.
    let heard = |number| says([number]).any_err();
    let asks = |flags: &str, signal: i32, traps: &str| {
        let traps: String =
            traps.split(' ').map(|n| format!("trap \"echo {n}; exit 0\" {n}; ")).collect();
        format!(
            "dumb-init {flags} sh -c '{traps} kill -{signal} $PPID; while :; do sleep 0.02; done'"
        )
    };
    table([
        row(asks("-r 1:31", 1, "1 31"), heard("31")),
        row(asks("-r 31:1", 31, "1 31"), heard("1")),
        row(asks("-r 15:2 -r 2:15", 15, "2 15"), heard("2")),
        row(asks("-r 15:2 -r 2:15", 2, "2 15"), heard("15")),
        row(asks("-r 15:2 -r 15:3", 15, "2 3 15"), heard("3")),
        row(asks("-c -r 15:3", 15, "3 15"), heard("3")),
        row(asks("-r 1:17", 1, "1 17"), heard("17")),
    ]);
}
