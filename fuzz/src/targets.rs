//! One function for each parser: it takes any bytes, and panics where a property does not hold.

use outro_core::{
    exit::Expectations,
    process::{Condition, Process, SleepCall},
    redact,
    settings::{Rewrites, Settings},
    signal::Signal,
    time::{Spoken, parse_duration},
};
use outro_init::{
    arguments::{self, Parsed},
    doors::Door,
    flags::FLAGS,
    plan::{Plan, Request},
};
use outro_sys::proc;
use std::{ffi::OsString, os::unix::ffi::OsStringExt, time::Duration};

/// A target: its name, which is that of its folder in the corpus, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 11] = [
    ("arguments", arguments),
    ("doors", doors),
    ("duration", duration),
    ("environment", environment),
    ("expectation", expectation),
    ("redact", redact),
    ("rewrite", rewrite),
    ("signal", signal),
    ("stat", stat),
    ("status", status),
    ("syscall", syscall),
];

/// Words between NULs, as execve(2) has them.
fn words(data: &[u8]) -> Vec<OsString> {
    data.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// The text, if it is one.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// outro's flags: the program's arguments are its own, and a mistake is told in a line.
pub fn arguments(data: &[u8]) {
    let words = words(data);
    let mut plan = Plan::new();
    match arguments::parse(&mut plan, &words) {
        Ok(Parsed::Run) => {
            assert!(words.ends_with(&plan.command), "{words:?}");
            is_sensible(&mut plan);
        }
        Ok(Parsed::Help | Parsed::Version) => {}
        Err(message) => assert!(!message.is_empty()),
    }
}

/// The variables: those of others change nothing, and what a flag takes its variable takes too.
pub fn environment(data: &[u8]) {
    let pairs: Vec<(OsString, OsString)> = words(data)
        .into_iter()
        .map(|word| {
            let mut name = word.into_vec();
            let equals = name.iter().position(|byte| *byte == b'=').unwrap_or(name.len());
            let value = name.split_off(equals).get(1..).unwrap_or_default().to_vec();
            (OsString::from_vec(name), OsString::from_vec(value))
        })
        .collect();
    let mut plan = Plan::new();
    let taken = arguments::from_environment(&mut plan, pairs.clone().into_iter(), |_| ());
    if taken.is_ok() {
        is_sensible(&mut plan);
    }
    for (name, value) in &pairs {
        let Some(flag) = FLAGS.iter().find(|flag| Some(flag.variable().as_str()) == name.to_str())
        else {
            continue;
        };
        // What repeats stands in one variable with blanks between.
        let Some(value) = value.to_str().filter(|_| flag.value.is_some() && !flag.repeats) else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let argument = OsString::from(format!("--{}={value}", flag.long));
        let by_flag = arguments::parse(&mut Plan::new(), &[argument]);
        let pair = (name.clone(), OsString::from(value));
        let by_variable = arguments::from_environment(&mut Plan::new(), [pair].into_iter(), |_| ());
        assert_eq!(by_flag.is_ok(), by_variable.is_ok(), "{name:?} {value:?}");
    }
}

fn is_sensible(plan: &mut Plan) {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
    let Settings { delay, linger, restart, stop_signals, .. } = &plan.settings;
    assert!(*delay <= YEAR && *linger <= YEAR && restart.delay <= YEAR);
    assert!(restart.limit != Some(0));
    for never in [Signal::KILL, Signal::STOP, Signal::CHLD] {
        assert!(!stop_signals.contains(never));
    }
    for always in [Signal::TERM, Signal::INT, Signal::QUIT] {
        assert!(stop_signals.contains(always));
    }
    if plan.settle().is_ok() {
        assert!(plan.settings.grace.is_none_or(|grace| grace <= YEAR));
    }
}

/// The peers' flags: a text ends in a newline, and what is run is on the command line.
pub fn doors(data: &[u8]) {
    let Some((door, data)) = data.split_first() else { return };
    let (door, name) = match door % 3 {
        0 => (Door::Tini, "tini"),
        1 => (Door::DumbInit, "dumb-init"),
        _ => (Door::Catatonit, "catatonit"),
    };
    let mut words = words(data);
    words.insert(0, OsString::from(name));
    match door.request(&words) {
        Request::Print(text) => assert!(text.ends_with('\n'), "{text:?}"),
        Request::PrintError(text, code) => {
            assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
            assert!(code <= 2, "{code}");
        }
        Request::Run(plan) => {
            assert!(!plan.command.is_empty() || plan.is_pause);
            assert!(plan.command.iter().all(|word| words[1..].contains(word)));
            if door == Door::DumbInit {
                assert!(words.ends_with(&plan.command));
            }
        }
    }
}

/// A duration is what it is said to be.
pub fn duration(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(duration) = parse_duration(text) else { return };
    let ms = duration.as_millis() as u64;
    // No part of a duration is written with a larger number.
    if ms <= u64::from(u32::MAX) {
        assert_eq!(parse_duration(&format!("{ms}ms")), Ok(Duration::from_millis(ms)));
    }
    let seconds = duration.as_secs();
    assert_eq!(parse_duration(&seconds.to_string()), Ok(Duration::from_secs(seconds)));
    // As a person says it, but for days, which nobody writes.
    let spoken = Spoken(duration).to_string();
    if duration < Duration::from_secs(24 * 3600) {
        let again = parse_duration(&spoken).expect("what is spoken can be read");
        assert_eq!(Spoken(again).to_string(), spoken, "{text:?}");
        assert!(again <= duration, "{text:?} {spoken}");
    }
}

/// A signal's name means it, in every way to write it.
pub fn signal(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Signal::parse(text) {
        Ok(signal) => {
            assert!((1..=64).contains(&signal.number()));
            let name = signal.to_string();
            let written = [
                name.clone(),
                name.to_ascii_lowercase(),
                format!("SIG{name}"),
                signal.number().to_string(),
            ];
            for name in written {
                let is_number = name.trim_start_matches("SIG").parse::<u8>().is_ok();
                if !name.starts_with("SIG") || !is_number {
                    assert_eq!(Signal::parse(&name), Ok(signal), "{name}");
                }
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.starts_with("unknown signal '"), "{message}");
        }
    }
}

/// A rewrite does what it says, or nothing.
pub fn rewrite(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut rewrites = Rewrites::default();
    if rewrites.add(text).is_err() {
        assert_eq!(rewrites, Rewrites::default());
        return;
    }
    let (from, to) = text.split_once(':').expect("it has two sides");
    let from = Signal::parse(from).expect("it was read before");
    assert_eq!(rewrites.apply(from), if to == "0" { None } else { Signal::parse(to).ok() });
    assert!(from != Signal::KILL && from != Signal::STOP);
    for other in (1..=64).filter_map(Signal::new).filter(|other| *other != from) {
        assert_eq!(rewrites.apply(other), Some(other));
    }
}

/// An expectation changes the codes that it names, or nothing.
pub fn expectation(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut expectations = Expectations::default();
    if expectations.add(text).is_err() {
        assert_eq!(expectations, Expectations::default());
        return;
    }
    let target = text.split_once(':').map_or(Ok(0), |(_, target)| target.parse::<u8>());
    let target = target.expect("it was read before");
    let mut any = false;
    for code in 0..=u8::MAX {
        any |= expectations.contains(code);
        let becomes = if expectations.contains(code) { target } else { code };
        assert_eq!(expectations.apply(code), becomes);
    }
    assert!(any, "{text:?}");
}

/// A command line in a message is one short line, and holds no secret.
pub fn redact(data: &[u8]) {
    const SECRET: &str = "Xq7Zk2Vb9";
    let Some((form, data)) = data.split_first() else { return };
    let Some(text) = text(data).filter(|text| !text.contains(SECRET)) else { return };
    let others: Vec<&str> = text.split('\0').collect();
    // A word that takes the next one for its value would take ours for it.
    let secret = match form % 6 {
        0 => vec![format!("--db-password={SECRET}")],
        1 => vec!["--token".to_owned(), SECRET.to_owned()],
        2 => vec![format!("API_KEY={SECRET}")],
        3 => vec![format!("redis://user:{SECRET}@host:6379/0")],
        4 => vec![format!("exec app --api-key={SECRET} -v")],
        _ => vec![format!("AWS_SECRET_ACCESS_KEY={SECRET} exec app")],
    };
    let at = usize::from(form / 6) % (others.len() + 1);
    let (before, after) = others.split_at(at);
    let arguments = before
        .iter()
        .copied()
        .chain(secret.iter().map(String::as_str))
        .chain(after.iter().copied());
    let length_max = 3 + usize::from(*form) * 4;
    let shown = redact::command_line(arguments, length_max);
    assert!(shown.len() <= length_max, "{shown:?}");
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert!(!shown.contains(SECRET), "{shown:?}");
}

/// A process that was read says the same when it is written down and read again.
pub fn stat(data: &[u8]) {
    let Some(process) = proc::parse_stat(data) else { return };
    let Process { id, parent, group, condition, handled, ignored, name } = &process;
    let state = match condition {
        Condition::Alive => 'S',
        Condition::Stopped => 'T',
        Condition::Zombie => 'Z',
    };
    let mut line = format!("{} (", id.pid).into_bytes();
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(
        format!(
            ") {state} {parent} {group} 0 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 {} 0 0 0 0 0 0 0 \
             0 0 0 {} {} 0 0 0 17 1 0 0",
            id.start.0,
            ignored.mask(),
            handled.mask(),
        )
        .as_bytes(),
    );
    let again = proc::parse_stat(&line).expect("it is a whole line");
    assert_eq!(again.id, *id);
    assert_eq!((again.parent, again.group, again.condition), (*parent, *group, *condition));
    assert_eq!((again.handled, again.ignored), (*handled, *ignored));
    assert_eq!(again.name, *name);
}

/// The same for the sets of signals.
pub fn status(data: &[u8]) {
    let Some((handled, ignored)) = proc::parse_status(data) else { return };
    let text = format!(
        "Name:\tx\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n",
        0,
        ignored.mask(),
        handled.mask()
    );
    assert_eq!(proc::parse_status(text.as_bytes()), Some((handled, ignored)));
}

/// The same for where a process sleeps.
pub fn syscall(data: &[u8]) {
    let Some(sleep) = proc::parse_syscall(data) else { return };
    if sleep.call == SleepCall::Running {
        return assert!(data.starts_with(b"running"));
    }
    let number = text(data).and_then(|text| text.split_ascii_whitespace().next()).unwrap_or("0");
    let line = format!("{number} 0x0 0x0 0x0 0x0 0x0 0x0 {:#x} 0x0\n", sleep.stack);
    let again = proc::parse_syscall(line.as_bytes()).expect("it is a whole line");
    assert_eq!(again.stack, sleep.stack);
    // A read is known by its descriptor too, which is an argument.
    let is_read = |call: SleepCall| matches!(call, SleepCall::Read(_));
    assert!(again.call == sleep.call || is_read(sleep.call) && is_read(again.call));
}
