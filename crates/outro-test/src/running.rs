//! A namespace that runs.

use std::cell::{Cell, RefCell};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::Instant;

use crate::exit::Exit;
use crate::log::Log;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::signal::{KILL, Signal};
use crate::wait::until;

/// PID 1 and everyone below it. Dropping it ends them all.
#[derive(Debug)]
pub struct Running {
    /// `unshare`, PID 1's parent. In a cell, for waiting changes it and nothing else does.
    unshare: RefCell<Child>,
    pid1: Process,
    namespace: PathBuf,
    scratch: Scratch,
    began: Cell<Instant>,
    signalled: Cell<bool>,
}

impl Running {
    pub(crate) fn spawn(mut command: Command, scratch: Scratch) -> Self {
        let mut unshare = command.spawn().expect("setsid, setpriv and unshare are installed");
        let parent = Process(unshare.id());
        // PID 1 is there when it runs something else than `unshare`, or has already ended.
        let found = until("PID 1", || {
            if unshare.try_wait().is_ok_and(|status| status.is_some()) {
                return Some(None);
            }
            let child = *parent.children().first()?;
            let namespace = child.namespace()?;
            (child.program()?.file_name()? != "unshare").then_some(Some((child, namespace)))
        });
        let (pid1, namespace) =
            found.expect("unshare starts").unwrap_or((Process(0), PathBuf::new()));
        Running {
            unshare: unshare.into(),
            pid1,
            namespace,
            scratch,
            began: Instant::now().into(),
            signalled: false.into(),
        }
    }

    /// PID 1.
    #[must_use]
    pub fn pid1(&self) -> Process {
        self.pid1
    }

    /// The folder of this test.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Sends PID 1 a signal.
    pub fn signal(&self, signal: Signal) {
        if !self.signalled.replace(true) {
            self.began.set(Instant::now());
        }
        self.pid1.signal(signal);
    }

    /// What the witnesses noted up to now.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::parse(&self.scratch.read("log"))
    }

    /// What was written to standard output up to now.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.scratch.read("stdout")
    }

    /// What was written to standard error up to now.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.scratch.read("stderr")
    }

    /// The witness of that name, which must have been ready.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn witness(&self, name: &str) -> Process {
        let pid = self
            .log()
            .pid(name)
            .unwrap_or_else(|| panic!("{name} was never ready\n{}", self.describe()));
        self.inside(pid)
    }

    /// The process that has this PID inside of the namespace.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn inside(&self, pid: u32) -> Process {
        let found = self.members().into_iter().find(|process| process.pid_inside() == Some(pid));
        found.unwrap_or_else(|| panic!("no process {pid} in the namespace\n{}", self.describe()))
    }

    /// The one process whose command line contains `text`.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn process(&self, text: &str) -> Process {
        self.until(&format!("a process {text}"), || {
            self.members()
                .into_iter()
                .find(|process| *process != self.pid1 && process.command().contains(text))
        })
    }

    /// Everyone in the namespace, PID 1 included.
    #[must_use]
    pub fn members(&self) -> Vec<Process> {
        let mut members = Process::all();
        members.retain(|process| process.namespace().is_some_and(|own| own == self.namespace));
        members
    }

    /// Waits for a line in the witnesses' log.
    pub fn wait_for(&self, line: &str) {
        self.wait_for_count(line, 1);
    }

    /// Waits until a line is there so many times.
    pub fn wait_for_count(&self, line: &str, count: usize) {
        self.until(&format!("{count} × `{line}` in the log"), || {
            (self.log().count(line) >= count).then_some(())
        });
    }

    /// Waits for a text on standard error.
    pub fn wait_for_stderr(&self, text: &str) {
        self.until(&format!("`{text}` on stderr"), || self.stderr().contains(text).then_some(()));
    }

    /// Waits for a text in a file of the scratch folder.
    pub fn wait_for_file(&self, name: &str, text: &str) {
        let path = Path::new(name);
        self.until(&format!("`{text}` in {}", path.display()), || {
            self.scratch.read(name).contains(text).then_some(())
        });
    }

    /// Waits for any condition. Its deadline ends the test, and so does PID 1's end, after which it
    /// cannot come any more.
    pub fn until<T>(&self, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
        let found = until(what, || {
            let ended = self.ended().is_some();
            match condition() {
                None if ended => Some(None),
                None => None,
                found @ Some(_) => Some(found),
            }
        });
        match found {
            Ok(Some(value)) => value,
            Ok(None) => panic!("PID 1 ended before {what}\n{}", self.describe()),
            Err(problem) => panic!("{problem}\n{}", self.describe()),
        }
    }

    /// Whether PID 1 has ended.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        self.unshare.borrow_mut().try_wait().expect("unshare is our child")
    }

    /// Waits for the end of PID 1.
    ///
    /// # Panics
    /// When it does not come.
    #[must_use]
    pub fn wait(self) -> Exit {
        let status = until("the end of PID 1", || self.ended())
            .unwrap_or_else(|e| panic!("{e}\n{}", self.describe()));
        let exit =
            self.exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()));
        drop(self);
        exit
    }

    fn exit(&self, code: i32) -> Exit {
        Exit {
            code,
            stdout: self.stdout(),
            stderr: self.stderr(),
            log: self.log(),
            report: serde_json::from_str(&self.scratch.read("report")).unwrap_or_default(),
            took: self.began.get().elapsed(),
        }
    }

    /// Everything that helps to understand a failure.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut members = String::new();
        for process in self.members() {
            let inside = process.pid_inside().unwrap_or_default();
            let state = process.state().unwrap_or('-');
            members += &format!("{inside} {state} {}\n", process.command());
        }
        format!("--- processes\n{members}--- state\n{}", self.exit(-1))
    }

    /// Kills everyone: the kernel ends a namespace with its PID 1.
    fn end(&mut self) {
        if self.ended().is_none() && self.pid1 != Process(0) {
            self.pid1.signal(KILL);
        }
        self.unshare.borrow_mut().wait().ok();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        if !thread::panicking() && self.pid1 != Process(0) {
            let left = until("an empty namespace", || self.members().is_empty().then_some(()));
            assert!(left.is_ok(), "left in the namespace:\n{}", self.describe());
        }
    }
}
