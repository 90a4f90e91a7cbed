//! The project's text files.

use super::lexer::{self, Views};
use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// Folders that hold nothing we wrote. They are the ones `.gitignore` names, and version control's own.
const FOREIGN_FOLDERS: [&str; 9] = [
    ".git",
    ".strongroom",
    "target",
    "node_modules",
    "__pycache__",
    ".pytest_cache",
    "corpus",
    "artifacts",
    "coverage",
];

/// Marks a file that a program wrote: sizes and habits of writing do not apply to it.
const GENERATED: &str = concat!("@", "generated");

pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
    /// Rust only: the code and the comments, apart.
    pub views: Views,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let views = if path.ends_with(".rs") { lexer::split(text) } else { Views::default() };
        Self { path: path.to_owned(), text: text.to_owned(), views }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub fn is_generated(&self) -> bool {
        self.text.lines().take(5).any(|line| line.contains(GENERATED))
    }

    fn extension(&self) -> Option<&str> {
        Path::new(&self.path).extension().and_then(OsStr::to_str)
    }

    /// Text that people write and read line by line, unlike data and lock files.
    pub fn is_written_by_hand(&self) -> bool {
        let extensions = ["rs", "py", "js", "mjs", "cjs", "sh", "md", "toml", "yml", "yaml"];
        self.extension().is_none_or(|extension| extensions.contains(&extension)) && !self.is_generated()
    }

    pub fn is_program(&self) -> bool {
        let extensions = ["rs", "py", "js", "mjs", "cjs"];
        self.extension().is_some_and(|extension| extensions.contains(&extension)) && !self.is_generated()
    }

    /// Whether the whole file serves tests.
    pub fn is_test(&self) -> bool {
        let mut folders: Vec<&str> = self.path.split('/').collect();
        let file = folders.pop().unwrap_or_default();
        let test_folders = ["tests", "conformance", "testkit", "fuzz"];
        let test_files = ["tests.rs", "conformance.rs", "testkit.rs"];
        folders.iter().any(|folder| test_folders.contains(folder))
            || test_files.contains(&file)
            || file.ends_with("_tests.rs")
    }

    /// Whether it may only translate: what comes in, what goes out.
    pub fn is_handlers(&self) -> bool {
        self.path.ends_with("/handlers.rs") || self.path.contains("/handlers/")
    }
}

pub fn read_all(root: &Path) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let failed = |error: io::Error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() && !FOREIGN_FOLDERS.iter().any(|name| entry.file_name() == *name) {
                folders.push(entry.path());
            } else if kind.is_file() {
                sources.extend(read_text(root, &entry.path())?);
            }
        }
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

/// `None` for a file that is not text.
fn read_text(root: &Path, path: &PathBuf) -> Result<Option<Source>, String> {
    let bytes = match fs::read(path) {
        // Another program's scratch file may be gone by now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| format!("{}: {error}", path.display()))?,
    };
    let Ok(text) = String::from_utf8(bytes) else { return Ok(None) };
    let relative = path.strip_prefix(root).map_err(|error| error.to_string())?;
    let parts: Vec<_> = relative.iter().map(OsStr::to_string_lossy).collect();
    Ok(Some(Source::new(&parts.join("/"), &text)))
}
