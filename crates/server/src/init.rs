//! `strongroom init`: makes the state that `strongroom serve` needs.

use crate::Failure;
use std::path::PathBuf;

/// The options of `strongroom init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "PATH")]
    pub config: PathBuf,
}

/// Makes the state.
pub fn run(_args: Args) -> Result<(), Failure> {
    Err("not wired yet".into())
}
