//! What a door does when its program has ended, and how it leaves.

use outro_test::{HUP, INT, KILL, QUIT, Running, Signal, TERM, USR1, USR2};

use crate::stage::{Subject, door, script};

fn outro_is_tested() -> bool {
    Subject::chosen() == Subject::Outro
}

/// A program that ends as soon as its child is ready, whose clean-up takes so many seconds.
fn deserted(seconds: &str) -> String {
    format!(
        "sh -c '@ kid --on-term {seconds} & \
         until grep -qs \"kid ready\" \"$WITNESS_LOG\"; do sleep 0.01; done; exit 3'"
    )
}

/// The outer shell tells the code and stays.
fn deserted_below(door: &str) -> Running {
    let running = script(&format!("{door} {}; echo code $?; sleep 60", deserted("60"))).start();
    running.wait_for_file("stdout", "code 3");
    running
}

#[test]
fn below_a_shell_a_door_that_adopts_nobody_leaves_with_its_program() {
    for line in ["tini --", "tini -g --", "dumb-init -c"] {
        let running = deserted_below(line);
        running.witness("kid").signal(USR2);
        running.wait_for("kid got 12");
        assert_eq!(running.log().told("kid"), [USR2], "{line}");
    }
}

#[test]
fn a_door_that_adopts_orphans_sees_them_out() {
    for line in ["tini -s --", "tini -s -g --", "catatonit --", "catatonit -g --"] {
        let running = script(&format!("{line} {}", deserted("0.3"))).start();
        let exit = running.wait();
        assert_eq!(exit.code, 3, "{line}\n{exit}");
        let told: &[Signal] = if outro_is_tested() { &[TERM] } else { &[] };
        assert_eq!(exit.log.told("kid"), told, "{line}\n{exit}");
        assert_eq!(exit.log.has("kid cleaned"), outro_is_tested(), "{line}\n{exit}");
    }
}

#[test]
fn dumb_init_takes_leave_of_its_group_with_a_term() {
    for (line, told) in [("dumb-init", TERM), ("dumb-init -r 15:1", HUP)] {
        let running = deserted_below(line);
        running.wait_for(&format!("kid got {}", told.0));
        let kid = running.witness("kid");
        kid.signal(USR2);
        running.wait_for("kid got 12");
        assert_eq!(running.log().told("kid"), [told, USR2], "{line}");
    }
    let running = deserted_below("dumb-init -r 15:0");
    running.witness("kid").signal(USR2);
    running.wait_for("kid got 12");
    assert_eq!(running.log().told("kid"), [USR2]);
}

#[test]
fn who_adopts_orphans_depends_on_the_door() {
    // An orphan that waits until somebody has adopted it.
    let orphaning = "sh -c '@ orphan --daemon; sleep 60'";
    for (line, adopts) in [
        ("tini --", false),
        ("tini -s --", true),
        ("TINI_SUBREAPER= tini --", true),
        ("dumb-init", false),
        ("dumb-init -c", false),
        ("catatonit --", true),
    ] {
        let running = script(&format!("{line} {orphaning}")).start();
        running.wait_for("orphan ready");
        let orphan = running.witness("orphan");
        let init = door(&running, line);
        let parent = if adopts { init } else { running.pid1() };
        running.until(&format!("the right parent of the orphan of {line}"), || {
            (orphan.status("PPid")? == parent.0.to_string()).then_some(())
        });
    }
}

/// The doors as PID 1: where the originals and outro part.
const AS_PID_1: [&str; 6] = [
    "exec tini --",
    "exec tini -g --",
    "exec dumb-init",
    "exec dumb-init -c",
    "exec catatonit --",
    "exec catatonit -g --",
];

#[test]
fn as_pid_1_nobody_is_cut_off() {
    for door in AS_PID_1 {
        let running = script(&format!("{door} sh -c '@ app --on-term 0.5; echo after'")).start();
        running.wait_for("app ready");
        running.signal(TERM);
        let exit = running.wait();
        assert_eq!(exit.code, 143, "{door}\n{exit}");
        assert_eq!(exit.log.has("app cleaned"), outro_is_tested(), "{door}\n{exit}");
    }
}

