//! The client side of the binary: the commands of `az keyvault`, asked of this server or of another.
//!
//! A command line becomes one call (`keys`) or a few (`vaults`), a `Session` gets the token and makes the calls, `shape`
//! turns the answers into what az prints, and `output` prints it. The exit code is 0, or 1 for an error, 2 for a
//! command line that cannot be carried out, 3 for something that does not exist.

mod error;
mod grammar;
mod http;
mod keys;
mod output;
mod pem;
mod session;
mod settings;
mod shape;
mod target;
#[cfg(test)]
mod testing;
mod vaults;

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

pub use grammar::Command;

use error::ClientError;
use grammar::{Action, Global};
use http::{Network, Wire};
use session::Session;
use settings::Settings;
use vaults::VaultCommand;

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
    let global = global(action);
    let settings = Settings::gather(global, &|name| std::env::var(name).ok(), Path::new("."))?;
    let network = Network::new(&settings)?;
    let result = ask(action, &network, &settings)?;
    output::print(&result, output::Format::choose(global.output.as_deref()))
}

fn ask(action: &Action, wire: &dyn Wire, settings: &Settings) -> Result<Value, ClientError> {
    let mut session = Session::new(wire, settings);
    match action {
        Action::Key(command) => keys::carry_out(&mut session, &keys::plan(command, &settings.suffixes)?),
        Action::Vault(command) => vaults::carry_out(&mut session, command),
    }
}

/// The options that every command has, wherever it keeps them.
fn global(action: &Action) -> &Global {
    use grammar::*;
    match action {
        Action::Key(
            KeyCommand::Create(CreateKey { global, .. })
            | KeyCommand::Import(ImportKey { global, .. })
            | KeyCommand::List(ListKeys { global, .. })
            | KeyCommand::ListVersions(ListVersions { global, .. })
            | KeyCommand::Show(OneVersion { global, .. })
            | KeyCommand::Delete(OneKey { global, .. })
            | KeyCommand::ListDeleted(ListDeleted { global, .. })
            | KeyCommand::ShowDeleted(OneKey { global, .. })
            | KeyCommand::Recover(OneKey { global, .. })
            | KeyCommand::Purge(OneKey { global, .. })
            | KeyCommand::Backup(BackupKey { global, .. })
            | KeyCommand::Restore(RestoreKey { global, .. })
            | KeyCommand::Encrypt(Encrypt { global, .. })
            | KeyCommand::Decrypt(Decrypt { global, .. })
            | KeyCommand::Sign(Sign { global, .. })
            | KeyCommand::Verify(Verify { global, .. })
            | KeyCommand::Rotate(OneKey { global, .. })
            | KeyCommand::Random(Random { global, .. })
            | KeyCommand::SetAttributes(SetAttributes { global, .. })
            | KeyCommand::RotationPolicy(
                PolicyCommand::Show(OneKey { global, .. }) | PolicyCommand::Update(UpdatePolicy { global, .. }),
            ),
        ) => global,
        Action::Vault(VaultCommand::Create(args)) => &args.global,
        Action::Vault(VaultCommand::Show(args) | VaultCommand::Delete(args)) => &args.global,
        Action::Vault(VaultCommand::List(args)) => &args.global,
        Action::Vault(VaultCommand::ListDeleted(args)) => &args.global,
        Action::Vault(VaultCommand::Update(args)) => &args.global,
        Action::Vault(
            VaultCommand::ShowDeleted(args) | VaultCommand::Recover(args) | VaultCommand::Purge(args),
        ) => &args.global,
    }
}
