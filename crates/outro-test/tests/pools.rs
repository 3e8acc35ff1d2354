//! Real servers with a master and its workers: nobody but the master may tell a worker, and what is
//! in flight is finished.

mod servers;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use outro_test::{INT, Init, Running, TERM, fixture, require, venv};
use servers::{Redis, ask, get, rest, told};

fn fixtures() -> String {
    fixture("witness.py").replace("/witness.py", "")
}

/// Asks for a page and waits until the answer has begun.
fn begin(stream: impl Read + Write + Send + 'static, page: &str) -> JoinHandle<String> {
    let mut stream = ask(stream, page);
    let mut first = vec![0; 64];
    let length = stream.read(&mut first).expect("the server answers");
    first.truncate(length);
    rest(stream, first)
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    listener.local_addr().expect("it is bound").port()
}

/// outro with these flags, and a command whose Python finds the fixtures.
fn outro(flags: &str) -> Init {
    Init::outro()
        .report()
        .words(flags)
        .arg("--")
        .env("PYTHONPATH", fixtures())
        .env("PYTHONDONTWRITEBYTECODE", "1")
}

fn gunicorn(line: impl Fn(&str) -> Vec<String>) -> (Running, String) {
    let init = outro("");
    let socket = init.scratch().file("web");
    let server = format!("{} -w 2 -b unix:{socket} slow_web:app", venv("gunicorn"));
    let running = init.args(line(&server)).start();
    running.wait_for_count("web ready", 2);
    (running, socket)
}

#[test]
fn gunicorn_answers_the_request_in_flight() {
    let (running, socket) = gunicorn(|server| server.split(' ').map(str::to_owned).collect());
    let answer = get(&socket, "/slow");
    running.wait_for("request begun");
    running.signal(TERM);
    let exit = running.wait();
    assert!(answer.join().expect("no panic").ends_with("the whole answer\n"), "{exit}");
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(told(&exit).len(), 1, "{exit}");
}

#[test]
fn gunicorn_in_a_loop_of_shell_answers_the_request_in_flight() {
    let (running, socket) = gunicorn(|server| {
        vec!["sh".into(), "-c".into(), format!("while true; do {server}; sleep 1; done")]
    });
    let answer = get(&socket, "/slow");
    running.wait_for("request begun");
    running.signal(TERM);
    let exit = running.wait();
    assert!(answer.join().expect("no panic").ends_with("the whole answer\n"), "{exit}");
    assert_eq!(exit.code, 143, "{exit}");
    assert_eq!(told(&exit).len(), 2, "the shell and the master\n{exit}");
}

#[test]
fn celery_finishes_its_tasks_and_leaves_the_others_on_the_queue() {
    let redis = Redis::start();
    let running = outro("")
        .env("BROKER", redis.url())
        .arg(venv("celery"))
        .words("-A slow_tasks worker -c 2 -l INFO --without-gossip --without-mingle --without-heartbeat")
        .start();
    running.wait_for_count("pool ready", 2);
    let queued = Command::new(venv("python"))
        .args(["-B", &fixture("slow_tasks.py")])
        .arg("6")
        .env("BROKER", redis.url())
        .env("WITNESS_LOG", "/dev/null")
        .stdin(Stdio::null())
        .status();
    assert!(queued.expect("python runs").success());
    running.wait_for_count("task begun", 2);
    running.signal(TERM);
    let exit = running.wait();
    assert_eq!(exit.code, 0, "{exit}");
    let done = exit.log.count("task done");
    assert_eq!(exit.log.count("task begun"), done, "a task was cut off\n{exit}");
    assert_eq!(done + redis.number("LLEN celery"), 6, "a task was lost\n{exit}");
    assert_eq!(told(&exit).len(), 1, "{exit}");
}

#[test]
fn nginx_finishes_a_slow_download() {
    require("nginx");
    let init = outro("--rewrite TERM:QUIT");
    let (socket, page) = (init.scratch().file("web"), "x".repeat(100_000));
    init.scratch().write("page", &page);
    let config = format!(
        "daemon off; user root; worker_processes 2; pid {0}/pid; error_log stderr;
         events {{ }}
         http {{ access_log off; server {{ listen unix:{socket}; root {0}; limit_rate 50k; }} }}",
        init.scratch().path().display()
    );
    let config = init.scratch().write("config", &config);
    let running = init.args(["nginx", "-c", &config]).start();
    running.until("nginx to listen", || UnixStream::connect(&socket).ok());
    let answer = begin(UnixStream::connect(&socket).expect("nginx listens"), "/page");
    running.signal(TERM);
    let exit = running.wait();
    assert!(answer.join().expect("no panic").ends_with(&page), "{exit}");
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(told(&exit).len(), 1, "{exit}");
}

