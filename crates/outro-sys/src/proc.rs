//! Reading `/proc` (proc(5)).

use outro_core::{
    process::{Condition, Identity, Name, Pid, Pipe, Process, Sleep, SleepCall, Ticks},
    signal::SignalSet,
};
use std::{
    ffi::CString,
    fs, io,
    io::{Read, Write},
    os::unix::ffi::OsStrExt,
};

/// The longest `/proc/PID/stat` by far: 52 numbers of at most 20 digits and a name of 15 bytes.
const STAT_MAX: usize = 2048;

/// The longest `/proc/PID/syscall`: nine numbers.
const SYSCALL_MAX: usize = 256;

/// Whether `/proc` is there, and shows outro's own PID namespace.
#[must_use]
pub fn is_ours() -> bool {
    fs::read_link("/proc/self")
        .is_ok_and(|link| link.as_os_str().as_bytes() == std::process::id().to_string().as_bytes())
}

/// All pids that `/proc` shows.
///
/// # Errors
/// Those of reading a directory.
pub fn pids() -> io::Result<impl Iterator<Item = Pid>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| {
        entry.ok()?.file_name().to_str().and_then(|name| name.parse().ok()).map(Pid)
    }))
}

/// One process, from `/proc/PID/stat`. `None` if it is gone, or hidden.
#[must_use]
pub fn process(pid: Pid) -> Option<Process> {
    let mut buffer = [0; STAT_MAX];
    parse_stat(read_at_once(pid, "stat", &mut buffer)?)
}

/// Whether the process is in an uninterruptible sleep (`D`).
#[must_use]
pub fn is_uninterruptible(pid: Pid) -> bool {
    field_after_name(pid, 0).is_some_and(|state| state == b"D")
}

/// Whether the process has a controlling terminal.
#[must_use]
pub fn has_terminal(pid: Pid) -> bool {
    field_after_name(pid, 4).is_some_and(|terminal| terminal != b"0")
}

/// One field of `/proc/PID/stat`, counted from the state on.
fn field_after_name(pid: Pid, index: usize) -> Option<Vec<u8>> {
    let mut buffer = [0; STAT_MAX];
    let (_, mut fields) = split_stat(read_at_once(pid, "stat", &mut buffer)?)?;
    fields.nth(index).map(<[u8]>::to_vec)
}

/// A `/proc/PID/stat`: pid and name, and the fields after them. The name is in parentheses and may
/// hold any byte, parentheses and spaces among them.
fn split_stat(stat: &[u8]) -> Option<(&[u8], impl Iterator<Item = &[u8]>)> {
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let fields = stat.get(close + 1..)?.trim_ascii();
    Some((&stat[..close], fields.split(|byte| *byte == b' ')))
}

/// The sets of `/proc/PID/status`, which hold the real-time signals as well: handled and ignored.
#[must_use]
pub fn signal_sets(pid: Pid) -> Option<(SignalSet, SignalSet)> {
    parse_status(&status(pid)?)
}

/// How often the process has gone to sleep by itself. `None` while it is awake, or has a signal that it
/// has not taken yet: the count grows only when it sleeps again.
#[must_use]
pub fn sleeps(pid: Pid) -> Option<u64> {
    let status = status(pid)?;
    let state = line(&status, b"State:")?.trim_ascii_start();
    let has_pending = parse_set(&status, b"ShdPnd:")? != SignalSet::EMPTY;
    if has_pending || !(state.starts_with(b"S") || state.starts_with(b"D")) {
        return None;
    }
    number(line(&status, b"voluntary_ctxt_switches:")?.trim_ascii())
}

/// The signals that were sent to the process and wait for it to take them.
#[must_use]
pub fn pending(pid: Pid) -> Option<SignalSet> {
    parse_set(&status(pid)?, b"ShdPnd:")
}

fn status(pid: Pid) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/status")).ok()
}

