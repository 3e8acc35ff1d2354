//! The door `catatonit`, against catatonit 0.1.7.

use crate::table::{exits, row, says, table};

const USAGE: &str = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]";
const NO_PROGRAM: &str = "ERROR (catatonit:#): missing program name";

#[test]
fn the_version_is_told_in_tinis_words() {
    let version = || says(["tini version 0.1.7_catatonit"]);
    table([
        row("catatonit -V", version()),
        row("catatonit --version", version()),
        row("catatonit --vers", version()),
        row("catatonit -V false", version()),
        row("catatonit -gVz", version()),
        row("exec catatonit -V", version()),
    ]);
}

#[test]
fn help_goes_to_standard_error() {
    let help = || {
        exits(0).err_has([USAGE, "\n  -g ", "\n  -h ", "\n  -L ", "\n  -P ", "\n  -V, --version "])
    };
    table([row("catatonit -h", help()), row("catatonit -hz", help())]);
}

#[test]
fn the_licence_is_printed_and_nothing_run() {
    table([row("catatonit -L false", exits(0).out_has(["GNU General Public License"]))
        .but_outro(exits(0).out_has(["outro is free software", "MIT", "Apache"]))]);
}

#[test]
fn a_wrong_command_line_is_an_error_with_the_usage() {
    table([
        row("catatonit", exits(1).err([NO_PROGRAM, USAGE])),
        row("catatonit -g --", exits(1).err([NO_PROGRAM, USAGE])),
        row("catatonit -z true", exits(1).err(["catatonit: invalid option -- 'z'", USAGE])),
        row("catatonit -zL", exits(1).err(["catatonit: invalid option -- 'z'", USAGE])),
        row("catatonit --help", exits(1).err(["catatonit: unrecognized option '--help'", USAGE])),
        row(
            "catatonit --foo true",
            exits(1).err(["catatonit: unrecognized option '--foo'", USAGE]),
        ),
        row(
            "\"$(command -v catatonit)\" -z",
            exits(1).err_has(["/catatonit: invalid option -- 'z'\n", USAGE]),
        ),
    ]);
}

#[test]
fn flags_after_the_program_are_taken_unless_told_otherwise() {
    table([
        row("catatonit true -V", says(["tini version 0.1.7_catatonit"])),
        row("catatonit -- echo -V", says(["-V"])),
        row("catatonit echo a -- -V", says(["a -V"])),
        row("catatonit echo a -g b", says(["a b"])),
        row("catatonit sh -c 'exit 3'", exits(1).err(["catatonit: invalid option -- 'c'", USAGE])),
        row("POSIXLY_CORRECT=1 catatonit echo a -V", says(["a -V"])),
    ]);
}

#[test]
fn a_variable_kept_for_later_stops_everything() {
    let reserved =
        || exits(1).err(["ERROR (catatonit:#): CATATONIT_LOG is reserved for future use"]);
    table([
        row("CATATONIT_LOG=x catatonit true", reserved()),
        row("CATATONIT_LOG= catatonit true", reserved()),
        row("CATATONIT_LOG=x catatonit -V", reserved()),
        row("CATATONIT_LOG=x exec catatonit true", reserved()),
    ]);
}

#[test]
fn a_program_that_cannot_be_started_is_exit_code_1_and_not_named() {
    let fails = |program: &str, error: &str| {
        let message = format!("ERROR (catatonit:#): failed to exec pid1: {error}");
        row(format!("catatonit -- '{program}' a"), exits(1).err([message.as_str()]))
    };
    table([
        fails("nowhere", "No such file or directory"),
        fails("", "No such file or directory"),
        fails("adrift", "No such file or directory"),
        fails("/etc", "Permission denied"),
        fails("/etc/passwd/x", "Not a directory"),
    ]);
}

