//! Where a row plays: a scratch folder whose `bin` comes first on PATH and holds the doors and a
//! few helper commands.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use outro_test::{Init, Process, Running, Scratch, outro, witness};

/// Every name that is a door.
const DOORS: [&str; 5] = ["tini", "tini-static", "docker-init", "dumb-init", "catatonit"];

/// Says which signals its own process ignores and blocks, and what it leads. The C library's own
/// two signals (32 and 33) are left out.
const WHOAMI: &str = r#"#!/bin/sh
signals() {
    n=1 mask=$((0x$2)) list=
    while [ $n -le 64 ]; do
        [ $n -eq 32 ] || [ $n -eq 33 ] || [ $((mask >> (n - 1) & 1)) -eq 0 ] || list="$list $n"
        n=$((n + 1))
    done
    echo "$1${list:- nothing}"
}
while read -r key value; do
    case $key in
        SigIgn:) ignored=$value ;;
        SigBlk:) blocked=$value ;;
    esac
done </proc/$$/status
read -r line </proc/$$/stat
set -- ${line##*) }
signals ignores "$ignored"
signals blocks "$blocked"
[ "$3" = $$ ] && echo "group its own" || echo "group inherited"
[ "$4" = $$ ] && echo "session its own" || echo "session inherited"
"#;

/// Starts a command with signals that are ignored and blocked: `with IGNORED BLOCKED COMMAND…`,
/// numbers between commas.
const WITH: &str = r#"#!/usr/bin/python3 -SE
import os, signal, sys
numbers = lambda text: [int(number) for number in text.split(",") if number]
for number in numbers(sys.argv[1]):
    signal.signal(number, signal.SIG_IGN)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, numbers(sys.argv[2]))
os.execvp(sys.argv[3], sys.argv[3:])
"#;

/// Becomes a child subreaper, then the command.
const SUBREAPER: &str = r#"#!/usr/bin/python3 -SE
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])
"#;

/// A script that no kernel runs: it does not name its interpreter.
const PLAIN: &str = "echo plain script \"$@\"\n";

/// A script whose interpreter is not there.
const ADRIFT: &str = "#!/nowhere/interpreter\n";

/// Whose behaviour is looked at: Debian's binaries or outro by their names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Original,
    Outro,
}

impl Subject {
    /// As `OUTRO_TEST_ORIGINALS` says.
    pub(crate) fn chosen() -> Self {
        if env::var_os("OUTRO_TEST_ORIGINALS").is_some_and(|value| value == "1") {
            Subject::Original
        } else {
            Subject::Outro
        }
    }
}

/// A folder with the doors and helpers in its `bin`.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let bin = scratch.path().join("bin");
    fs::create_dir(&bin).expect("the scratch folder is writable");
    for (name, text) in [
        ("whoami", WHOAMI),
        ("with", WITH),
        ("subreaper", SUBREAPER),
        ("plain", PLAIN),
        ("adrift", ADRIFT),
    ] {
        fs::write(bin.join(name), text).expect("the scratch folder is writable");
        fs::set_permissions(bin.join(name), Permissions::from_mode(0o755)).expect("it is ours");
    }
    if Subject::chosen() == Subject::Outro {
        for door in DOORS {
            symlink(outro(), bin.join(door)).expect("the scratch folder is writable");
        }
    }
    scratch
}

/// A shell script as PID 1. A line that begins with `exec` makes a door PID 1; any other leaves it
/// below a shell, and the shell gives its exit code. `@` stands for the witness program.
pub(crate) fn script(lines: &str) -> Init {
    let scratch = scratch();
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", scratch.file("bin"));
    let lines = lines.replace("@ ", &format!("{} ", witness()));
    Init::within(scratch, "sh").arg("-c").arg(format!("{lines}\nexit $?")).env("PATH", path)
}

/// The init of a running script: PID 1, or the first process below it.
pub(crate) fn door(running: &Running, script: &str) -> Process {
    if script.starts_with("exec ") {
        return running.pid1();
    }
    running.until("the door", || running.pid1().children().first().copied())
}
