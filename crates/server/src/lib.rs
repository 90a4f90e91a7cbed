//! Strongroom: a key vault and a managed HSM of your own, and its command line.
//!
//! The program calls [`run`], and nothing else is an interface; [`fuzz`] is for tests.

mod acme;
mod audit;
mod client;
mod config;
mod console;
mod dev;
mod external_issuer;
pub mod fuzz;
mod https;
mod init;
mod metrics;
mod net;
mod notices;
mod private_file;
mod serve;
mod site;
mod telemetry;
mod wiring;

use clap::{Parser, Subcommand};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

/// Anything that ends a command: its text is for the person who typed it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long work outside of requests may hold up the end of the process.
const LAST_WORK: Duration = Duration::from_secs(5);

/// A key vault and a managed HSM of your own, and its command line
#[derive(Parser)]
#[command(name = "strongroom", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a server for development: no configuration, everything seeded, a clock that can be moved
    Dev(dev::Args),
    /// Run a server in production
    Serve(serve::Args),
    /// Make the state that `serve` needs
    Init(init::Args),
    /// Show, verify, prove and export the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Move or show the clock of a running `strongroom dev`
    Clock(dev::ClockArgs),
    #[command(flatten)]
    Client(client::Command),
}

/// Runs what the command line asks for.
#[must_use]
pub fn run() -> ExitCode {
    // The server names its provider itself; the HTTP client looks for the process's. Taken already is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let outcome = match Cli::parse().command {
        Command::Client(command) => return client::run(command),
        Command::Audit(command) => return audit::run(command),
        Command::Dev(args) => block_on(dev::run(args)),
        Command::Serve(args) => block_on(serve::run(args)),
        Command::Init(args) => init::run(args),
        Command::Clock(args) => dev::clock(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console::error(&format!("strongroom: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs a server. Connections have threads of their own, and work that takes long as well: one is enough for what is left.
fn block_on(server: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let outcome = runtime.block_on(server);
    runtime.shutdown_timeout(LAST_WORK);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
