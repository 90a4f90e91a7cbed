//! The workspace as cargo describes it.

use crate::command::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Features that only tests need: suites shared between the implementations of a port.
const TEST_FEATURES: [&str; 2] = ["conformance", "testkit"];

pub struct Project {
    pub root: PathBuf,
    /// Where cargo builds; `CARGO_TARGET_DIR` may have moved it.
    target: PathBuf,
    pub packages: Vec<Package>,
}

pub struct Package {
    pub name: String,
    /// Its manifest, relative to the root.
    pub manifest: String,
    pub dependencies: Vec<String>,
    pub features: Vec<String>,
}

impl Project {
    pub fn load() -> Result<Self, String> {
        let text = Command::cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]).output()?;
        let metadata = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        Self::from_metadata(&metadata).ok_or_else(|| "cargo metadata has an unknown shape".to_owned())
    }

    fn from_metadata(metadata: &Value) -> Option<Self> {
        let root = PathBuf::from(metadata["workspace_root"].as_str()?);
        let target = PathBuf::from(metadata["target_directory"].as_str()?);
        let packages = metadata["packages"].as_array()?.iter().map(|package| Package::from_metadata(package, &root));
        Some(Self { packages: packages.collect::<Option<_>>()?, root, target })
    }

    /// The `strongroom` binary of a profile.
    pub fn binary(&self, profile: &str) -> PathBuf {
        self.target.join(profile).join("strongroom")
    }

    /// Arguments that turn on every test-only feature there is.
    pub fn test_features(&self) -> Vec<String> {
        let features: Vec<String> = self
            .packages
            .iter()
            .flat_map(|package| package.features.iter().map(move |feature| (package, feature)))
            .filter(|(_, feature)| TEST_FEATURES.contains(&feature.as_str()))
            .map(|(package, feature)| format!("{}/{feature}", package.name))
            .collect();
        if features.is_empty() { Vec::new() } else { vec!["--features".to_owned(), features.join(",")] }
    }
}

impl Package {
    fn from_metadata(package: &Value, root: &Path) -> Option<Self> {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let names = package["dependencies"].as_array()?.iter().map(|dependency| dependency["name"].as_str());
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            manifest: manifest.strip_prefix(root).ok()?.to_str()?.to_owned(),
            dependencies: names.map(|name| name.map(str::to_owned)).collect::<Option<_>>()?,
            features: package["features"].as_object()?.keys().cloned().collect(),
        })
    }
}
