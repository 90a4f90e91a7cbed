//! The one way to standard output: a closed pipe is not an error of ours.

use std::io;

/// Writes a line to standard output.
pub fn line(text: &str) {
    write(&mut io::stdout().lock(), text);
}

/// Writes a line to standard error: for what goes wrong before, or outside of, the logs.
pub fn error(text: &str) {
    write(&mut io::stderr().lock(), text);
}

fn write(out: &mut dyn io::Write, text: &str) {
    // Whoever closed the pipe has read enough; there is nobody left to tell.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
