//! Exit codes, usage errors, and the exit report.

use std::fs;

use outro_test::{Exit, Init, Scenario, TERM, require};

fn outro(words: &str) -> Exit {
    Init::outro().words(words).start().wait()
}

fn sh(flags: &str, line: &str) -> Exit {
    Init::outro().report().words(flags).args(["--", "sh", "-c", line]).start().wait()
}

#[test]
fn the_main_process_s_code_is_outro_s() {
    for code in [0, 1, 2, 64, 126, 127, 128, 143, 255] {
        let exit = sh("", &format!("exit {code}"));
        assert_eq!(exit.code, code, "{exit}");
        assert_eq!(exit.stderr, "", "{exit}");
        assert_eq!(exit.report["exit_code"], code, "{exit}");
        assert_ne!(exit.report["stop"]["asked"], true, "{exit}");
    }
}

#[test]
fn a_death_by_signal_is_128_and_the_signal() {
    for signal in [1, 3, 6, 9, 11, 14, 15, 34, 64] {
        let exit = sh("", &format!("kill -{signal} $$"));
        assert_eq!(exit.code, 128 + signal, "{exit}");
    }
}

#[test]
fn a_program_that_is_not_there_is_127() {
    for words in ["-- no-such-program", "-- /no/such/program", "no-such-program"] {
        let exit = outro(words);
        assert_eq!(exit.code, 127, "{exit}");
        assert!(exit.stderr.starts_with("outro: ") && exit.stderr.contains("such"), "{exit}");
    }
}

#[test]
fn a_program_that_cannot_be_run_is_126() {
    for words in ["-- /etc", "-- /etc/passwd", "-- ./"] {
        let exit = outro(words);
        assert_eq!(exit.code, 126, "{exit}");
        assert!(exit.stderr.starts_with("outro: "), "{exit}");
    }
}

#[test]
fn a_usage_error_is_2_and_says_what_is_wrong() {
    for (words, named) in [
        ("--no-such-flag -- true", "--no-such-flag"),
        ("--route treee -- true", "treee"),
        ("--grace soon -- true", "soon"),
        ("--grace -1 -- true", "-1"),
        ("--delay 1x -- true", "1x"),
        ("--rewrite TERM -- true", "TERM"),
        ("--rewrite TERM:NOPE -- true", "NOPE"),
        ("--stop-signal 65 -- true", "65"),
        ("--expect 256 -- true", "256"),
        ("--restart sometimes -- true", "sometimes"),
        ("--grace", "--grace"),
        ("", ""),
        ("--", ""),
    ] {
        let exit = outro(words);
        assert_eq!(exit.code, 2, "'{words}'\n{exit}");
        assert!(
            exit.stderr.starts_with("outro: ") && exit.stderr.contains(named),
            "'{words}'\n{exit}"
        );
    }
}

#[test]
fn a_wrong_environment_variable_is_a_usage_error_that_names_it() {
    let exit = Init::outro().env("OUTRO_GRACE", "soon").args(["--", "true"]).start().wait();
    assert_eq!(exit.code, 2, "{exit}");
    assert!(exit.stderr.contains("OUTRO_GRACE") && exit.stderr.contains("soon"), "{exit}");
}

#[test]
fn an_unknown_environment_variable_of_ours_is_told_of() {
    let exit = Init::outro().env("OUTRO_GRAZE", "10s").args(["--", "true"]).start().wait();
    assert!(exit.stderr.contains("OUTRO_GRAZE") && exit.stderr.contains("OUTRO_GRACE"), "{exit}");
}

#[test]
fn flags_end_at_the_program() {
    let exit = outro("--route tree echo --route nowhere");
    assert_eq!((exit.code, exit.stdout.as_str()), (0, "--route nowhere\n"), "{exit}");
}

#[test]
fn init_may_be_said() {
    let exit = outro("init --route tree -- echo a word");
    assert_eq!((exit.code, exit.stdout.as_str()), (0, "a word\n"), "{exit}");
}