/// Apache serving a page at a slow pace, and the port that it listens on.
fn apache(flags: &str) -> (Running, u16, String) {
    require("apache2");
    let init = outro(flags);
    let (port, page) = (free_port(), "x".repeat(60_000));
    init.scratch().write("page", &page);
    let config = format!(
        "ServerRoot {0}\nServerName test\nDefaultRuntimeDir {0}\nPidFile {0}/pid\nErrorLog /dev/stderr\nListen 127.0.0.1:{port}
         LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
         LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
         LoadModule ratelimit_module /usr/lib/apache2/modules/mod_ratelimit.so
         LoadModule env_module /usr/lib/apache2/modules/mod_env.so
         User nobody\nGroup nogroup\nDocumentRoot {0}\nEnableSendfile off
         <Location />\nRequire all granted\nSetOutputFilter RATE_LIMIT\nSetEnv rate-limit 30\n</Location>\n",
        init.scratch().path().display()
    );
    let config = init.scratch().write("config", &config);
    let running = init.args(["apache2", "-f", &config, "-DFOREGROUND"]).start();
    running.wait_for_stderr("resuming normal operations");
    (running, port, page)
}

#[test]
fn apache_finishes_a_slow_download_when_term_means_winch() {
    let (running, port, page) = apache("--rewrite TERM:WINCH");
    let answer = begin(TcpStream::connect(("127.0.0.1", port)).expect("Apache listens"), "/page");
    running.signal(TERM);
    let exit = running.wait();
    assert!(answer.join().expect("no panic").ends_with(&page), "{exit}");
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(told(&exit).len(), 1, "{exit}");
}

#[test]
fn apache_stops_by_its_own_quick_way_on_term() {
    let (running, _, _) = apache("");
    running.signal(TERM);
    let exit = running.wait();
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(told(&exit).len(), 1, "{exit}");
}

/// PostgreSQL of the user postgres, and one session that is in the middle of a query of `seconds`.
fn postgres(seconds: u32) -> (Running, std::process::Child) {
    require("gosu");
    let init = outro("");
    let folder = init.scratch().path().to_owned();
    let data = init.scratch().file("data");
    let made = Command::new("gosu")
        .args(["postgres", &require("initdb"), "-N", "-A", "trust", "-D", &data])
        .output();
    let made = made.expect("gosu runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let running = init
        .words("gosu postgres")
        .arg(require("postgres"))
        .args(["-D", &data, "-c", "listen_addresses=", "-k"])
        .arg(&folder)
        .start();
    running.wait_for_stderr("ready to accept connections");
    let query = format!("select pg_sleep({seconds}); select 'the whole answer'");
    let session = Command::new(require("psql"))
        .args(["-U", "postgres", "-h"])
        .arg(&folder)
        .args(["-At", "-c", "select 'begun'", "-c", &query, "postgres"])
        .stdout(
            std::fs::File::create(running.scratch().file("answer")).expect("the folder is ours"),
        )
        .stderr(Stdio::null())
        .spawn();
    running.wait_for_file("answer", "begun");
    (running, session.expect("psql runs"))
}

#[test]
fn postgres_waits_for_its_sessions_on_term() {
    let (running, mut session) = postgres(2);
    let answer = running.scratch().path().join("answer");
    running.signal(TERM);
    running.wait_for_file("answer", "the whole answer");
    assert!(answer.exists() && session.wait().expect("psql is our child").success());
    let exit = running.wait();
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(told(&exit).len(), 1, "{exit}");
}

#[test]
fn postgres_ends_its_sessions_on_int() {
    let (running, mut session) = postgres(1000);
    running.signal(INT);
    let exit = running.wait();
    assert!(!session.wait().expect("psql is our child").success());
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(told(&exit).len(), 1, "{exit}");
}
