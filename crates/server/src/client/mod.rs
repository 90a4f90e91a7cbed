//! The client side of the binary: the commands of `az keyvault`, asked of this server or of another.
//!
//! A command line becomes one call (`keys`) or a few (`vaults`), a `Session` gets the token and makes the calls, `shape`
//! turns the answers into what az prints, and `output` prints it. The exit code is 0, or 1 for an error, 2 for a
//! command line that cannot be carried out, 3 for something that does not exist.

mod arguments;
mod error;
mod grammar;
mod http;
mod keys;
mod output;
mod pem;
mod plain;
mod session;
mod settings;
mod shape;
mod target;
#[cfg(test)]
mod testing;
mod usage;
mod vaults;

use std::path::Path;
use std::process::ExitCode;

pub use grammar::{Command, Global};
pub use plain::plain_call;

use error::ClientError;
use grammar::Action;
use http::Network;
use session::Session;
use settings::Settings;

/// Runs a command of the client to its end, and prints what comes of it.
pub fn run(command: Command) -> ExitCode {
    let action = match command {
        Command::Keyvault(group) => group.action,
        Command::Direct(action) => action,
    };
    match carry_out(&action) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn carry_out(action: &Action) -> Result<(), ClientError> {
    let global = match action {
        Action::Key(command) => command.global(),
        Action::Vault(command) => command.global(),
        Action::Usage(args) => &args.global,
    };
    let format = output::Format::choose(global.output.as_deref());
    let settings = Settings::gather(global, &|name| std::env::var(name).ok(), Path::new("."))?;
    let result = match action {
        Action::Key(command) => {
            // What is wrong with the command line is said before anything else can be.
            let plan = keys::plan(command, &settings.suffixes)?;
            let network = Network::new(&settings)?;
            keys::carry_out(&mut Session::new(&network, &settings), &plan)?
        }
        Action::Vault(command) => {
            let network = Network::new(&settings)?;
            vaults::carry_out(&mut Session::new(&network, &settings), command)?
        }
        Action::Usage(args) => {
            let network = Network::new(&settings)?;
            usage::carry_out(&mut Session::new(&network, &settings), args, format)?
        }
    };
    output::print(&result, format)
}
