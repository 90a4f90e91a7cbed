//! `strongroom audit verify`.

use super::{Outcome, place::Place};
use crate::{Failure, console};
use custody::note::NoteVerifier;
use engine::audit::{self, Finding, Kept, Report};
use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
};

/// The options of `strongroom audit verify`.
#[derive(clap::Args)]
pub struct Args {
    /// Verify this export instead of an installation's log
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with_all = ["dir", "config"])]
    export: Option<PathBuf>,
    /// The verifier key, as `strongroom audit key` printed it when it could be trusted; without, the one beside the log
    #[arg(long, value_name = "KEY")]
    key: Option<NoteVerifier>,
    /// A checkpoint of this log that you have kept; more than one may be given. The one that the server keeps beside
    /// its database is compared as well, if it is there
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
    #[command(flatten)]
    place: Place,
}

/// A verification, and what it was made with.
struct Verified {
    report: Report,
    key: NoteVerifier,
    compared: Vec<String>,
}

/// Checks a log and says what is wrong with it.
pub fn verify(args: &Args) -> Result<Outcome, Failure> {
    let verified = match (&args.export, &args.key) {
        (Some(export), Some(key)) => of_export(export, key, &args.checkpoint)?,
        _ => of_installation(args)?,
    };
    console::line(&if args.output == "json" { verified.json() } else { verified.text() });
    Ok(if verified.report.findings.is_empty() { Outcome::Done } else { Outcome::Found })
}

fn of_export(export: &Path, key: &NoteVerifier, checkpoints: &[PathBuf]) -> Result<Verified, Failure> {
    let file = File::open(export).map_err(|error| format!("{}: {error}", export.display()))?;
    let kept = checkpoints.iter().map(|path| kept(path)).collect::<Result<Vec<_>, _>>()?;
    let report = audit::verify_export(&mut BufReader::new(file), key, &kept)
        .map_err(|error| format!("{}: {error}", export.display()))?;
    Ok(Verified { report, key: key.clone(), compared: names(&kept) })
}

fn of_installation(args: &Args) -> Result<Verified, Failure> {
    // Read before the log is: the server writes it after the log, so it is never ahead of one that is in order.
    let log = args.place.open()?;
    let mut kept_ones = args.checkpoint.iter().map(|path| kept(path)).collect::<Result<Vec<_>, _>>()?;
    let mut is_missing = false;
    match fs::read_to_string(&log.checkpoint_file) {
        Ok(note) => kept_ones.push(Kept { name: log.checkpoint_file.display().to_string(), note }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => is_missing = args.checkpoint.is_empty(),
        Err(error) => return Err(format!("{}: {error}", log.checkpoint_file.display()).into()),
    }
    let beside = log.key()?;
    let key = args.key.clone().unwrap_or_else(|| beside.clone());
    let mut report = log.look(|read| audit::verify(read, &key, &kept_ones))?;
    if is_missing && report.checkpoints > 0 {
        report.findings.push(Finding::NothingKept { name: log.checkpoint_file.display().to_string() });
    }
    if key != beside {
        report.findings.push(Finding::Key);
    }
    Ok(Verified { report, key, compared: names(&kept_ones) })
}

fn kept(path: &Path) -> Result<Kept, Failure> {
    let note = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Kept { name: path.display().to_string(), note })
}

fn names(kept: &[Kept]) -> Vec<String> {
    kept.iter().map(|kept| kept.name.clone()).collect()
}

impl Verified {
    fn text(&self) -> String {
        let Report { first, last, signed, checkpoints, findings } = &self.report;
        let records = match (last + 1).saturating_sub(*first) {
            _ if *last == 0 => "no records".to_owned(),
            1 => format!("1 record, {first}"),
            count => format!("{count} records, {first} to {last}"),
        };
        let checkpoints = match checkpoints {
            1 => "1 checkpoint".to_owned(),
            count => format!("{count} checkpoints"),
        };
        let unsigned = match self.report.unsigned() {
            0 => String::new(),
            count => format!(", {count} not yet signed"),
        };
        let mut lines = vec![
            format!("{records}; signed up to {signed} by {checkpoints}{unsigned}"),
            format!("verified with the key {}", self.key),
        ];
        lines.extend(self.compared.iter().map(|name| format!("compared with the checkpoint in {name}")));
        match findings.len() {
            0 => lines.push("everything is as it was signed".to_owned()),
            count => {
                lines.push(format!("{count} found:"));
                lines.extend(findings.iter().map(|finding| format!("  {finding}")));
            }
        }
        lines.join("\n")
    }

    fn json(&self) -> String {
        let Report { first, last, signed, checkpoints, findings } = &self.report;
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        serde_json::json!({
            "first": first,
            "last": last,
            "signed": signed,
            "unsigned": self.report.unsigned(),
            "checkpoints": checkpoints,
            "key": self.key.to_string(),
            "compared": self.compared,
            "findings": findings,
        })
        .to_string()
    }
}
