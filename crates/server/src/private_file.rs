//! Files that hold secrets: written for their owner only, and refused when others may read them.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Why a file that holds a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// It is missing or unreadable.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Users other than its owner have access.
    #[error("{}: others may read this file (mode {mode:o}); run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Refuses a file that its group or anyone else has any access to.
///
/// # Errors
/// See [`PrivateFileError`].
pub fn refuse_exposed(path: &Path) -> Result<(), PrivateFileError> {
    let unreadable = |cause| PrivateFileError::Unreadable { path: path.to_owned(), cause };
    // Opened, not only looked at: a file we may not read is better found now than at its first use.
    let file = fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("not a regular file")));
    }
    match metadata.permissions().mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(PrivateFileError::Exposed { path: path.to_owned(), mode }),
        _ => Ok(()),
    }
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// Those of the operating system.
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    replace(path, contents, 0o600)
}

/// Writes a file that anyone may read, whole or not at all.
///
/// # Errors
/// Those of the operating system.
pub fn write_public(path: &Path, contents: &[u8]) -> io::Result<()> {
    replace(path, contents, 0o644)
}

/// Makes a folder, with its parents, that only its owner may enter. An existing folder is left as it is.
///
/// # Errors
/// Those of the operating system.
pub fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn replace(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    // A draft left by a crash may have other permissions: made anew, never reused.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    // The new name is durable only when the folder is.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_is_private_and_a_loosened_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        refuse_exposed(&path).unwrap();
        for mode in [0o640, 0o604, 0o610, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = refuse_exposed(&path).unwrap_err().to_string();
            assert!(error.contains("chmod 600") && error.contains(&format!("{mode:o}")), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = refuse_exposed(Path::new("/nowhere/secret")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/secret: "), "{error}");
    }
}
