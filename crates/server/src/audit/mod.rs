//! `strongroom audit`: the audit log on the command line, beside a running server or without one; and what a running
//! server does for its log ([`keep`], [`deliver`]).
//!
//! Commands only look: they make nothing and change nothing. Exit codes: 0; 1 if `verify` found something; 2 if a command
//! could not be carried out.

mod deliver;
mod keep;
mod lines;
mod list;
mod place;
mod prove;
mod verify;

pub use deliver::Syslog;
pub use keep::{Keeper, Keeping};

use crate::console;
use std::process::ExitCode;

/// The commands of `strongroom audit`.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Show records: the newest that match, the oldest of them first
    List(list::Args),
    /// Show the newest records, and with -f those that come
    Tail(list::TailArgs),
    /// Check every record, hash and signature; exit code 1 if anything is not as it was signed
    Verify(verify::Args),
    /// Print a proof that a record is in the log, or that the log begins with all that it was before
    Prove(prove::ProveArgs),
    /// Write the whole log to a file that verifies by itself
    Export(prove::ExportArgs),
    /// Print the key that verifies the log's checkpoints: write it down where nobody can change it
    Key(prove::KeyArgs),
}

/// What a command came to.
enum Outcome {
    Done,
    /// Something is not as it was signed.
    Found,
}

/// Carries a command out.
pub fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::List(args) => list::list(&args),
        Command::Tail(args) => list::tail(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Prove(args) => prove::prove(&args),
        Command::Export(args) => prove::export(&args),
        Command::Key(args) => prove::key(&args),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Err(failure) => {
            console::error(&format!("strongroom: {failure}"));
            ExitCode::from(2)
        }
    }
}
