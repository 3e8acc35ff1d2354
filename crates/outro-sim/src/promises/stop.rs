//! What is known of the stop that goes on.

use super::{
    AFTER_KILL, TURN,
    relations::{Snapshot, Told},
};
use crate::kernel::{Kernel, Serial};
use outro_core::{process::Pid, signal::Signal, time::Moment};
use std::collections::{BTreeMap, BTreeSet};

/// What a stop began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Asked,
    MainEnded,
}

/// What is known of the stop that goes on.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) cause: Cause,
    pub(super) signal: Signal,
    /// When a stop signal came; `None` while only the main process has ended.
    pub(super) asked_at: Option<Moment>,
    pub(super) began: Moment,
    /// From when on outro may kill.
    pub(super) kill_from: Option<Moment>,
    /// When outro has to be gone, and why.
    pub(super) gone_by: Vec<(Moment, &'static str)>,
    /// Until when nobody is told.
    pub(super) held_until: Moment,
    /// How often a key was pressed for it.
    pub(super) keys: u32,
    pub(super) told: Told,
    /// When a filter was fed last, as far as looks show.
    pub(super) fed: BTreeMap<Serial, Moment>,
    /// Those who were killed by outro, and are not named yet.
    pub(super) unnamed: BTreeSet<Pid>,
    /// Those who were named as left behind, and how many others were counted.
    pub(super) left_behind: BTreeSet<Pid>,
    pub(super) counted: usize,
    /// Those whom outro may not signal, and since when it knows.
    pub(super) refused: BTreeMap<Serial, Moment>,
}

impl Stop {
    pub(super) fn new(cause: Cause, now: Moment, signal: Signal) -> Self {
        Self {
            cause,
            signal,
            asked_at: None,
            began: now,
            kill_from: None,
            gone_by: Vec::new(),
            held_until: now,
            keys: 0,
            told: BTreeMap::new(),
            fed: BTreeMap::new(),
            unnamed: BTreeSet::new(),
            left_behind: BTreeSet::new(),
            counted: 0,
            refused: BTreeMap::new(),
        }
    }

    /// A key is pressed while the stop goes on: it ends the delay, and the second one the grace.
    pub(super) fn press(&mut self, now: Moment) {
        self.keys += 1;
        if now < self.held_until {
            self.held_until = now;
        } else if now < self.held_until + TURN {
            // Whether the delay is over yet is outro's to say.
            self.kill_from = Some(self.kill_from.map_or(now, |other| other.min(now)));
        } else if self.keys > 1 {
            self.limit(now, now + AFTER_KILL, "a second key");
        }
    }

    /// How everyone stands now.
    pub(super) fn snapshot(
        &mut self,
        kernel: &Kernel,
        signal: Signal,
        is_by_tree: bool,
    ) -> Snapshot {
        let snapshot = Snapshot::of(kernel, signal, &self.told);
        for (serial, relations) in snapshot.iter() {
            if !is_by_tree {
                // Filters are looked for by the tree alone.
            } else if relations.is_fed {
                self.fed.insert(serial, kernel.now());
            } else if kernel.process(serial).input.is_some() {
                // Whoever reads a pipe gets its time, though nobody was seen to write to it.
                self.fed.entry(serial).or_insert(kernel.now());
            }
        }
        snapshot
    }

    /// Another end of the time, whichever comes first.
    pub(super) fn limit(&mut self, kill_from: Moment, gone_by: Moment, why: &'static str) {
        self.kill_from = Some(self.kill_from.map_or(kill_from, |other| other.min(kill_from)));
        self.gone_by.push((gone_by, why));
    }
}
