//! Opening a database: whose it is, how new it is, how it is to behave.

use super::row::Outcome;
use crate::Fault;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::{fs, io, path::Path, time::Duration};

/// "SRdb": marks a database as a Strongroom's.
const APPLICATION_ID: i64 = 0x5352_6462;

/// Each takes the schema from its position to the next version.
const MIGRATIONS: [&str; 10] = [
    include_str!("../../migrations/0001_initial.sql"),
    include_str!("../../migrations/0002_usage.sql"),
    include_str!("../../migrations/0003_locks.sql"),
    include_str!("../../migrations/0004_audit.sql"),
    include_str!("../../migrations/0005_roles.sql"),
    include_str!("../../migrations/0006_directory.sql"),
    include_str!("../../migrations/0007_kinds.sql"),
    include_str!("../../migrations/0008_notices.sql"),
    include_str!("../../migrations/0009_results.sql"),
    include_str!("../../migrations/0010_packs.sql"),
];

/// How long to wait for another process that has the database.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

const JOURNAL_ATTEMPTS: usize = 100;

/// Why a file was refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the file is a database of another program")]
    Foreign,
    #[error("the file system does not allow a write-ahead log")]
    Journal,
    #[error("the file can't be prepared")]
    File(#[source] io::Error),
}

fn refused(refused: Refused) -> Fault {
    Fault::Database(Box::new(refused))
}

/// Opens the connection that writes, making or upgrading the database.
pub(super) fn open_writer(path: &Path) -> Outcome<Connection> {
    if path.exists() {
        keep_private(path).map_err(|error| refused(Refused::File(error)))?;
    } else {
        create_private(path).map_err(|error| refused(Refused::File(error)))?;
    }
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    // Nothing is written to the file before it is known to be ours.
    version_of(&connection)?;
    use_journal(&connection)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0;
         PRAGMA cache_size = -2048;
         PRAGMA journal_size_limit = 8388608;
         PRAGMA trusted_schema = OFF;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    migrate(&mut connection)?;
    Ok(connection)
}

/// Switches to the write-ahead log. Of several who switch a new database at once SQLite turns some away without the
/// usual wait, as they might wait for each other for ever; these wait for the others to be done and try again.
fn use_journal(connection: &Connection) -> Outcome<()> {
    let switch = || connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
    let check = |mode: String| if mode == "wal" { Ok(()) } else { Err(refused(Refused::Journal)) };
    for _ in 0..JOURNAL_ATTEMPTS {
        match switch() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            }
            mode => return check(mode?),
        }
    }
    check(switch()?)
}

/// Opens a connection that reads beside the writer.
pub(super) fn open_reader(path: &Path) -> Outcome<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    prepare_reader(&connection)?;
    Ok(connection)
}

pub(super) fn prepare_reader(connection: &Connection) -> Outcome<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0;
         PRAGMA cache_size = -2048;
         PRAGMA trusted_schema = OFF;",
    )?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Makes a new, empty file that only its owner may read. SQLite gives its journals the same mode.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.sync_all()?;
    sync_folder(path)
}

/// Takes from others what an operator's copying may have given them. By path: opening and closing the file here
/// would drop the locks that another store in this process holds on it.
fn keep_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(path)?;
        if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Makes a new file's name durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The version of our schema in the database: 0 if it is empty.
fn version_of(connection: &Connection) -> Outcome<usize> {
    // One statement, hence one state: another process may be making the schema.
    let sql = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
               FROM pragma_application_id, pragma_user_version";
    let (application, found, tables): (i64, i64, i64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if (application, found, tables) == (0, 0, 0) {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(refused(Refused::Foreign));
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    match usize::try_from(found) {
        Ok(version) if (1..=MIGRATIONS.len()).contains(&version) => Ok(version),
        _ => Err(Fault::UnknownSchema { found, known }),
    }
}

/// Whether the database has the newest schema; `false` if it is empty.
pub(super) fn is_current(connection: &Connection) -> Outcome<bool> {
    let known = MIGRATIONS.len();
    match version_of(connection)? {
        0 => Ok(false),
        version if version == known => Ok(true),
        older => {
            let number = |version| i64::try_from(version).unwrap_or(i64::MAX);
            Err(Fault::UnknownSchema { found: number(older), known: number(known) })
        }
    }
}

/// Brings the schema to the newest version, all or nothing. Another process may be doing the same: the version is
/// read again once the database is locked.
fn migrate(connection: &mut Connection) -> Outcome<()> {
    if version_of(connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in MIGRATIONS.iter().skip(version_of(&transaction)?) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(())
}
