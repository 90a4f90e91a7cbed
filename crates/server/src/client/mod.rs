//! The client side of the binary: the commands of `az keyvault`, asked of this server or of another.
//!
//! Beside them are the directory's, `identity`. A command line becomes a plan of one call or a few (`keys`, `secrets`,
//! `certificates`, and `lifecycle` for what they have in common), or several calls (`vaults`, `identity`), a `Session` gets the token and makes the calls, `shape` turns the answers into what az prints, and
//! `output` prints it. The exit code is 0, or 1 for an error, 2 for a
//! command line that cannot be carried out, 3 for something that does not exist.

mod arguments;
mod certificates;
mod contacts;
mod error;
mod files;
mod grammar;
mod http;
mod identity;
mod issuers;
mod keys;
mod lifecycle;
mod output;
mod pem;
mod plain;
mod plan;
mod policy;
mod secrets;
mod session;
mod settings;
mod shape;
mod target;
#[cfg(test)]
mod testing;
mod usage;
mod values;
mod vaults;

use std::path::Path;
use std::process::ExitCode;

pub use grammar::{Command, Global};
pub use plain::plain_call;

use serde_json::Value;

use error::ClientError;
use grammar::Action;
use http::Network;
use identity::IdentityCommand;
use plan::Plan;
use session::Session;
use settings::Settings;

/// Runs a command of the client to its end, and prints what comes of it.
pub fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Keyvault(group) => carry_out(&group.action),
        Command::Direct(action) => carry_out(&action),
        Command::Identity(command) => identify(&command),
    };
    match outcome {
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
        Action::Secret(command) => command.global(),
        Action::Certificate(command) => command.global(),
        Action::Vault(command) => command.global(),
        Action::Usage(args) => &args.global,
    };
    let format = output::Format::choose(global.output.as_deref());
    if let Action::Certificate(command) = action
        && let Some(known) = command.known()
    {
        return output::print(&known, format);
    }
    let settings = Settings::gather(global, &|name| std::env::var(name).ok(), Path::new("."))?;
    // What is wrong with the command line is said before anything else can be.
    let run: Run<'_> = match action {
        Action::Key(command) => planned(keys::plan(command, &settings.suffixes)?),
        Action::Secret(command) => planned(secrets::plan(command, &settings.suffixes)?),
        Action::Certificate(command) => planned(certificates::plan(command, &settings.suffixes)?),
        Action::Vault(command) => Box::new(|session| vaults::carry_out(session, command)),
        Action::Usage(args) => Box::new(|session| usage::carry_out(session, args, format)),
    };
    let network = Network::new(&settings)?;
    let result = run(&mut Session::new(&network, &settings))?;
    output::print(&result, format)
}

/// What a command does once there are connections.
type Run<'a> = Box<dyn FnOnce(&mut Session<'_>) -> Result<Value, ClientError> + 'a>;

fn planned(plan: Plan) -> Run<'static> {
    Box::new(|session| plan.carry_out(session))
}

fn identify(command: &IdentityCommand) -> Result<(), ClientError> {
    let global = command.global();
    let settings = Settings::gather(global, &|name| std::env::var(name).ok(), Path::new("."))?;
    let network = Network::new(&settings)?;
    let result = identity::carry_out(&mut Session::new(&network, &settings), command)?;
    output::print(&result, output::Format::choose(global.output.as_deref()))
}
