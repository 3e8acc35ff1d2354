//! Starting the program. All that runs between fork and exec is in this file.
//!
//! The child shares outro's memory until it execs (`CLONE_VM | CLONE_VFORK`, as posix_spawn(3) does
//! it), which spares the copy of the page tables. posix_spawn itself can neither hand over the
//! terminal nor write the child's pid into its environment. So [`child`] may only make system calls
//! and read what was prepared; it allocates nothing, takes no lock, and does not return.

use crate::{Errno, inherited, own::OpenFiles, wait};
use outro_core::process::Pid;
use std::{
    cell::UnsafeCell,
    ffi::{CStr, CString, OsStr, OsString},
    os::unix::ffi::OsStrExt,
    ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI32, Ordering::Relaxed},
    },
};

/// What the program is a member of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// A process group of its own.
    Group,
    /// A session of its own.
    Session,
    /// outro's own group.
    Shared,
}

/// Whether the program gets the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// It does not.
    Keep,
    /// Its group becomes the foreground of the terminal with this descriptor.
    Foreground(i32),
    /// The terminal on standard input becomes the controlling one of its session.
    Controlling,
}

/// A program that can be started again and again.
pub struct Program {
    /// Where it may be: one path, or one for each directory of PATH.
    paths: Vec<CString>,
    /// The arguments, the program's name first.
    arguments: Vec<CString>,
    environment: Vec<CString>,
    /// Whether LISTEN_PID is added to it, with the child's pid.
    has_listen_pid: bool,
}

/// Which signals are blocked in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// Those that were when outro was started.
    Inherited,
    /// None.
    None,
}

/// How it is started.
pub struct Setup {
    /// What it is a member of.
    pub membership: Membership,
    /// Whether it gets the terminal.
    pub handover: Handover,
    /// Which signals are blocked in it.
    pub blocked: Blocked,
    /// The directory that it is started in, where that is not outro's own, as a descriptor.
    pub directory: Option<i32>,
    /// The limit of open files that it gets back.
    pub open_files: Option<OpenFiles>,
}

/// Room for a pid in decimal.
const PID_DIGITS: usize = 10;

/// The variable, up to its value.
const LISTEN_PID: &[u8] = b"LISTEN_PID=";

/// The directories that are searched where PATH is not set, as execvp(3) has it.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The text up to its first NUL byte; an argument has none.
fn c_string(text: &OsStr) -> CString {
    let bytes: Vec<u8> = text.as_bytes().iter().copied().take_while(|byte| *byte != 0).collect();
    CString::new(bytes).unwrap_or_default()
}

impl Program {
    /// A program with its arguments, the name first, to be searched for in PATH as a shell does.
    #[must_use]
    pub fn new(command: &[OsString]) -> Self {
        let arguments: Vec<CString> = command.iter().map(|argument| c_string(argument)).collect();
        Self {
            paths: command.first().map(|name| paths(name)).unwrap_or_default(),
            arguments,
            environment: environment(),
            has_listen_pid: false,
        }
    }

    /// Keeps only the variables whose name this says yes to.
    pub fn keep_variables(&mut self, is_kept: impl Fn(&[u8]) -> bool) {
        self.environment.retain(|entry| {
            entry.to_bytes().split(|byte| *byte == b'=').next().is_none_or(&is_kept)
        });
    }

    /// Makes LISTEN_PID the program's own pid, as a receiver of sockets expects (sd_listen_fds(3)).
    pub fn with_listen_pid(&mut self) {
        self.keep_variables(|name| name != b"LISTEN_PID");
        self.has_listen_pid = true;
    }

