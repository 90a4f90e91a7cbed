//! API versions: which are known, and what differs between them.
//!
//! Contract: key-vault §0, "API versions to accept", and §4.2.

use super::{error::Problem, route::Route};
use domain::PermissionModel;

/// A known `api-version` of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiVersion(String);

/// Stable versions of Microsoft.KeyVault, newest first.
pub(crate) const KEY_VAULT: [&str; 14] = [
    "2026-05-15",
    "2026-04-01",
    "2026-02-01",
    "2025-05-01",
    "2024-11-01",
    "2023-07-01",
    "2023-02-01",
    "2022-11-01",
    "2022-07-01",
    "2021-10-01",
    "2019-09-01",
    "2018-02-14",
    "2016-10-01",
    "2015-06-01",
];
/// Previews are named as a range in the contract.
const OLDEST_PREVIEW: &str = "2020-04-01";
const NEWEST: &str = "2026-05-15";
const RBAC_BY_DEFAULT_SINCE: &str = "2026-02-01";
/// The last version that could create a vault without soft delete.
const NO_SOFT_DELETE_UNTIL: &str = "2018-02-14";

impl ApiVersion {
    /// # Errors
    /// `MissingApiVersionParameter`, `NoRegisteredProviderFound`, `InvalidApiVersionParameter`.
    pub(crate) fn of(route: &Route, asked: Option<&str>) -> Result<Self, Problem> {
        let asked = asked.filter(|text| !text.is_empty()).ok_or_else(Problem::version_missing)?;
        let Some((date, preview)) = split(asked) else {
            return Err(Problem::version_malformed(asked));
        };
        let known = match preview {
            _ if !route.is_key_vault() => true,
            false => KEY_VAULT.contains(&date),
            true => (OLDEST_PREVIEW..=NEWEST).contains(&date),
        };
        if known { Ok(Self(asked.to_owned())) } else { Err(Problem::version_unknown(asked)) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn date(&self) -> &str {
        self.0.get(..10).unwrap_or_default()
    }

    /// What a new vault gets when the request says nothing about its permission model.
    pub(crate) fn default_permission_model(&self) -> PermissionModel {
        if self.date() >= RBAC_BY_DEFAULT_SINCE { PermissionModel::Rbac } else { PermissionModel::AccessPolicies }
    }

    /// Whether a new vault may go without soft delete.
    pub(crate) fn allows_no_soft_delete(&self) -> bool {
        self.date() <= NO_SOFT_DELETE_UNTIL
    }
}

/// The date, and whether something like `-preview` follows it.
fn split(text: &str) -> Option<(&str, bool)> {
    let (date, rest) = text.split_at_checked(10)?;
    let is_date = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let suffix = rest.strip_prefix('-');
    let is_suffix = suffix
        .is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
    (is_date && (rest.is_empty() || is_suffix)).then_some((date, !rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ContainerKind;

    fn vaults() -> Route {
        Route::CheckName { subscription: domain::Guid::from_u128(1), kind: ContainerKind::Vault }
    }

    #[test]
    fn known_versions_pass_and_unknown_ones_say_so() {
        for version in KEY_VAULT.iter().chain(&["2020-04-01-preview", "2026-05-15-preview"]) {
            assert!(ApiVersion::of(&vaults(), Some(version)).is_ok(), "{version}");
        }
        let code = |version| ApiVersion::of(&vaults(), version).map_err(|problem| problem.code);
        assert_eq!(code(None), Err("MissingApiVersionParameter"));
        assert_eq!(code(Some("")), Err("MissingApiVersionParameter"));
        assert_eq!(code(Some("2030-01-01")), Err("NoRegisteredProviderFound"));
        assert_eq!(code(Some("7.4")), Err("InvalidApiVersionParameter"));
        assert_eq!(code(Some("2026-05-1é")), Err("InvalidApiVersionParameter"));
        assert!(ApiVersion::of(&Route::Tenants, Some("2022-12-01")).is_ok());
    }

    #[test]
    fn the_permission_model_flips_with_2026_02_01() {
        let model = |version| ApiVersion::of(&vaults(), Some(version)).map(|known| known.default_permission_model());
        assert_eq!(model("2025-05-01").ok(), Some(PermissionModel::AccessPolicies));
        assert_eq!(model("2026-02-01").ok(), Some(PermissionModel::Rbac));
    }

    #[test]
    fn only_old_versions_make_vaults_without_soft_delete() {
        let allows = |version| ApiVersion::of(&vaults(), Some(version)).map(|known| known.allows_no_soft_delete());
        assert_eq!(allows("2018-02-14").ok(), Some(true));
        assert_eq!(allows("2019-09-01").ok(), Some(false));
    }
}
