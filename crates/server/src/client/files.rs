//! Files that a command line names: read, or written so that others are kept out.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::{ClientError, local};

/// What becomes of a file that is already there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the command fails.
    Keep,
    /// Another one takes its place.
    Replace,
}

/// Reads a file.
pub fn read(file: &Path) -> Result<Vec<u8>, ClientError> {
    fs::read(file).map_err(|error| local(file.display(), error))
}

/// The text of an option. As in az, `@FILE` means what is in the file, or comes out of the pipe, and `@-` what comes from
/// standard input; a value that only begins like that and names no file is meant as it stands. What can only have been
/// meant as a file and is none is refused: nobody wants the path stored for the secret.
pub fn text(option: &str) -> Result<Zeroizing<String>, ClientError> {
    let content = match option.strip_prefix('@') {
        Some("-") => {
            let mut text = Zeroizing::new(String::new());
            io::stdin().lock().read_to_string(&mut text).map_err(|error| local("Standard input", error))?;
            text
        }
        Some(name) => match existing(name) {
            Some(file) => {
                let content = fs::read_to_string(&file).map_err(|error| local(file.display(), error))?;
                Zeroizing::new(content)
            }
            None if name.contains('/') => return Err(no_such_file()),
            None => return Ok(Zeroizing::new(option.to_owned())),
        },
        None => return Ok(Zeroizing::new(option.to_owned())),
    };
    // The line end that an editor left is not part of the value.
    Ok(Zeroizing::new(content.trim_end_matches('\n').to_owned()))
}

/// The file, the pipe or the device that a text names, if there is one. A shell does not expand the `~` of `@~/FILE`.
pub fn existing(name: &str) -> Option<PathBuf> {
    let file = expanded(name, std::env::home_dir());
    fs::metadata(&file).is_ok_and(|found| !found.is_dir()).then_some(file)
}

fn expanded(name: &str, home: Option<PathBuf>) -> PathBuf {
    match (name.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(name),
    }
}

/// The name is not told: it may be a secret after all.
fn no_such_file() -> ClientError {
    let problem = "A value with @ in front and / in it names a file, and there is none of that name.";
    ClientError::Usage(format!("{problem} A value that begins like that itself can be given with @- or in a file."))
}

/// Whether [`save`] would refuse a file: worth knowing before the server is asked for anything.
pub fn refuse_taken(file: &Path, existing: Existing, hint: &str) -> Result<(), ClientError> {
    if file.is_dir() {
        return Err(local(file.display(), "this is a folder"));
    }
    if existing == Existing::Keep && file.is_file() {
        return Err(local(file.display(), format!("this file already exists{hint}")));
    }
    Ok(())
}

/// Writes a file that only its owner may read. One that is replaced gives way to another, since whoever has it open or
/// may read it would read the new content too, and only when that is there, whole; a device, a pipe or a link is written
/// to as it is.
pub fn save(file: &Path, content: &[u8], existing: Existing) -> Result<(), ClientError> {
    write(file, content, existing).map_err(|error| local(file.display(), error))
}

fn write(file: &Path, content: &[u8], existing: Existing) -> io::Result<()> {
    match fs::symlink_metadata(file) {
        Ok(found) if found.is_file() && existing == Existing::Replace => return replace(file, content),
        // Taken: the file is not made below, which says so.
        Ok(_) if file.is_file() && existing == Existing::Keep => {}
        Ok(_) => return fs::OpenOptions::new().write(true).truncate(true).open(file)?.write_all(content),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_new(file, content)
}

/// Writes beside a file, and then takes its place.
fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let beside = (0_u8..=u8::MAX).map(|turn| file.with_file_name(format!(".strongroom-{}-{turn}", std::process::id())));
    for new in beside {
        match write_new(&new, content) {
            // Left by a process of the same number that was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            written => {
                return written.and_then(|()| {
                    fs::rename(&new, file).inspect_err(|_| {
                        let _removed = fs::remove_file(&new);
                    })
                });
            }
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn write_new(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    new.write_all(content).and_then(|()| new.sync_all()).inspect_err(|_| {
        // Half a file would look like a whole one. The first error is the one to report.
        let _removed = fs::remove_file(file);
    })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_saved_file_keeps_others_out_even_if_it_replaces_an_open_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        save(&file, b"one", Existing::Keep).unwrap();
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"one".to_vec(), 0o600));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let mut onlooker = fs::File::open(&file).unwrap();
        save(&file, b"two", Existing::Replace).unwrap();
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"two".to_vec(), 0o600));
        let mut seen = String::new();
        onlooker.read_to_string(&mut seen).unwrap();
        assert_eq!(seen, "one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_replaced_stays_until_the_new_content_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        fs::write(&file, "the only copy").unwrap();
        // Every place beside it is taken, so the new file can't be written.
        for turn in 0..=u8::MAX {
            fs::write(folder.path().join(format!(".strongroom-{}-{turn}", std::process::id())), "").unwrap();
        }
        assert!(save(&file, b"new", Existing::Replace).is_err());
        assert_eq!(fs::read(&file).unwrap(), b"the only copy");
        fs::remove_file(folder.path().join(format!(".strongroom-{}-7", std::process::id()))).unwrap();
        save(&file, b"new", Existing::Replace).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_is_there_stays_unless_it_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "kept").unwrap();
        symlink(&file, &link).unwrap();
        for taken in [&file, &link] {
            assert!(refuse_taken(taken, Existing::Keep, "").is_err());
            assert!(save(taken, b"new", Existing::Keep).is_err());
        }
        assert_eq!(fs::read(&file).unwrap(), b"kept");
        assert!(refuse_taken(folder.path(), Existing::Replace, "").is_err());
        assert!(save(folder.path(), b"new", Existing::Replace).is_err());
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        save(&link, b"new", Existing::Replace).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        save(Path::new("/dev/null"), b"nothing", Existing::Keep).unwrap();
    }

    #[test]
    fn a_value_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("value");
        fs::write(&file, "hush\n").unwrap();
        assert_eq!(text(&format!("@{}", file.display())).unwrap().as_str(), "hush");
        assert_eq!(text("@home").unwrap().as_str(), "@home");
        assert_eq!(text("plain\n").unwrap().as_str(), "plain\n");
    }

    #[test]
    fn a_value_may_come_out_of_a_pipe() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"hush\n").unwrap();
        drop(writer);
        // As a shell spells `<(command)`.
        let named = format!("@/dev/fd/{}", reader.as_raw_fd());
        assert_eq!(text(&named).unwrap().as_str(), "hush");
    }

    #[test]
    fn a_path_that_leads_to_no_file_is_no_value() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("p4ss"), folder.path().to_owned()] {
            let Err(ClientError::Usage(said)) = text(&format!("@{}", path.display())) else {
                panic!("{} was taken", path.display());
            };
            assert!(!said.contains(path.to_str().unwrap()), "{said}");
        }
    }

    #[test]
    fn a_tilde_is_the_home_of_who_asks() {
        let home = Some(PathBuf::from("/gaul/asterix"));
        assert_eq!(expanded("~/pin", home.clone()), PathBuf::from("/gaul/asterix/pin"));
        assert_eq!(expanded("~/pin", None), PathBuf::from("~/pin"));
        for plain in ["~", "~obelix/pin", "a/~/b", "/~/"] {
            assert_eq!(expanded(plain, home.clone()), PathBuf::from(plain));
        }
    }
}
