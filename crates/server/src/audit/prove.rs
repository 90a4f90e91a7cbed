//! `strongroom audit prove`, `export` and `key`.

use super::{Outcome, place::Place};
use crate::{Failure, console};
use engine::audit;
use serde::Serialize;
use std::{
    fs::File,
    io::{self, BufWriter, Seek as _},
    path::PathBuf,
};

/// The options of `strongroom audit prove`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["position", "from"]))]
pub struct ProveArgs {
    /// Prove that this record is in the log
    #[arg(long, value_name = "NUMBER")]
    position: Option<u64>,
    /// … in the log of this size, instead of the newest signed one
    #[arg(long, value_name = "NUMBER", requires = "position")]
    size: Option<u64>,
    /// Prove that the log still begins with all that it was at this size
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// … at this size, instead of the newest signed one
    #[arg(long, value_name = "NUMBER", requires = "from")]
    to: Option<u64>,
    #[command(flatten)]
    place: Place,
}

/// The options of `strongroom audit export`.
#[derive(clap::Args)]
pub struct ExportArgs {
    /// The file to make; standard output if none is named
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// The options of `strongroom audit key`.
#[derive(clap::Args)]
pub struct KeyArgs {
    #[command(flatten)]
    place: Place,
}

/// Prints a proof.
pub fn prove(args: &ProveArgs) -> Result<Outcome, Failure> {
    let log = args.place.open()?;
    let key = log.key()?;
    match (args.position, args.from) {
        (Some(position), _) => print(&log.look(|read| audit::prove_inclusion(read, &key, position, args.size))?),
        (None, from) => {
            let from = from.unwrap_or_default();
            print(&log.look(|read| audit::prove_consistency(read, &key, from, args.to))?)
        }
    }
}

fn print(proof: &impl Serialize) -> Result<Outcome, Failure> {
    console::line(&serde_json::to_string_pretty(proof)?);
    Ok(Outcome::Done)
}

/// Writes the whole log.
pub fn export(args: &ExportArgs) -> Result<Outcome, Failure> {
    let log = args.place.open()?;
    let key = log.key()?;
    let named = |error: io::Error| match &args.out {
        Some(path) => format!("{}: {error}", path.display()),
        None => format!("standard output: {error}"),
    };
    let made = args.out.as_ref().map_or_else(tempfile::tempfile, File::create_new);
    let mut file = made.map_err(named)?;
    log.look(|read| {
        file.rewind()?;
        file.set_len(0)?;
        audit::export(read, &key, &mut BufWriter::new(&file))
    })?;
    if args.out.is_some() {
        file.sync_all().map_err(named)?;
    } else {
        file.rewind().map_err(named)?;
        match io::copy(&mut file, &mut io::stdout().lock()) {
            // Whoever closed the pipe has read enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(named(error).into()),
            _ => {}
        }
    }
    Ok(Outcome::Done)
}

/// Prints the verifier key.
pub fn key(args: &KeyArgs) -> Result<Outcome, Failure> {
    console::line(&args.place.open()?.key()?.to_string());
    Ok(Outcome::Done)
}
