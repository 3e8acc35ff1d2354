//! A kernel: processes, their parents, their pids and their ends, on a virtual clock.
//!
//! Nothing happens at once: a process that is woken goes on a little later, and one step at a time,
//! so that anything can come in between. All chance is from one seed.
//!
//! What is as on Linux: orphans go to the nearest living subreaper, else to outro; a zombie keeps its
//! pid until its parent has reaped it; a pid is not given again while it is also the number of a group
//! (pid_namespaces(7), waitpid(2)). What is simpler: a process has one thread. And a pid is not
//! given again within the clock tick in which it became free, as the two processes could not be told
//! apart by `/proc`.

mod process;
mod signals;
mod steps;
mod view;

pub use process::{Life, Process, Serial};
pub use view::View;

use crate::{
    history::{Happening, History},
    program::{Place, Program},
};
use outro_core::{
    exit::ExitStatus,
    process::{Identity, Pid, Pipe, Shell, Ticks},
    signal::{Signal, SignalSet},
    time::Moment,
};
use process::{Frame, Waiting};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::Duration,
};

/// outro's own pid.
pub const OUTRO: Pid = Pid(1);

/// See the [module](self).
#[derive(Debug)]
pub struct Kernel {
    now: Moment,
    dice: fastrand::Rng,
    processes: Vec<Process>,
    /// Those that are not reaped.
    by_pid: BTreeMap<Pid, Serial>,
    /// outro's children that are not reaped.
    children: Vec<Serial>,
    /// When who goes on. What is out of date is skipped.
    queue: BinaryHeap<Reverse<(Moment, u64, Serial)>>,
    queued: u64,
    pids: Pids,
    pipes: u64,
    /// When each pipe lost its last writer.
    ended_pipes: BTreeMap<Pipe, Moment>,
    /// A child of outro's has ended since outro asked.
    child_ended: bool,
    /// What happened.
    pub history: History,
}

/// Which pid comes next.
#[derive(Debug)]
struct Pids {
    last: u32,
    max: u32,
    freed: BTreeMap<Pid, Ticks>,
}

/// What outro's wait(2) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// A child has ended.
    Ended(Pid, ExitStatus),
    /// There are children, and none has ended.
    Nothing,
    /// There is no child.
    Childless,
}

