//! The real clients: what they need on this machine, and their tests.
//!
//! Everything lives under `target/`, made from the requirement files in `tests/clients`. Each environment keeps a copy
//! of the files it was made from; as long as they are equal, nothing is done.

use crate::{Outcome, command::Command, project::Project};
use std::{
    fs,
    path::{Path, PathBuf},
};

const STAMP: &str = "made-from";

const ENVIRONMENTS: [Environment; 3] = [
    Environment { folder: "venv", sources: &["requirements.txt"], make: make_venv },
    Environment { folder: "venv-az", sources: &["requirements-az.txt"], make: make_venv },
    Environment { folder: "npm", sources: &["package.json", "package-lock.json"], make: make_npm },
];

/// Makes what is missing or out of date.
pub fn prepare(project: &Project) -> Outcome {
    install_programs()?;
    ENVIRONMENTS.iter().try_for_each(|environment| environment.bring_up_to_date(project))
}

/// Runs them with pytest; `rest` are more arguments for it.
pub fn test(project: &Project, rest: &[&str]) -> Outcome {
    let target = project.root.join("target");
    Command::new(target.join("venv/bin/python"), &["-m", "pytest", "tests/clients"])
        .args(rest)
        .folder(&project.root)
        .env("STRONGROOM_BIN", project.binary("debug"))
        .env("AZ", target.join("venv-az/bin/az"))
        .env("NODE_PATH", target.join("npm/node_modules"))
        .env("NODE_OPTIONS", node_options(&Command::new("node", &["--version"]).output()?))
        .run()
}

/// Node 18, Debian 12's, hides the Web Crypto API that the SDKs use behind a flag.
fn node_options(version: &str) -> &'static str {
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < 19) { "--experimental-global-webcrypto" } else { "" }
}

/// An installed set of clients, reproducible from files.
struct Environment {
    folder: &'static str,
    /// The files in `tests/clients` it is made from.
    sources: &'static [&'static str],
    make: fn(folder: &Path, sources: &[PathBuf]) -> Outcome,
}

impl Environment {
    fn bring_up_to_date(&self, project: &Project) -> Outcome {
        let folder = project.root.join("target").join(self.folder);
        let sources: Vec<PathBuf> =
            self.sources.iter().map(|source| project.root.join("tests/clients").join(source)).collect();
        let wanted = sources.iter().map(|source| read(source)).collect::<Result<String, _>>()?;
        let stamp = folder.join(STAMP);
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        println!("    making target/{} from {}", self.folder, self.sources.join(" and "));
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        (self.make)(&folder, &sources)?;
        fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn make_venv(folder: &Path, sources: &[PathBuf]) -> Outcome {
    Command::new("python3", &["-m", "venv"]).arg(folder).run()?;
    for source in sources {
        let pip = Command::new(folder.join("bin/pip"), &["install", "--quiet", "--disable-pip-version-check"]);
        pip.args(&["--requirement"]).arg(source).run()?;
    }
    Ok(())
}

fn make_npm(folder: &Path, sources: &[PathBuf]) -> Outcome {
    for source in sources {
        let name = source.file_name().ok_or_else(|| format!("{}: not a file", source.display()))?;
        fs::copy(source, folder.join(name)).map_err(|error| format!("{}: {error}", source.display()))?;
    }
    Command::new("npm", &["ci", "--no-audit", "--no-fund", "--loglevel=error"]).folder(folder).run()
}

/// Debian's package names of the programs that are absent here.
fn missing_packages() -> Vec<&'static str> {
    let probes: [(&str, &[&str], &str); 4] = [
        ("python3", &["-c", "import ensurepip, venv"], "python3-venv"),
        ("node", &["--version"], "nodejs"),
        ("npm", &["--version"], "npm"),
        ("openssl", &["version"], "openssl"),
    ];
    let absent = probes.into_iter().filter(|(program, arguments, _)| !Command::new(program, arguments).succeeds());
    absent.map(|(_, _, package)| package).collect()
}

fn install_programs() -> Outcome {
    let missing = missing_packages();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = missing.join(" ");
    println!("    installing {wanted}");
    let is_root = Command::new("id", &["-u"]).output().is_ok_and(|id| id.trim() == "0");
    if !is_root && !Command::new("sudo", &["-n", "true"]).succeeds() {
        return Err(format!(
            "these Debian packages are needed, and only root can install them: apt-get install {wanted}"
        ));
    }
    let apt = |arguments: &[&str]| {
        let prefix: &[&str] = if is_root { &[] } else { &["sudo"] };
        let line = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"], arguments].concat();
        let (program, rest) = line.split_first().ok_or("no program")?;
        Command::new(program, rest).run()
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_crypto_is_turned_on_where_node_hides_it() {
        assert_eq!(node_options("v18.20.4\n"), "--experimental-global-webcrypto");
        assert_eq!(node_options("v20.20.2\n"), "");
    }

    #[test]
    fn every_environment_is_made_from_files_that_exist() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients");
        for environment in ENVIRONMENTS {
            assert!(!environment.sources.is_empty());
            assert!(environment.sources.iter().all(|source| folder.join(source).is_file()), "{}", environment.folder);
        }
    }
}
