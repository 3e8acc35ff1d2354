//! What happened, line by line.

use crate::kernel::Serial;
use outro_core::{
    exit::ExitStatus,
    machine::{Note, Reason},
    process::Pid,
    signal::Signal,
    time::Moment,
};
use std::{fmt, sync::Arc, time::Duration};

/// Who sent a signal to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// outro.
    Outro,
    /// A process; maybe the same.
    Process(Serial),
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A process was started; `None` for the parent is outro.
    Started {
        /// Which.
        serial: Serial,
        /// Its pid.
        pid: Pid,
        /// Its parent.
        parent: Option<Serial>,
    },
    /// There was no pid left for a child of this one.
    NoPid {
        /// The one that wanted a child.
        serial: Serial,
    },
    /// A process runs a program from now on.
    Runs {
        /// Which.
        serial: Serial,
        /// The program's name.
        name: Arc<str>,
    },
    /// A process ended.
    Ended {
        /// Which.
        serial: Serial,
        /// How.
        status: ExitStatus,
    },
    /// An orphan got a new parent; `None` is outro.
    Adopted {
        /// The orphan.
        serial: Serial,
        /// Its new parent.
        by: Option<Serial>,
    },
    /// A process was signalled.
    Told {
        /// By whom.
        by: By,
        /// Which.
        serial: Serial,
        /// The signal.
        signal: Signal,
    },
    /// A handler of a process begins.
    Handles {
        /// Which.
        serial: Serial,
        /// Of this signal.
        signal: Signal,
    },
    /// outro wanted to signal a process, and it was gone.
    Missed {
        /// Its pid.
        pid: Pid,
        /// The signal.
        signal: Signal,
    },
    /// outro wanted to signal a process, and may not.
    Refused {
        /// Which.
        serial: Serial,
    },
    /// outro got a signal.
    Got {
        /// Which.
        signal: Signal,
        /// Whether a key sent it.
        by_key: bool,
    },
    /// outro's time was over.
    Timeout {
        /// Why it wanted to be called.
        reason: Reason,
    },
    /// outro looked.
    Looked {
        /// How many it saw below itself.
        seen: usize,
        /// How long that took.
        took: Duration,
    },
    /// outro looked, and `/proc` could not be read.
    Blind,
    /// outro tells people.
    Note(Note),
    /// outro could not start its program.
    NotStarted,
    /// outro leaves.
    Left {
        /// With this exit code.
        code: u8,
    },
    /// Nobody will ever do anything again.
    Stuck,
    /// The platform kills everyone.
    PlatformKills,
}

/// All that happened, in order.
#[derive(Clone, Debug, Default)]
pub struct History(Vec<(Moment, Happening)>);

impl History {
    pub(crate) fn add(&mut self, at: Moment, happening: Happening) {
        self.0.push((at, happening));
    }

    /// All of it.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &(Moment, Happening)> {
        self.0.iter()
    }

    /// The signals that outro sent to processes of this name, in order.
    #[must_use]
    pub fn told(&self, name: &str) -> Vec<Signal> {
        let mut names = Names::default();
        let mut told = Vec::new();
        for (_, happening) in &self.0 {
            names.learn(happening);
            if let Happening::Told { by: By::Outro, serial, signal } = happening
                && names.name(*serial) == name
            {
                told.push(*signal);
            }
        }
        told
    }

    /// How the processes of this name ended, in order.
    #[must_use]
    pub fn ends(&self, name: &str) -> Vec<ExitStatus> {
        let mut names = Names::default();
        let mut ends = Vec::new();
        for (_, happening) in &self.0 {
            names.learn(happening);
            if let Happening::Ended { serial, status } = happening
                && names.name(*serial) == name
            {
                ends.push(*status);
            }
        }
        ends
    }

    /// When the last process ended.
    pub(crate) fn last_end(&self) -> Option<Moment> {
        let is_end = |happening: &Happening| matches!(happening, Happening::Ended { .. });
        self.0.iter().rev().find(|(_, happening)| is_end(happening)).map(|(at, _)| *at)
    }

    /// How often a program of this name was run.
    #[must_use]
    pub fn runs(&self, name: &str) -> usize {
        let is_it = |happening: &Happening| matches!(happening, Happening::Runs { name: it, .. } if **it == *name);
        self.0.iter().filter(|(_, happening)| is_it(happening)).count()
    }
}

