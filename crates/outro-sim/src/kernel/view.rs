//! What `/proc` shows of the kernel's processes.

use super::{Kernel, Life, Process, process::Waiting};
use outro_core::{
    process::{Details, INPUT, Name, OUTPUTS, Pid, Pipe, Process as Seen, Shell, Sleep, SleepCall},
    signal::Signal,
};

impl Kernel {
    /// What `/proc/PID/stat` says of whoever has this pid now.
    #[must_use]
    pub fn read(&self, pid: Pid) -> Option<Seen> {
        let process = self.process(self.holder(pid)?);
        let parent = process.parent.map_or(super::OUTRO, |parent| self.process(parent).id.pid);
        Some(Seen {
            id: process.id,
            parent,
            group: process.group,
            condition: process.condition(),
            handled: process.caught().union(process.shown_as_blocked()),
            ignored: process.ignored(),
            name: Name::new(process.name.as_bytes()),
        })
    }
}

/// Where a process has the pipe of its own that it reads.
const OWN_PIPE: u32 = 3;

/// What is looked up on demand.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Of this kernel.
    pub kernel: &'a Kernel,
    /// Whether `/proc/PID/syscall` may be read.
    pub shows_sleep: bool,
}

impl View<'_> {
    fn process(&self, pid: Pid) -> Option<&Process> {
        let process = self.kernel.process(self.kernel.holder(pid)?);
        process.is_alive().then_some(process)
    }
}

impl Details for View<'_> {
    fn shell(&self, pid: Pid) -> Option<Shell> {
        let process = self.process(pid)?;
        match process.life {
            // Still its parent's program.
            Life::Starting => {
                process.parent.and_then(|parent| self.kernel.process(parent).program.shell)
            }
            Life::Running | Life::Zombie(_) | Life::Gone => process.program.shell,
        }
    }

    fn sleep(&self, pid: Pid) -> Option<Sleep> {
        let process = self.process(pid).filter(|_| self.shows_sleep)?;
        let frame = process.frames.last()?;
        let is_ash = process.program.shell == Some(Shell::Ash);
        let call = match frame.waiting {
            Waiting::Nothing => return Some(Sleep { call: SleepCall::Running, stack: 0 }),
            Waiting::Any | Waiting::All if is_ash => SleepCall::Signal,
            Waiting::Front | Waiting::Any | Waiting::All => SleepCall::Wait,
            Waiting::OneOf(..) => SleepCall::SignalWait,
            Waiting::End => SleepCall::Read(INPUT),
            Waiting::EndOf(_) => SleepCall::Read(OWN_PIPE),
            Waiting::Until(_) | Waiting::Signals => SleepCall::Other,
        };
        // Each frame of a script is a bit of stack, and so is each list of commands in it.
        let depth = process.frames.len() as u64 * 0x1000 + frame.next as u64 * 0x20;
        Some(Sleep { call, stack: 0x7fff_0000 - depth })
    }

    fn pipe(&self, pid: Pid, fd: u32) -> Option<Pipe> {
        let process = self.process(pid)?;
        match fd {
            INPUT => process.input,
            OWN_PIPE => process.listens_to,
            _ if fd == OUTPUTS[0] => process.output,
            _ => None,
        }
    }

    fn read_ends(&self, pid: Pid) -> Vec<Pipe> {
        self.process(pid).and_then(|process| process.listens_to).into_iter().collect()
    }

    fn has_null_input_unlike(&self, pid: Pid, other: Pid) -> bool {
        let has_null_input = |pid| self.process(pid).is_some_and(|process| process.has_null_input);
        has_null_input(pid) && !has_null_input(other)
    }

    fn sleeps(&self, pid: Pid) -> Option<u64> {
        self.process(pid).map(|process| process.sleeps)
    }

    fn has_pending(&self, pid: Pid, signal: Signal) -> bool {
        self.process(pid).is_some_and(|process| process.has_pending(signal))
    }

    fn command(&self, pid: Pid) -> Option<String> {
        self.process(pid).map(|process| process.name.to_string())
    }
}
