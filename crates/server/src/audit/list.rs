//! `strongroom audit list` and `tail`.

use super::{
    Outcome,
    lines::{Shown, Table, json_line},
    place::{Log, Place},
};
use crate::{Failure, dev};
use domain::UnixTime;
use engine::{Clock as _, SystemClock};
use std::{
    collections::VecDeque,
    io::{self, IsTerminal as _, Write as _},
    ops::ControlFlow,
    time::Duration,
};

/// How often `tail -f` looks.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(500);
/// A log may be out of sight while its server starts or stops; so often in a row means that it is gone.
const MOST_FAILURES: usize = 20;

/// The options of `strongroom audit list`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    /// How many records at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    place: Place,
}

/// The options of `strongroom audit tail`.
#[derive(clap::Args)]
pub struct TailArgs {
    #[command(flatten)]
    filter: Filter,
    /// How many records to begin with
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 10)]
    limit: usize,
    /// Go on with the records that come
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    place: Place,
}

/// Which records, and how they are shown.
#[derive(clap::Args)]
struct Filter {
    /// What was done to this vault or managed HSM, by name or id
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// What was done, by its name in the record: KeySign, KeyPurge, Authentication, …
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// Who did it, by object id or application id
    #[arg(long, value_name = "ID")]
    caller: Option<String>,
    /// Not before this time: 2026-11-20T18:12:00Z, 2026-11-20, or a span back from now (90s, 15m, 12h, 8d)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<UnixTime>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<UnixTime>,
    /// Only what was refused or failed
    #[arg(long)]
    failed: bool,
    /// Output format; a table on a terminal, lines of JSON otherwise
    #[arg(long, short, value_name = "FORMAT", value_parser = ["table", "json"])]
    output: Option<String>,
}

fn moment(text: &str) -> Result<UnixTime, String> {
    if let Ok(seconds) = dev::seconds(text) {
        return Ok(UnixTime(SystemClock.now().0.saturating_sub(seconds)));
    }
    let midnight = || text.parse::<jiff::civil::Date>().and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
    let time = text.parse::<jiff::Timestamp>().or_else(|_| midnight().map(|zoned| zoned.timestamp()));
    let help = "write a time such as 2026-11-20T18:12:00Z, a date, or a span such as 12h";
    time.map(|time| UnixTime(time.as_second())).map_err(|_| help.to_owned())
}

impl Filter {
    fn matches(&self, shown: &Shown) -> bool {
        let is = |wanted: &Option<String>, check: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(check);
        is(&self.container, &|name| shown.is_in(name))
            && is(&self.operation, &|name| shown.operation_name.eq_ignore_ascii_case(name))
            && is(&self.caller, &|id| shown.is_by(id))
            && self.since.is_none_or(|since| shown.at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| shown.at.is_some_and(|at| at < until))
            && !(self.failed && shown.result_type == "Success")
    }

    /// How to print.
    fn printer(&self) -> Printer {
        let is_table = match self.output.as_deref() {
            Some(format) => format == "table",
            None => io::stdout().is_terminal(),
        };
        Printer { table: is_table.then(Table::new) }
    }
}

/// Shows what matches of all records.
pub fn list(args: &Args) -> Result<Outcome, Failure> {
    let (found, _) = newest(&args.place.open()?, &args.filter, args.limit)?;
    args.filter.printer().print(found)?;
    Ok(Outcome::Done)
}

/// Shows the newest records, and then those that come.
pub fn tail(args: &TailArgs) -> Result<Outcome, Failure> {
    let (found, last) = newest(&args.place.open()?, &args.filter, args.limit)?;
    let mut printer = args.filter.printer();
    if printer.print(found)? && args.follow {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(follow(args, printer, last))?;
    }
    Ok(Outcome::Done)
}

/// Shows records as they come, until nobody reads any more.
async fn follow(args: &TailArgs, mut printer: Printer, mut last: u64) -> Result<(), Failure> {
    let mut ticks = tokio::time::interval(FOLLOW_INTERVAL);
    let mut failures = 0;
    loop {
        ticks.tick().await;
        // Opened anew each time: the server may have stopped or started meanwhile.
        match args.place.open().and_then(|log| after(&log, last)) {
            Ok(records) => {
                failures = 0;
                last = records.last().map_or(last, |(position, _)| *position);
                let shown = records.into_iter().map(|(position, leaf)| (position, Shown::of(&leaf), leaf));
                if !printer.print(shown.filter(|(_, shown, _)| args.filter.matches(shown)).collect())? {
                    return Ok(());
                }
            }
            Err(_) if failures < MOST_FAILURES => failures += 1,
            Err(failure) => return Err(failure),
        }
    }
}

/// All records after a position.
fn after(log: &Log, position: u64) -> Result<Vec<(u64, String)>, Failure> {
    log.look(|read| read.audit(position, usize::MAX))
}

/// A record to be shown: its position, what people see of it, and the whole of it.
type Found = (u64, Shown, String);

/// The newest records that match, and the last position of all.
fn newest(log: &Log, filter: &Filter, limit: usize) -> Result<(Vec<Found>, u64), Failure> {
    log.look(|read| {
        let (mut found, mut last) = (VecDeque::new(), 0);
        read.visit_audit(0, &mut |position, leaf| {
            last = position;
            let shown = Shown::of(leaf);
            if filter.matches(&shown) {
                found.push_back((position, shown, leaf.to_owned()));
            }
            if found.len() > limit {
                found.pop_front();
            }
            ControlFlow::Continue(())
        })?;
        Ok::<_, store::Fault>((found.into(), last))
    })
}

struct Printer {
    table: Option<Table>,
}

impl Printer {
    /// Prints records. `false` if nobody reads any more.
    fn print(&mut self, found: Vec<Found>) -> Result<bool, Failure> {
        let text: String = match &mut self.table {
            Some(table) => {
                let rows: Vec<(u64, Shown)> = found.into_iter().map(|(position, shown, _)| (position, shown)).collect();
                table.rows(&rows)
            }
            None => found.iter().map(|(position, _, leaf)| json_line(*position, leaf) + "\n").collect(),
        };
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(format!("standard output: {error}").into()),
            Ok(()) => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_a_date_or_a_span_back() {
        assert_eq!(moment("2026-11-20T18:12:00Z"), Ok(UnixTime(1_795_198_320)));
        assert_eq!(moment("2026-11-20T19:12:00+01:00"), Ok(UnixTime(1_795_198_320)));
        assert_eq!(moment("2026-11-20"), Ok(UnixTime(1_795_132_800)));
        let back = moment("1d").unwrap();
        assert!((SystemClock.now().0 - 86_400 - back.0).abs() < 60);
        for bad in ["", "yesterday", "2026-13-01", "18:12"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
