//! The case that outro started from (section 9 of the design): a Procfile's lines, run by a shell as
//! on a platform, each in a loop that restarts a crash.

mod servers;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread::{JoinHandle, spawn};

use outro_test::{Exit, Init, Running, TERM, fixture, require, venv};
use servers::{Redis, get, told};

/// A web hook that takes tickets until it is asked for `count` of them.
struct WebHook {
    url: String,
    tickets: JoinHandle<Vec<serde_json::Value>>,
}

impl WebHook {
    fn start(count: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
        let url = format!("http://{}/tickets", listener.local_addr().expect("it is bound"));
        let tickets = spawn(move || {
            (0..count)
                .map(|number| {
                    let (stream, _) = listener.accept().expect("it listens");
                    let mut reader = BufReader::new(&stream);
                    let mut length = 0;
                    for line in reader
                        .by_ref()
                        .lines()
                        .map_while(Result::ok)
                        .take_while(|line| !line.is_empty())
                    {
                        if let Some(value) =
                            line.to_ascii_lowercase().strip_prefix("content-length:")
                        {
                            length = value.trim().parse().expect("a length is a number");
                        }
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).expect("the ticket is whole");
                    let answer =
                        format!("HTTP/1.0 201 Created\r\nContent-Length: 8\r\n\r\nticket {number}");
                    (&stream).write_all(answer.as_bytes()).expect("the worker listens");
                    serde_json::from_slice(&body).expect("a ticket is JSON")
                })
                .collect()
        });
        WebHook { url, tickets }
    }
}

fn procfile_line(shell: &str, line: &str) -> Init {
    require(shell);
    let init = Init::outro().report().args([
        "--",
        shell,
        "-c",
        &format!("while true; do {line}; sleep 1; done"),
    ]);
    init.scratch().write(
        "newrelic.ini",
        "[newrelic]\nlicense_key = none\nmonitor_mode = false\nlog_file = stderr\n",
    );
    init.env("NEW_RELIC_CONFIG_FILE", "newrelic.ini")
        .env("PYTHONPATH", fixture("witness.py").replace("/witness.py", ""))
        .env("PYTHONDONTWRITEBYTECODE", "1")
}

/// Runs the worker until its second job is in the works, stops it, and holds what it owes.
fn worker(shell: &str, stop: impl FnOnce(&Running)) -> Exit {
    let redis = Redis::start();
    let hook = WebHook::start(1);
    let line = format!(
        "{} run-program {} {}",
        venv("newrelic-admin"),
        venv("python"),
        fixture("kombu_app.py")
    );
    let running =
        procfile_line(shell, &line).env("BROKER", redis.url()).env("WEB_HOOK", &hook.url).start();
    running.wait_for("worker ready");
    let queued = Command::new(venv("python"))
        .args(["-B", &fixture("kombu_app.py"), "3"])
        .env("BROKER", redis.url())
        .status();
    assert!(queued.expect("python runs").success());
    running.wait_for("job 0 done");
    running.wait_for("job 1 begun");
    stop(&running);
    let exit = running.wait();
    assert!(exit.log.has("worker filed ticket 0"), "the ticket never came\n{exit}");
    let tickets = hook.tickets.join().expect("no panic");
    assert_eq!(tickets[0]["job"], 1, "{exit}");
    assert!(exit.log.has("worker cleaned") && exit.stdout.contains("worker: bye\n"), "{exit}");
    assert_eq!(exit.log.count("worker ready"), 1, "it was started again\n{exit}");
    assert_eq!(redis.number("LLEN jobs"), 2, "a job was lost\n{exit}");
    assert_eq!(exit.code, 143, "{exit}");
    exit
}

#[test]
fn the_worker_under_sh_files_its_ticket_and_loses_no_job() {
    let exit = worker("sh", |running| running.signal(TERM));
    assert_eq!(exit.log.told("worker"), [TERM], "{exit}");
    assert_eq!(told(&exit).len(), 2, "the shell and the worker\n{exit}");
}

#[test]
fn the_worker_under_bash_files_its_ticket_and_loses_no_job() {
    let exit = worker("bash", |running| running.signal(TERM));
    assert_eq!(exit.log.told("worker"), [TERM], "{exit}");
}

#[test]
fn the_worker_files_its_ticket_when_the_platform_signals_all_processes() {
    // Over the memory limit the platform tells everyone itself.
    worker("sh", |running| {
        for process in running.members() {
            process.signal(TERM);
        }
    });
}

#[test]
fn the_web_service_answers_what_is_in_flight() {
    let init = procfile_line(
        "sh",
        &format!(
            "{} run-program {} -w 4 -b unix:web flask_app:app --log-config logging.conf",
            venv("newrelic-admin"),
            venv("gunicorn")
        ),
    );
    init.scratch().write(
        "logging.conf",
        "[loggers]\nkeys=root\n[handlers]\nkeys=out\n[formatters]\nkeys=plain\n[logger_root]\nlevel=INFO\nhandlers=out
[handler_out]\nclass=StreamHandler\nformatter=plain\nargs=(sys.stdout,)\n[formatter_plain]\nformat=%(message)s\n",
    );
    let running = init.start();
    running.wait_for_count("web ready", 4);
    let answer = get(&running.scratch().file("web"), "/slow");
    running.wait_for("request begun");
    running.signal(TERM);
    let exit = running.wait();
    assert!(answer.join().expect("no panic").ends_with("the whole answer\n"), "{exit}");
    assert_eq!(exit.code, 143, "{exit}");
    assert_eq!(exit.log.count("web ready"), 4, "it was started again\n{exit}");
    assert_eq!(told(&exit).len(), 2, "the shell and the master\n{exit}");
    assert!(exit.stderr.contains("Shutting down: Master"), "the last line was lost\n{exit}");
}

#[test]
fn the_node_service_s_last_line_is_seen() {
    require("node");
    let exit = {
        let running = procfile_line("sh", &format!("node {} app", fixture("witness.js"))).start();
        running.wait_for("app ready");
        running.signal(TERM);
        running.wait()
    };
    assert_eq!(exit.stdout, "app: bye\n", "{exit}");
    assert_eq!((exit.code, exit.log.told("app")), (143, vec![TERM]), "{exit}");
}
