//! What one look at `/proc` says of the processes below outro.

use crate::signal::{Signal, SignalSet};
use std::{fmt, ops::Range};

/// A process id. It names a process only until that one is reaped; see [`Identity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub u32);

impl fmt::Display for Pid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A moment on the kernel's clock of process starts: clock ticks since boot, 100 a second
/// (`USER_HZ`, the same on every machine that outro runs on; proc_pid_stat(5), field 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticks(pub u64);

/// How long one of the kernel's clock ticks is, in milliseconds.
pub const TICK_MS: u64 = 10;

/// One process, and never another that later got the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Its pid.
    pub pid: Pid,
    /// When it started.
    pub start: Ticks,
}

/// The kernel's short name of a process: at most 15 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Name {
    bytes: [u8; 15],
    length: u8,
}

impl Name {
    /// The name from what `/proc` shows; what is beyond 15 bytes is cut.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        let length = name.len().min(15);
        let mut bytes = [0; 15];
        bytes[..length].copy_from_slice(&name[..length]);
        Self { bytes, length: length as u8 }
    }

    /// The bytes of the name; any byte but NUL may be among them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in String::from_utf8_lossy(self.as_bytes()).chars() {
            fmt::Write::write_char(formatter, if c.is_control() { '?' } else { c })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What a process is about, as far as a stop cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Running, or asleep where a signal wakes it.
    Alive,
    /// Stopped by job control (`T`): it hears of a signal only when it is continued.
    Stopped,
    /// Ended, and not reaped by its parent yet.
    Zombie,
}

/// One process as a look saw it.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Which process.
    pub id: Identity,
    /// The pid of its parent at that moment.
    pub parent: Pid,
    /// Its process group.
    pub group: Pid,
    /// What it is about.
    pub condition: Condition,
    /// The signals it catches or blocks (a blocked one is for sigwait or signalfd).
    pub handled: SignalSet,
    /// The signals it ignores.
    pub ignored: SignalSet,
    /// The kernel's short name of it.
    pub name: Name,
}

/// How a process takes a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It catches or blocks it: it knows what to do, also about what is below it.
    Handles,
    /// The kernel ends it.
    Default,
    /// Nothing happens to it.
    Ignores,
}

impl Process {
    /// How it takes this signal.
    #[must_use]
    pub fn disposition(&self, signal: Signal) -> Disposition {
        use crate::signal::DefaultAction;
        // Blocked counts before ignored: sigwait gets a signal that is both (sigwait(3), and
        // `sig_ignored` in the kernel never drops a blocked one).
        // A signal that stops it, or does nothing, ends it no more than one that it ignores.
        let nothing_happens =
            self.ignored.contains(signal) || signal.default_action() != DefaultAction::Terminate;
        if self.handled.contains(signal) {
            Disposition::Handles
        } else if nothing_happens {
            Disposition::Ignores
        } else {
            Disposition::Default
        }
    }
}

/// The processes below one process, parents before children.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// In breadth-first order, so that the children of each one stand side by side.
    processes: Vec<Process>,
    /// For each process, where its children stand in `processes`.
    children: Vec<Range<u32>>,
    /// For each process, where its parent stands; `None` for the root's own children.
    parents: Vec<Option<u32>>,
    /// When the look was over.
    now: Ticks,
}

impl Tree {
    /// The tree of what is below `root` among all processes that were seen.
    #[must_use]
    pub fn new(root: Pid, mut seen: Vec<Process>, now: Ticks) -> Self {
        // A pid that was reused between two reads can make the parents' links a circle; what is
        // reached from the root cannot be in one, as each process is taken once.
        seen.sort_unstable_by_key(|process| (process.parent, process.id.pid));
        let below = |parent: Pid| {
            let first = seen.partition_point(|process| process.parent < parent);
            let count = seen[first..].partition_point(|process| process.parent == parent);
            &seen[first..first + count]
        };
        let mut tree = Self { now, ..Self::default() };
        tree.extend(below(root), None, root);
        let mut next = 0;
        while next < tree.processes.len() {
            let first = tree.processes.len() as u32;
            tree.extend(below(tree.processes[next].id.pid), Some(next as u32), root);
            tree.children.push(first..tree.processes.len() as u32);
            next += 1;
        }
        tree
    }

