//! Handing records on while the server runs: to a file of JSON lines, and to a syslog.
//!
//! Each record is handed on at least once, in order, when it is durable. What was handed on is kept in a system record;
//! after a crash some records may come again, with the positions they had.

use super::lines::json_line;
use crate::wiring::chain;
use domain::{AuditRecord, Outcome, UnixTime};
use engine::{Engine, Error};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    net::{ToSocketAddrs as _, UdpSocket},
    os::unix::{fs::OpenOptionsExt as _, net::UnixDatagram},
    path::{Path, PathBuf},
};

const PAGE: usize = 512;
/// "log audit", by the numbers of RFC 5424 §6.2.1.
const FACILITY: u8 = 13;
const NOTICE: u8 = 5;
const INFORMATIONAL: u8 = 6;
/// The largest sequence number that RFC 5424 §7.3.1 allows.
const MOST_SEQUENCE: u64 = 2_147_483_647;

/// Where a syslog takes messages: `udp:HOST:PORT` or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Syslog {
    Udp(String),
    Unix(PathBuf),
}

impl TryFrom<String> for Syslog {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_host_and_port = |text: &str| {
            text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        match text.split_once(':') {
            Some(("udp", address)) if is_host_and_port(address) => Ok(Self::Udp(address.to_owned())),
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            _ => Err("expected udp:HOST:PORT, or unix:PATH with an absolute path".to_owned()),
        }
    }
}

/// All that records are handed on to.
pub struct Delivery {
    channels: Vec<Channel>,
}

struct Channel {
    /// The system record of what was handed on.
    record: &'static str,
    target: Target,
    /// The last attempt failed: that has been said, and is not said again every second.
    is_failing: bool,
}

enum Target {
    File(PathBuf),
    Syslog(Syslog),
}

impl Delivery {
    pub fn new(export_file: Option<PathBuf>, syslog: Option<Syslog>) -> Self {
        let file = export_file.map(|path| ("audit-exported-file", Target::File(path)));
        let syslog = syslog.map(|syslog| ("audit-exported-syslog", Target::Syslog(syslog)));
        let channel = |(record, target)| Channel { record, target, is_failing: false };
        Self { channels: file.into_iter().chain(syslog).map(channel).collect() }
    }

    /// Hands on what is new. A target that fails does not keep the others from it.
    pub fn hand_on(&mut self, engine: &Engine) -> Result<(), Error> {
        self.channels.iter_mut().try_for_each(|channel| channel.hand_on(engine))
    }

    /// The last position that all targets have.
    pub fn handed_on(&self, engine: &Engine) -> Result<u64, Error> {
        let mut least = u64::MAX;
        for channel in &self.channels {
            least = least.min(position(engine, channel.record)?);
        }
        Ok(least)
    }
}

impl Channel {
    fn hand_on(&mut self, engine: &Engine) -> Result<(), Error> {
        loop {
            let page = engine.audit_log(position(engine, self.record)?, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            let was_failing = self.is_failing;
            let taken = self.target.take(&page);
            self.is_failing = taken.is_err();
            match taken {
                Err(error) if !was_failing => {
                    let (to, error) = (self.target.name(), chain(&error));
                    tracing::error!(to, error, "audit records can't be handed on; they wait, and it is tried again");
                }
                Ok(()) if was_failing => tracing::warn!(to = self.target.name(), "audit records are handed on again"),
                _ => {}
            }
            if self.is_failing {
                return Ok(());
            }
            engine.put_system_record(self.record, &last.to_be_bytes())?;
        }
    }
}

fn position(engine: &Engine, record: &'static str) -> Result<u64, Error> {
    let Some(kept) = engine.system_record(record)? else { return Ok(0) };
    Ok(u64::from_be_bytes(kept.try_into().map_err(|_| Error::Broken(record))?))
}

impl Target {
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Syslog(Syslog::Udp(address)) => address.clone(),
            Self::Syslog(Syslog::Unix(path)) => path.display().to_string(),
        }
    }

    fn take(&self, records: &[(u64, String)]) -> io::Result<()> {
        match self {
            Self::File(path) => append(path, records),
            Self::Syslog(Syslog::Udp(address)) => {
                let socket = connected(address)?;
                send(records, |message| socket.send(message))
            }
            Self::Syslog(Syslog::Unix(path)) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                send(records, |message| socket.send(message))
            }
        }
    }
}

