//! Versions of the data plane's API.

/// Every version we answer, oldest first (contract: key-vault §0, "API versions to accept").
const ACCEPTED: [&str; 22] = [
    "2015-06-01",
    "2016-10-01",
    "7.0",
    "7.1",
    "7.2-preview",
    "7.2",
    "7.3-preview",
    "7.3",
    "7.4-preview.1",
    "7.4",
    "7.5-preview.1",
    "7.5",
    "7.6-preview.1",
    "7.6-preview.2",
    "7.6",
    "2025-06-01-preview",
    "2025-07-01",
    "2026-01-01-preview",
    "2026-03-01-preview",
    "2026-04-01",
    "2026-05-01-preview",
    "2026-07-01-preview",
];

/// An accepted version. A later one compares greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ApiVersion(usize);

impl ApiVersion {
    /// `7.3-preview`: attributes show `exportable` even when false (contract: key-vault §3.7, "Attributes").
    pub(super) const SHOWS_EXPORTABLE: Self = Self(6);
    /// `7.5-preview.1`: attributes show `hsmPlatform` (contract: key-vault §3.7, "Attributes").
    pub(super) const SHOWS_HSM_PLATFORM: Self = Self(10);
    /// `2026-01-01-preview`: attributes of oct keys show `key_size` (contract: key-vault §3.7, "Attributes").
    pub(super) const SHOWS_KEY_SIZE: Self = Self(17);

    /// `2025-07-01`: secrets of certificates show `previousVersion` (contract: key-vault §3.7, "Secrets").
    pub(super) const SHOWS_PREVIOUS_VERSION: Self = Self(16);

    /// `2025-06-01-preview`: policies show URIs and addresses among the names (contract: key-vault §3.9).
    pub(super) const SHOWS_ALL_NAMES: Self = Self(15);
    /// `7.6-preview.2`: certificates show `preserveCertOrder` (contract: key-vault §3.9).
    pub(super) const SHOWS_CERTIFICATE_ORDER: Self = Self(13);

    /// `None` for a version that we do not answer. Case does not matter.
    pub(super) fn parse(text: &str) -> Option<Self> {
        ACCEPTED.iter().position(|accepted| accepted.eq_ignore_ascii_case(text)).map(Self)
    }

    pub(super) fn as_str(self) -> &'static str {
        ACCEPTED.get(self.0).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_begin_with_the_documented_versions() {
        assert_eq!(ApiVersion::SHOWS_EXPORTABLE.as_str(), "7.3-preview");
        assert_eq!(ApiVersion::SHOWS_HSM_PLATFORM.as_str(), "7.5-preview.1");
        assert_eq!(ApiVersion::SHOWS_KEY_SIZE.as_str(), "2026-01-01-preview");
        assert_eq!(ApiVersion::SHOWS_PREVIOUS_VERSION.as_str(), "2025-07-01");
        assert_eq!(ApiVersion::SHOWS_ALL_NAMES.as_str(), "2025-06-01-preview");
        assert_eq!(ApiVersion::SHOWS_CERTIFICATE_ORDER.as_str(), "7.6-preview.2");
    }

    #[test]
    fn unknown_versions_are_none() {
        assert!(ApiVersion::parse("7.6-preview.2").is_some());
        for unknown in ["", "7", "7.7", "2026-12-31", "latest"] {
            assert_eq!(ApiVersion::parse(unknown), None, "{unknown:?}");
        }
    }
}
