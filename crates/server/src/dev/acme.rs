//! The ACME servers of a development server.

use crate::{Failure, config::AcmeSettings};
use std::{fs, path::Path};

/// Reads the servers in a file, or none. Paths in it are relative to the folder it lies in.
pub fn load(path: Option<&Path>) -> Result<AcmeSettings, Failure> {
    let Some(path) = path else { return Ok(AcmeSettings::default()) };
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut settings: AcmeSettings = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    for file in settings.servers.files() {
        *file = path.parent().unwrap_or(Path::new("")).join(&file);
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_servers_with_their_files_beside_it_or_is_named_itself() {
        assert_eq!(load(None).unwrap(), AcmeSettings::default());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme.toml");
        let server = "[[acme]]\nname = \"le\"\ndirectory = \"https://acme.example/directory\"\nca_file = \"ca.pem\"\n";
        fs::write(&path, format!("http_challenges = \"127.0.0.1:80\"\n{server}")).unwrap();
        let settings = load(Some(&path)).unwrap();
        assert_eq!(settings.servers.0[0].ca_file, Some(folder.path().join("ca.pem")));
        assert!(settings.http_challenges.is_some());
        fs::write(&path, "acme = 1").unwrap();
        for path in [path, folder.path().join("missing.toml")] {
            let error = load(Some(&path)).unwrap_err().to_string();
            assert!(error.starts_with(&path.display().to_string()), "{error}");
        }
    }
}
