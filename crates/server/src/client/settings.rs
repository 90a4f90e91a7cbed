//! Which server to ask, as whom, and whom to trust: from flags, the environment and the connection file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::{ClientError, local};
use super::grammar::Global;
use super::target::{self, Suffixes};

/// The facts of one connection.
pub struct Settings {
    /// Base URL without a trailing slash; ARM and the login live there.
    pub base: String,
    /// Where tokens are asked for.
    pub authority: String,
    /// PEM file of the only certificate authority that is trusted, if it is known.
    pub ca_file: Option<PathBuf>,
    /// Host name endings of vaults and managed HSMs.
    pub suffixes: Suffixes,
    /// Subscription id.
    pub subscription: Option<String>,
    /// Tenant id.
    pub tenant: Option<String>,
    /// Object id of the caller, if the connection file tells.
    pub object_id: Option<String>,
    /// Application credentials.
    pub credentials: Option<Credentials>,
}

/// An application's name and secret.
pub struct Credentials {
    /// Application (client) id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Zeroizing<String>,
}

/// The environment as a function, so that tests need not change the real one.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The folder where `strongroom dev` keeps its state.
const STATE: &str = ".strongroom";
const DEFAULT_URL: &str = "https://localhost:8443";

impl Settings {
    /// Gathers the settings. A flag wins over `STRONGROOM_…`, that over the connection file, that over a default.
    /// `AZURE_…` credentials count only when no connection file is in use: they belong to another cloud.
    pub fn gather(global: &Global, environment: Environment<'_>, folder: &Path) -> Result<Settings, ClientError> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let url = global.url.clone().or_else(|| variable("STRONGROOM_URL"));
        let file = connection_file(global, &variable, url.is_some(), folder)?;
        let known = file.clone().unwrap_or_default();
        let fact = |name: &str, key: &str| variable(name).or_else(|| known.get(key).cloned());

        let base = url.or_else(|| known.get("BASE_URL").cloned()).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let base = base.trim_end_matches('/').to_owned();
        let host = target::authority(&base)?;
        let authority = fact("STRONGROOM_AUTHORITY", "AUTHORITY").unwrap_or_else(|| base.clone());
        // The secret goes to this URL: a plain-text one is refused here rather than after it is sent.
        target::authority(&authority)?;
        let suffix = |name, key, word| fact(name, key).unwrap_or_else(|| format!(".{word}.{host}"));
        let azure = |name: &str| if file.is_some() { None } else { variable(name) };
        Ok(Settings {
            ca_file: ca_file(global, fact("STRONGROOM_CA", "CA_FILE"), folder),
            suffixes: Suffixes {
                vault: suffix("STRONGROOM_VAULT_SUFFIX", "VAULT_SUFFIX", "vault"),
                hsm: suffix("STRONGROOM_HSM_SUFFIX", "HSM_SUFFIX", "managedhsm"),
            },
            subscription: global.subscription.clone().or_else(|| fact("STRONGROOM_SUBSCRIPTION", "SUBSCRIPTION")),
            tenant: fact("STRONGROOM_TENANT", "TENANT").or_else(|| azure("AZURE_TENANT_ID")),
            object_id: known.get("OBJECT_ID").cloned(),
            credentials: credentials(&variable, &known, &azure)?,
            authority: authority.trim_end_matches('/').to_owned(),
            base,
        })
    }
}

/// Reads the connection file, if there is one to read. The one in the working folder is a default like another:
/// a server that was named wins over it.
fn connection_file(
    global: &Global,
    variable: &dyn Fn(&str) -> Option<String>,
    server_named: bool,
    folder: &Path,
) -> Result<Option<BTreeMap<String, String>>, ClientError> {
    let chosen = global.env_file.clone().or_else(|| variable("STRONGROOM_ENV_FILE").map(PathBuf::from));
    let nearby = folder.join(STATE).join("dev.env");
    let path = match chosen {
        Some(path) => path,
        None if !server_named && nearby.is_file() => nearby,
        None => return Ok(None),
    };
    let text = std::fs::read_to_string(&path).map_err(|error| local(path.display(), error))?;
    assignments(&text).map(Some).map_err(|line| local(path.display(), format!("line {line} is not an assignment")))
}

fn ca_file(global: &Global, told: Option<String>, folder: &Path) -> Option<PathBuf> {
    let nearby = || Some(folder.join(STATE).join("ca.pem")).filter(|path| path.is_file());
    global.ca_file.clone().or_else(|| told.map(PathBuf::from)).or_else(nearby)
}

/// Takes id and secret from one source: an id of one with the secret of another would only fail later.
fn credentials(
    variable: &dyn Fn(&str) -> Option<String>,
    known: &BTreeMap<String, String>,
    azure: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Credentials>, ClientError> {
    let sources = [
        ("STRONGROOM_CLIENT_ID", variable("STRONGROOM_CLIENT_ID"), variable("STRONGROOM_CLIENT_SECRET")),
        ("APP_ID", known.get("APP_ID").cloned(), known.get("APP_SECRET").cloned()),
        ("AZURE_CLIENT_ID", azure("AZURE_CLIENT_ID"), azure("AZURE_CLIENT_SECRET")),
    ];
    for (name, id, secret) in sources {
        match (id, secret) {
            (Some(client_id), Some(secret)) => {
                return Ok(Some(Credentials { client_id, client_secret: Zeroizing::new(secret) }));
            }
            (None, None) => {}
            _ => return Err(ClientError::Local(format!("{name} and its secret are only useful together."))),
        }
    }
    Ok(None)
}

/// Reads lines of `NAME=value` as a shell would, without expanding anything; the error is a line number.
pub fn assignments(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let mut found = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let (name, value) = line.split_once('=').ok_or(number + 1)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(number + 1);
        }
        found.insert(name.to_owned(), word(value).ok_or(number + 1)?);
    }
    Ok(found)
}

