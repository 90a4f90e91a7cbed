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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn project() -> Project {
        let package = |name: &str, features: Value| {
            json!({
                "name": name,
                "manifest_path": format!("/src/crates/{name}/Cargo.toml"),
                "dependencies": [{ "name": "serde", "kind": null }, { "name": "insta", "kind": "dev" }],
                "features": features,
            })
        };
        let store = package("store", json!({ "default": [], "conformance": [] }));
        let packages = [store, package("domain", json!({})), package("engine", json!({ "testkit": [] }))];
        let metadata = json!({ "workspace_root": "/src", "target_directory": "/build", "packages": packages });
        Project::from_metadata(&metadata).unwrap()
    }

    #[test]
    fn metadata_tells_manifests_dependencies_and_the_build_folder() {
        let project = project();
        assert_eq!(project.packages[0].manifest, "crates/store/Cargo.toml");
        assert_eq!(project.packages[0].dependencies, ["serde", "insta"]);
        assert_eq!(project.binary("debug"), Path::new("/build/debug/strongroom"));
    }

    #[test]
    fn tests_turn_on_the_features_made_for_tests_and_no_others() {
        assert_eq!(project().test_features(), ["--features", "store/conformance,engine/testkit"]);
    }

    #[test]
    fn metadata_of_another_shape_is_no_project() {
        assert!(Project::from_metadata(&json!({ "packages": [] })).is_none());
    }
}
