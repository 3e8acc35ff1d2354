//! A pseudo-terminal: what a person would see and type.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use nix::pty::{Winsize, openpty};

use crate::running::Running;
use crate::wait::until;

/// The person's end of a terminal.
#[derive(Debug)]
pub struct Terminal {
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Gives a new terminal to a command as its standard streams.
    pub(crate) fn open(command: &mut Command) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).expect("there are pseudo-terminals");
        let [stdin, stdout] =
            [&pty.slave; 2].map(|slave| slave.try_clone().expect("descriptors are left"));
        command.stdin(stdin).stdout(stdout).stderr(pty.slave);
        let keyboard = File::from(pty.master);
        let mut reader = keyboard.try_clone().expect("descriptors are left");
        let screen = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&screen);
        // Reads on to the end (EIO, when nobody holds the terminal any more), so no writer blocks.
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                match reader.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(n) => shown.lock().expect("no reader panics").extend_from_slice(&chunk[..n]),
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        });
        Terminal { keyboard, screen }
    }

    /// Types; `\x03` is ^C, `\x1a` is ^Z.
    pub fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is open");
    }

    /// What was shown up to now.
    #[must_use]
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("no reader panics")).into_owned()
    }

    /// Waits for a text on the screen.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for(&self, running: &Running, text: &str) {
        let shown = until(text, || match (self.screen().contains(text), running.ended()) {
            (true, _) => Some(true),
            (false, Some(_)) => Some(self.screen().contains(text)),
            (false, None) => None,
        });
        assert_eq!(
            shown,
            Ok(true),
            "`{text}` is not on the screen:\n{}\n{}",
            self.screen(),
            running.describe()
        );
    }
}
