//! Who hears of a signal that is sent to a door.

use outro_test::{CONT, HUP, Process, Running, Signal, TERM, TSTP, USR1, USR2, WINCH, rtmin};

use crate::stage::{Subject, door, script};

/// A program with a child in its group and one in a session of its own. None ends before the test.
const FAMILY: &str =
    "@ main --on-term 60 --child 'kid --on-term 60' --child 'far --setsid --on-term 60'";
const NAMES: [&str; 3] = ["main", "kid", "far"];

/// Starts a family below a door, as the door's flags say.
fn family(door_line: &str) -> (Running, Process) {
    let line = format!("{door_line} {FAMILY}");
    let running = script(&line).start();
    for name in NAMES {
        running.wait_for(&format!("{name} ready"));
    }
    let init = door(&running, door_line);
    (running, init)
}

/// Which of the family heard of a signal that the door got. Another one, sent to each directly,
/// tells when all that came before has been noted.
fn hears(door_line: &str, sent: Signal, mark: Signal) -> Vec<(&'static str, Vec<Signal>)> {
    let (running, init) = family(door_line);
    init.signal(sent);
    // The program itself hears of it in every row, and not after the others: of all the doors none
    // tells its program last.
    running
        .until("the program to be told", || (!running.log().told("main").is_empty()).then_some(()));
    for name in NAMES {
        running.witness(name).signal(mark);
        running.wait_for(&format!("{name} got {}", mark.0));
    }
    let log = running.log();
    NAMES
        .map(|name| {
            let mut told = log.told(name);
            told.retain(|signal| *signal != mark);
            (name, told)
        })
        .into_iter()
        .filter(|(_, told)| !told.is_empty())
        .collect()
}

const MAIN: [&str; 1] = ["main"];
const GROUP: [&str; 2] = ["main", "kid"];

/// Doors that are not PID 1, and whom they tell.
const BELOW_A_SHELL: [(&str, &[&str]); 11] = [
    ("tini -s --", &MAIN),
    ("tini --", &MAIN),
    ("docker-init -s --", &MAIN),
    ("tini -s -g --", &GROUP),
    ("TINI_KILL_PROCESS_GROUP= tini -s --", &GROUP),
    ("dumb-init", &GROUP),
    ("dumb-init -c", &MAIN),
    ("DUMB_INIT_SETSID=0 dumb-init", &MAIN),
    ("DUMB_INIT_SETSID=1 dumb-init", &GROUP),
    ("catatonit --", &MAIN),
    ("catatonit -g --", &GROUP),
];

#[test]
fn a_door_below_a_shell_tells_its_program_or_the_group() {
    for (line, told) in BELOW_A_SHELL {
        for signal in [HUP, USR1, WINCH, TERM] {
            let expected: Vec<_> = told.iter().map(|name| (*name, vec![signal])).collect();
            assert_eq!(hears(line, signal, USR2), expected, "{line} got {signal}");
        }
    }
}

#[test]
fn as_pid_1_a_door_tells_the_same_processes_of_what_is_no_stop() {
    for (line, told) in BELOW_A_SHELL {
        if line.contains('=') {
            continue;
        }
        let expected: Vec<_> = told.iter().map(|name| (*name, vec![USR1])).collect();
        assert_eq!(hears(&format!("exec {line}"), USR1, USR2), expected, "{line} as PID 1");
    }
}

/// With a program that handles the stop, outro leaves whoever is below it to it, unless the flags ask
/// for the group.
#[test]
fn as_pid_1_a_stop_is_the_programs_to_hand_on() {
    for (line, told) in [
        ("exec tini --", &MAIN[..]),
        ("exec tini -g --", &GROUP[..]),
        (
            "exec dumb-init",
            if Subject::chosen() == Subject::Outro { &MAIN[..] } else { &GROUP[..] },
        ),
        ("exec dumb-init -c", &MAIN[..]),
        ("exec catatonit --", &MAIN[..]),
        ("exec catatonit -g --", &GROUP[..]),
    ] {
        let expected: Vec<_> = told.iter().map(|name| (*name, vec![TERM])).collect();
        assert_eq!(hears(line, TERM, USR2), expected, "{line}");
    }
}

#[test]
fn real_time_signals_arrive() {
    for line in ["tini -s --", "dumb-init", "dumb-init -c", "catatonit --"] {
        for signal in [rtmin(0), rtmin(3), Signal(64)] {
            let line = format!(
                "{line} sh -c 'trap \"echo told; exit 0\" {}; echo ready; while :; do sleep 0.02; done'",
                signal.0
            );
            let running = script(&line).start();
            running.wait_for_file("stdout", "ready");
            door(&running, &line).signal(signal);
            let exit = running.wait();
            assert_eq!((exit.code, exit.stdout.as_str()), (0, "ready\ntold\n"), "{line}\n{exit}");
        }
    }
}

