//! `strongroom serve`: production.

use crate::Failure;
use std::path::PathBuf;

/// The options of `strongroom serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "PATH")]
    pub config: PathBuf,
}

/// Runs the server until it is asked to stop.
pub async fn run(_args: Args) -> Result<(), Failure> {
    Err("not wired yet".into())
}
