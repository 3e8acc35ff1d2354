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

mod family;
mod process;
mod signals;
mod steps;
mod view;

pub use process::{Life, Process, Serial};
pub use view::View;

use crate::{
    history::{Happening, History},
    program::Place,
};
use outro_core::{
    exit::ExitStatus,
    process::{Pid, Pipe, Shell, Ticks},
    time::Moment,
};

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

    /// Who reads this pipe.
    pub fn readers(&self, pipe: Pipe) -> impl Iterator<Item = Serial> {
        self.living().filter(move |serial| {
            let process = self.process(*serial);
            [process.input, process.listens_to].contains(&Some(pipe))
        })
    }

    /// When the pipe lost its last writer.
    #[must_use]
    pub fn pipe_ended(&self, pipe: Pipe) -> Option<Moment> {
        self.ended_pipes.get(&pipe).copied()
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