    fn extend(&mut self, children: &[Process], parent: Option<u32>, root: Pid) {
        for child in children.iter().filter(|child| child.id.pid != root) {
            self.processes.push(*child);
            self.parents.push(parent);
        }
    }

    /// When the look was over, on the clock of process starts.
    #[must_use]
    pub fn now(&self) -> Ticks {
        self.now
    }

    /// All processes, parents before children.
    #[must_use]
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// Where the parent of the process at `index` stands; `None` if that is the root.
    #[must_use]
    pub fn parent(&self, index: usize) -> Option<usize> {
        self.parents[index].map(|parent| parent as usize)
    }

    /// Whether the process at `index` is a descendant of the one at `ancestor`.
    #[must_use]
    pub fn is_below(&self, index: usize, ancestor: usize) -> bool {
        std::iter::successors(self.parent(index), |parent| self.parent(*parent))
            .any(|parent| parent == ancestor)
    }

    /// The children of the process at `index`.
    #[must_use]
    pub fn children(&self, index: usize) -> &[Process] {
        let range = &self.children[index];
        &self.processes[range.start as usize..range.end as usize]
    }

    /// The process with this pid.
    #[must_use]
    pub fn find(&self, pid: Pid) -> Option<&Process> {
        self.processes.iter().find(|process| process.id.pid == pid)
    }

    /// How long a process has been there, in milliseconds.
    #[must_use]
    pub fn age_ms(&self, id: Identity) -> u64 {
        self.now.0.saturating_sub(id.start.0) * TICK_MS
    }
}

/// One end of what a pipeline is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pipe {
    /// A pipe, or a FIFO in a directory: device and inode number, the same at both ends.
    Fifo(u64, u64),
    /// One of a pair of sockets, by its inode number, of which ksh93 makes its pipelines. The two are made one right
    /// after the other, and have neighbouring numbers.
    Socket(u64),
}

impl Pipe {
    /// The ends whose writer is read from this one.
    pub fn writing_ends(self) -> impl Iterator<Item = Self> {
        let ends = match self {
            Self::Fifo(..) => [Some(self), None],
            Self::Socket(inode) => {
                [inode.checked_sub(1).map(Self::Socket), inode.checked_add(1).map(Self::Socket)]
            }
        };
        ends.into_iter().flatten()
    }

    /// Whether this process can write what is read from this end. `None` where the system does not
    /// tell.
    pub(crate) fn is_written_by(self, pid: Pid, details: &dyn Details) -> Option<bool> {
        let mut answers = self.writing_ends().map(|end| details.writes(pid, end));
        answers.try_fold(false, |is_written, answer| Some(is_written || answer?))
    }
}

/// Where a process sleeps: the system call, and the depth of its stack. Two equal ones, read at
/// two times, say that it is still in the same call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sleep {
    /// What it waits for.
    pub call: SleepCall,
    /// Its stack pointer.
    pub stack: u64,
}

/// What kind of system call a process sleeps in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SleepCall {
    /// wait4 or waitid: for a child.
    Wait,
    /// rt_sigsuspend: for a signal, whose handler then runs.
    Signal,
    /// rt_sigtimedwait (sigwait, sigwaitinfo): for a signal that it takes itself. While it waits the
    /// kernel does not show the signal as blocked.
    SignalWait,
    /// read, from this descriptor.
    Read(u32),
    /// None: it runs.
    Running,
    /// Any other, or none.
    Other,
}

/// Standard input.
pub const INPUT: u32 = 0;

/// Standard output and standard error.
pub const OUTPUTS: [u32; 2] = [1, 2];