/// Appends lines and waits until they are durable. The file is opened each time: whoever rotates it may move it away.
fn append(path: &Path, records: &[(u64, String)]) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = fs::OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
    let mut text = if ends_in_line(&mut file)? { String::new() } else { "\n".to_owned() };
    for (position, leaf) in records {
        text.push_str(&json_line(*position, leaf));
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if is_new {
        // The new name is durable only when the folder is.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A crash may have left half a line: what comes next must not become part of it.
fn ends_in_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn connected(address: &str) -> io::Result<UdpSocket> {
    let mut failure = io::Error::other("the name has no address");
    for remote in address.to_socket_addrs()? {
        let local = if remote.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(local).and_then(|socket| socket.connect(remote).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn send(records: &[(u64, String)], send: impl Fn(&[u8]) -> io::Result<usize>) -> io::Result<()> {
    records.iter().try_for_each(|(position, leaf)| send(message(*position, leaf).as_bytes()).map(drop))
}

/// A message of RFC 5424; what it carries is the line that a file would get.
fn message(position: u64, leaf: &str) -> String {
    let record = AuditRecord::read(leaf).ok();
    let is_refused = record.as_ref().is_none_or(|record| record.outcome == Outcome::Refused);
    let priority = FACILITY * 8 + if is_refused { NOTICE } else { INFORMATIONAL };
    let time = record.as_ref().map_or("-".to_owned(), |record| UnixTime(record.time.0).to_string());
    let operation = record.and_then(|record| record.operation()).map_or("-", domain::Operation::name);
    let sequence = (position.max(1) - 1) % MOST_SEQUENCE + 1;
    let line = json_line(position, leaf);
    format!("<{priority}>1 {time} - strongroom - {operation} [meta sequenceId=\"{sequence}\"] {line}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Event, Guid, Operation};

    fn leaf(outcome: Outcome) -> String {
        let event = Event::Operation(Operation::KeyPurge);
        let mut record = AuditRecord::new(UnixTime(1_795_198_320), event, Guid::from_u128(7), "/vaults/v", "/keys/k");
        record.outcome = outcome;
        record.leaf()
    }

    #[test]
    fn a_syslog_is_named_by_kind_and_place() {
        let parse = |text: &str| Syslog::try_from(text.to_owned());
        assert_eq!(parse("udp:127.0.0.1:514"), Ok(Syslog::Udp("127.0.0.1:514".to_owned())));
        assert_eq!(parse("udp:[::1]:514"), Ok(Syslog::Udp("[::1]:514".to_owned())));
        assert_eq!(parse("unix:/dev/log"), Ok(Syslog::Unix("/dev/log".into())));
        for bad in ["", "udp", "udp:", "udp:host", "udp::514", "udp:host:99999", "unix:", "unix:log", "tcp:h:1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_message_is_one_of_rfc_5424() {
        let done = leaf(Outcome::Done);
        let head = "<110>1 2026-11-20T18:12:00Z - strongroom - KeyPurge [meta sequenceId=\"17\"] ";
        assert_eq!(message(17, &done), format!("{head}{{\"position\":17,\"record\":{done}}}"));
        assert!(message(17, &leaf(Outcome::Refused)).starts_with("<109>1 "));
        assert!(message(MOST_SEQUENCE + 1, &done).contains("sequenceId=\"1\""));
        let damaged = message(3, "no record\n");
        assert_eq!(
            damaged,
            "<109>1 - - strongroom - - [meta sequenceId=\"3\"] {\"position\":3,\"record\":\"no record\\n\"}"
        );
    }

    #[test]
    fn half_a_line_is_ended_before_the_next_one_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        append(&path, &[(1, "{\"a\":1}".to_owned()), (2, "{}".to_owned())]).unwrap();
        let whole = "{\"position\":1,\"record\":{\"a\":1}}\n{\"position\":2,\"record\":{}}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
        fs::write(&path, &whole[..40]).unwrap();
        append(&path, &[(2, "{}".to_owned())]).unwrap();
        let expected = format!("{}\n{{\"position\":2,\"record\":{{}}}}\n", &whole[..40]);
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        fs::remove_file(&path).unwrap();
        append(&path, &[(3, "{}".to_owned())]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"position\":3,\"record\":{}}\n", "moved away");
    }

    #[test]
    fn messages_reach_a_socket_in_order() {
        let records: Vec<(u64, String)> = (1..=3).map(|position| (position, leaf(Outcome::Done))).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let unix = UnixDatagram::bind(&path).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap().to_string();
        Target::Syslog(Syslog::Unix(path)).take(&records).unwrap();
        Target::Syslog(Syslog::Udp(address)).take(&records).unwrap();
        let mut buffer = [0; 2_000];
        for (position, leaf) in &records {
            for length in [unix.recv(&mut buffer).unwrap(), udp.recv(&mut buffer).unwrap()] {
                assert_eq!(&buffer[..length], message(*position, leaf).as_bytes());
            }
        }
    }

    #[test]
    fn a_socket_that_is_not_there_is_an_error() {
        let missing = Target::Syslog(Syslog::Unix("/nowhere/log".into()));
        assert!(missing.take(&[(1, "{}".to_owned())]).is_err());
    }
}
