//! Children: their start by outro, their ends, who inherits them, and who reaps them.

use super::{Kernel, Life, Process, Serial, Waited, process::Frame};
use crate::{
    history::Happening,
    program::{Place, Program},
};
use outro_core::{
    exit::ExitStatus,
    process::{Identity, Pid, Pipe},
    signal::{Signal, SignalSet},
};

impl Kernel {
    /// Starts a child of outro's, in a group of its own. `None` when there is no pid left.
    pub fn start(&mut self, program: &Program) -> Option<Serial> {
        let pid = self.free_pid()?;
        let serial = Serial(self.processes.len() as u32);
        self.processes.push(Process {
            id: Identity { pid, start: Process::start_ticks(self.now) },
            parent: None,
            group: pid,
            group_leader: serial,
            // outro waits until the exec is over.
            life: Life::Running,
            ended_at: None,
            program: program.clone(),
            name: program.name.clone(),
            place: Place::Beside,
            is_stopped: false,
            adopts: false,
            children: Vec::new(),
            input: None,
            output: None,
            caught: Vec::new(),
            ignored: SignalSet::EMPTY,
            ignored_on_entry: SignalSet::EMPTY,
            blocked: SignalSet::EMPTY,
            pending: SignalSet::EMPTY,
            frames: vec![Frame::new(&program.script, None)],
            traps: Vec::new(),
            pipes: Vec::new(),
            front_status: None,
            hangs_until: None,
            wakes_at: None,
            listens_to: None,
            has_null_input: false,
            sleeps: 0,
            adopted_at: None,
            front_ended_at: None,
            heard_from_group: false,
        });
        self.by_pid.insert(pid, serial);
        self.children.push(serial);
        self.tell(Happening::Started { serial, pid, parent: None });
        self.tell(Happening::Runs { serial, name: self.name(serial) });
        self.wake(serial);
        Some(serial)
    }

    /// Whether a child of outro's has ended since the last call: a SIGCHLD.
    pub fn take_child_ended(&mut self) -> bool {
        std::mem::take(&mut self.child_ended)
    }

    /// Whether a SIGCHLD waits for outro.
    #[must_use]
    pub fn has_child_ended(&self) -> bool {
        self.child_ended
    }

    /// The next child of outro's to be reaped, not reaped yet.
    #[must_use]
    pub fn peek(&self) -> Waited {
        if self.children.is_empty() {
            return Waited::Childless;
        }
        let ended = self.children.iter().find_map(|serial| self.ended(*serial));
        ended.map_or(Waited::Nothing, |(pid, status)| Waited::Ended(pid, status))
    }

    /// How this child of outro's has ended, not reaped yet.
    #[must_use]
    pub fn peek_at(&self, pid: Pid) -> Option<ExitStatus> {
        let serial = self.holder(pid).filter(|serial| self.children.contains(serial))?;
        self.ended(serial).map(|(_, status)| status)
    }

    fn ended(&self, serial: Serial) -> Option<(Pid, ExitStatus)> {
        let process = self.process(serial);
        match process.life {
            Life::Zombie(status) => Some((process.id.pid, status)),
            Life::Starting | Life::Running | Life::Gone => None,
        }
    }

    /// Reaps the next child of outro's.
    pub fn wait(&mut self) -> Waited {
        let waited = self.peek();
        if let Waited::Ended(pid, _) = waited
            && let Some(serial) = self.holder(pid)
        {
            self.children.retain(|child| *child != serial);
            self.release(serial);
        }
        waited
    }

    /// The end of a process: its orphans get a new parent, its pipes one writer less, and its
    /// parent is told.
    pub(super) fn end(&mut self, serial: Serial, status: ExitStatus) {
        self.tell(Happening::Ended { serial, status });
        let now = self.now;
        let process = self.process_mut(serial);
        process.life = Life::Zombie(status);
        process.ended_at = Some(now);
        process.frames.clear();
        process.traps.clear();
        process.pending = SignalSet::EMPTY;
        process.is_stopped = false;
        process.input = None;
        process.listens_to = None;
        let output = process.output.take();
        let orphans = std::mem::take(&mut process.children);
        let parent = process.parent;
        if let (Place::Front, Some(parent)) = (process.place, parent) {
            self.process_mut(parent).front_ended_at = Some(now);
        }
        if let Some(pipe) = output {
            self.close(pipe);
        }
        let heir = self.above(serial).find(|above| {
            let above = self.process(*above);
            above.adopts && above.is_alive()
        });
        for orphan in orphans {
            self.give(orphan, heir);
        }
        self.tell_parent(serial, parent);
    }

    /// A writer of the pipe is gone.
    fn close(&mut self, pipe: Pipe) {
        if self.writers(pipe).next().is_some() {
            return;
        }
        self.ended_pipes.insert(pipe, self.now);
        let readers: Vec<Serial> = self.readers(pipe).collect();
        for reader in readers {
            self.wake(reader);
        }
    }

    fn give(&mut self, orphan: Serial, heir: Option<Serial>) {
        let now = self.now;
        let process = self.process_mut(orphan);
        process.parent = heir;
        process.place = Place::Beside;
        process.adopted_at = Some(now);
        match heir {
            Some(heir) => self.process_mut(heir).children.push(orphan),
            None => self.children.push(orphan),
        }
        if self.process(orphan).is_alive() {
            self.tell(Happening::Adopted { serial: orphan, by: heir });
        } else {
            self.tell_parent(orphan, heir);
        }
    }

    fn tell_parent(&mut self, zombie: Serial, parent: Option<Serial>) {
        match parent {
            None => self.child_ended = true,
            Some(parent) if self.process(parent).ignored().contains(Signal::CHLD) => {
                self.reap(parent, zombie);
                self.wake(parent);
            }
            Some(parent) => self.wake(parent),
        }
    }

    /// A parent takes the wait status of its child.
    pub(super) fn reap(&mut self, parent: Serial, child: Serial) {
        if self.process(child).place == Place::Front
            && let Life::Zombie(status) = self.process(child).life
        {
            self.process_mut(parent).front_status = Some(status);
        }
        self.process_mut(parent).children.retain(|other| *other != child);
        self.release(child);
    }

    fn release(&mut self, serial: Serial) {
        let tick = Process::start_ticks(self.now);
        let process = self.process_mut(serial);
        process.life = Life::Gone;
        let pid = process.id.pid;
        self.by_pid.remove(&pid);
        self.pids.freed.insert(pid, tick);
    }
}
