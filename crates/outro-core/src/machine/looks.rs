//! When to look at the processes again, while a stop goes on.
//!
//! The kernel tells nobody of a fork or of an orphan's new parent (but for a netlink socket that
//! containers are not given), so outro looks: soon after something changed, then less and less
//! often. What a look costs bounds how often it is done: with 50,000 processes one takes a good part
//! of a second.

use crate::time::Moment;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(5);
const SELDOM: Duration = Duration::from_millis(100);

/// The share of the time that looking may take is one in this many, plus one.
const COST_FACTOR: u32 = 4;

/// When to look again.
#[derive(Clone, Debug)]
pub(super) struct Looks {
    next: Option<Moment>,
    interval: Duration,
    /// No earlier than this, for what the last look cost.
    not_before: Moment,
    /// What that was.
    cost: Duration,
}

impl Looks {
    /// The first look is at this moment.
    pub(super) fn from(first: Moment) -> Self {
        Self { next: Some(first), interval: SOON, not_before: first, cost: Duration::ZERO }
    }

    /// When the next one is.
    pub(super) fn next(&self) -> Option<Moment> {
        self.next
    }

    /// What the last one cost.
    pub(super) fn cost(&self) -> Duration {
        self.cost
    }

    /// Whether one is due; if so, it is under way until [`Self::seen`].
    pub(super) fn take_due(&mut self, now: Moment) -> bool {
        let due = self.next.is_some_and(|next| next <= now);
        if due {
            self.next = None;
        }
        due
    }

    /// A look is over; `news` says whether somebody had to be told.
    pub(super) fn seen(&mut self, now: Moment, took: Duration, news: bool) {
        self.interval = if news { SOON } else { (self.interval * 2).min(SELDOM) };
        self.not_before = now + took * COST_FACTOR;
        self.cost = took;
        self.next = Some((now + self.interval).max(self.not_before));
    }

    /// Something changed: look as soon as that is affordable.
    pub(super) fn hasten(&mut self, now: Moment) {
        if let Some(next) = self.next {
            self.next = Some(next.min(now.max(self.not_before)));
            self.interval = SOON;
        }
    }

    /// Look at this moment, whatever it costs.
    pub(super) fn at(&mut self, moment: Moment) {
        self.next = Some(moment);
        self.interval = SOON;
    }

    /// Do not look again by itself.
    pub(super) fn pause(&mut self) {
        self.next = None;
    }
}
