//! The door `tini` (and `docker-init`, `tini-static`), against tini 0.19.0.

use crate::table::{exits, row, says, table};

/// What tini says when it is neither PID 1 nor a subreaper.
const NO_REAPER: [&str; 3] = [
    "[WARN  tini (#)] Tini is not running as PID 1 and isn't registered as a child subreaper.",
    "Zombie processes will not be re-parented to Tini, so zombie reaping won't work.",
    "To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a child subreaper, or run Tini as PID 1.",
];

/// The parts of the usage text that someone may search for.
const USAGE: [&str; 15] = [
    "tini (tini version 0.19.0)\n",
    "Usage: tini [OPTIONS] PROGRAM -- [ARGS] | --version\n",
    "supervision of a valid init process (tini)",
    "\n  --version: ",
    "\n  -h: ",
    "\n  -s: ",
    "\n  -p SIGNAL: ",
    "\n  -v: Generate more verbose output.",
    "\n  -w: ",
    "\n  -g: ",
    "\n  -e EXIT_CODE: ",
    "\n  -l: ",
    "\n  TINI_SUBREAPER: ",
    "\n  TINI_VERBOSITY: ",
    "\n  TINI_KILL_PROCESS_GROUP: ",
];

#[test]
fn the_version_is_told_when_it_is_all_that_is_asked() {
    table([
        row("tini --version", says(["tini version 0.19.0"])),
        row("docker-init --version", says(["tini version 0.19.0"])),
        row("tini-static --version", says(["tini version 0.19.0"])),
        row("exec tini --version", says(["tini version 0.19.0"])),
        row("tini --version true", exits(1).err_has(["tini: invalid option -- '-'\n", "Usage: "])),
        row(
            "tini -s -- --version",
            exits(127).err(["[FATAL tini (#)] exec --version failed: No such file or directory"]),
        ),
    ]);
}

#[test]
fn the_usage_is_printed_for_help_and_for_errors() {
    table([
        row("tini -h", exits(0).out_has(USAGE)),
        row("tini -hz", exits(0).out_has(USAGE)),
        row("tini", exits(1).err_has(USAGE)),
        row("tini -vvv --", exits(1).err_has(USAGE)),
        row("tini -z true", exits(1).err_has(USAGE).err_has(["tini: invalid option -- 'z'\n"])),
        row("tini -zh", exits(1).err_has(["tini: invalid option -- 'z'\n"])),
        row("tini -V", exits(1).err_has(["tini: invalid option -- 'V'\n", "more verbose"])),
        row("tini --foo true", exits(1).err_has(["tini: invalid option -- '-'\n"])),
        row("tini -p", exits(1).err_has(["tini: option requires an argument -- 'p'\n", "Usage: "])),
        row("tini -e", exits(1).err_has(["tini: option requires an argument -- 'e'\n"])),
        row(
            "docker-init",
            exits(1).err_has([
                "docker-init (tini version 0.19.0)\n",
                "Usage: docker-init [OPTIONS] PROGRAM -- [ARGS] | --version\n",
                "valid init process (docker-init)",
            ]),
        ),
        // getopt names the program as it was called, the usage text only by its last part.
        row(
            "\"$(command -v tini)\" -z",
            exits(1).err_has(["/tini: invalid option -- 'z'\ntini (tini version"]),
        ),
    ]);
}

#[test]
fn the_licence_is_printed_and_nothing_run() {
    table([
        row("tini -l false", exits(0).out_has(["The MIT License (MIT)"]))
            .but_outro(exits(0).out_has(["outro is free software", "MIT", "Apache"])),
        row("tini -s -l", exits(0).any_out()),
    ]);
}

#[test]
fn the_smoke_checks_of_its_authors_hold() {
    table([
        row("tini --version", exits(0).out_has(["tini version"])),
        row("tini 2>&1", exits(1).out_has(["supervision of a valid init process", "more verbose"])),
        row("tini -h", exits(0).any_out()),
        row("tini -l", exits(0).any_out()),
        row("tini -vvv true", exits(0).any_out().any_err()),
        row("tini -vvv false", exits(1).any_out().any_err()),
        row("tini -vvv -- true", exits(0).any_out().any_err()),
        row("tini -vvv -- -- true", exits(127).any_out().any_err()),
        row("TINI_VERBOSITY=3 tini true", exits(0).out_has(["Received SIGCHLD"]).any_err()),
        row("tini foobar123", exits(127).any_err()),
        row("tini /etc", exits(126).any_err()),
        row("echo 'exit 0' | tini sh", exits(0).any_err()),
        row("echo 'echo heard' | tini -s sh", says(["heard"])),
    ]);
}

