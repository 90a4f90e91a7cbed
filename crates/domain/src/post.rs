//! Posts: what somebody has to be left to hold, as nobody could ever let anybody in again.

use crate::{ContainerName, access::Scope};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    /// Global Administrator.
    Directory,
    /// Owner or User Access Administrator of everything, or of a subscription.
    ControlPlane { scope: Scope },
    /// Administrator of a managed HSM.
    ManagedHsm { hsm: ContainerName },
}

impl fmt::Display for Post {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => write!(formatter, "the directory"),
            Self::ControlPlane { scope } => write!(formatter, "the control plane at '{}'", scope.as_str()),
            Self::ManagedHsm { hsm } => write!(formatter, "the managed HSM '{hsm}'"),
        }
    }
}

/// How well a post is held, from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    ByNobody,
    /// By an id that the directory does not know. An external issuer may vouch for it, or it is left over.
    ByStranger,
    /// By somebody in the directory who can sign in.
    BySomebody,
}