/// The pids and names by serial, as far as a reader of the history has come.
#[derive(Default)]
struct Names(Vec<(Pid, Option<Arc<str>>)>);

impl Names {
    fn learn(&mut self, happening: &Happening) {
        if let Happening::Started { pid, .. } = happening {
            self.0.push((*pid, None));
        } else if let Happening::Runs { serial, name } = happening {
            self.0[serial.0 as usize].1 = Some(name.clone());
        }
    }

    fn name(&self, serial: Serial) -> &str {
        self.0.get(serial.0 as usize).and_then(|(_, name)| name.as_deref()).unwrap_or("?")
    }

    fn who(&self, serial: Serial) -> String {
        let pid = self.0.get(serial.0 as usize).map_or(Pid(0), |(pid, _)| *pid);
        format!("{pid} ({})", self.name(serial))
    }

    fn parent(&self, parent: Option<Serial>) -> String {
        parent.map_or_else(|| "outro".to_owned(), |parent| self.who(parent))
    }

    fn sentence(&self, happening: &Happening) -> String {
        match happening {
            Happening::Started { pid, parent, .. } => {
                format!("{} starts {pid}", self.parent(*parent))
            }
            Happening::NoPid { serial } => format!("{} gets no pid for a child", self.who(*serial)),
            Happening::Runs { serial, .. } => format!("{} runs", self.who(*serial)),
            Happening::Ended { serial, status: ExitStatus::Code(code) } => {
                format!("{} exits with {code}", self.who(*serial))
            }
            Happening::Ended { serial, status: ExitStatus::Signal(signal) } => {
                format!("{} is ended by {signal}", self.who(*serial))
            }
            Happening::Adopted { serial, by } => {
                format!("{} is given to {}", self.who(*serial), self.parent(*by))
            }
            Happening::Told { by: By::Outro, serial, signal } => {
                format!("outro tells {signal} to {}", self.who(*serial))
            }
            Happening::Told { by: By::Process(by), serial, signal } => {
                format!("{} tells {signal} to {}", self.who(*by), self.who(*serial))
            }
            Happening::Handles { serial, signal } => {
                format!("{} handles {signal}", self.who(*serial))
            }
            Happening::Missed { pid, signal } => {
                format!("outro tells {signal} to {pid}, which is gone")
            }
            Happening::Refused { serial } => format!("outro may not tell {}", self.who(*serial)),
            Happening::Got { signal, by_key: false } => format!("outro gets {signal}"),
            Happening::Got { signal, by_key: true } => format!("outro gets {signal} by a key"),
            Happening::Timeout { reason } => format!("outro is called for {reason:?}"),
            Happening::Looked { seen, took } => {
                format!("outro has looked: {seen} below it, in {}us", took.as_micros())
            }
            Happening::Blind => "outro cannot look".to_owned(),
            Happening::Note(note) => format!("outro says {note:?}"),
            Happening::NotStarted => "outro cannot start its program".to_owned(),
            Happening::Left { code } => format!("outro leaves with {code}"),
            Happening::Stuck => "nobody will ever do anything again".to_owned(),
            Happening::PlatformKills => "the platform kills everyone".to_owned(),
        }
    }
}

impl fmt::Display for History {
    /// One line for each thing: the time since the beginning, and what happened.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Names::default();
        let began = self.0.first().map(|(at, _)| *at).unwrap_or_default();
        for (at, happening) in &self.0 {
            names.learn(happening);
            let seconds = at.since(began).as_secs_f64();
            writeln!(formatter, "{seconds:12.6}  {}", names.sentence(happening))?;
        }
        Ok(())
    }
}