#[test]
fn flags_after_the_program_are_taken_unless_told_otherwise() {
    table([
        row("tini -s echo a -w b -s c", says(["a b c"])),
        row("tini echo a -s -w b", says(["a b"])),
        row("tini -s sh -c 'exit 3'", exits(1).err_has(["tini: invalid option -- 'c'\n"])),
        row("tini -s -- sh -c 'exit 3'", exits(3)),
        row("tini -s sh -- -c 'exit 3'", exits(3)),
        row("tini -s echo a -- -w b", says(["a -w b"])),
        row("tini -s echo -- -- a", says(["-- a"])),
        row("tini -s echo a - b", says(["a - b"])),
        row("POSIXLY_CORRECT=1 tini -s echo a -w b", says(["a -w b"])),
        row("POSIXLY_CORRECT= tini -s echo a -w b", says(["a -w b"])),
        row("POSIXLY_CORRECT=1 tini -s sh -c 'exit 3'", exits(3)),
    ]);
}

#[test]
fn short_flags_are_bundled_and_take_their_argument_attached_or_apart() {
    table([
        row("tini -gse5 -- sh -c 'exit 5'", exits(0)),
        row("tini -gse 5 -- sh -c 'exit 5'", exits(0)),
        row("tini -spSIGTERM true", exits(0)),
        row("tini -ps true", exits(1).err(["[FATAL tini (#)] Not a valid option for -p: s"])),
    ]);
}

#[test]
fn listed_exit_codes_become_zero() {
    table([
        row("tini -s -e 5 -- sh -c 'exit 5'", exits(0)),
        row("tini -s -e 5 -- sh -c 'exit 6'", exits(6)),
        row("tini -s -e 5 -e 7 -- sh -c 'exit 7'", exits(0)),
        row("tini -s -e 0 -- true", exits(0)),
        row("tini -s -e 255 -- sh -c 'exit 255'", exits(0)),
        row("tini -s -e 143 -- sh -c 'kill $$'", exits(0)),
        row("exec tini -e 143 -- sh -c 'kill $$'", exits(0)),
        // The number is read as C reads it, and no number at all is a zero.
        row("tini -s -e ' 5' -- sh -c 'exit 5'", exits(0)),
        row("tini -s -e +5 -- sh -c 'exit 5'", exits(0)),
        row("tini -s -e 05 -- sh -c 'exit 5'", exits(0)),
        row("tini -s -e '' -- true", exits(0)),
        // A program that could not be started is an exit code like any other.
        row(
            "tini -s -e 127 -- nowhere",
            exits(0).err(["[FATAL tini (#)] exec nowhere failed: No such file or directory"]),
        ),
    ]);
}

#[test]
fn an_exit_code_that_is_none_is_an_error() {
    let refused = |value: &str| {
        let message = format!("[FATAL tini (#)] Not a valid option for -e: {value}");
        row(format!("tini -s -e '{value}' true"), exits(1).err([message.as_str()]))
    };
    table(["256", "-1", "x", "5x", "5 ", "0x1", "99999999999999999999"].map(refused));
}

#[test]
fn the_program_hears_of_the_end_of_inits_parent() {
    let names = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM CHLD CONT \
                 STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH SYS";
    table(names.split_whitespace().map(|name| row(format!("tini -s -p SIG{name} true"), exits(0))));
    // The parent is a shell that ends as soon as the program runs.
    table([row(
        "sh -c 'tini -s -p SIGUSR1 -- sh -c \"trap \\\"echo told; exit\\\" USR1; kill -9 \\$(ps -o ppid= \\$PPID); \
         while :; do sleep 0.05; done\" & wait' 2>/dev/null
         until grep -q told stdout; do sleep 0.05; done",
        says(["told"]),
    )]);
}

