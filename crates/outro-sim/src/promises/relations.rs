//! Who is whose to stop.

use super::LOOKS;
use crate::{
    kernel::{Kernel, Life, Process, Serial},
    program::{Access, Place, Step},
};
use outro_core::{
    filter::FILTER_PATIENCE,
    process::{Disposition, Shell},
    route::GROUP_PATIENCE,
    shell::TRAP_PATIENCE,
    signal::{DefaultAction, Signal},
    time::Moment,
};
use std::collections::BTreeMap;

/// What each process was told in this stop.
pub(super) type Told = BTreeMap<Serial, Telling>;

/// What one process was told.
#[derive(Clone, Debug)]
pub(super) struct Telling {
    /// The signals, in order.
    pub(super) signals: Vec<Signal>,
    /// When the first one was sent.
    pub(super) first_at: Moment,
    /// When the last one was.
    pub(super) at: Moment,
    /// Whether it handled the first one when the look began.
    pub(super) known: bool,
    /// Whether it handled one when it was sent. A handler may well reset itself while it runs.
    pub(super) handled: bool,
    /// The children it had when the look began, if it handled the signal then.
    pub(super) children: Vec<Serial>,
}

impl Telling {
    /// Whether a shell has begun to wait for a child between the look and the signal. outro cannot
    /// know such a child from one that the trap has started.
    pub(super) fn came_too_late(&self, kernel: &Kernel, shell: Serial) -> bool {
        let shell = kernel.process(shell);
        shell.is_held_up() && shell.children.iter().any(|child| !self.children.contains(child))
    }
}

/// How a process stands to the others.
#[derive(Clone, Debug)]
pub(super) struct Relations {
    /// How it takes the stop.
    pub(super) takes: Disposition,
    /// The nearest living ancestor that handles the signal, and can hear of it.
    pub(super) master: Option<Serial>,
    /// Those who write its input and handle the signal.
    pub(super) writers: Vec<Serial>,
    /// Whether it is a filter that somebody feeds, or below one.
    pub(super) is_fed: bool,
    /// Those above it, its parent first.
    pub(super) above: Vec<Serial>,
    /// Whether it needs not be told now.
    pub(super) has_excuse: bool,
}

/// How everyone stood when a look began.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) at: Moment,
    pub(super) signal: Signal,
    relations: BTreeMap<Serial, Relations>,
}

impl Snapshot {
    pub(super) fn of(kernel: &Kernel, signal: Signal, told: &Told) -> Self {
        let of = |serial| (serial, of(kernel, serial, signal, told));
        Self { at: kernel.now(), signal, relations: kernel.living().map(of).collect() }
    }

    pub(super) fn get(&self, serial: Serial) -> Option<&Relations> {
        self.relations.get(&serial)
    }

    /// A filter that was told in this look while one of its writers, which was told too, goes on.
    pub(super) fn told_filter(&self, kernel: &Kernel, told: &Told) -> Option<(Serial, Serial)> {
        let is_new = |serial: &Serial| told.get(serial).is_some_and(|it| it.at >= self.at);
        // Filters at the end of their patience are told together.
        let is_filter = |writer: &Serial| kernel.process(*writer).input.is_some();
        let goes_on = |writer: &Serial| {
            told.contains_key(writer)
                && kernel.process(*writer).is_alive()
                && !(is_new(writer) && is_filter(writer))
        };
        self.iter()
            .filter(|(serial, _)| is_new(serial))
            .find_map(|(serial, was)| Some((serial, was.writers.iter().copied().find(goes_on)?)))
    }

    /// The children of a process that handled the signal.
    pub(super) fn below(&self, parent: Serial) -> Vec<Serial> {
        if self.get(parent).is_none_or(|parent| parent.takes != Disposition::Handles) {
            return Vec::new();
        }
        let is_child = |relations: &Relations| relations.above.first() == Some(&parent);
        self.iter().filter(|(_, it)| is_child(it)).map(|(serial, _)| serial).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Serial, &Relations)> {
        self.relations.iter().map(|(serial, relations)| (*serial, relations))
    }
}