#[test]
fn expected_codes_become_others() {
    for (flags, code, becomes) in [
        ("--expect 143", 143, 0),
        ("--expect 1-5,7:9", 4, 9),
        ("--expect 1-5,7:9", 7, 9),
        ("--expect 1-5,7:9", 6, 6),
        ("--expect 0:1", 0, 1),
        ("--expect 3 --expect 4:5", 4, 5),
    ] {
        let exit = sh(flags, &format!("exit {code}"));
        assert_eq!(exit.code, becomes, "{flags}\n{exit}");
        assert_eq!(exit.report["main"]["exit_code"], code, "{exit}");
        assert_eq!(exit.report["exit_code"], becomes, "{exit}");
    }
}

#[test]
fn a_stop_may_be_an_expected_end() {
    Scenario::shell("sh", "while true; do @ app; sleep 1; done")
        .flags("--expect 143")
        .finishes("app", &[TERM])
        .exits(0);
}

#[test]
fn help_and_version_are_told_on_standard_output() {
    let exit = outro("--help");
    assert!(exit.code == 0 && exit.stdout.contains("--grace") && exit.stderr.is_empty(), "{exit}");
    let exit = outro("--version");
    assert!(exit.code == 0 && exit.stdout.starts_with("outro "), "{exit}");
}

#[test]
fn the_report_tells_who_was_told_and_how_each_left() {
    let exit = Scenario::shell("sh", "@ first & @ second --reraise & wait")
        .finishes("first", &[TERM])
        .once("second ready")
        .exits(143);
    let report = &exit.report;
    assert!(
        report["outro"].is_string()
            && report["command"].as_str().is_some_and(|own| own.starts_with("sh -c")),
        "{exit}"
    );
    assert_eq!(report["main"]["exit_code"], 143, "{exit}");
    assert_eq!(report["main"]["signal"], "TERM", "{exit}");
    assert_eq!(
        (&report["stop"]["signal"], &report["stop"]["route"]),
        (&"TERM".into(), &"tree".into()),
        "{exit}"
    );
    // Of one that its own parent reaped no more is known than that it is gone.
    for (name, how) in [("witness.py first", "exit 0"), ("witness.py second", "signal TERM")] {
        let entry = exit.reported(name);
        assert_eq!(entry["outcome"], "left", "{exit}");
        assert_eq!(entry["told"].as_array().map(Vec::len), Some(1), "{exit}");
        assert!(entry["left"]["how"] == how || entry["left"]["how"] == "gone", "{exit}");
    }
}

#[test]
fn verbose_tells_what_happened() {
    for init in [
        Init::outro().arg("--verbose"),
        Init::outro().arg("-v"),
        Init::outro().env("OUTRO_VERBOSE", "1"),
    ] {
        let exit = init.args(["--", "true"]).start().wait();
        assert!(exit.code == 0 && exit.stderr.starts_with("outro: "), "{exit}");
    }
}

/// Kubernetes reads 4096 bytes of that file and no more.
#[test]
fn a_report_to_kubernetes_fits_into_4096_bytes() {
    require("mount");
    let line = r#"i=0; while [ $i -lt 100 ]; do sh -c 'sleep 100; true' "a long name of a child, number $i" & i=$((i+1)); done
                  echo armed >>"$WITNESS_LOG"; wait"#;
    let init = Init::outro();
    let log = init.scratch().file("termination-log");
    let running = init
        .prelude(&format!(
            "mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; : >/dev/termination-log
             : >{log}; mount --bind {log} /dev/termination-log"
        ))
        .args(["--report", "/dev/termination-log", "--", "sh", "-c", line])
        .start();
    running.wait_for("armed");
    running.until("all children", || (running.members().len() > 150).then_some(()));
    running.signal(TERM);
    // The last word is written before PID 1 ends, and the folder goes with `wait`.
    let report = running.until("the end", || running.ended().and_then(|_| fs::read(&log).ok()));
    let exit = running.wait();
    assert!(!report.is_empty() && report.len() <= 4096, "{} bytes\n{exit}", report.len());
    let report: serde_json::Value = serde_json::from_slice(&report).expect("it is whole JSON");
    assert!(report["omitted"].as_u64().is_some_and(|omitted| omitted > 0), "{report:#}");
    assert_eq!(exit.code, 143, "{exit}");
}
