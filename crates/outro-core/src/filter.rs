//! Filters: those who read what others write, and end when that ends.
//!
//! In `app | tee log`, in `exec > >(while read -r line; do …; done)`, or in a program that writes through
//! gzip, the reader is told nothing: at once it would break the pipe in the middle of the writer's
//! clean-up, and its last lines with it. It is left to its end of file, with all that is below it,
//! and told only when it is still there [`FILTER_PATIENCE`] after its last writer was. Whether it
//! handles the signal makes no difference: gzip does, to remove its file.
//!
//! A program that reads what its own child writes (`Popen(stdout=PIPE)`) is one too, if the signal
//! would end it and it is no shell: its child is told, and it is when that one is gone. A shell would
//! go on to its next command, so it is told first, as ever.
//!
//! A pipe that outro itself was given as standard input comes from outside and makes no filter.

use crate::{
    ledger::Why,
    process::{Condition, Disposition, INPUT, Identity, Pipe, Process},
    route::{Standing, Walk, is_newborn},
    time::Moment,
};
use std::{collections::BTreeMap, time::Duration};

/// How long a filter has, after its last writer is gone, to finish what it read.
pub const FILTER_PATIENCE: Duration = Duration::from_secs(1);

/// A pipeline has at most this many members: one with more siblings is not looked at for being a
/// filter, as that would cost more than all the rest of a stop of thousands.
const PIPELINE_MAX: usize = 64;

/// The most processes that are asked whether they write to a filter.
const WRITERS_MAX: usize = 256;

/// Who is left to the end of what it reads.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// When each filter was last seen to have a writer.
    written: BTreeMap<Identity, Moment>,
    /// For each parent that reads: the children that it waits for. Not those that it starts later, or
    /// a loop would go on for ever.
    awaited: BTreeMap<Identity, Vec<Identity>>,
}

/// One who is to be told, and reads a pipe.
struct Reader {
    index: usize,
    id: Identity,
    writers: Vec<usize>,
}

impl Filters {
    /// Takes filters out of those to be told, and all that is below them.
    pub(crate) fn spare(&mut self, walk: &Walk<'_>, standings: &mut [Standing]) {
        self.spare_parents(walk, standings);
        let mut readers = readers(walk, standings);
        if readers.is_empty() {
            return;
        }
        let mut is_open: Vec<bool> = vec![false; standings.len()];
        for reader in &readers {
            is_open[reader.index] = true;
        }
        // Whoever has a writer that is no reader, or a filter, is a filter too. What remains reads from
        // others who remain, in a circle, or from nobody any more.
        loop {
            let before = readers.len();
            readers.retain(|reader| {
                let has_writer = reader.writers.iter().any(|writer| !is_open[*writer]);
                if has_writer {
                    self.written.insert(reader.id, walk.now);
                } else if !self.is_patient(reader, walk.now) {
                    return true;
                }
                is_open[reader.index] = false;
                standings[reader.index] = Standing::Spared;
                false
            });
            if readers.len() == before {
                break;
            }
        }
        for reader in readers {
            let standing = &mut standings[reader.index];
            if reader.writers.is_empty() && standing.why() != Some(Why::InPlace) {
                *standing = standing.told_because(Why::WritersGone);
            }
        }
        cover_below(walk, standings);
    }

    /// Takes out those who read what a child of theirs writes, until that one is gone.
    fn spare_parents(&mut self, walk: &Walk<'_>, standings: &mut [Standing]) {
        let processes = walk.tree.processes();
        for index in 0..standings.len() {
            let children = walk.tree.children(index);
            let id = processes[index].id;
            let dies = matches!(standings[index], Standing::Tell(_, _, Disposition::Default));
            if !dies
                || children.is_empty()
                || children.len() > PIPELINE_MAX
                || walk.details.shell(id.pid).is_some()
            {
                continue;
            }
            let awaited =
                self.awaited.entry(id).or_insert_with(|| writing_children(walk, id, children));
            let is_there = |child: &Process| {
                child.condition != Condition::Zombie && awaited.contains(&child.id)
            };
            if children.iter().any(is_there) {
                standings[index] = Standing::Open;
            }
        }
    }