    /// Starts it.
    ///
    /// # Errors
    /// What exec(2) said, or clone(2).
    pub fn start(&self, setup: &Setup) -> Result<Pid, Errno> {
        // Room for the pid, which the child writes, and the NUL.
        let mut listen_pid = [LISTEN_PID, &[0; PID_DIGITS + 1]].concat();
        let listen_pid = self.has_listen_pid.then_some(listen_pid.as_mut_ptr());
        let mut variables = pointers(&self.environment);
        if let Some(entry) = listen_pid {
            variables.insert(self.environment.len(), entry.cast_const().cast());
        }
        let arguments = pointers(&self.arguments);
        // What a file without `#!` is run with: sh, the path, and the arguments after the first.
        let mut by_shell = vec![c"sh".as_ptr(), ptr::null()];
        by_shell.extend(arguments.iter().skip(1));
        let mut plan = Plan {
            paths: &self.paths,
            arguments: arguments.as_ptr(),
            by_shell: by_shell.as_mut_ptr(),
            variables: variables.as_ptr(),
            // SAFETY: the entry goes on after its name.
            listen_pid: listen_pid.map(|entry| unsafe { entry.add(LISTEN_PID.len()) }),
            setup,
            signals: inherited::signals(),
            errno: AtomicI32::new(0),
        };
        let pid = clone(&mut plan)?;
        match plan.errno.load(Relaxed) {
            0 => Ok(pid),
            errno => {
                wait::discard(pid);
                Err(Errno(errno))
            }
        }
    }
}

unsafe extern "C" {
    static environ: *const *const libc::c_char;
}

/// The environment as it is, entries that are no variables included.
fn environment() -> Vec<CString> {
    // SAFETY: the C library keeps a null-terminated array of texts there, which outro never changes.
    let entries = (0..).map(|index| unsafe { *environ.add(index) });
    entries
        .take_while(|entry| !entry.is_null())
        // SAFETY: as above: each entry is a text.
        .map(|entry| unsafe { CStr::from_ptr(entry) }.to_owned())
        .collect()
}

/// Where a program of this name may be.
fn paths(name: &OsStr) -> Vec<CString> {
    if name.is_empty() || name.as_bytes().contains(&b'/') {
        return vec![c_string(name)];
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    std::env::split_paths(&path)
        .map(|directory| match directory.as_os_str().is_empty() {
            true => c_string(name),
            false => c_string(directory.join(name).as_os_str()),
        })
        .collect()
}

/// The pointers to the texts, with a null at the end.
fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
}

/// What the child reads, prepared by its parent, and the one thing that it writes back.
struct Plan<'a> {
    paths: &'a [CString],
    arguments: *const *const libc::c_char,
    /// `by_shell[1]` is for the child to fill in.
    by_shell: *mut *const libc::c_char,
    variables: *const *const libc::c_char,
    /// Where the child's pid goes.
    listen_pid: Option<*mut u8>,
    setup: &'a Setup,
    signals: inherited::Inherited,
    errno: AtomicI32,
}

/// The child's stack: it makes a few calls with small frames. Part of the binary's zeroed memory, so
/// that it costs no mapping.
#[repr(align(4096))]
struct Stack(UnsafeCell<[u8; STACK]>);

const STACK: usize = 16 * 1024;

// SAFETY: only one child at a time runs on it: `clone` holds the lock until that one has exec'd.
unsafe impl Sync for Stack {}

static CHILD_STACK: Stack = Stack(UnsafeCell::new([0; STACK]));
static CHILD_STACK_IN_USE: Mutex<()> = Mutex::new(());

fn clone(plan: &mut Plan<'_>) -> Result<Pid, Errno> {
    let _in_use = CHILD_STACK_IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack's top is aligned, the child uses less than its size, and nobody else uses
    // it. CLONE_VFORK holds the caller until the child has exec'd or ended, so `plan` outlives the
    // child's use of it. No handler can run in the child: all signals are blocked until just
    // before exec, and outro installs none.
    let pid = unsafe {
        let top = CHILD_STACK.0.get().cast::<libc::c_void>().byte_add(STACK);
        libc::clone(child, top, flags, ptr::from_mut(plan).cast())
    };
    if pid < 0 { Err(Errno::last()) } else { Ok(Pid(pid as u32)) }
}