#[test]
fn a_parent_death_signal_that_is_not_in_its_list_is_an_error() {
    let refused = |value: &str| {
        let message = format!("[FATAL tini (#)] Not a valid option for -p: {value}");
        row(format!("tini -s -p '{value}' true"), exits(1).err([message.as_str()]))
    };
    table(
        ["TERM", "sigterm", "15", "", "SIGPWR", "SIGIO", "SIGSTKFLT", "SIGRTMIN", "SIGRTMIN+1"]
            .map(refused),
    );
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let fails = |program: &str, error: &str, code| {
        let message = format!("[FATAL tini (#)] exec {program} failed: {error}");
        row(format!("tini -s -- '{program}' a"), exits(code).err([message.as_str()]))
    };
    table([
        fails("nowhere", "No such file or directory", 127),
        fails("/nowhere/at/all", "No such file or directory", 127),
        fails("", "No such file or directory", 127),
        fails("adrift", "No such file or directory", 127),
        fails("/etc", "Permission denied", 126),
        fails("/etc/passwd", "Permission denied", 126),
        fails("/etc/passwd/x", "Not a directory", 1),
    ]);
}

#[test]
fn without_a_reaper_it_warns() {
    table([
        row("tini true", exits(0).err(NO_REAPER)),
        row("tini -w -g true", exits(0).err(NO_REAPER)),
        row("tini -s true", exits(0)),
        row("TINI_SUBREAPER= tini true", exits(0)),
        row("TINI_SUBREAPER=0 tini true", exits(0)),
        row("exec tini true", exits(0)),
        // It asks the kernel: what its own program was before counts.
        row("subreaper tini true", exits(0)),
        row("TINI_VERBOSITY=0 tini true", exits(0)),
    ]);
}

#[test]
fn each_level_of_verbosity_adds_its_lines() {
    const SPAWNED: &str = "[INFO  tini (#)] Spawned child process 'true' with pid '#'";
    const CHILD: &str = "[DEBUG tini (#)] Received SIGCHLD";
    const REAPED: &str = "[DEBUG tini (#)] Reaped child with pid: '#'";
    const ENDED: &str = "[INFO  tini (#)] Main child exited normally (with status '0')";
    const NONE_LEFT: &str = "[TRACE tini (#)] No child to wait";
    const LEAVING: &str = "[TRACE tini (#)] Exiting: child has exited";
    const REGISTERED: &str = "[TRACE tini (#)] Registered as child subreaper";
    const NOWHERE: &str = "[FATAL tini (#)] exec nowhere failed: No such file or directory";
    let traced = [SPAWNED, CHILD, REAPED, ENDED, NONE_LEFT, LEAVING];
    table([
        row("tini -v true", says([SPAWNED, ENDED]).err(NO_REAPER)),
        row("tini -vv true", says([SPAWNED, CHILD, REAPED, ENDED]).err(NO_REAPER)),
        row("tini -vvv true", says(traced).err(NO_REAPER)),
        row("tini -vvvvvv true", says(traced).err(NO_REAPER)),
        row(
            "tini -s -vvv true",
            says([REGISTERED, SPAWNED, CHILD, REAPED, ENDED, NONE_LEFT, LEAVING]),
        ),
        row("exec tini -vvv true", says(traced)),
        // As a program's name it says what was asked for, as its own always "tini".
        row("exec docker-init -v true", says([SPAWNED, ENDED])),
        // To the original the child was there before its program failed to start.
        row(
            "tini -s -v -- nowhere",
            exits(127)
                .out([
                    "[INFO  tini (#)] Spawned child process 'nowhere' with pid '#'",
                    "[INFO  tini (#)] Main child exited normally (with status '127')",
                ])
                .err([NOWHERE]),
        )
        .but_outro(exits(127).err([NOWHERE])),
        row(
            "tini -s -v -- sh -c 'kill -9 $$'",
            exits(137).out([
                "[INFO  tini (#)] Spawned child process 'sh' with pid '#'",
                "[INFO  tini (#)] Main child exited with signal (with signal 'Killed')",
            ]),
        ),
    ]);
}

