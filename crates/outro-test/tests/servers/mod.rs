//! What the tests of real servers share: a Redis, and clients that need no package.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::{JoinHandle, spawn};

use outro_test::{Exit, Init, Running, require};

/// A Redis of one test on a socket in its scratch folder, in a namespace of its own.
pub(crate) struct Redis(Running);

impl Redis {
    pub(crate) fn start() -> Self {
        let init = Init::new(require("redis-server"));
        let socket = init.scratch().file("redis");
        let running = init.args(["--port", "0", "--save", "", "--unixsocket", &socket]).start();
        running.until("an answer of Redis", || UnixStream::connect(&socket).ok());
        Redis(running)
    }

    /// The address that kombu and Celery know it by.
    pub(crate) fn url(&self) -> String {
        format!("redis+socket://{}", self.0.scratch().file("redis"))
    }

    /// A command, words between spaces, and the number that it answers.
    pub(crate) fn number(&self, command: &str) -> usize {
        let mut socket =
            UnixStream::connect(self.0.scratch().file("redis")).expect("Redis listens");
        socket.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).expect("Redis listens");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("Redis answers");
        let number = answer.lines().next().and_then(|line| line.strip_prefix(':')?.parse().ok());
        number.unwrap_or_else(|| panic!("{command}: Redis answers {answer}"))
    }
}

/// Asks for a page over a Unix socket; the whole answer comes by the handle.
pub(crate) fn get(socket: &str, page: &str) -> JoinHandle<String> {
    let stream = UnixStream::connect(socket).expect("the server listens");
    rest(ask(stream, page), vec![])
}

/// Sends the request.
pub(crate) fn ask<S: Write>(mut stream: S, page: &str) -> S {
    stream.write_all(format!("GET {page} HTTP/1.0\r\n\r\n").as_bytes()).expect("the server reads");
    stream
}

/// Reads the rest of the answer in the background.
pub(crate) fn rest(
    mut stream: impl Read + Send + 'static,
    mut answer: Vec<u8>,
) -> JoinHandle<String> {
    spawn(move || {
        // A connection that is cut shows by what is missing.
        stream.read_to_end(&mut answer).ok();
        String::from_utf8_lossy(&answer).into_owned()
    })
}

/// The commands of those whom outro signalled, by its own report.
pub(crate) fn told(exit: &Exit) -> Vec<String> {
    let processes = exit.report["processes"].as_array().cloned().unwrap_or_default();
    processes
        .iter()
        .filter(|process| process["told"].as_array().is_some_and(|told| !told.is_empty()))
        .map(|process| process["command"].as_str().unwrap_or_default().to_owned())
        .collect()
}
