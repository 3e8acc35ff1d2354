//! As many processes as a machine has. A file of its own, so that nothing else runs meanwhile.

use std::fs;
use std::process::Command;

use outro_test::{Init, Scratch, TERM, fixture, require};

const COUNT: usize = 50_000;

/// How many pids the crowd and everything else on the machine need; Debian's default is 4,194,304, and
/// a raised limit harms nobody.
const PIDS: usize = 100_000;

#[test]
fn fifty_thousand_are_told_once_each_and_waited_for() {
    let pid_max = "/proc/sys/kernel/pid_max";
    let now: usize = fs::read_to_string(pid_max).unwrap().trim().parse().unwrap();
    if now < PIDS {
        fs::write(pid_max, PIDS.to_string()).unwrap();
    }
    let scratch = Scratch::new();
    let program = scratch.file("crowd");
    let counts = scratch.file("counts");
    let compiled = Command::new(require("cc"))
        .args(["-O1", "-o", &program, &fixture("crowd.c")])
        .status()
        .unwrap();
    assert!(compiled.success());

    let running = Init::outro().args(["--", &program, &COUNT.to_string(), &counts]).start();
    running.until("the crowd is there", || running.stdout().contains("crowd ready").then_some(()));
    running.signal(TERM);
    let exit = running.wait();
    assert_eq!(exit.code, 143, "{exit}");

    let told = fs::read(&counts).unwrap();
    assert_eq!(told.len(), COUNT);
    let not_once = told.iter().filter(|times| **times != 1).count();
    assert_eq!(not_once, 0, "so many were not told exactly once");
}