/// What is looked up only where a rule asks for it, since it costs more than the tree itself.
/// Each answer is `None` where the system does not tell.
pub trait Details {
    /// The name of the shell that this process runs, if it is one: `dash`, `bash`, …
    fn shell(&self, pid: Pid) -> Option<Shell>;
    /// Where the process sleeps.
    fn sleep(&self, pid: Pid) -> Option<Sleep>;
    /// The pipe that this descriptor of it is.
    fn pipe(&self, pid: Pid, fd: u32) -> Option<Pipe>;
    /// The pipe that is outro's own standard input.
    fn own_input(&self) -> Option<Pipe> {
        None
    }
    /// Whether it has this end of a pipe to write to.
    fn writes(&self, pid: Pid, end: Pipe) -> Option<bool> {
        Some(OUTPUTS.into_iter().any(|fd| self.pipe(pid, fd) == Some(end)))
    }
    /// The pipes, beside its standard input, that it has to read from.
    fn read_ends(&self, _pid: Pid) -> Vec<Pipe> {
        Vec::new()
    }
    /// Whether its standard input is /dev/null, and not the file that the other's is.
    fn has_null_input_unlike(&self, _pid: Pid, _other: Pid) -> bool {
        false
    }
    /// How often it has gone to sleep by itself, if it is asleep and has no signal waiting. One that has
    /// slept on has heard of nothing.
    fn sleeps(&self, _pid: Pid) -> Option<u64> {
        None
    }
    /// Whether it has a controlling terminal, which tells it SIGHUP when its session's leader ends.
    fn has_terminal(&self, _pid: Pid) -> bool {
        false
    }
    /// Whether the signal was sent to it and waits for it to take it.
    fn has_pending(&self, _pid: Pid, _signal: Signal) -> bool {
        false
    }
    /// Its command line, secrets masked.
    fn command(&self, pid: Pid) -> Option<String>;
}

/// The shells that run a trap only when their foreground child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// dash and busybox ash: they sleep in rt_sigsuspend in their `wait` builtin, and in wait4 for
    /// a foreground child.
    Ash,
    /// fish: no trap of it runs before its child has ended, be that in the foreground or not.
    Fish,
    /// mksh: without a trap it passes SIGTERM on to its whole process group, and dies of it.
    Mksh,
    /// The others: one call for both.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32) -> Process {
        Process {
            id: Identity { pid: Pid(pid), start: Ticks(0) },
            parent: Pid(parent),
            group: Pid(pid),
            condition: Condition::Alive,
            handled: SignalSet::EMPTY,
            ignored: SignalSet::EMPTY,
            name: Name::default(),
        }
    }

    #[test]
    fn a_tree_holds_what_is_below_its_root_with_parents_first() {
        let seen = [(9, 7), (1, 0), (7, 1), (8, 0), (3, 9), (5, 1), (10, 8)];
        let seen = seen.map(|(pid, parent)| process(pid, parent)).to_vec();
        let tree = Tree::new(Pid(1), seen, Ticks(0));
        let pids: Vec<u32> = tree.processes().iter().map(|process| process.id.pid.0).collect();
        assert_eq!(pids, [5, 7, 9, 3]);
        assert_eq!(tree.children(1).len(), 1);
        assert_eq!(tree.parent(2), Some(1));
        assert_eq!(tree.parent(0), None);
    }

    #[test]
    fn links_in_a_circle_do_not_hang_the_tree() {
        let seen = [(1, 3), (2, 1), (3, 2)].map(|(pid, parent)| process(pid, parent)).to_vec();
        assert_eq!(Tree::new(Pid(1), seen, Ticks(0)).processes().len(), 2);
        let own_parent = vec![process(1, 1), process(2, 2)];
        assert!(Tree::new(Pid(1), own_parent, Ticks(0)).processes().is_empty());
    }

    #[test]
    fn a_process_handles_ignores_or_falls_to_the_default_action() {
        let mut it = process(2, 1);
        it.handled = SignalSet::EMPTY.with(Signal::TERM);
        assert_eq!(it.disposition(Signal::TERM), Disposition::Handles);
        it.ignored = SignalSet::EMPTY.with(Signal::HUP).with(Signal::TERM);
        assert_eq!(it.disposition(Signal::TERM), Disposition::Handles);
        assert_eq!(it.disposition(Signal::HUP), Disposition::Ignores);
        assert_eq!(it.disposition(Signal::INT), Disposition::Default);
        assert_eq!(it.disposition(Signal::CONT), Disposition::Ignores);
    }
}
