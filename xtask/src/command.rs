//! Other programs, run in the project's root.

use std::{ffi::OsStr, io, path::Path, process};

pub struct Command {
    inner: process::Command,
    spelling: String,
}

impl Command {
    pub fn new(program: impl AsRef<OsStr>, arguments: &[&str]) -> Self {
        let name = Path::new(program.as_ref()).file_name().unwrap_or(program.as_ref());
        let spelling = name.to_string_lossy().into_owned();
        Self { inner: process::Command::new(program), spelling }.args(arguments)
    }

    /// The cargo that runs this task.
    pub fn cargo(arguments: &[&str]) -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
    }

    pub fn args<A: AsRef<str>>(mut self, arguments: &[A]) -> Self {
        for argument in arguments {
            self.spelling.push(' ');
            self.spelling.push_str(argument.as_ref());
            self.inner.arg(argument.as_ref());
        }
        self
    }

    pub fn arg(mut self, argument: &Path) -> Self {
        self.spelling.push(' ');
        self.spelling.push_str(&argument.to_string_lossy());
        self.inner.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    pub fn folder(mut self, folder: &Path) -> Self {
        self.inner.current_dir(folder);
        self
    }

    /// Runs it with this program's own standard streams.
    pub fn run(mut self) -> Result<(), String> {
        let status = self.inner.status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", self.spelling)) }
    }

    /// Runs it and returns what it printed.
    pub fn output(mut self) -> Result<String, String> {
        let output = self.inner.output().map_err(|error| self.not_started(&error))?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("`{}` failed: {}\n{complaint}", self.spelling, output.status));
        }
        String::from_utf8(output.stdout).map_err(|_| format!("`{}` printed bytes that are not text", self.spelling))
    }

    /// Whether it can be started and reports success.
    pub fn succeeds(mut self) -> bool {
        self.inner.output().is_ok_and(|output| output.status.success())
    }

    fn not_started(&self, error: &io::Error) -> String {
        format!("`{}` could not be started: {error}", self.spelling)
    }
}
