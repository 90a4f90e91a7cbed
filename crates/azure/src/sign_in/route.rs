//! From a path to what it asks for.

use super::{bare_host, managed_identity::Style};
use crate::Request;
use http::Method;
use identity::Dialect;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'request> {
    Configuration {
        tenant: &'request str,
        dialect: Dialect,
    },
    Keys {
        tenant: &'request str,
    },
    /// Instance discovery: which hosts are one authority.
    Instance,
    Token {
        tenant: &'request str,
        dialect: Dialect,
    },
    /// The beginnings of ways for users to sign in.
    UserFlow,
    /// The managed-identity endpoint.
    Machine(Style),
    /// A path under Graph's version.
    Graph(Vec<&'request str>),
}

impl<'request> Route<'request> {
    /// Contract: az-client §1 C, §2. `domain` is the installation's own.
    pub(super) fn of(request: &'request Request, domain: &str) -> Option<Self> {
        let path = request.segments();
        match *path.as_slice() {
            ["metadata", "identity", "oauth2", "token"] => return Some(Self::Machine(Style::VirtualMachine)),
            ["msi", "token"] => return Some(Self::Machine(Style::AppService)),
            ["v1.0" | "beta", ref rest @ ..] => return Some(Self::Graph(rest.to_vec())),
            _ if is_graph_host(bare_host(&request.host), domain) => return Some(Self::Graph(path)),
            _ => {}
        }
        let (tenant, rest) = path.split_first()?;
        let dialect = |version: Dialect| if tenant.eq_ignore_ascii_case("adfs") { Dialect::AdFs } else { version };
        match *rest {
            [".well-known", "openid-configuration"] => {
                Some(Self::Configuration { tenant, dialect: dialect(Dialect::V1) })
            }
            ["v2.0", ".well-known", "openid-configuration"] => {
                Some(Self::Configuration { tenant, dialect: dialect(Dialect::V2) })
            }
            // Clients that are given both an AD FS authority and a tenant write one behind the other.
            [_, ".well-known", "openid-configuration"] if tenant.eq_ignore_ascii_case("adfs") => {
                Some(Self::Configuration { tenant, dialect: Dialect::AdFs })
            }
            ["discovery", "instance"] => Some(Self::Instance),
            ["discovery", "keys"] | ["discovery", "v2.0", "keys"] => Some(Self::Keys { tenant }),
            ["oauth2", "token"] => Some(Self::Token { tenant, dialect: dialect(Dialect::V1) }),
            ["oauth2", "v2.0", "token"] => Some(Self::Token { tenant, dialect: dialect(Dialect::V2) }),
            ["oauth2", "authorize" | "devicecode"] | ["oauth2", "v2.0", "authorize" | "devicecode"] => {
                Some(Self::UserFlow)
            }
            _ => None,
        }
    }

    /// The one method it takes, if it takes only one.
    pub(super) fn only_method(&self) -> Option<Method> {
        match self {
            Self::Configuration { .. } | Self::Keys { .. } | Self::Instance | Self::Machine(_) => Some(Method::GET),
            Self::Token { .. } => Some(Method::POST),
            Self::UserFlow | Self::Graph(_) => None,
        }
    }
}

fn is_graph_host(host: &str, domain: &str) -> bool {
    host == "graph.microsoft.com" || host.strip_prefix("graph.") == Some(domain)
}