    /// Whether one without a writer may still be at what it read. It may never have been seen with
    /// one, if it was left to a program that is gone now.
    fn is_patient(&mut self, reader: &Reader, now: Moment) -> bool {
        reader.writers.is_empty()
            && now.since(*self.written.entry(reader.id).or_insert(now)) < FILTER_PATIENCE
    }
}

/// The children that write what their parent reads, and will clean up.
fn writing_children(walk: &Walk<'_>, parent: Identity, children: &[Process]) -> Vec<Identity> {
    let read = walk.details.read_ends(parent.pid);
    let writes = |child: &Process| {
        read.iter().any(|pipe| pipe.is_written_by(child.id.pid, walk.details).unwrap_or(false))
    };
    children
        .iter()
        .filter(|child| child.disposition(walk.signal) == Disposition::Handles)
        .filter(|child| !is_newborn(child, walk.tree.now()))
        .filter(|child| writes(child))
        .map(|child| child.id)
        .collect()
}

/// Those who are to be told and read a pipe, each with who writes to it.
fn readers(walk: &Walk<'_>, standings: &[Standing]) -> Vec<Reader> {
    let processes = walk.tree.processes();
    let has_few_siblings = |index: usize| {
        walk.tree.parent(index).is_none_or(|it| walk.tree.children(it).len() <= PIPELINE_MAX)
    };
    let input = |index: usize| walk.details.pipe(processes[index].id.pid, INPUT);
    let from_outside = walk.details.own_input();
    let writes =
        |writer: usize, pipe: Pipe| pipe.is_written_by(processes[writer].id.pid, walk.details);
    let reading: Vec<(usize, Pipe)> = standings
        .iter()
        .enumerate()
        .filter(|(index, standing)| standing.why().is_some() && has_few_siblings(*index))
        .filter_map(|(index, _)| input(index).map(|pipe| (index, pipe)))
        .filter(|(_, pipe)| Some(*pipe) != from_outside)
        // One that could write to it as well never sees its end.
        .filter(|(index, pipe)| !writes(*index, *pipe).unwrap_or(false))
        .collect();
    if reading.is_empty() {
        return Vec::new();
    }
    let may_write: Vec<usize> = standings
        .iter()
        .enumerate()
        .filter(|(index, standing)| {
            processes[*index].condition != Condition::Zombie
                && (**standing != Standing::Open || walk.ledger.get(processes[*index].id).is_some())
        })
        .map(|(index, _)| index)
        .take(WRITERS_MAX)
        .collect();
    reading
        .into_iter()
        .map(|(index, pipe)| Reader {
            index,
            id: processes[index].id,
            writers: may_write
                .iter()
                .copied()
                // What is below it is no writer: it is spared with it, or told.
                .filter(|writer| *writer != index && !walk.tree.is_below(*writer, index))
                // Where the system does not tell, it may.
                .filter(|writer| writes(*writer, pipe).unwrap_or(true))
                .collect(),
        })
        .collect()
}

/// What is below a filter is its own: it lives for a line.
fn cover_below(walk: &Walk<'_>, standings: &mut [Standing]) {
    let mut is_below = vec![false; standings.len()];
    for index in 0..standings.len() {
        is_below[index] = walk
            .tree
            .parent(index)
            .is_some_and(|parent| is_below[parent] || standings[parent] == Standing::Spared);
        if is_below[index] && standings[index].why().is_some() {
            standings[index] = Standing::Covered;
        }
    }
}

impl Standing {
    /// Why it is to be told, if it is.
    fn why(self) -> Option<Why> {
        match self {
            Self::Tell(_, why, _) => Some(why),
            Self::Covered | Self::Handling | Self::Open | Self::Spared => None,
        }
    }

    /// The same with another reason.
    fn told_because(self, why: Why) -> Self {
        match self {
            Self::Tell(signal, _, disposition) => Self::Tell(signal, why, disposition),
            Self::Covered | Self::Handling | Self::Open | Self::Spared => self,
        }
    }
}
