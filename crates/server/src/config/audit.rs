//! `[audit]`: how the audit log is kept, and where it is handed on to.

use crate::audit::Syslog;
use serde::Deserialize;
use std::path::PathBuf;

/// For ever, and to nobody, where nothing else is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// How many days a record is kept.
    pub retention_days: Option<RetentionDays>,
    /// A file that each record is appended to.
    pub export_file: Option<PathBuf>,
    /// A syslog that each record is sent to.
    pub syslog: Option<Syslog>,
}

/// A checked number of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct RetentionDays(pub u32);

impl TryFrom<u32> for RetentionDays {
    type Error = String;

    fn try_from(days: u32) -> Result<Self, String> {
        (1..=36_500).contains(&days).then_some(Self(days)).ok_or("expected 1 to 36500 days".to_owned())
    }
}
