//! The table of flags. The parser, `--help`, the man page, the completions and the variables are all
//! made of it.

use crate::plan::Plan;
use outro_core::{
    grace::GraceSetting,
    restart::RestartPolicy,
    route::Route,
    settings::Rewrites,
    signal::{Signal, nearest},
    time::parse_duration,
};

/// One flag.
pub struct Flag {
    /// Its long name, without the dashes.
    pub long: &'static str,
    /// Its short name.
    pub short: Option<char>,
    /// What stands for its value; `None` if it takes none.
    pub value: Option<&'static str>,
    /// The values that there are, where they can be listed.
    pub choices: &'static [&'static str],
    /// What it does, in a line.
    pub summary: &'static str,
    /// More about it, for the man page.
    pub detail: &'static str,
    /// Sets it; the message says what is wrong with the value.
    pub set: fn(&mut Plan, &str) -> Result<(), String>,
    /// Whether it may be given more than once, each time adding to the others.
    pub repeats: bool,
}

impl Flag {
    /// The variable that sets it too: `OUTRO_STOP_SIGNAL` for `--stop-signal`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.long.to_ascii_uppercase().replace('-', "_"))
    }
}

/// What the variables begin with.
pub const VARIABLE_PREFIX: &str = "OUTRO_";

const RESTART_POLICIES: [(&str, RestartPolicy); 3] = [
    ("no", RestartPolicy::No),
    ("on-failure", RestartPolicy::OnFailure),
    ("always", RestartPolicy::Always),
];

/// All flags, in the order in which people are shown them.
pub const FLAGS: &[Flag] = &[
    Flag {
        long: "grace",
        short: None,
        value: Some("DUR|auto"),
        choices: &[],
        summary: "how long the platform waits before it kills",
        detail: "Shortly before that time is over, outro kills who is left, and names each one. \
                 'auto' takes the default of the platform, which is found from its environment (Docker, Kubernetes, ECS, Heroku, \
                 Fly.io, Render, Railway, Nomad, Cloud Run, Azure, Aptible, systemd). Without this flag outro never \
                 kills after a stop signal, and leaves that to the platform.",
        set: |plan, value| {
            plan.grace = match value {
                "auto" => GraceSetting::Auto,
                _ => GraceSetting::Fixed(duration(value)?),
            };
            Ok(())
        },
        repeats: false,
    },
    Flag {
        long: "delay",
        short: None,
        value: Some("DUR"),
        choices: &[],
        summary: "hold a stop back while the load balancer takes note",
        detail: "The program goes on serving for this long after the stop signal came. The time \
                 counts against the grace.",
        set: |plan, value| {
            plan.settings.delay = duration(value)?;
            Ok(())
        },
        repeats: false,
    },
    Flag {
        long: "linger",
        short: None,
        value: Some("DUR"),
        choices: &[],
        summary: "how long what the program leaves behind may take to stop (10s)",
        detail: "When the program ends by itself, outro stops the processes that it leaves behind, \
                 waits for them, and kills who is still there after this time.",
        set: |plan, value| {
            plan.settings.linger = duration(value)?;
            Ok(())
        },
        repeats: false,
    },
    Flag {
        long: "route",
        short: None,
        value: Some("ROUTE"),
        choices: &["tree", "main", "group", "all"],
        summary: "who gets the stop signal: tree, main, group or all (tree)",
        detail: "'tree' goes from the top down: a process that handles the signal gets it, and what is \
                 below it is left to it; one that would die of it gets it, and so do its children; one that \
                 ignores it is passed over, and its children are not. 'main' is the program alone, \
                 'group' its process group, 'all' every process.",
        set: |plan, value| {
            plan.settings.route = choice(value, &Route::NAMES)?;
            Ok(())
        },
        repeats: false,
    },
    Flag {
        long: "stop-signal",
        short: None,
        value: Some("SIG"),
        choices: &[],
        summary: "another signal that starts a stop, beside TERM, INT and QUIT",
        detail: "A name or a number, real-time signals included (RTMIN+3); several are \
                 separated by commas.",
        set: |plan, value| {
            for name in value.split(',') {
                let signal = Signal::parse(name).map_err(|error| error.to_string())?;
                if [Signal::KILL, Signal::STOP, Signal::CHLD].contains(&signal) {
                    return Err(format!("{signal} cannot start a stop"));
                }
                plan.settings.stop_signals = plan.settings.stop_signals.with(signal);
            }
            Ok(())
        },
        repeats: true,
    },
    Flag {
        long: "rewrite",
        short: None,
        value: Some("FROM:TO"),
        choices: &[],
        summary: "pass a signal on as another one (TERM:QUIT); TO 0 drops it",
        detail: "nginx, php-fpm, Unicorn and others stop gracefully on QUIT: --rewrite TERM:QUIT.",
        set: |plan, value| {
            Rewrites::add(&mut plan.settings.rewrites, value).map_err(|error| error.to_string())
        },
        repeats: true,
    },
    Flag {
        long: "restart",
        short: None,
        value: Some("WHEN"),
        choices: &["no", "on-failure", "always"],
        summary: "start the program again: no, on-failure or always (no)",
        detail: "In place of a shell's 'while true; do …; sleep 1; done'. Never after a stop signal.",
        set: |plan, value| {
            plan.settings.restart.policy = choice(value, &RESTART_POLICIES)?;
            Ok(())
        },
        repeats: false,
    },
    Flag {
        long: "restart-delay",
        short: None,
        value: Some("DUR"),
        choices: &[],
        summary: "the first pause before a start again; it doubles up to 30s (1s)",
        detail: "A run of 10 s or more begins the row of pauses anew.",
        set: |plan, value| {
            plan.settings.restart.delay = duration(value)?;
            Ok(())
        },
        repeats: false,
    },
    Flag {
        long: "restart-limit",
        short: None,
        value: Some("N"),
        choices: &[],
        summary: "give up after N starts in a row that did not last; 0: never (10)",
        detail: "outro then leaves with the program's exit code.",
        set: |plan, value| {
            let limit: u32 = value.parse().map_err(|_| format!("'{value}' is not a number"))?;
            plan.settings.restart.limit = (limit > 0).then_some(limit);
            Ok(())
        },
        repeats: false,
    },
    Flag {
        long: "expect",
        short: None,
        value: Some("CODES[:AS]"),
        choices: &[],
        summary: "take these exit codes of the program for AS (0)",
        detail: "Codes, lists and ranges: 143, or 1-5,7:0. A JVM that ends by TERM gives 143. For \
                 --restart on-failure an expected code is a success.",
        set: |plan, value| plan.settings.expected.add(value).map_err(|error| error.to_string()),
        repeats: true,
    },
    Flag {
        long: "report",
        short: None,
        value: Some("PATH"),
        choices: &[],
        summary: "write what happened to this file, as JSON",
        detail: "For /dev/termination-log, where Kubernetes reads the last words of a container, it is \
                 kept to 4,096 bytes.",
        set: |plan, value| {
            if value.is_empty() {
                return Err("a path is wanted".to_owned());
            }
            plan.report = Some(value.into());
            Ok(())
        },
        repeats: false,
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        value: None,
        choices: &[],
        summary: "tell who was told what, when, and how each left",
        detail: "",
        set: |plan, value| {
            plan.is_verbose = switch(value)?;
            Ok(())
        },
        repeats: false,
    },
];