/// What `/proc/PID/stat` says. Its numbers of signals are for 1 to 31 only.
#[must_use]
pub fn parse_stat(stat: &[u8]) -> Option<Process> {
    let (before, mut fields) = split_stat(stat)?;
    let open = before.iter().position(|byte| *byte == b'(')?;
    let pid = number(before[..open].trim_ascii())?;
    let name = Name::new(&before[open + 1..]);
    // Fields are numbered from 1 as in proc_pid_stat(5); the first after the name is 3.
    let state = fields.next()?;
    let parent = number(fields.next()?)?;
    let group = fields.next().and_then(number).unwrap_or(0);
    let mut fields = fields.skip(20 - 6);
    let threads = number(fields.next()?)?;
    let start = number(fields.nth(22 - 21)?)?;
    let mut fields = fields.skip(32 - 23);
    let blocked = number(fields.next()?)?;
    let ignored = number(fields.next()?)?;
    let caught = number(fields.next()?)?;
    let condition = match state {
        // A leader that has ended while other threads go on: the process lives.
        b"Z" if threads > 1 => Condition::Alive,
        b"Z" | b"X" | b"x" => Condition::Zombie,
        b"T" => Condition::Stopped,
        _ => Condition::Alive,
    };
    Some(Process {
        id: Identity { pid: Pid(u32::try_from(pid).ok()?), start: Ticks(start) },
        parent: Pid(u32::try_from(parent).ok()?),
        group: Pid(u32::try_from(group).ok()?),
        condition,
        handled: SignalSet::from_mask(blocked | caught),
        ignored: SignalSet::from_mask(ignored),
        name,
    })
}

/// What `/proc/PID/status` says of signals: those that are handled, those that are ignored.
#[must_use]
pub fn parse_status(status: &[u8]) -> Option<(SignalSet, SignalSet)> {
    let set = |key: &[u8]| parse_set(status, key);
    let handled = set(b"SigBlk:")?.union(set(b"SigCgt:")?);
    Some((handled, set(b"SigIgn:")?))
}

fn parse_set(status: &[u8], key: &[u8]) -> Option<SignalSet> {
    let text = std::str::from_utf8(line(status, key)?).ok()?.trim();
    u64::from_str_radix(text, 16).ok().map(SignalSet::from_mask)
}

/// What stands after this key in `/proc/PID/status`.
fn line<'a>(status: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(key))
}

/// Where the process sleeps. `None` if outro may not know.
#[must_use]
pub fn sleep(pid: Pid) -> Option<Sleep> {
    let mut buffer = [0; SYSCALL_MAX];
    parse_syscall(read_at_once(pid, "syscall", &mut buffer)?)
}

/// What `/proc/PID/syscall` says: the call's number, six arguments, the stack pointer and the
/// program counter; or `running`.
#[must_use]
pub fn parse_syscall(text: &[u8]) -> Option<Sleep> {
    if text.starts_with(b"running") {
        return Some(Sleep { call: SleepCall::Running, stack: 0 });
    }
    let mut fields = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
    let call: i64 = fields.next()?.parse().ok()?;
    let hexadecimal = |field: &str| u64::from_str_radix(field.strip_prefix("0x")?, 16).ok();
    let first = hexadecimal(fields.next()?)?;
    let stack = hexadecimal(fields.nth(5)?)?;
    let call = match call {
        libc::SYS_wait4 | libc::SYS_waitid => SleepCall::Wait,
        libc::SYS_rt_sigsuspend => SleepCall::Signal,
        libc::SYS_rt_sigtimedwait => SleepCall::SignalWait,
        libc::SYS_read => SleepCall::Read(u32::try_from(first).ok()?),
        _ => SleepCall::Other,
    };
    Some(Sleep { call, stack })
}

/// The base name of the file that the process runs.
#[must_use]
pub fn executable(pid: Pid) -> Option<String> {
    let link = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let name = link.file_name()?.to_str()?;
    Some(name.strip_suffix(" (deleted)").unwrap_or(name).to_owned())
}

