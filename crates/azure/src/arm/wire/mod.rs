//! Bodies of the resource manager, with the wire's own names.

pub(crate) mod container;
pub(crate) mod definitions;
pub(crate) mod directory;
pub(crate) mod locks;
pub(crate) mod network;
pub(crate) mod notices;
pub(crate) mod read;
pub(crate) mod roles;
pub(crate) mod usage;
