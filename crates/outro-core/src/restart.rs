//! Whether and when the program is started again.

use crate::exit::{ExitStatus, Expectations};
use std::time::Duration;

/// When the program is started again (`--restart`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Never.
    No,
    /// When it ends with a code that is not 0 and not expected, or by a signal.
    OnFailure,
    /// Whenever it ends.
    Always,
}

/// The policy with its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartSettings {
    /// When.
    pub policy: RestartPolicy,
    /// The pause before the first start again; each further one is twice as long.
    pub delay: Duration,
    /// How many starts again in a row, without a run that lasted; `None` for no limit.
    pub limit: Option<u32>,
}

/// The shortest pause: a stop signal that came together with the program's end is heard in it.
pub const DELAY_MIN: Duration = Duration::from_millis(10);

/// The longest pause.
pub const DELAY_MAX: Duration = Duration::from_secs(30);

/// A run that lasted this long was none of a row of crashes: pause and count begin anew.
pub const STEADY: Duration = Duration::from_secs(10);

impl Default for RestartSettings {
    fn default() -> Self {
        Self { policy: RestartPolicy::No, delay: Duration::from_secs(1), limit: Some(10) }
    }
}

/// What happens after an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is started again after this pause.
    Again(Duration),
    /// It is not, as the policy says.
    Over,
    /// It is not, as this many starts in a row did not last.
    GivenUp(u32),
}

/// How often in a row it was started again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Restarts {
    in_a_row: u32,
}

impl Restarts {
    /// Decides after an end: how it ended, and how long it had run.
    pub fn ended(
        &mut self,
        settings: &RestartSettings,
        expected: &Expectations,
        status: ExitStatus,
        ran: Duration,
    ) -> Verdict {
        let failed = !status.is_success() && !expected.contains(status.code());
        match settings.policy {
            RestartPolicy::No => return Verdict::Over,
            RestartPolicy::OnFailure if !failed => return Verdict::Over,
            RestartPolicy::OnFailure | RestartPolicy::Always => {}
        }
        if ran >= STEADY {
            self.in_a_row = 0;
        }
        if settings.limit.is_some_and(|limit| self.in_a_row >= limit) {
            return Verdict::GivenUp(self.in_a_row);
        }
        let factor = 1_u32.checked_shl(self.in_a_row).unwrap_or(u32::MAX);
        let longest = DELAY_MAX.max(settings.delay);
        self.in_a_row = self.in_a_row.saturating_add(1);
        Verdict::Again(settings.delay.saturating_mul(factor).clamp(DELAY_MIN, longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Signal;

    fn settings(policy: RestartPolicy) -> RestartSettings {
        RestartSettings { policy, limit: Some(7), ..RestartSettings::default() }
    }

    #[test]
    fn pauses_double_up_to_half_a_minute_and_then_it_gives_up() {
        let mut restarts = Restarts::default();
        let mut ended = || {
            let crash = ExitStatus::Signal(Signal::TERM);
            restarts.ended(
                &settings(RestartPolicy::OnFailure),
                &Expectations::default(),
                crash,
                Duration::ZERO,
            )
        };
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(ended(), Verdict::Again(Duration::from_secs(seconds)));
        }
        assert_eq!(ended(), Verdict::GivenUp(7));
    }

    #[test]
    fn a_run_that_lasted_begins_the_count_anew() {
        let mut restarts = Restarts::default();
        let settings = settings(RestartPolicy::Always);
        let mut after =
            |ran| restarts.ended(&settings, &Expectations::default(), ExitStatus::Code(0), ran);
        assert_eq!(after(Duration::ZERO), Verdict::Again(Duration::from_secs(1)));
        assert_eq!(after(Duration::ZERO), Verdict::Again(Duration::from_secs(2)));
        assert_eq!(after(STEADY), Verdict::Again(Duration::from_secs(1)));
    }

    #[test]
    fn on_failure_takes_expected_codes_for_success() {
        let mut expected = Expectations::default();
        expected.add("143").expect("143 is a code");
        let settings = settings(RestartPolicy::OnFailure);
        let mut restarts = Restarts::default();
        let mut ended =
            |code| restarts.ended(&settings, &expected, ExitStatus::Code(code), Duration::ZERO);
        assert_eq!(ended(0), Verdict::Over);
        assert_eq!(ended(143), Verdict::Over);
        assert!(matches!(ended(1), Verdict::Again(_)));
    }
}
