//! The exit report as text and as JSON.

use crate::voice::say;
use outro_core::{
    exit::ExitStatus,
    redact,
    report::{Outcome, ProcessReport, Report},
    time::Spoken,
};
use outro_sys::output;
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};

/// Where Kubernetes looks for a container's last words, and how many bytes it takes.
const TERMINATION_LOG: &str = "/dev/termination-log";
const TERMINATION_LOG_MAX: usize = 4096;

/// The most bytes that a report has elsewhere.
const REPORT_MAX: usize = 1024 * 1024;

/// The fewest bytes that one process takes.
const ENTRY_MIN: usize = 100;

/// The longest command of the program that is shown.
const COMMAND_MAX: usize = 512;

/// The most processes that are printed.
const PRINTED_MAX: usize = 50;

/// Writes the report to a file; says what went wrong, as nobody can do anything about it.
pub fn write(report: &Report, command: &[OsString], path: &Path) {
    let limit = if path == Path::new(TERMINATION_LOG) { TERMINATION_LOG_MAX } else { REPORT_MAX };
    let text = to_json(report, command, limit);
    let written = open(path).and_then(|target| match target {
        Target::Own(fd) => {
            output::write(fd, &text);
            Ok(())
        }
        Target::File(mut file) => file.write_all(text.as_bytes()),
    });
    if let Err(error) = written {
        let reason = error
            .raw_os_error()
            .map_or_else(|| error.to_string(), |code| outro_sys::Errno(code).to_string());
        say(&format!("cannot write the report to {}: {reason}", path.display()));
    }
}

/// Where a report goes.
enum Target {
    /// To what outro has open already as this descriptor: a second opening would write over what
    /// the program wrote there.
    Own(i32),
    /// To a file of its own, emptied.
    File(File),
}

fn open(path: &Path) -> io::Result<Target> {
    // Not to be held up by a FIFO that nobody reads.
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .custom_flags(output::NONBLOCKING)
        .open(path)?;
    let identity = |data: &Metadata| (data.dev(), data.ino());
    let data = file.metadata()?;
    for fd in [1, 2] {
        let own = fs::metadata(format!("/proc/self/fd/{fd}"));
        if own.is_ok_and(|own| identity(&own) == identity(&data)) {
            return Ok(Target::Own(fd));
        }
    }
    if data.is_file() {
        file.set_len(0)?;
    }
    Ok(Target::File(file))
}

/// The report as JSON, of at most this many bytes: processes that simply left are the first to be
/// left out, and counted.
#[must_use]
pub fn to_json(report: &Report, command: &[OsString], length_max: usize) -> String {
    let mut kept: Vec<&ProcessReport> = report.processes.iter().collect();
    kept.sort_unstable_by_key(|process| (process.outcome == Outcome::Left, process.pid));
    // No entry is shorter; what cannot fit is not made first.
    kept.truncate(length_max / ENTRY_MIN);
    loop {
        let text = format!("{}\n", document(report, command, &kept));
        if text.len() <= length_max || kept.is_empty() {
            return text;
        }
        let excess = (text.len() - length_max) * kept.len() / text.len();
        kept.truncate(kept.len() - excess.clamp(1, kept.len()));
    }
}

fn document(report: &Report, command: &[OsString], kept: &[&ProcessReport]) -> Value {
    let command: Vec<String> =
        command.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let status = report.main_status;
    json!({
        "outro": env!("CARGO_PKG_VERSION"),
        "command": redact::command_line(command.iter().map(String::as_str), COMMAND_MAX),
        "exit_code": report.exit_code,
        "restarts": report.restarts,
        "main": {
            "pid": report.main_pid.map(|pid| pid.0),
            "exit_code": status.map(ExitStatus::code),
            "signal": match status {
                Some(ExitStatus::Signal(signal)) => Some(signal.to_string()),
                Some(ExitStatus::Code(_)) | None => None,
            },
        },
        "stop": report.stop.as_ref().map(|stop| json!({
            "asked": stop.asked,
            "signal": stop.signal.to_string(),
            "route": stop.route.to_string(),
            "delay_ms": stop.delay_ms,
            "grace_ms": stop.grace_ms,
            "deadline_ms": stop.deadline_ms,
            "told_ms": stop.told_ms,
            "took_ms": stop.took_ms,
            "killed": stop.killed,
        })),
        "processes": kept.iter().map(|process| entry(process)).collect::<Vec<_>>(),
        "omitted": report.processes.len() - kept.len(),
    })
}

fn entry(process: &ProcessReport) -> Value {
    let told = process.told.iter().map(|told| {
        json!({ "signal": told.signal.to_string(), "at_ms": told.at_ms, "why": told.why.phrase() })
    });
    json!({
        "pid": process.pid.0,
        "command": process.command,
        "age_ms": process.age_ms,
        "told": told.collect::<Vec<_>>(),
        "left": process.left_at_ms.map(|at_ms| json!({ "at_ms": at_ms, "how": how(process.status) })),
        "outcome": process.outcome.phrase(),
    })
}

fn how(status: Option<ExitStatus>) -> String {
    match status {
        Some(ExitStatus::Code(code)) => format!("exit {code}"),
        Some(ExitStatus::Signal(signal)) => format!("signal {signal}"),
        // Its own parent learnt it.
        None => "gone".to_owned(),
    }
}

/// Prints the report for people.
pub fn print(report: &Report) {
    let Some(stop) = &report.stop else {
        return say(&format!("leaving with exit code {}", report.exit_code));
    };
    let began = if stop.asked { "stopped by" } else { "the program ended; what it left got" };
    let told = report.processes.len();
    let took = Spoken(Duration::from_millis(stop.took_ms));
    if told > 0 || stop.asked {
        say(&format!(
            "{began} {}: {told} told, {} killed, {took} in all",
            stop.signal, stop.killed
        ));
    }
    for process in report.processes.iter().take(PRINTED_MAX) {
        say(&format!("  {}", line(process)));
    }
    if told > PRINTED_MAX {
        say(&format!("  and {} more", told - PRINTED_MAX));
    }
    say(&format!("leaving with exit code {}", report.exit_code));
}

fn line(process: &ProcessReport) -> String {
    let ms = |ms: u64| Spoken(Duration::from_millis(ms));
    let told: Vec<String> = process
        .told
        .iter()
        .map(|told| format!("told {} at {} ({})", told.signal, ms(told.at_ms), told.why.phrase()))
        .collect();
    let end = match process.left_at_ms {
        Some(at) => format!("{} at {}", how(process.status), ms(at)),
        None => process.outcome.phrase().to_owned(),
    };
    format!("{} ({}): {}; {end}", process.pid, process.command, told.join(", "))
}