/// The process's arguments. Bytes that are not UTF-8 are replaced.
#[must_use]
pub fn arguments(pid: Pid) -> Option<Vec<String>> {
    /// What is longer is cut: a command line may have megabytes.
    const LENGTH_MAX: u64 = 4096;
    let file = fs::File::open(format!("/proc/{pid}/cmdline")).ok()?;
    let mut bytes = Vec::new();
    file.take(LENGTH_MAX).read_to_end(&mut bytes).ok()?;
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    let arguments = bytes.split(|byte| *byte == 0);
    // A process of the kernel's, or one that has ended, has none.
    (!bytes.is_empty())
        .then(|| arguments.map(|it| String::from_utf8_lossy(it).into_owned()).collect())
}

/// The pipe, the FIFO, or the socket, that a descriptor of the process is.
#[must_use]
pub fn pipe(pid: Pid, fd: u32) -> Option<Pipe> {
    let file = file(pid, fd)?;
    match u32::from(file.stx_mode) & libc::S_IFMT {
        libc::S_IFIFO => Some(Pipe::Fifo(device(&file), file.stx_ino)),
        libc::S_IFSOCK => Some(Pipe::Socket(file.stx_ino)),
        _ => None,
    }
}

/// The most descriptors of a process that are looked at.
const DESCRIPTORS_MAX: usize = 256;

/// Whether the process has this end of a pipe to write to. `None` if outro may not know.
#[must_use]
pub fn writes(pid: Pid, end: Pipe) -> Option<bool> {
    let mut numbers = match descriptors(pid) {
        Ok(numbers) => numbers,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return None,
        Err(_) => return Some(false),
    };
    Some(numbers.any(|fd| pipe(pid, fd) == Some(end) && mode(pid, fd) != libc::O_RDONLY))
}

/// The pipes, beside its standard input, that the process has to read from.
#[must_use]
pub fn read_ends(pid: Pid) -> Vec<Pipe> {
    let Ok(numbers) = descriptors(pid) else { return Vec::new() };
    numbers
        .filter(|fd| *fd > 2)
        .filter_map(|fd| pipe(pid, fd).map(|pipe| (fd, pipe)))
        .filter(|(fd, _)| mode(pid, *fd) != libc::O_WRONLY)
        .map(|(_, pipe)| pipe)
        .collect()
}

/// The numbers of the process's descriptors.
fn descriptors(pid: Pid) -> io::Result<impl Iterator<Item = u32>> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"))?;
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(numbers.take(DESCRIPTORS_MAX))
}

/// How a descriptor was opened (O_RDONLY, O_WRONLY, O_RDWR): its flags are in fdinfo, in octal. For
/// both where that is not to be known.
fn mode(pid: Pid, fd: u32) -> i32 {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.map_or(libc::O_RDWR, |flags| flags & libc::O_ACCMODE)
}

/// Whether the standard input of the process is /dev/null, and another file than that of the other
/// process: two devices can be of the same kind.
#[must_use]
pub fn has_null_input_unlike(pid: Pid, other: Pid) -> bool {
    let (Some(own), Some(other)) = (file(pid, 0), file(other, 0)) else { return false };
    let is_null = u32::from(own.stx_mode) & libc::S_IFMT == libc::S_IFCHR
        && (own.stx_rdev_major, own.stx_rdev_minor) == (1, 3);
    is_null && (device(&own), own.stx_ino) != (device(&other), other.stx_ino)
}

fn device(file: &libc::statx) -> u64 {
    u64::from(file.stx_dev_major) << 32 | u64::from(file.stx_dev_minor)
}

