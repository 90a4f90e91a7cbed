//! The price table of a development server.

use crate::Failure;
use domain::metering::Prices;
use std::{fs, path::Path};

const SAMPLE: &str = include_str!("../../dev.prices.toml");

/// Reads the price table in a file, or the sample.
pub fn load(path: Option<&Path>) -> Result<Prices, Failure> {
    let Some(path) = path else { return Ok(toml::from_str(SAMPLE)?) };
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::metering::Money;

    #[test]
    fn the_sample_prices_everything() {
        let prices = load(None).unwrap();
        assert!(prices.operations_per_10000.is_some() && prices.hsm_key_version_per_month.is_some());
        assert_eq!(prices.managed_hsm_hour("Standard_B1"), Money::parse("3.20"));
    }

    #[test]
    fn a_mistake_in_a_file_is_named_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.toml");
        fs::write(&path, "currency = \"EUR\"\noperations_per_10000 = \"0.05\"\n").unwrap();
        assert_eq!(load(Some(&path)).unwrap().currency.as_str(), "EUR");
        fs::write(&path, "operations = \"0.05\"\n").unwrap();
        for path in [path, folder.path().join("missing.toml")] {
            let error = load(Some(&path)).unwrap_err().to_string();
            assert!(error.starts_with(&path.display().to_string()), "{error}");
        }
    }
}
