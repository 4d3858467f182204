//! A pseudoterminal with a program behind it.

use super::Watchdog;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    process::{Child, Command, ExitStatus},
};

/// A program whose standard input, output and error are a terminal.
pub struct Terminal {
    watchdog: Option<Watchdog>,
    child: Child,
    controller: File,
    shown: String,
}

impl Terminal {
    pub fn start(command: &mut Command) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let path = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let user = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let clone = || user.try_clone().unwrap();
        let child = command.stdin(clone()).stdout(clone()).stderr(clone()).spawn().unwrap();
        // The command keeps the descriptors for further programs. Without them, the end of this one ends the output.
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        let watchdog = Some(Watchdog::of(child.id()));
        Self { watchdog, child, controller: File::from(controller), shown: String::new() }
    }

    /// Waits until the terminal shows `text`, and returns everything that it shows.
    pub fn shows(&mut self, text: &str) -> &str {
        while !self.shown.contains(text) {
            assert!(self.read(), "the program ended without {text}:\n{}", self.shown);
        }
        &self.shown
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        writeln!(self.controller, "{line}").unwrap();
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end of the program. Returns its status and everything that the terminal showed.
    pub fn end(mut self) -> (ExitStatus, String) {
        while self.read() {}
        self.watchdog = None;
        (self.child.wait().unwrap(), std::mem::take(&mut self.shown))
    }

    /// Reads what the program writes next. Returns false at its end.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // Linux returns an error once nobody has the other side open.
        let count = self.controller.read(&mut buffer).unwrap_or(0);
        self.shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
        count > 0
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.watchdog = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