impl Kernel {
    /// A kernel with nothing but outro. Pids go up to `pid_max` and begin anew.
    #[must_use]
    pub fn new(seed: u64, pid_max: u32) -> Self {
        Self {
            // The clock of process starts does not begin at 0 where outro does.
            now: Moment::at(Duration::from_secs(1000)),
            dice: fastrand::Rng::with_seed(seed),
            processes: Vec::new(),
            by_pid: BTreeMap::new(),
            children: Vec::new(),
            queue: BinaryHeap::new(),
            queued: 0,
            pids: Pids { last: OUTRO.0, max: pid_max, freed: BTreeMap::new() },
            pipes: 0,
            ended_pipes: BTreeMap::new(),
            child_ended: false,
            history: History::default(),
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// A time from `least` to `most`, by chance.
    pub fn chance(&mut self, least: Duration, most: Duration) -> Duration {
        Duration::from_nanos(self.dice.u64(least.as_nanos() as u64..=most.as_nanos() as u64))
    }

    /// Whether chance has it, once in so many times.
    pub fn once_in(&mut self, times: u32) -> bool {
        self.dice.u32(0..times) == 0
    }

    /// When the next process goes on.
    #[must_use]
    pub fn next_wake(&mut self) -> Option<Moment> {
        while let Some(Reverse((moment, _, serial))) = self.queue.peek() {
            if self.process(*serial).wakes_at == Some(*moment) {
                return Some(*moment);
            }
            self.queue.pop();
        }
        None
    }

    /// Lets everything happen up to this moment.
    pub fn run_until(&mut self, moment: Moment) {
        while let Some(next) = self.next_wake().filter(|next| *next <= moment) {
            self.now = self.now.max(next);
            if let Some(Reverse((_, _, serial))) = self.queue.pop() {
                self.processes[serial.0 as usize].wakes_at = None;
                self.go_on(serial);
            }
        }
        self.now = self.now.max(moment);
    }

    /// The process, whether it is still there or not.
    #[must_use]
    pub fn process(&self, serial: Serial) -> &Process {
        &self.processes[serial.0 as usize]
    }

    fn process_mut(&mut self, serial: Serial) -> &mut Process {
        &mut self.processes[serial.0 as usize]
    }

    /// Its pid and name, for people.
    #[must_use]
    pub fn who(&self, serial: Serial) -> String {
        let process = self.process(serial);
        format!("{} ({})", process.id.pid, process.name)
    }

    /// Who has this pid now.
    #[must_use]
    pub fn holder(&self, pid: Pid) -> Option<Serial> {
        self.by_pid.get(&pid).copied()
    }

    /// The lowest pid in use above this one, as reading `/proc` goes on.
    #[must_use]
    pub fn pid_after(&self, pid: Pid) -> Option<Pid> {
        self.by_pid.range(Pid(pid.0 + 1)..).next().map(|(pid, _)| *pid)
    }

    /// Everyone who is not reaped.
    pub fn everyone(&self) -> impl Iterator<Item = Serial> {
        self.by_pid.values().copied()
    }

    /// Everyone who has not ended.
    pub fn living(&self) -> impl Iterator<Item = Serial> {
        self.everyone().filter(|serial| self.process(*serial).is_alive())
    }

    /// The processes above this one, its parent first.
    pub fn above(&self, serial: Serial) -> impl Iterator<Item = Serial> {
        std::iter::successors(self.process(serial).parent, |serial| self.process(*serial).parent)
    }

    /// Who has this pipe for its standard output.
    pub fn writers(&self, pipe: Pipe) -> impl Iterator<Item = Serial> {
        self.living().filter(move |serial| self.process(*serial).output == Some(pipe))
    }

    /// When the pipe lost its last writer.
    #[must_use]
    pub fn pipe_ended(&self, pipe: Pipe) -> Option<Moment> {
        self.ended_pipes.get(&pipe).copied()
    }

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

    /// Writes down what outro does.
    pub(crate) fn note(&mut self, happening: Happening) {
        self.tell(happening);
    }

    fn tell(&mut self, happening: Happening) {
        self.history.add(self.now, happening);
    }

    /// Lets a process go on soon.
    fn wake(&mut self, serial: Serial) {
        let latency = self.chance(Duration::from_micros(5), Duration::from_micros(300));
        self.wake_at(serial, self.now + latency);
    }

    fn wake_at(&mut self, serial: Serial, moment: Moment) {
        let process = self.process_mut(serial);
        if process.wakes_at.is_none_or(|earlier| moment < earlier) {
            process.wakes_at = Some(moment);
            self.queued += 1;
            self.queue.push(Reverse((moment, self.queued, serial)));
        }
    }

    /// The next pid, counting up and round, as the kernel gives them.
    fn free_pid(&mut self) -> Option<Pid> {
        let tick = Process::start_ticks(self.now);
        for _ in OUTRO.0..self.pids.max {
            self.pids.last = if self.pids.last >= self.pids.max { 2 } else { self.pids.last + 1 };
            let pid = Pid(self.pids.last);
            let is_group = || self.everyone().any(|serial| self.process(serial).group == pid);
            let is_free = !self.by_pid.contains_key(&pid)
                && self.pids.freed.get(&pid) != Some(&tick)
                && !is_group();
            if is_free {
                return Some(pid);
            }
        }
        None
    }

    /// The end of a process: its orphans get a new parent, its pipes one writer less, and its
    /// parent is told.
    fn end(&mut self, serial: Serial, status: ExitStatus) {
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
        let output = process.output.take();
        let orphans = std::mem::take(&mut process.children);
        let parent = process.parent;
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
        let readers: Vec<Serial> =
            self.living().filter(|serial| self.process(*serial).input == Some(pipe)).collect();
        for reader in readers {
            self.wake(reader);
        }
    }

    fn give(&mut self, orphan: Serial, heir: Option<Serial>) {
        self.process_mut(orphan).parent = heir;
        self.process_mut(orphan).place = Place::Beside;
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
    fn reap(&mut self, parent: Serial, child: Serial) {
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

    fn has_children_in_front(&self, serial: Serial) -> bool {
        let children = &self.process(serial).children;
        children.iter().any(|child| self.process(*child).place == Place::Front)
    }

    /// Whether a shell has a child that its traps wait for. Those of fish wait for any.
    fn keeps_traps_waiting(&self, serial: Serial) -> bool {
        let process = self.process(serial);
        match process.program.shell {
            None => false,
            Some(Shell::Fish) => !process.children.is_empty(),
            Some(Shell::Ash | Shell::Mksh | Shell::Other) => self.has_children_in_front(serial),
        }
    }

    fn name(&self, serial: Serial) -> Arc<str> {
        self.process(serial).name.clone()
    }
}
