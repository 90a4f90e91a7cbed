//! `strongroom dev`: one command, no configuration.
//!
//! State lives in a folder (or nowhere, with `--ephemeral`). The first start makes a CA, a tenant, a subscription, a
//! resource group, an administrator and one principal per built-in role, a vault and a managed HSM; later starts
//! find them again. It is for one developer's machine: it listens on loopback only, keeps the principals' secrets in
//! the folder, and has a clock that anybody on the machine can move.

mod clock;
mod connection;
mod seed;

pub use clock::DevControl;
pub use connection::Connection;

use crate::{
    net::{
        Network,
        tls::{DevCertificates, DevNames},
    },
    wiring,
};
use azure::Addresses;
use custody::RootKey;
use domain::{Activation, ContainerKind};
use engine::{HsmDefaults, MovableClock, SystemClock};
use seed::Seed;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Options of `strongroom dev`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port to listen on, on 127.0.0.1 and ::1. 0 takes any free one.
    #[arg(long, default_value_t = 8443)]
    pub port: u16,
    /// Where the state is kept.
    #[arg(long, default_value = ".strongroom")]
    pub dir: PathBuf,
    /// Keep nothing: the state goes with the process.
    #[arg(long, conflicts_with = "dir")]
    pub ephemeral: bool,
    /// Write the connection facts to this file as shell assignments, once the server is ready to answer.
    #[arg(long, value_name = "PATH")]
    pub env_file: Option<PathBuf>,
    /// The container that a data-plane path on the bare host means: `vault:NAME` or `hsm:NAME`.
    #[arg(long, value_name = "KIND:NAME", default_value = "hsm:devhsm", value_parser = container)]
    pub default_container: (ContainerKind, String),
}

fn container(text: &str) -> Result<(ContainerKind, String), String> {
    match text.split_once(':') {
        Some(("vault", name)) => Ok((ContainerKind::Vault, name.to_owned())),
        Some(("hsm", name)) => Ok((ContainerKind::ManagedHsm, name.to_owned())),
        _ => Err("write vault:NAME or hsm:NAME".to_owned()),
    }
}
