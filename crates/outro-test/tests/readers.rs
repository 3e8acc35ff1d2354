//! Those who read what a program writes: they are left to its last line.

use outro_test::{Scenario, TERM, python, witness};

fn bash(line: &str) -> Scenario {
    Scenario::shell("bash", line)
}

/// The program ends its clean-up, and its last line is in the reader's hands.
fn keeps_the_last_line(scenario: Scenario, code: i32) {
    let exit = scenario.finishes("app", &[TERM]).exits(code);
    assert!(exit.stdout.contains("app: bye"), "{exit}");
}

#[test]
fn a_loop_that_reads_lines_and_runs_a_command_for_each_is_left_to_the_end() {
    for shell in ["dash", "bash", "busybox sh"] {
        let line = r#"@ app --on-term 0.5 2>&1 | while read -r l; do echo "$(date) $l"; done"#;
        keeps_the_last_line(Scenario::shell(shell, line), 143);
    }
}

#[test]
fn a_reader_below_the_program_has_time_after_it() {
    let line = r#"exec @ app > >(while read -r l; do sleep 0.1; echo "$l"; done)"#;
    keeps_the_last_line(bash(line), 0);
}

#[test]
fn a_reader_that_catches_the_signal_is_left_to_the_end_too() {
    // gzip catches TERM, to remove what it has made so far.
    let exit = bash("@ app --on-term 0.5 | gzip | { sleep 0.1; gzip -dc; }")
        .finishes("app", &[TERM])
        .exits(143);
    assert!(exit.stdout.contains("app: bye"), "{exit}");
}

#[test]
fn a_program_that_reads_what_its_child_writes_is_told_after_it() {
    let parent = "import subprocess, sys\n\
         child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n\
         for line in child.stdout: print(line, end='', flush=True)\n";
    let command = python().split(' ').map(str::to_owned);
    let command = command.chain(["-c".to_owned(), parent.to_owned()]);
    let app = format!("{} app --on-term 0.5", witness());
    let command = command.chain(app.split(' ').map(str::to_owned));
    keeps_the_last_line(Scenario::exec(command), 0);
}

#[test]
fn a_loop_over_such_children_does_not_go_on_for_ever() {
    let parent = "import subprocess, sys\n\
         while True:\n    \
             child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n    \
             for line in child.stdout: print(line, end='', flush=True)\n";
    let command = python().split(' ').map(str::to_owned);
    let command = command.chain(["-c".to_owned(), parent.to_owned()]);
    let app = format!("{} app --on-term 0.5", witness());
    // The parent may start it once more, as it is told after the first one.
    let exit = Scenario::exec(command.chain(app.split(' ').map(str::to_owned)))
        .once("app ready")
        .exits(143);
    assert!(exit.log.has("app cleaned"), "{exit}");
    assert!(exit.stdout.contains("app: bye"), "{exit}");
}

#[test]
fn who_holds_the_writing_end_too_is_no_reader() {
    bash("mkfifo fifo; exec 3<>fifo; @ app & read line <&3; true")
        .finishes("app", &[TERM])
        .exits(143);
}
