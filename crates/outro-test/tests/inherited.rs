//! What outro was given, its program gets: signals that are ignored or blocked, no more and no less.
//! And signals that come before outro is ready.

use outro_test::{HUP, Init, Scenario, TERM, USR1, fixture, outro, python, require, witness};

const CHILD: &str = "grep -E ^Sig(Blk|Ign) /proc/self/status";

/// The signal masks that a program sees under `init` (if any), started through mask.py.
fn masks(init: Option<&str>, mask: &str) -> String {
    let mask = format!("{} {} {mask}", python(), fixture("mask.py"));
    let program = match init {
        Some(init) => Init::new(init).arg("--").words(CHILD),
        None => Init::new("env").words(CHILD),
    };
    let exit = program.through(&mask).start().wait();
    assert_eq!(exit.code, 0, "{exit}");
    exit.stdout
}

#[test]
fn a_program_inherits_exactly_the_signals_that_were_ignored_and_blocked() {
    for mask in [
        "",
        "--ignore 1",
        "--ignore 13",
        "--ignore 17",
        "--block 10",
        "--block 15",
        "--block 17",
        "--ignore 1 --ignore 2 --ignore 15 --ignore 37 --block 12 --block 20 --block 21 --block 22 --block 64",
        "--ignore 20 --ignore 21 --ignore 22",
    ] {
        assert_eq!(masks(Some(&outro()), mask), masks(None, mask), "with '{mask}'");
    }
}

fn masked(mask: &str, words: &str) -> Scenario {
    Scenario::command(words)
        .with(|init| init.through(&format!("{} {} {mask}", python(), fixture("mask.py"))))
}

#[test]
fn nohup_holds_for_the_program() {
    masked("--ignore 1", "@ app").finishes("app", &[USR1, TERM]).exits_after(
        0,
        |running, signal| {
            running.signal(HUP);
            running.signal(USR1);
            running.wait_for("app got 10");
            running.signal(signal);
        },
    );
}

#[test]
fn an_ignored_chld_costs_no_exit_code() {
    masked("--ignore 17", "@ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn a_blocked_chld_costs_no_exit_code() {
    masked("--block 17", "@ app --exit 7").finishes("app", &[TERM]).exits(7);
}

#[test]
fn a_stop_signal_that_everyone_ignores_ends_with_the_grace() {
    let exit = masked("--ignore 15", "@ app")
        .flags("--grace 2")
        .once("app ready")
        .told("app", &[])
        .exits(137);
    assert!(exit.stderr.contains("outro: killed "), "{exit}");
}

#[test]
fn a_signal_that_was_sent_before_outro_began_is_not_lost() {
    // It waits in the mask that outro inherits, and that its program inherits too.
    let exit = Init::outro()
        .report()
        .args(["--grace", "5", "--"])
        .words(&format!("{} app --block", witness()))
        .through(&format!("{} {} --block 15 --send 15", python(), fixture("mask.py")))
        .start()
        .wait();
    assert_eq!(exit.report["stop"]["signal"], "TERM", "{exit}");
    assert!(exit.took.as_secs() < 15, "{exit}");
}

#[test]
fn a_signal_in_the_very_first_moment_is_not_lost() {
    require("sleep");
    for _ in 0..20 {
        let running = Init::outro().args(["--", "sleep", "100"]).start();
        // Before that the kernel itself drops what PID 1 does not take.
        running.until("a program", || running.pid1().children().first().map(|_| ()));
        running.signal(TERM);
        let exit = running.wait();
        assert_eq!(exit.code, 143, "{exit}");
        assert!(exit.took.as_secs() < 15, "{exit}");
    }
}

#[test]
fn the_number_of_who_is_to_listen_becomes_the_program_s_beside_variables_of_outro_s_own() {
    let exit = Init::outro()
        .env("LISTEN_PID", "1")
        .env("OUTRO_LINGER", "5s")
        .env("OUTRO_ROUTE", "tree")
        .args(["--", "sh", "-c", "echo $((LISTEN_PID - $$)); env | grep -c OUTRO_"])
        .start()
        .wait();
    assert_eq!(exit.stdout, "0\n0\n", "{exit}");
}
