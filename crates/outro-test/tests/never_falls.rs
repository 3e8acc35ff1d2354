//! Whatever is missing, full, hidden or held: outro neither ends early nor hangs.

use std::process::{Command, Stdio};
use std::time::Duration;

use outro_test::{Init, STOP, Scenario, TERM, fixture, python, require, until, witness};

const NOBODY: &str = "setpriv --reuid 65534 --regid 65534 --clear-groups";

fn dash(line: &str) -> Scenario {
    Scenario::shell("dash", line)
}

/// A stop with output that goes nowhere: the witness's last line is lost too, all else is as ever.
fn without_output(prelude: &str) {
    dash("while true; do @ app; sleep 1; done")
        .with(|init| init.prelude(prelude))
        .once("app ready")
        .told("app", &[TERM])
        .notes("app cleaned")
        .exits(143);
    // And with something to say.
    dash("@ app --on-term 100; true")
        .with(|init| init.prelude(prelude))
        .flags("--grace 1 -v")
        .once("app ready")
        .told("app", &[TERM])
        .exits(143);
}

#[test]
fn closed_output_is_no_reason_to_fall() {
    without_output("exec >&- 2>&-");
}

#[test]
fn no_open_file_at_all_is_no_reason_to_fall() {
    without_output("exec <&- >&- 2>&-");
}

#[test]
fn a_full_disk_under_the_output_is_no_reason_to_fall() {
    without_output("exec >/dev/full 2>/dev/full");
}

#[test]
fn a_pipe_that_nobody_reads_any_more_is_no_reason_to_fall() {
    // The reader of this FIFO is gone before outro starts.
    without_output("mkfifo fifo; : <fifo & exec 3>fifo; wait; exec >&3 2>&3 3>&-");
}

#[test]
fn a_pipe_that_is_full_and_not_read_does_not_hold_up_a_stop() {
    let fill = "mkfifo fifo; exec 3<>fifo; dd if=/dev/zero of=fifo bs=4096 oflag=nonblock 2>/dev/null || true; exec 2>&3";
    let exit = dash("@ app --on-term 100; true")
        .with(|init| init.prelude(fill))
        .flags("--grace 2 -v")
        .once("app ready")
        .told("app", &[TERM])
        .exits(143);
    assert!(exit.took < Duration::from_secs(15), "{exit}");
}

#[test]
fn a_report_onto_a_full_disk_is_told_of_and_no_more() {
    let exit = dash("@ app; true")
        .with(|init| {
            let init = init.prelude("mount -t tmpfs -o size=4k none /mnt; dd if=/dev/zero of=/mnt/filler 2>/dev/null || true");
            init.env("OUTRO_REPORT", "/mnt/report")
        })
        .finishes("app", &[TERM])
        .exits(143);
    assert!(exit.messages().iter().any(|line| line.contains("/mnt/report")), "{exit}");
}

#[test]
fn a_report_into_a_folder_that_is_not_there_is_told_of_and_no_more() {
    let exit = dash("@ app; true")
        .with(|init| init.env("OUTRO_REPORT", "/no/such/folder/report"))
        .finishes("app", &[TERM])
        .exits(143);
    assert!(exit.messages().iter().any(|line| line.contains("/no/such/folder/report")), "{exit}");
}

#[test]
fn without_proc_the_group_is_told_and_outro_says_so_once() {
    let exit = dash("while true; do @ app; sleep 1; done")
        .with(|init| init.prelude("mount -t tmpfs none /proc"))
        .finishes("app", &[TERM])
        .exits(143);
    assert_eq!(exit.messages().iter().filter(|line| line.contains("/proc")).count(), 1, "{exit}");
}

#[test]
fn without_proc_the_grace_still_ends() {
    let exit = dash("@ app --on-term 100; true")
        .with(|init| init.prelude("mount -t tmpfs none /proc"))
        .flags("--grace 2")
        .once("app ready")
        .exits(143);
    assert!(exit.took < Duration::from_secs(15), "{exit}");
}

#[test]
fn as_another_user_with_hidden_processes_all_is_well_while_they_are_that_user_s() {
    let exit = dash("while true; do @ app; sleep 1; done")
        .with(|init| init.prelude("mount -t proc -o hidepid=2 proc /proc").through(NOBODY))
        .finishes("app", &[TERM])
        .exits(143);
    assert_eq!(exit.messages(), Vec::<&str>::new(), "{exit}");
}