#[test]
fn what_dumb_init_rewrites_is_what_its_group_hears() {
    let expected = |told: &[&'static str], signal| {
        told.iter().map(|name| (*name, vec![signal])).collect::<Vec<_>>()
    };
    assert_eq!(hears("dumb-init -r 15:1", TERM, USR2), expected(&GROUP, HUP));
    assert_eq!(hears("dumb-init -c -r 10:1", USR1, USR2), expected(&MAIN, HUP));
}

fn is_stopped(process: Process) -> bool {
    process.state() == Some('T')
}

fn stops(running: &Running, process: Process) {
    running.until("the stop", || is_stopped(process).then_some(()));
}

fn goes_on(running: &Running, process: Process) {
    running.until("the end of the stop", || (!is_stopped(process)).then_some(()));
}

#[test]
fn dumb_init_stops_with_its_program_and_goes_on_with_it() {
    for (line, signal) in [
        ("dumb-init", TSTP),
        ("dumb-init", Signal(21)),
        ("dumb-init", Signal(22)),
        ("exec dumb-init", TSTP),
    ] {
        let (running, init) = family(line);
        // The kernel spares PID 1 a stop signal from inside, and this one it sends to itself.
        let stops_itself = !line.starts_with("exec");
        init.signal(signal);
        for name in ["main", "kid"] {
            stops(&running, running.witness(name));
        }
        if stops_itself {
            stops(&running, init);
        }
        assert!(!is_stopped(running.witness("far")), "{line}: another session");
        init.signal(CONT);
        for process in [init, running.witness("main"), running.witness("kid")] {
            goes_on(&running, process);
        }
    }
}

#[test]
fn dumb_init_stops_itself_whatever_becomes_of_the_stop_signal() {
    for (line, told) in [
        ("dumb-init -r 20:1", Some(HUP)),
        ("dumb-init -r 20:0", None),
        ("dumb-init -c -r 20:0", None),
        // Not in a group of its own the program could not be stopped by it anyway: a group that
        // nobody outside of it looks after is spared by the kernel.
        ("dumb-init -c", Some(TSTP)),
    ] {
        let running = script(&format!("{line} @ main --stop 20 --on-term 60")).start();
        running.wait_for("main ready");
        let init = door(&running, line);
        init.signal(TSTP);
        stops(&running, init);
        let main = running.witness("main");
        assert!(!is_stopped(main), "{line}");
        init.signal(CONT);
        goes_on(&running, init);
        main.signal(USR2);
        running.wait_for("main got 12");
        let told: Vec<_> = told.into_iter().chain([USR2]).collect();
        assert_eq!(running.log().told("main"), told, "{line}");
    }
}

#[test]
fn tini_passes_a_stop_on_and_runs_on() {
    for (line, told) in
        [("tini -s --", &MAIN[..]), ("tini -s -g --", &GROUP[..]), ("exec tini --", &MAIN[..])]
    {
        let (running, init) = family(line);
        init.signal(TSTP);
        for name in told {
            stops(&running, running.witness(name));
        }
        assert!(!is_stopped(init), "{line}");
        init.signal(CONT);
        for name in told {
            goes_on(&running, running.witness(name));
        }
    }
}

#[test]
fn tini_and_catatonit_keep_some_signals_to_themselves() {
    // The terminal's own signals end at init; what follows them shows that they were not passed on.
    for (line, kept) in [
        ("tini -s --", &[21, 22][..]),
        ("tini -s -g --", &[21, 22][..]),
        ("catatonit --", &[20, 21, 22][..]),
        ("catatonit -g --", &[20, 21, 22][..]),
    ] {
        let (running, init) = family(line);
        for number in kept {
            init.signal(Signal(*number));
        }
        init.signal(USR1);
        running.wait_for("main got 10");
        assert!(!is_stopped(init), "{line}");
        for name in NAMES {
            assert!(!is_stopped(running.witness(name)), "{line}: {name}");
        }
    }
    // A fault's signal ends init, as it would any program, and dumb-init passes it on.
    for line in ["tini -s --", "catatonit --"] {
        let (running, init) = family(line);
        init.signal(Signal(6));
        let exit = running.wait();
        assert_eq!(exit.code, 134, "{line}\n{exit}");
        assert_eq!(exit.log.told("main"), [], "{line}\n{exit}");
    }
    let exit = script("dumb-init -c sh -c 'trap \"echo told; exit 0\" 6; kill -6 $PPID; while :; do sleep 0.02; done'").start().wait();
    assert_eq!((exit.code, exit.stdout.as_str()), (0, "told\n"), "{exit}");
}