#[test]
fn as_pid_1_another_session_is_not_forgotten() {
    for door in AS_PID_1 {
        let line =
            format!("{door} sh -c '@ near --on-term 0.3 & @ far --setsid --on-term 0.3 & wait'");
        let running = script(&line).start();
        for name in ["near", "far"] {
            running.wait_for(&format!("{name} ready"));
        }
        running.signal(TERM);
        let exit = running.wait();
        assert_eq!(exit.code, 143, "{door}\n{exit}");
        for name in ["near", "far"] {
            assert_eq!(
                exit.log.has(&format!("{name} cleaned")),
                outro_is_tested(),
                "{door}\n{exit}"
            );
        }
        if outro_is_tested() {
            assert_eq!(exit.log.told("far"), [TERM], "{door}\n{exit}");
        }
    }
}

#[test]
fn as_pid_1_a_program_that_cleans_up_says_its_own_code() {
    for door in AS_PID_1 {
        let running = script(&format!("{door} @ app --on-term 0.3 --exit 7")).start();
        running.wait_for("app ready");
        running.signal(TERM);
        let exit = running.wait();
        assert_eq!((exit.code, exit.log.has("app cleaned")), (7, true), "{door}\n{exit}");
    }
}

/// Told alone, a shell that waits for its program goes on as if nothing had been said.
#[test]
fn as_pid_1_an_interrupt_reaches_the_program_of_a_shell() {
    for door in AS_PID_1 {
        let running = script(&format!("{door} bash -c 'sleep 2; echo after'")).start();
        running.until("the sleep", || {
            running.members().iter().any(|one| one.command() == "sleep 2").then_some(())
        });
        running.until("bash to wait for it", || {
            let shell = running.process("bash -c");
            (shell.state() == Some('S')).then_some(())
        });
        running.signal(INT);
        let exit = running.wait();
        let alone = !outro_is_tested() && !door.contains("-g") && door != "exec dumb-init";
        let expected = if alone { (0, "after\n") } else { (130, "") };
        assert_eq!((exit.code, exit.stdout.as_str()), expected, "{door}\n{exit}");
    }
}

#[test]
fn as_pid_1_what_the_program_leaves_behind_is_told_and_waited_for() {
    for door in AS_PID_1 {
        let exit = script(&format!("{door} {}", deserted("0.3"))).start().wait();
        assert_eq!(exit.code, 3, "{door}\n{exit}");
        assert_eq!(exit.log.has("kid cleaned"), outro_is_tested(), "{door}\n{exit}");
        if outro_is_tested() {
            assert_eq!(exit.log.told("kid"), [TERM], "{door}\n{exit}");
        }
    }
}

/// The signals are blocked from before its start, so none can come too early.
#[test]
fn catatonits_pause_ends_by_term_and_int_alone() {
    for (line, end) in [
        ("with '' 1,2,3,10,15,34 catatonit -P", TERM),
        ("with '' 1,2,3,10,15,34 catatonit -P", INT),
        ("with '' 1,2,3,10,15,34 catatonit -g -P -- sleep 60", TERM),
        ("exec with '' 1,2,3,10,15,34 catatonit -P", TERM),
        ("exec with '' 1,2,3,10,15,34 catatonit -P", INT),
    ] {
        let running = script(line).start();
        let init = door(&running, line);
        running.until("its start", || init.command().starts_with("catatonit").then_some(()));
        for signal in [HUP, QUIT, USR1, Signal(34)] {
            init.signal(signal);
        }
        assert!(init.children().is_empty(), "{line} starts nothing");
        init.signal(end);
        let exit = running.wait();
        assert_eq!((exit.code, exit.stderr.as_str()), (0, ""), "{line}\n{exit}");
    }
}

#[test]
fn a_kill_of_the_program_is_told_by_the_exit_code() {
    for line in ["tini -s --", "dumb-init", "catatonit --"] {
        let running = script(&format!("{line} @ app")).start();
        running.wait_for("app ready");
        running.witness("app").signal(KILL);
        assert_eq!(running.wait().code, 137, "{line}");
    }
}