#[test]
fn debug_lines_are_had_by_setting_a_variable_to_anything() {
    // The original's child says how it looked for a terminal, outro's does not.
    let life = |line: &str| {
        const SPAWNED: &str = "DEBUG (catatonit:#): pid1 (#) spawned: true\n";
        const NONE_LEFT: &str = "DEBUG (catatonit:#): got ECHILD: no children left to monitor\n";
        let original = [
            SPAWNED,
            "INFO (catatonit:#): using stdin as tty fd: could not open /dev/tty: No such device or address\n",
            "DEBUG (catatonit:#): setting foreground process failed: no tty present: Inappropriate ioctl for device\n",
            NONE_LEFT,
        ];
        row(line, exits(0).err_has(original))
            .but_outro(exits(0).err([SPAWNED.trim_end(), NONE_LEFT.trim_end()]))
    };
    let two_orphans = "sh -c '(sleep 0.01 &); (sh -c \"kill -9 \\$\\$\" &); while [ $(ps -o pid= --ppid $PPID | wc -l) -gt 1 ]; do sleep 0.02; done; exit 3'";
    table([
        life("CATATONIT_DEBUG=1 catatonit true"),
        life("CATATONIT_DEBUG=0 catatonit true"),
        life("CATATONIT_DEBUG= catatonit true"),
        life("CATATONIT_DEBUG=1 exec catatonit true"),
        row(
            format!("CATATONIT_DEBUG=1 catatonit -- {two_orphans}"),
            exits(3).err_has([
                "DEBUG (catatonit:#): child process # exited with code 0\n",
                "DEBUG (catatonit:#): child process # exited due to signal 9\n",
            ]),
        ),
        row(
            "CATATONIT_DEBUG=1 catatonit -- sh -c 'trap \"exit 4\" 10; kill -TSTP $PPID; kill -10 $PPID; while :; do sleep 0.02; done'",
            exits(4).err_has([
                "DEBUG (catatonit:#): ignoring kernel attempting to stop us: tty has TOSTOP set\n",
            ]),
        ),
        row(
            "CATATONIT_DEBUG= catatonit -- sh -c 'echo \"<$CATATONIT_DEBUG>\"'",
            says(["<>"]).any_err(),
        ),
    ]);
}

#[test]
fn sockets_that_were_meant_for_init_are_the_programs() {
    let answers = |value: &str, answer| {
        // The exec keeps the PID that the variable names.
        row(
            format!(
                "sh -c 'export LISTEN_FDS=1 LISTEN_PID={value}; exec catatonit -- sh -c \"if [ \\$LISTEN_PID = \\$\\$ ]; then echo mine; else echo \\$LISTEN_PID; fi\"'"
            ),
            says([answer]),
        )
    };
    table([
        answers("$$", "mine"),
        // The original reads the number and not what follows it.
        answers("$$x", "mine").but_outro(says(["#x"])),
        answers("12345", "12345"),
        answers("0", "0"),
        answers("99999999999999999999", "99999999999999999999"),
        row(
            "LISTEN_FDS=1 LISTEN_PID=1 exec catatonit -- sh -c '[ $LISTEN_PID = $$ ] && echo mine'",
            says(["mine"]),
        ),
        row("catatonit -- sh -c 'echo \"<$LISTEN_PID>\"'", says(["<>"])),
    ]);
}

/// The original leaves the program with the terminal's stop signals blocked, so ^Z does nothing.
#[test]
fn the_program_can_be_stopped_from_the_terminal() {
    let whoami = |ignores, blocks| says([ignores, blocks, "group its own", "session inherited"]);
    table([
        row("catatonit whoami", whoami("ignores nothing", "blocks 20 21 22"))
            .but_outro(whoami("ignores nothing", "blocks nothing")),
        row("exec catatonit whoami", whoami("ignores nothing", "blocks 20 21 22"))
            .but_outro(whoami("ignores nothing", "blocks nothing")),
        row("with 1,10 15,37 catatonit whoami", whoami("ignores 1 10", "blocks 15 20 21 22 37"))
            .but_outro(whoami("ignores 1 10", "blocks 15 37")),
    ]);
}

#[test]
fn the_program_keeps_the_folder_and_the_descriptors_that_init_lets_go() {
    table([
        row("cd /usr; catatonit -- sh -c 'pwd'", says(["/usr"])),
        row(
            "exec 7</etc/hostname; catatonit -- sh -c 'cat <&7 >/dev/null && echo open; while [ -e /proc/$PPID/fd/7 ]; do sleep 0.01; done'",
            says(["open"]),
        ),
    ]);
}

#[test]
fn orphans_are_always_its_own() {
    table([row(
        "catatonit -- sh -c '(sleep 0.05 &); while [ $(ps -o pid= --ppid $PPID | wc -l) -lt 2 ]; do sleep 0.01; done; echo adopted'",
        says(["adopted"]),
    )]);
}
