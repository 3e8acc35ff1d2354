//! What to start as PID 1, and how.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::programs::{PATH, outro};
use crate::running::Running;
use crate::scratch::Scratch;
use crate::terminal::Terminal;

/// A description of one start, in the manner of [`Command`].
#[derive(Debug)]
pub struct Init {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    preludes: Vec<String>,
    scratch: Scratch,
}

impl Init {
    /// Any program as PID 1.
    #[must_use]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self::within(Scratch::new(), program)
    }

    /// Any program as PID 1, with a folder that was prepared before.
    #[must_use]
    pub fn within(scratch: Scratch, program: impl Into<OsString>) -> Self {
        Init { program: program.into(), args: vec![], env: vec![], preludes: vec![], scratch }
    }

    /// The binary under test as PID 1.
    #[must_use]
    pub fn outro() -> Self {
        Self::new(outro())
    }

    /// The folder of this test: its working directory, HOME, and where its output goes.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Arguments that are words between spaces.
    #[must_use]
    pub fn words(self, words: &str) -> Self {
        self.args(words.split_whitespace())
    }

    /// An environment variable. Nothing is inherited but what the harness sets: PATH, HOME, LANG
    /// and WITNESS_LOG.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Asks outro for an exit report, to be found in [`Exit::report`](crate::Exit::report).
    #[must_use]
    pub fn report(self) -> Self {
        let path = self.scratch.file("report");
        self.env("OUTRO_REPORT", path)
    }

    /// Lines of shell that run as PID 1 before the program replaces the shell: they see its mount
    /// namespace and hand on their redirections (`exec >&-`), limits and ignored signals
    /// (`trap '' HUP`). Several run one after the other.
    #[must_use]
    pub fn prelude(mut self, lines: &str) -> Self {
        self.preludes.push(lines.to_owned());
        self
    }

    /// Runs it through another command that becomes it in the end, such as `setpriv --reuid 1`.
    #[must_use]
    pub fn through(mut self, command: &str) -> Self {
        let mut words: Vec<OsString> = command.split_whitespace().map(Into::into).collect();
        words.push(self.program);
        words.append(&mut self.args);
        self.program = words.remove(0);
        self.args = words;
        self
    }

    /// Starts it; standard output and error are collected in files.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(self) -> Running {
        let [out, err] = ["stdout", "stderr"].map(|name| {
            let path = self.scratch.file(name);
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .expect("the scratch folder is writable")
        });
        let mut command = self.command(&[]);
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        Running::spawn(command, self.scratch)
    }

    /// Starts it on a terminal of its own, which is its controlling terminal.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn on_terminal(self) -> (Running, Terminal) {
        let mut command = self.command(&["setsid", "--ctty"]);
        let terminal = Terminal::open(&mut command);
        (Running::spawn(command, self.scratch), terminal)
    }

    /// The chain of commands that ends in the program as PID 1:
    /// a session of its own, so that nothing it does to a terminal or a group reaches the test;
    /// a death with the test, so that nothing is left when the test itself is killed;
    /// the namespace; what makes PID 1 the leader of a terminal's session, as in a container with
    /// one; the preludes.
    fn command(&self, leader: &[&str]) -> Command {
        let chain = "setsid setpriv --pdeathsig KILL unshare -pf --kill-child --mount-proc";
        let mut words: Vec<OsString> = chain.split(' ').map(Into::into).collect();
        words.extend(leader.iter().map(Into::into));
        if !self.preludes.is_empty() {
            let script = format!("set -e\n{}\nset +e\nexec \"$@\"", self.preludes.join("\n"));
            words.extend(["sh", "-c", &script, "prelude"].map(Into::into));
        }
        words.push(self.program.clone());
        words.extend(self.args.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.scratch.path()).env_clear();
        command.env("PATH", PATH).env("HOME", self.scratch.path()).env("LANG", "C.UTF-8");
        command.env("WITNESS_LOG", self.scratch.path().join("log"));
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        command
    }
}