/// Whether a variable of this name sets a flag.
#[must_use]
pub fn is_variable(name: &[u8]) -> bool {
    name.starts_with(VARIABLE_PREFIX.as_bytes())
        && FLAGS.iter().any(|flag| flag.variable().as_bytes() == name)
}

/// The flag with this long name.
///
/// # Errors
/// The nearest one, if any is near.
pub fn find(long: &str) -> Result<&'static Flag, Option<&'static str>> {
    FLAGS.iter().find(|flag| flag.long == long).ok_or_else(|| {
        let others = ["help", "version"];
        nearest(long, FLAGS.iter().map(|flag| flag.long).chain(others))
    })
}

fn duration(value: &str) -> Result<std::time::Duration, String> {
    parse_duration(value).map_err(|error| error.to_string())
}

/// On for a flag that is given; a variable may say it in several ways.
fn switch(value: &str) -> Result<bool, String> {
    match value {
        "" | "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("'{value}' is neither 1 nor 0")),
    }
}

fn choice<T: Copy>(value: &str, choices: &[(&'static str, T)]) -> Result<T, String> {
    if let Some((_, chosen)) = choices.iter().find(|(name, _)| *name == value) {
        return Ok(*chosen);
    }
    let names = choices.iter().map(|(name, _)| *name);
    let hint = match nearest(value, names.clone()) {
        Some(name) => format!("did you mean {name}?"),
        None => names.collect::<Vec<_>>().join(", "),
    };
    Err(format!("'{value}' is none of the choices ({hint})"))
}
