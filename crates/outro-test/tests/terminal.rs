//! On a terminal, as under `docker run -it`.

use outro_test::{HUP, INT, Init, TERM, witness};

#[test]
fn a_shell_s_exit_code_is_given() {
    let (running, mut terminal) = Init::outro().args(["--", "dash"]).on_terminal();
    terminal.wait_for(&running, "# ");
    terminal.type_in("exit 5\n");
    assert_eq!(running.wait().code, 5);
}

#[test]
fn control_c_ends_a_loop() {
    let line = format!("while true; do {} app; sleep 1; done", witness());
    let (running, mut terminal) = Init::outro().args(["--", "dash", "-c", &line]).on_terminal();
    running.wait_for("app ready");
    terminal.type_in("\x03");
    let exit = running.wait();
    assert_eq!(exit.code, 130, "{}{exit}", terminal.screen());
    // The terminal itself tells everyone in front; outro has nothing to add.
    assert_eq!(exit.log.told("app"), [INT], "{}{exit}", terminal.screen());
    assert!(exit.log.has("app cleaned"), "{}{exit}", terminal.screen());
}

#[test]
fn control_c_ends_a_program() {
    let (running, mut terminal) =
        Init::outro().arg("--").words(&witness()).args(["app", "--exit", "7"]).on_terminal();
    running.wait_for("app ready");
    terminal.type_in("\x03");
    let exit = running.wait();
    assert_eq!(exit.code, 7, "{}{exit}", terminal.screen());
    assert_eq!(exit.log.told("app"), [INT], "{}{exit}", terminal.screen());
}

#[test]
fn a_second_control_c_ends_the_wait_for_what_the_first_one_left() {
    let (running, mut terminal) = Init::outro()
        .words("--linger 1h --")
        .words(&witness())
        .args(["main", "--reraise", "--child", "app --on-term 100"])
        .on_terminal();
    running.wait_for("app ready");
    running.wait_for("main ready");
    let main = running.witness("main");
    terminal.type_in("\x03");
    running.wait_for("app got 2");
    running.until("the main process to be gone", || main.state().is_none().then_some(()));
    terminal.type_in("\x03");
    let exit = running.wait();
    assert_eq!(exit.code, 130, "{}{exit}", terminal.screen());
    assert!(exit.took.as_secs() < 15, "{}{exit}", terminal.screen());
    assert!(terminal.screen().contains("outro: killed "), "{}{exit}", terminal.screen());
}

#[test]
fn control_z_stops_a_job_and_fg_goes_on() {
    let (running, mut terminal) = Init::outro().args(["--", "bash", "--norc", "-i"]).on_terminal();
    terminal.wait_for(&running, "# ");
    terminal.type_in(&format!("{} app\n", witness()));
    running.wait_for("app ready");
    let app = running.witness("app");
    terminal.type_in("\x1a");
    terminal.wait_for(&running, "Stopped");
    assert_eq!(app.state(), Some('T'));
    terminal.type_in("fg\n");
    running.until("app to go on", || (app.state() == Some('S')).then_some(()));
    terminal.type_in("\x03");
    running.wait_for("app cleaned");
    terminal.type_in("exit 6\n");
    let exit = running.wait();
    assert_eq!(exit.code, 6, "{}{exit}", terminal.screen());
    assert_eq!(exit.log.told("app"), [INT], "{}{exit}", terminal.screen());
}

#[test]
fn control_z_on_the_main_process_does_not_stop_outro() {
    let (running, mut terminal) =
        Init::outro().arg("--").words(&witness()).args(["app", "--on-term", "0"]).on_terminal();
    running.wait_for("app ready");
    terminal.type_in("\x1a");
    // PID 1 of a namespace cannot be stopped by its terminal, and its program's group is orphaned
    // then, so the key does nothing (as under tini).
    running.signal(TERM);
    let exit = running.wait();
    assert!(exit.code == 0 && exit.log.told("app") == [TERM], "{}{exit}", terminal.screen());
}

#[test]
fn a_stop_on_a_terminal_is_the_same_as_without() {
    let line = format!("while true; do {} app; sleep 1; done", witness());
    let (running, terminal) = Init::outro().args(["--", "bash", "-c", &line]).on_terminal();
    running.wait_for("app ready");
    running.signal(TERM);
    let exit = running.wait();
    assert_eq!(exit.code, 143, "{}{exit}", terminal.screen());
    assert_eq!(exit.log.told("app"), [TERM], "{}{exit}", terminal.screen());
    assert!(terminal.screen().contains("app: bye"), "{}{exit}", terminal.screen());
}

#[test]
fn an_interactive_shell_with_a_job_ends_on_hup_and_its_job_with_it() {
    // An interactive shell ignores TERM; what platforms do to it is HUP.
    let (running, mut terminal) = Init::outro().args(["--", "bash", "--norc", "-i"]).on_terminal();
    terminal.wait_for(&running, "# ");
    terminal.type_in(&format!("{} app &\n", witness()));
    running.wait_for("app ready");
    running.signal(HUP);
    let exit = running.wait();
    assert!(exit.log.has("app cleaned"), "{}{exit}", terminal.screen());
}
