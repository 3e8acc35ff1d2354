//! Doors on a terminal: the program has it, and its keys work.

use outro_test::{HUP, Running, Terminal, until};

use crate::stage::{Subject, script};

const DOORS: [&str; 6] =
    ["tini", "tini -g", "dumb-init", "dumb-init -c", "catatonit", "catatonit -g"];

/// Starts a program below a door that is PID 1 and leads the terminal's session, as the harness arranges it.
fn on_terminal(door: &str, program: &str) -> (Running, Terminal) {
    script(&format!("exec {door} -- {program}")).on_terminal()
}

/// Waits for a text on the screen, which may come after the end of whoever wrote it.
fn shows(terminal: &Terminal, text: &str) {
    let shown = until(text, || terminal.screen().contains(text).then_some(()));
    assert!(shown.is_ok(), "`{text}` is not on the screen:\n{}", terminal.screen());
}

#[test]
fn a_shell_says_goodbye_with_its_code() {
    for door in DOORS {
        let (running, mut terminal) = on_terminal(door, "sh -i");
        terminal.type_in("echo ready$((1 + 1)); exit 5\r");
        shows(&terminal, "ready2");
        assert_eq!(running.wait().code, 5, "{door}");
    }
}

#[test]
fn the_interrupt_key_ends_a_loop() {
    for door in DOORS {
        let (running, mut terminal) =
            on_terminal(door, "sh -c 'echo ready; while :; do sleep 1; done'");
        shows(&terminal, "ready");
        terminal.type_in("\x03");
        assert_eq!(running.wait().code, 130, "{door}");
    }
}

#[test]
fn the_program_is_in_the_foreground() {
    for door in ["tini", "dumb-init", "catatonit"] {
        let (running, terminal) = on_terminal(door, IN_FRONT);
        shows(&terminal, "in front");
        assert_eq!(running.wait().code, 0, "{door}");
    }
}

#[test]
fn a_job_can_be_stopped_and_taken_up_again() {
    for door in DOORS {
        let stops = !(door.starts_with("catatonit") && Subject::chosen() == Subject::Original);
        let (running, mut terminal) = on_terminal(door, "bash --norc -i");
        // Echoed keys hold no number where the output does.
        terminal.type_in("sh -c 'echo job$((1 + 1)); exec sleep 60'\r");
        shows(&terminal, "job2");
        terminal.type_in("\x1a");
        if stops {
            shows(&terminal, "Stopped");
            terminal.type_in("echo back$((1 + 1)); fg\r");
            shows(&terminal, "back2");
        } else {
            // The original's program has the key's signal blocked for good.
            terminal.type_in("echo deaf\r");
            shows(&terminal, "deaf");
            assert!(!terminal.screen().contains("Stopped"), "{door}");
        }
        let job = running.process("sleep 60");
        running.until("the job to run", || (job.state() == Some('S')).then_some(()));
        terminal.type_in("\x03");
        terminal.type_in("exit 6\r");
        assert_eq!(running.wait().code, 6, "{door}: {}", terminal.screen());
    }
}

/// Whether the program is in the foreground of the session's terminal.
const IN_FRONT: &str = "sh -c 'read -r line </proc/$$/stat; set -- ${line##*) }; [ $3 = $6 ] && echo in front || echo behind'";

#[test]
fn catatonit_finds_the_terminal_when_standard_input_is_none() {
    for (door, place) in [("tini", "behind"), ("dumb-init", "behind"), ("catatonit", "in front")] {
        let (running, terminal) = on_terminal(door, &format!("{IN_FRONT} </dev/null"));
        shows(&terminal, place);
        assert_eq!(running.wait().code, 0, "{door}");
    }
}

/// Letting go of the terminal makes the kernel send a hang-up and a continue, which are no one's.
#[test]
fn dumb_init_drops_the_first_hang_up_after_handing_over_the_terminal() {
    let (running, terminal) = on_terminal(
        "dumb-init -v",
        "sh -c 'trap \"echo told; exit 4\" HUP; echo ready; while :; do sleep 0.02; done'",
    );
    shows(&terminal, "ready");
    for line in [
        "[dumb-init] Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive.",
        "[dumb-init] setsid complete.",
        "[dumb-init] Ignoring tty hand-off signal 1.",
        "[dumb-init] Ignoring tty hand-off signal 18.",
    ] {
        shows(&terminal, line);
    }
    running.signal(HUP);
    shows(&terminal, "told");
    assert_eq!(running.wait().code, 4);
}
