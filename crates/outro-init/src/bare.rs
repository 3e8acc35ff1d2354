//! What goes on when the loop has panicked: a bare init. It passes signals on, reaps, waits for
//! everyone, and leaves with the main process's code. It decides nothing, so nothing in it can go
//! wrong in the same way.

use crate::voice::say;
use outro_core::{exit::ExitStatus, process::Pid, signal::Signal};
use outro_sys::{
    own,
    signals::{self, Awaited},
    wait::{self, Waited},
};

/// What must be known of the program whatever happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Essentials {
    /// The main process, while it is not reaped.
    pub main: Option<Pid>,
    /// How it ended.
    pub status: Option<ExitStatus>,
    /// A signal that was being dealt with, and may not have been passed on.
    pub pending: Option<Signal>,
}

/// Goes on as a bare init.
pub fn run(mut essentials: Essentials) -> ! {
    say("going on as a bare init: passing signals on, and waiting for everyone");
    if let (Some(main), Some(signal)) = (essentials.main, essentials.pending) {
        let _gone = signals::send(main, signal);
    }
    loop {
        loop {
            match wait::next() {
                Waited::Ended { pid, status } if essentials.main == Some(pid) => {
                    essentials = Essentials { main: None, status: Some(status), pending: None };
                }
                Waited::Ended { .. } | Waited::Stopped { .. } => {}
                Waited::Nothing => break,
                Waited::Childless => own::leave(essentials.status.map_or(1, ExitStatus::code)),
            }
        }
        if let Some(received) = signals::wait(Awaited::All, None)
            && received.signal != Signal::CHLD
            && let Some(main) = essentials.main
        {
            // Gone in this very moment: the next round reaps it.
            let _gone = signals::send(main, received.signal);
        }
    }
}