/// A program with the setuid bit, as sudo is one, whom its own starter cannot see.
#[test]
fn a_hidden_process_is_told_by_its_group_and_outro_says_so_once() {
    let witness = witness().replace("/usr/bin/python3", "./rooted-python");
    let exit =
        Scenario::exec(["dash", "-c", &format!("while true; do {witness} app; sleep 1; done")])
            .with(|init| {
                let rooted = "cp /usr/bin/python3 rooted-python; chmod 4755 rooted-python";
                init.prelude(rooted)
                    .prelude("mount -t proc -o hidepid=2 proc /proc")
                    .through(NOBODY)
            })
            .finishes("app", &[TERM])
            .exits(143);
    assert_eq!(exit.messages().len(), 1, "{exit}");
}

#[test]
fn a_stopped_process_is_woken_to_hear_the_signal() {
    let exit = dash("@ app; true").flags("--grace 10").finishes("app", &[TERM]).exits_after(
        143,
        |running, signal| {
            let app = running.witness("app");
            app.signal(STOP);
            running.until("app to stop", || (app.state() == Some('T')).then_some(()));
            running.signal(signal);
        },
    );
    assert!(exit.messages().is_empty(), "{exit}");
}

#[test]
fn a_stopped_main_process_is_woken_as_well() {
    let exit = dash("@ app; true").flags("--grace 10").finishes("app", &[TERM]).exits_after(
        143,
        |running, signal| {
            let main = running.process("dash -c");
            main.signal(STOP);
            running.until("the shell to stop", || (main.state() == Some('T')).then_some(()));
            running.signal(signal);
        },
    );
    assert!(exit.messages().is_empty(), "{exit}");
}

#[test]
fn a_process_that_is_traced_is_told_once() {
    require("strace");
    dash("while true; do @ app; sleep 1; done").finishes("app", &[TERM]).exits_after(
        143,
        |running, signal| {
            let app = running.witness("app");
            let strace = Command::new("strace")
                .args(["-f", "-o", "/dev/null", "-p"])
                .arg(app.0.to_string())
                .stderr(Stdio::null())
                .spawn();
            let mut strace = strace.expect("strace runs");
            until("strace to attach", || (app.status("TracerPid")? != "0").then_some(()))
                .expect("it does");
            running.signal(signal);
            running.wait_for("app cleaned");
            strace.wait().expect("strace ends with whom it traces");
        },
    );
}

#[test]
fn a_program_that_is_started_by_strace_cleans_up() {
    require("strace");
    // strace itself passes the signal on, so the program may hear of it twice.
    dash("strace -f -o /dev/null @ app; true").cleans_up("app").exits(143);
}

#[test]
fn few_file_descriptors_are_enough() {
    let crowd = format!("{} {} 300", python(), fixture("crowd.py"));
    Scenario::command(&crowd)
        .with(|init| init.prelude("ulimit -n 32"))
        .once("crowd ready")
        .notes_count("member got 15", 300)
        .never("again")
        .exits(143);
}

#[test]
fn no_more_processes_may_be_started_and_the_stop_goes_on() {
    dash("while true; do @ app; sleep 1; done")
        // The limit counts all processes of a user, so this one must have no others.
        .with(|init| {
            init.through("setpriv --reuid 54321 --regid 54321 --clear-groups")
                .through("prlimit --nproc=4")
        })
        .finishes("app", &[TERM])
        .exits(143);
}

#[test]
fn orphans_of_a_program_that_runs_are_reaped() {
    let line = r#"i=0; while [ $i -lt 200 ]; do (true & true); i=$((i+1)); done; echo armed >>"$WITNESS_LOG"; exec sleep 100"#;
    let running = Init::outro().args(["--", "dash", "-c", line]).start();
    running.wait_for("armed");
    running.until("no zombie", || {
        running.members().iter().all(|process| process.state() != Some('Z')).then_some(())
    });
    running.signal(TERM);
    assert_eq!(running.wait().code, 143);
}

#[test]
fn a_fault_inside_leaves_a_bare_init_that_passes_signals_on_and_waits_for_everyone() {
    let exit = Scenario::command("@ app --on-term 0.5")
        .with(|init| init.env("OUTRO_TEST_PANIC", "1"))
        .finishes("app", &[TERM])
        .exits(0);
    assert!(exit.stderr.contains("internal error"), "{exit}");
    assert!(exit.stderr.contains("going on as a bare init"), "{exit}");
}
