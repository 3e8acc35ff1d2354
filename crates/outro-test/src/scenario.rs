//! A scenario: a command, a signal, and what must become of everyone.

use crate::exit::Exit;
use crate::init::Init;
use crate::programs::{outro, witness};
use crate::running::Running;
use crate::scratch::Scratch;
use crate::signal::{Signal, TERM};

/// A stop in one sentence.
///
/// ```no_run
/// # use outro_test::{Scenario, TERM};
/// Scenario::shell("dash", "while true; do @ app; sleep 1; done").finishes("app", &[TERM]).exits(143);
/// ```
///
/// In commands `@` stands for the witness program. A witness that is named must have been ready
/// before the signal is sent, and may not have been started more than once.
#[derive(Debug)]
pub struct Scenario {
    init: Init,
    flags: Vec<String>,
    command: Vec<String>,
    signal: Signal,
    ready: Vec<String>,
    finishes: Vec<String>,
    told: Vec<(String, Vec<Signal>)>,
    never: Vec<String>,
    notes: Vec<(String, usize)>,
}

impl Scenario {
    /// A program and its arguments, words between spaces.
    #[must_use]
    pub fn command(words: &str) -> Self {
        Self::exec(expand(words).split_whitespace())
    }

    /// A program and its arguments.
    #[must_use]
    pub fn exec<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Scenario {
            init: Init::within(Scratch::new(), outro()).report(),
            flags: vec![],
            command: words.into_iter().map(Into::into).collect(),
            signal: TERM,
            ready: vec![],
            finishes: vec![],
            told: vec![],
            never: vec![],
            notes: vec![],
        }
    }

    /// A line of shell, `SHELL -c LINE`; the shell may be two words (`busybox sh`).
    #[must_use]
    pub fn shell(shell: &str, line: &str) -> Self {
        let words = shell.split(' ').map(str::to_owned).chain(["-c".to_owned(), expand(line)]);
        Self::exec(words)
    }

    /// Flags of outro, words between spaces.
    #[must_use]
    pub fn flags(mut self, flags: &str) -> Self {
        self.flags.extend(flags.split_whitespace().map(str::to_owned));
        self
    }

    /// Changes the start, for an environment or a prelude.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(Init) -> Init) -> Self {
        self.init = change(self.init);
        self
    }

    /// The signal to send; SIGTERM if nothing is said.
    #[must_use]
    pub fn signal(mut self, signal: Signal) -> Self {
        self.signal = signal;
        self
    }

    /// A line to wait for before the signal, beside the witnesses' own.
    #[must_use]
    pub fn once(mut self, line: &str) -> Self {
        self.ready.push(line.to_owned());
        self
    }

    /// The witness is told exactly this, and its clean-up ends.
    #[must_use]
    pub fn finishes(mut self, name: &str, told: &[Signal]) -> Self {
        self.told.push((name.to_owned(), told.to_vec()));
        self.cleans_up(name)
    }

    /// The witness's clean-up ends, whatever it was told (some wrappers tell their program twice).
    #[must_use]
    pub fn cleans_up(mut self, name: &str) -> Self {
        self.ready.push(format!("{name} ready"));
        self.finishes.push(name.to_owned());
        self
    }

    /// The witness is told exactly this; whether it cleaned up does not matter.
    #[must_use]
    pub fn told(mut self, name: &str, told: &[Signal]) -> Self {
        self.told.push((name.to_owned(), told.to_vec()));
        self
    }

    /// The text may stand neither in the log nor on standard output or error.
    #[must_use]
    pub fn never(mut self, text: &str) -> Self {
        self.never.push(text.to_owned());
        self
    }

    /// The line stands in the log exactly once.
    #[must_use]
    pub fn notes(self, line: &str) -> Self {
        self.notes_count(line, 1)
    }

    /// The line stands in the log exactly so many times.
    #[must_use]
    pub fn notes_count(mut self, line: &str, count: usize) -> Self {
        self.notes.push((line.to_owned(), count));
        self
    }

    /// Runs it: starts, waits until every witness is ready, sends the signal, waits for the end,
    /// and holds everything said against what happened. Gives the exit for further questions.
    ///
    /// # Panics
    /// When something differs; the message tells all differences and the whole story.
    pub fn exits(self, code: i32) -> Exit {
        self.exits_after(code, |running, signal| running.signal(signal))
    }

    /// As [`Scenario::exits`], with another way to ask for the stop than one signal to PID 1.
    ///
    /// # Panics
    /// When something differs.
    pub fn exits_after(self, code: i32, stop: impl FnOnce(&Running, Signal)) -> Exit {
        let Scenario { init, flags, command, signal, ready, finishes, told, never, notes } = self;
        let running = init.args(flags).arg("--").args(command).start();
        for line in &ready {
            running.wait_for(line);
        }
        // A shell whose program is ready may itself not have come to rest yet.
        running.until("the main process to sleep", || {
            let main = running.pid1().children();
            main.iter().all(|process| process.state() != Some('R')).then_some(())
        });
        stop(&running, signal);
        let exit = running.wait();

        let mut problems = vec![];
        if exit.code != code {
            problems.push(format!("exit code {} instead of {code}", exit.code));
        }
        for (name, signals) in &told {
            let heard = exit.log.told(name);
            if heard != *signals {
                problems.push(format!("{name} was told {heard:?} instead of {signals:?}"));
            }
        }
        for name in &finishes {
            if !exit.log.has(&format!("{name} cleaned")) {
                problems.push(format!("{name}'s clean-up was cut off"));
            }
            if exit.log.has(&format!("{name} silenced")) {
                problems.push(format!("{name}'s last line was lost"));
            }
            if exit.log.count(&format!("{name} ready")) > 1 {
                problems.push(format!("{name} was started again"));
            }
        }
        for text in &never {
            if [&exit.log.to_string(), &exit.stdout, &exit.stderr]
                .iter()
                .any(|out| out.contains(text.as_str()))
            {
                problems.push(format!("`{text}` happened"));
            }
        }
        for (line, count) in &notes {
            let seen = exit.log.count(line);
            if seen != *count {
                problems.push(format!("`{line}` was noted {seen} times instead of {count}"));
            }
        }
        assert!(problems.is_empty(), "{}\n{exit}", problems.join("\n"));
        exit
    }
}

/// Puts the witness program for every `@` that is a word, or the first one in brackets or quotes.
fn expand(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.strip_suffix('@') {
        Some(before) if before.is_empty() || before.ends_with(['(', '\'', '"']) => {
            format!("{before}{}", witness())
        }
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