/// How a process stands to the others now.
pub(super) fn of(kernel: &Kernel, serial: Serial, signal: Signal, told: &Told) -> Relations {
    let process = kernel.process(serial);
    let master = master(kernel, serial, signal, told);
    // A shell with a trap gets a moment to run it, from when it was told and from when something in
    // its foreground has ended.
    let has_told_master =
        masters(kernel, serial, signal, told).any(|(above, waits)| match told.get(&above) {
            Some(telling) => {
                let ended = kernel.process(above).front_ended_at.unwrap_or_default();
                let since = ended.max(telling.at);
                waits != Waits::Yes || kernel.now().since(since) < TRAP_PATIENCE + LOOKS
            }
            None => waits == Waits::No && may_have_heard(kernel, above, signal, told),
        });
    let is_fed = is_fed(kernel, serial, signal, told);
    let was_told = told.contains_key(&serial) || may_have_heard(kernel, serial, signal, told);
    let takes = takes(kernel, serial, signal);
    let ignores = takes == Disposition::Ignores;
    let is_out_of_reach = process.access() == Access::Refused || process.life != Life::Running;
    Relations {
        takes,
        master,
        above: kernel.above(serial).collect(),
        has_excuse: was_told
            || has_told_master
            || ignores
            || is_fed
            || listens_to(kernel, serial, signal)
                .any(|child| told.contains_key(&child) || is_seen_to_handle(kernel, child, signal))
            || is_out_of_reach
            || finishes(kernel, serial),
        writers: writers(kernel, serial, signal),
        is_fed,
    }
}

/// Whether its shell has told it, or may have: one that led its group, was told, and is gone. Or its
/// master has, whom it is below no more. outro gives those who handle the signal some time then.
fn may_have_heard(kernel: &Kernel, serial: Serial, signal: Signal, told: &Told) -> bool {
    let process = kernel.process(serial);
    let leader = kernel.process(process.group_leader);
    let led = leader.program.shell.is_some()
        && told.get(&process.group_leader).is_some_and(|telling| telling.handled);
    let is_recent =
        |at: Option<Moment>| at.is_some_and(|at| kernel.now().since(at) < GROUP_PATIENCE + LOOKS);
    let may_have = led && is_recent(leader.ended_at) || is_recent(process.adopted_at);
    match takes(kernel, serial, signal) {
        Disposition::Ignores => false,
        Disposition::Default => process.heard_from_group,
        Disposition::Handles => process.heard_from_group || may_have,
    }
}

/// How a process takes the stop: where it ignores a signal of the keyboard, or one of which nobody
/// ends, SIGTERM is in its place.
pub(super) fn takes(kernel: &Kernel, serial: Serial, signal: Signal) -> Disposition {
    let process = kernel.process(serial);
    let has_a_stand_in = [Signal::INT, Signal::QUIT].contains(&signal)
        || signal.default_action() != DefaultAction::Terminate;
    match process.disposition(signal) {
        Disposition::Ignores if has_a_stand_in => process.disposition(Signal::TERM),
        other @ (Disposition::Handles | Disposition::Default | Disposition::Ignores) => other,
    }
}

/// Whether a process that was told waits for the one below it: a shell's trap does, and who leaves its
/// signal pending is no better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    No,
    /// outro cannot know.
    Maybe,
    Yes,
}

/// Whether the process takes signals by sigwait sooner or later, which does not always show.
fn awaits_signals(process: &Process) -> bool {
    process.program.script.iter().any(|step| matches!(step, Step::Await(..)))
}

/// The living ancestors that handle the signal and can hear of it, the nearest first. A shell whose
/// trap waits for what is in its foreground is no master of that.
fn masters<'a>(
    kernel: &'a Kernel,
    serial: Serial,
    signal: Signal,
    told: &'a Told,
) -> impl Iterator<Item = (Serial, Waits)> + 'a {
    let mut below = serial;
    kernel.above(serial).filter_map(move |above| {
        let process = kernel.process(above);
        let is_waited_for = kernel.process(below).place == Place::Front
            || process.program.shell == Some(Shell::Fish);
        // Where the middle of a pipeline has ended, only its last part is taken for the foreground.
        let is_younger = |child: &Serial| *child > below && kernel.process(*child).is_alive();
        let is_youngest = !process.children.iter().any(is_younger);
        let is_known =
            is_youngest && told.get(&above).is_none_or(|it| !it.came_too_late(kernel, above));
        let waits_for_it = process.is_held_up() && is_waited_for;
        // Who leaves it pending for a while hides nobody. outro's books are some moments older.
        let leaves_it = process.has_pending(signal)
            && told
                .get(&above)
                .is_some_and(|it| kernel.now().since(it.first_at) >= TRAP_PATIENCE / 2);
        let hears = process.life == Life::Running && process.access() == Access::Permitted;
        // bash, which was told in place of ^C that it went on after.
        let is_dying = process.program.shell == Some(Shell::Other)
            && process.disposition(Signal::TERM) == Disposition::Default
            && told.get(&above).is_some_and(|telling| telling.signals.len() > 1);
        let handled = told.get(&above).is_some_and(|telling| telling.handled);
        let handles = handled || takes(kernel, above, signal) == Disposition::Handles;
        below = above;
        let waits = match waits_for_it {
            false if leaves_it => Waits::Yes,
            // It came to wait for the signal between the look and the telling: that does not show.
            false if awaits_signals(process) && told.get(&above).is_some_and(|it| !it.known) => {
                Waits::Maybe
            }
            false => Waits::No,
            true if is_known => Waits::Yes,
            true => Waits::Maybe,
        };
        (hears && handles && !is_dying).then_some((above, waits))
    })
}