/// What a descriptor of the process is.
fn file(pid: Pid, fd: u32) -> Option<libc::statx> {
    let path = CString::new(format!("/proc/{pid}/fd/{fd}")).ok()?;
    // SAFETY: all zeroes is a valid statx.
    let mut stat: libc::statx = unsafe { std::mem::zeroed() };
    // Nothing is asked of a server: the file may be on a network file system that hangs.
    let flags = libc::AT_STATX_DONT_SYNC;
    let mask = libc::STATX_TYPE | libc::STATX_INO;
    // SAFETY: a NUL-terminated path, and a statx to write to.
    let result = unsafe { libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, mask, &mut stat) };
    (result == 0).then_some(stat)
}

/// Reads a file of the process in one call: the kernel makes the whole text then, so that it is of one
/// moment. System calls and no more, as this is what a stop of thousands is made of: musl's open
/// adds a call for kernels of before 2008, and std's takes the path apart.
fn read_at_once<'a>(pid: Pid, name: &str, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut path = [0_u8; 32];
    write!(&mut path[..31], "/proc/{pid}/{name}").ok()?;
    // SAFETY: the path ends in a NUL, as its last byte is never written to; the buffer is valid for
    // its length; the descriptor is new, used here alone, and closed once.
    let length = unsafe {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        let fd = libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags);
        if fd < 0 {
            return None;
        }
        let length = libc::read(fd as i32, buffer.as_mut_ptr().cast(), buffer.len());
        libc::close(fd as i32);
        length
    };
    buffer.get(..usize::try_from(length).ok()?)
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use outro_core::signal::Signal;

    const STAT: &[u8] = b"4242 (a) b (c) S 1 4242 4242 0 -1 4194304 150 0 0 0 0 0 0 0 20 0 1 0 \
        987654 2977792 256 18446744073709551615 1 2 3 0 0 0 16384 4096 134234626 0 0 0 17 1 0 0";

    #[test]
    fn a_stat_line_is_read_whatever_the_name_holds() {
        let process = parse_stat(STAT).expect("it is a stat line");
        assert_eq!(process.id, Identity { pid: Pid(4242), start: Ticks(987_654) });
        assert_eq!((process.parent, process.group), (Pid(1), Pid(4242)));
        assert_eq!(process.name.to_string(), "a) b (c");
        assert_eq!(process.condition, Condition::Alive);
        assert!(process.handled.contains(Signal::TERM), "blocked");
        assert!(process.handled.contains(Signal::INT), "caught");
        assert!(process.ignored.contains(Signal::PIPE));
    }

    #[test]
    fn a_cut_stat_line_is_no_process() {
        let last = STAT.windows(10).position(|part| part == b"134234626 ").expect("it is there");
        for length in 0..last {
            let cut = &STAT[..length];
            assert!(parse_stat(cut).is_none(), "{}", String::from_utf8_lossy(cut));
        }
    }

    #[test]
    fn own_processes_are_read_from_the_real_proc() {
        assert!(is_ours());
        let own = Pid(std::process::id());
        let process = process(own).expect("we are there");
        assert_eq!(process.id.pid, own);
        let (handled, ignored) = signal_sets(own).expect("we are there");
        assert!(ignored.contains(Signal::PIPE), "Rust's start-up ignores it");
        let standard = |set: SignalSet| set.mask() & 0x7fff_ffff;
        assert_eq!(standard(handled), standard(process.handled));
        assert!(pids().expect("/proc is there").any(|pid| pid == own));
        assert!(arguments(own).is_some_and(|arguments| !arguments.is_empty()));
    }

    #[test]
    fn a_sleeping_call_is_known_by_its_number() {
        let wait = format!("{} 0xffffffff 0x7f 0x0 0x0 0x0 0x0 0x7fff10 0x7f20\n", libc::SYS_wait4);
        let expected = Sleep { call: SleepCall::Wait, stack: 0x7f_ff10 };
        assert_eq!(parse_syscall(wait.as_bytes()), Some(expected));
        let running = Sleep { call: SleepCall::Running, stack: 0 };
        assert_eq!(parse_syscall(b"running\n"), Some(running));
        assert_eq!(parse_syscall(b""), None);
    }
}
