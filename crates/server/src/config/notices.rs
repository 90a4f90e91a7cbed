//! `[notices]`: where notices may be sent, and whom to believe there.

use crate::notices::ReceiverHost;
use serde::Deserialize;
use std::path::PathBuf;

/// To any host that the system's certificate authorities vouch for, where nothing else is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoticesConfig {
    /// Certificate authorities that count beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The hosts that notices may be sent to; all of them without it, none if it is empty.
    pub receivers: Option<Vec<ReceiverHost>>,
}