/// The child. Ends in exec, or in an errno for the parent.
extern "C" fn child(plan: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `clone` passes a valid plan that outlives this call; the parent sleeps meanwhile.
    let plan = unsafe { &*plan.cast::<Plan<'_>>() };
    // SAFETY: async-signal-safe calls on valid arguments only, as each one's manual page says.
    let errno = unsafe {
        join(plan.setup);
        if let Some(OpenFiles(limit)) = &plan.setup.open_files {
            libc::setrlimit(libc::RLIMIT_NOFILE, limit);
        }
        if let Some(directory) = plan.setup.directory {
            libc::fchdir(directory);
        }
        if let Some(at) = plan.listen_pid {
            write_listen_pid(at);
        }
        restore_signals(plan.setup, &plan.signals);
        execute(plan)
    };
    plan.errno.store(errno, Relaxed);
    127
}

/// Group, session and terminal. What fails here (no permission for the terminal, say) is no
/// reason not to run.
unsafe fn join(setup: &Setup) {
    // SAFETY: see `child`.
    unsafe {
        match setup.membership {
            Membership::Group => {
                libc::setpgid(0, 0);
            }
            Membership::Session => {
                libc::setsid();
            }
            Membership::Shared => {}
        }
        match setup.handover {
            Handover::Keep => {}
            Handover::Foreground(fd) => {
                // SIGTTOU is blocked, so a background group may do it.
                libc::tcsetpgrp(fd, libc::getpid());
            }
            Handover::Controlling => {
                libc::ioctl(0, libc::TIOCSCTTY, 0);
            }
        }
    }
}

/// The program's signals are as outro was given them.
unsafe fn restore_signals(setup: &Setup, signals: &inherited::Inherited) {
    // SAFETY: see `child`; with CLONE_VM alone the table of dispositions is the child's own.
    unsafe {
        libc::signal(
            libc::SIGPIPE,
            if signals.ignored_pipe { libc::SIG_IGN } else { libc::SIG_DFL },
        );
        if signals.ignored_child {
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        }
    }
    inherited::set_mask(match setup.blocked {
        Blocked::Inherited => signals.blocked.mask(),
        Blocked::None => 0,
    });
}

/// Writes the child's own pid in decimal, NUL-terminated.
unsafe fn write_listen_pid(at: *mut u8) {
    // SAFETY: getpid cannot fail.
    let pid = unsafe { libc::getpid() } as u32;
    let digits = pid.checked_ilog10().unwrap_or(0) as usize + 1;
    let mut rest = pid;
    for index in (0..digits).rev() {
        // SAFETY: there is room for PID_DIGITS digits and the NUL, and a u32 has no more.
        unsafe { *at.add(index) = b'0' + (rest % 10) as u8 };
        rest /= 10;
    }
    // SAFETY: as above.
    unsafe { *at.add(digits) = 0 };
}

/// As execvp(3): each path in turn, a file without `#!` by the shell, and "permission denied" only
/// when nothing better was found. Returns only on failure.
unsafe fn execute(plan: &Plan<'_>) -> i32 {
    let mut result = libc::ENOENT;
    for path in plan.paths {
        // SAFETY: see `child`: all arrays end in a null, and all texts in a NUL.
        let errno = unsafe {
            libc::execve(path.as_ptr(), plan.arguments, plan.variables);
            if Errno::last().0 == libc::ENOEXEC {
                *plan.by_shell.add(1) = path.as_ptr();
                libc::execve(c"/bin/sh".as_ptr(), plan.by_shell, plan.variables);
                libc::ENOEXEC
            } else {
                Errno::last().0
            }
        };
        match errno {
            libc::EACCES => result = libc::EACCES,
            libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {
                if result != libc::EACCES {
                    result = errno;
                }
            }
            other => return other,
        }
    }
    result
}