#[test]
fn the_variable_overrides_the_verbosity_of_the_flags() {
    let lines = |line: &str, text: &str| row(line, exits(0).out_has([text]).any_err());
    table([
        row("TINI_VERBOSITY=1 tini -vvv -s true", exits(0)),
        row("TINI_VERBOSITY= tini -vvv true", exits(0)),
        row("TINI_VERBOSITY=abc tini -vvv true", exits(0)),
        row("TINI_VERBOSITY=0 tini -vvv true", exits(0)),
        lines("TINI_VERBOSITY=2 tini true", "[INFO  tini (#)] Main child exited"),
        lines("TINI_VERBOSITY=3x tini true", "[DEBUG tini (#)] Received SIGCHLD\n"),
        lines("TINI_VERBOSITY=' +4' tini true", "[TRACE tini (#)] Exiting: child has exited\n"),
        // The original takes it for unsigned, and so a negative number for a very high level.
        lines("TINI_VERBOSITY=-1 tini true", "[TRACE tini (#)] Exiting: child has exited\n")
            .but_outro(exits(0)),
        // A message about the command line comes before the environment is read, and at any level.
        row(
            "TINI_VERBOSITY=0 tini -e x true",
            exits(1).err(["[FATAL tini (#)] Not a valid option for -e: x"]),
        ),
        row(
            "TINI_VERBOSITY=0 tini -s nowhere",
            exits(127).err(["[FATAL tini (#)] exec nowhere failed: No such file or directory"]),
        ),
    ]);
}

#[test]
fn a_passed_signal_is_told_by_its_description() {
    let passing = |number: i32, text: &str| {
        row(
            format!(
                "tini -s -vv -- sh -c 'trap \"exit 4\" {number}; kill -{number} $PPID; while :; do sleep 0.02; done'"
            ),
            exits(4).out_has([format!("[DEBUG tini (#)] Passing signal: '{text}'\n").as_str()]),
        )
    };
    table([
        passing(1, "Hangup"),
        passing(2, "Interrupt"),
        passing(3, "Quit"),
        passing(10, "User defined signal 1"),
        passing(12, "User defined signal 2"),
        passing(13, "Broken pipe"),
        passing(14, "Alarm clock"),
        passing(15, "Terminated"),
        passing(16, "Stack fault"),
        passing(18, "Continued"),
        passing(20, "Stopped"),
        passing(23, "Urgent I/O condition"),
        passing(24, "CPU time limit exceeded"),
        passing(25, "File size limit exceeded"),
        passing(26, "Virtual timer expired"),
        passing(27, "Profiling timer expired"),
        passing(28, "Window changed"),
        passing(29, "I/O possible"),
        passing(30, "Power failure"),
        passing(34, "Real-time signal 0"),
        passing(64, "Real-time signal 30"),
    ]);
}

#[test]
fn reaped_orphans_are_told_only_when_asked_for() {
    let two_orphans = "sh -c '(sleep 0.01 &); (sleep 0.01 &); while [ $(ps -o pid= --ppid $PPID | wc -l) -gt 1 ]; do sleep 0.02; done'";
    let reaped = "[WARN  tini (#)] Reaped zombie process with pid=#";
    table([
        row(format!("tini -s -- {two_orphans}"), exits(0)),
        row(format!("tini -s -w -- {two_orphans}"), exits(0).err([reaped, reaped])),
        row(format!("exec tini -w -- {two_orphans}"), exits(0).err([reaped, reaped])),
        row(format!("TINI_VERBOSITY=0 tini -s -w -- {two_orphans}"), exits(0)),
    ]);
}

#[test]
fn the_program_starts_as_init_was_started_in_a_group_of_its_own() {
    let whoami = |ignores, blocks| says([ignores, blocks, "group its own", "session inherited"]);
    table([
        row("tini -s whoami", whoami("ignores nothing", "blocks nothing")),
        row("exec tini whoami", whoami("ignores nothing", "blocks nothing")),
        row("with 1,10 '' tini -s whoami", whoami("ignores 1 10", "blocks nothing")),
        // The terminal's signals are init's own business, but not the program's.
        row(
            "with 2,20,21,22 4,15,21,37 tini -s whoami",
            whoami("ignores 2 20 21 22", "blocks 4 15 21 37"),
        ),
        row("cd /usr; tini -s -- sh -c 'readlink /proc/$PPID/cwd; pwd'", says(["/usr", "/usr"])),
        row(
            "exec 7</etc/hostname; tini -s -- sh -c 'cat <&7 >/dev/null && echo open'",
            says(["open"]),
        ),
        row(
            "TINI_SUBREAPER= TINI_VERBOSITY=1 TINI_KILL_PROCESS_GROUP= tini -- sh -c 'env | grep ^TINI | sort'",
            says(["TINI_KILL_PROCESS_GROUP=", "TINI_SUBREAPER=", "TINI_VERBOSITY=1"]),
        ),
    ]);
}