/// Reads one shell word with its quotes. `None` if a quote is not closed.
fn word(text: &str) -> Option<String> {
    let mut result = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match next {
            '\'' => loop {
                match rest.next()? {
                    '\'' => break,
                    other => result.push(other),
                }
            },
            '"' => loop {
                match rest.next()? {
                    '"' => break,
                    '\\' => match rest.next()? {
                        escaped @ ('"' | '\\' | '$' | '`') => result.push(escaped),
                        other => result.extend(['\\', other]),
                    },
                    other => result.push(other),
                }
            },
            '\\' => result.push(rest.next()?),
            blank if blank.is_whitespace() => break,
            other => result.push(other),
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "BASE_URL=https://localhost:9443/\nAUTHORITY=https://localhost:9443\n\
        VAULT_SUFFIX=.vault.localhost:9443\nHSM_SUFFIX=.managedhsm.localhost:9443\nCA_FILE='/tmp/a b/ca.pem'\n\
        TENANT=t\nAPP_ID=app\nAPP_SECRET='s'\nSUBSCRIPTION=sub\nOBJECT_ID=oid\n";

    fn gather(global: &Global, variables: &[(&str, &str)], folder: &Path) -> Result<Settings, ClientError> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::gather(global, &find, folder)
    }

    fn folder(file: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = file {
            std::fs::create_dir(folder.path().join(STATE)).unwrap();
            std::fs::write(folder.path().join(STATE).join("dev.env"), text).unwrap();
        }
        folder
    }

    #[test]
    fn assignments_are_read_with_the_quotes_of_a_shell() {
        let text = "# facts\n\nA=plain\nexport B='it'\\''s $HOME'\nC=\"a \\\"b\\\" \\$c \\n\"\nD=\nE=x # note\n";
        let read = assignments(text).unwrap();
        let expected = [("A", "plain"), ("B", "it's $HOME"), ("C", "a \"b\" $c \\n"), ("D", ""), ("E", "x")];
        for (name, value) in expected {
            assert_eq!(read[name], value, "{name}");
        }
    }

    #[test]
    fn an_open_quote_or_a_line_without_an_assignment_is_named_by_its_number() {
        assert_eq!(assignments("A=1\nB='x"), Err(2));
        assert_eq!(assignments("A=1\n\nB"), Err(3));
        assert_eq!(assignments("rm -rf=x"), Err(1));
    }

    #[test]
    fn the_file_of_a_dev_server_in_the_working_folder_is_enough() {
        let folder = folder(Some(FILE));
        let settings = gather(&Global::default(), &[], folder.path()).unwrap();
        assert_eq!(settings.base, "https://localhost:9443");
        assert_eq!(settings.ca_file.as_deref(), Some(Path::new("/tmp/a b/ca.pem")));
        assert_eq!(settings.suffixes.hsm, ".managedhsm.localhost:9443");
        assert_eq!(settings.credentials.unwrap().client_id, "app");
        assert_eq!(settings.subscription.as_deref(), Some("sub"));
    }

    #[test]
    fn the_certificate_authority_of_a_dev_server_is_found_in_the_working_folder() {
        let folder = folder(Some(""));
        assert_eq!(gather(&Global::default(), &[], folder.path()).unwrap().ca_file, None);
        let file = folder.path().join(STATE).join("ca.pem");
        std::fs::write(&file, "").unwrap();
        assert_eq!(gather(&Global::default(), &[], folder.path()).unwrap().ca_file, Some(file));
    }

    #[test]
    fn a_named_server_is_not_mixed_with_the_file_of_another() {
        let folder = folder(Some(FILE));
        let variables = [("STRONGROOM_URL", "https://vaults.example"), ("STRONGROOM_CA", "/ca.pem")];
        let settings = gather(&Global::default(), &variables, folder.path()).unwrap();
        assert_eq!(settings.suffixes.vault, ".vault.vaults.example");
        assert!(settings.credentials.is_none());
    }

    #[test]
    fn credentials_for_azure_are_not_sent_to_the_server_of_a_connection_file() {
        let azure = [("AZURE_CLIENT_ID", "cloud"), ("AZURE_CLIENT_SECRET", "x"), ("AZURE_TENANT_ID", "cloud")];
        let with_file = folder(Some(FILE));
        let settings = gather(&Global::default(), &azure, with_file.path()).unwrap();
        assert_eq!(settings.credentials.unwrap().client_id, "app");
        assert_eq!(settings.tenant.as_deref(), Some("t"));

        let without = folder(None);
        let global = Global { ca_file: Some("/ca.pem".into()), ..Global::default() };
        let settings = gather(&global, &azure, without.path()).unwrap();
        assert_eq!(settings.credentials.unwrap().client_id, "cloud");
    }

    #[test]
    fn an_id_without_its_secret_is_an_error_at_once() {
        let folder = folder(Some(FILE));
        let result = gather(&Global::default(), &[("STRONGROOM_CLIENT_ID", "me")], folder.path());
        assert!(result.is_err_and(|error| error.to_string().contains("STRONGROOM_CLIENT_ID")));
    }

    #[test]
    fn a_server_or_an_authority_without_tls_is_refused() {
        let folder = folder(None);
        let plain = Global { url: Some("http://localhost:8443".into()), ..Global::default() };
        assert!(gather(&plain, &[("STRONGROOM_CA", "/ca.pem")], folder.path()).is_err());
        let variables = [("STRONGROOM_AUTHORITY", "http://login.example"), ("STRONGROOM_CA", "/ca.pem")];
        assert!(gather(&Global::default(), &variables, folder.path()).is_err());
    }
}