/// Whether the process has just come to the end of its input.
fn finishes(kernel: &Kernel, serial: Serial) -> bool {
    let input = kernel.process(serial).input;
    let ended = input.and_then(|pipe| kernel.pipe_ended(pipe));
    ended.is_some_and(|at| kernel.now().since(at) < FILTER_PATIENCE + LOOKS)
}

/// The nearest living ancestor whose the process is to stop.
fn master(kernel: &Kernel, serial: Serial, signal: Signal, told: &Told) -> Option<Serial> {
    let own = |(above, waits): (Serial, Waits)| (waits == Waits::No).then_some(above);
    masters(kernel, serial, signal, told).find_map(own)
}

/// Whether the process reads what a living process writes that was told, or has a master, or is such a
/// filter itself; or is below one that does.
fn is_fed(kernel: &Kernel, serial: Serial, signal: Signal, told: &Told) -> bool {
    /// Pipes can lead in a circle; no pipeline is longer.
    const LENGTH_MAX: usize = 30;
    let is_fed = |serial| is_fed_within(kernel, serial, signal, told, LENGTH_MAX);
    is_fed(serial) || kernel.above(serial).any(is_fed)
}

fn is_fed_within(
    kernel: &Kernel,
    serial: Serial,
    signal: Signal,
    told: &Told,
    length: usize,
) -> bool {
    let stops = |writer: Serial| {
        told.contains_key(&writer)
            || may_have_heard(kernel, writer, signal, told)
            || kernel.process(writer).access() == Access::Refused
            || kernel.process(writer).life == Life::Starting
            || master(kernel, writer, signal, told).is_some()
            || finishes(kernel, writer)
            || is_fed_within(kernel, writer, signal, told, length - 1)
    };
    length > 0
        && takes(kernel, serial, signal) != Disposition::Ignores
        && others_who_write(kernel, serial).any(stops)
}

/// Who else writes what the process reads.
fn others_who_write(kernel: &Kernel, serial: Serial) -> impl Iterator<Item = Serial> {
    let input = kernel.process(serial).input;
    let writers = input.into_iter().flat_map(|pipe| kernel.writers(pipe));
    writers.filter(move |writer| *writer != serial)
}

/// The living children whose last words a process that dies of the signal waits for. A shell does
/// not wait: it would go on to its next command.
fn listens_to(kernel: &Kernel, serial: Serial, signal: Signal) -> impl Iterator<Item = Serial> {
    let process = kernel.process(serial);
    let dies = takes(kernel, serial, signal) == Disposition::Default;
    let pipe = process.listens_to.filter(|_| dies && process.program.shell.is_none());
    let speaks = move |child: &Serial| {
        let child = kernel.process(*child);
        pipe.is_some() && child.output == pipe && child.is_alive()
    };
    process.children.iter().copied().filter(speaks)
}

/// Whether the process is seen to handle the signal: not who takes it by sigwait, but who is between
/// fork and exec.
fn is_seen_to_handle(kernel: &Kernel, serial: Serial, signal: Signal) -> bool {
    let seen = kernel.read(kernel.process(serial).id.pid);
    seen.is_some_and(|seen| seen.disposition(signal) == Disposition::Handles)
}

/// Who writes what the process reads, and handles the signal, so that it goes on.
fn writers(kernel: &Kernel, serial: Serial, signal: Signal) -> Vec<Serial> {
    let handles = |writer: &Serial| {
        kernel.process(*writer).life == Life::Running
            && takes(kernel, *writer, signal) == Disposition::Handles
    };
    let own = listens_to(kernel, serial, signal).filter(|child| {
        let process = kernel.process(*child);
        process.life == Life::Running
            && !awaits_signals(process)
            && is_seen_to_handle(kernel, *child, signal)
    });
    others_who_write(kernel, serial).filter(handles).chain(own).collect()
}

/// Those who read what the process writes, and those who read what they write.
pub(super) fn readers(kernel: &Kernel, serial: Serial) -> Vec<Serial> {
    let mut readers = vec![serial];
    let mut next = 0;
    while let Some(writer) = readers.get(next) {
        let output = kernel.process(*writer).output;
        let reads = |reader: &Serial| output.is_some() && kernel.process(*reader).input == output;
        let more: Vec<Serial> =
            kernel.living().filter(reads).filter(|it| !readers.contains(it)).collect();
        readers.extend(more);
        next += 1;
    }
    readers.split_off(1)
}
