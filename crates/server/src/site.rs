//! One address for everything: which front a request goes to, by host name and path.

use crate::{
    dev::DevControl,
    metrics::{self, Exposition},
    net::LargeBody,
};
use azure::{Addresses, Arm, DataPlane, Request, Response, SignIn};
use bytes::Bytes;
use domain::ContainerKind;
use engine::Door;
use http::StatusCode;
use std::{net::IpAddr, sync::Arc};

/// The fronts of an installation.
pub struct Site {
    pub door: Door,
    pub addresses: Arc<Addresses>,
    pub data_plane: DataPlane,
    pub arm: Arm,
    pub sign_in: SignIn,
    /// What a data-plane path on the bare host means, so that `--id https://localhost:8443/keys/k` needs no DNS.
    pub default_container: Option<(ContainerKind, String)>,
    /// The movable clock, in development mode only.
    pub dev: Option<DevControl>,
    /// In development mode they are served here; production has a port for them.
    pub metrics: Exposition,
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
enum Destination<'site> {
    Container(ContainerKind, &'site str),
    Arm,
    SignIn,
    Dev,
    Metrics,
    Health,
    /// A data-plane path on the bare host, and no container to serve it.
    NoDefaultContainer,
    Nowhere,
}

/// First segments that only the data plane has.
const DATA_PLANE: [&str; 13] = [
    "keys",
    "deletedkeys",
    "secrets",
    "deletedsecrets",
    "certificates",
    "deletedcertificates",
    "rng",
    "securitydomain",
    "settings",
    "backup",
    "restore",
    "ekm",
    "prebackup",
];
/// First segments of the resource manager.
const ARM: [&str; 5] = ["subscriptions", "tenants", "providers", "resources", "resourcegroups"];
/// How clients on the same machine write the installation itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// Hosts, bare of port, whose whole business is sign-in or the directory.
const SIGN_IN_HOSTS: [&str; 4] =
    ["login.microsoftonline.com", "login.windows.net", "sts.windows.net", "graph.microsoft.com"];

impl Site {
    /// Answers a request that came over TLS, or, for the managed-identity endpoint, without.
    pub async fn answer(&self, request: http::Request<Bytes>, address: IpAddr) -> Response {
        let id = self.door.engine().new_guid();
        let arrived = self.door.engine().elapsed();
        let Some(mut request) = Request::read(request, address, id) else {
            let message = "The request target or the Host header is malformed.";
            return azure::error_response(StatusCode::BAD_REQUEST, "BadRequest", message);
        };
        request.arrived = arrived;
        let request = Arc::new(request);
        match self.destination(&request) {
            Destination::Container(kind, name) => self.data_plane.handle(kind, name, &request).await,
            // In boxes: every request's future is moved about, and is as large as the largest of them.
            Destination::Arm => Box::pin(self.arm.handle(Arc::unwrap_or_clone(request))).await,
            Destination::SignIn => Box::pin(self.sign_in.handle(Arc::unwrap_or_clone(request))).await,
            Destination::Dev => match &self.dev {
                Some(dev) => Box::pin(dev.handle(&self.door, &request)).await,
                None => nothing("There is no development clock in production."),
            },
            Destination::Metrics => self.metrics.response(),
            Destination::Health => text(StatusCode::OK, "ok\n"),
            Destination::NoDefaultContainer => nothing(
                "This host serves no vault or managed HSM by itself: use the container's own host name, or set a default container.",
            ),
            Destination::Nowhere => nothing("Nothing answers at this address."),
        }
    }

    fn destination<'a>(&'a self, request: &'a Request) -> Destination<'a> {
        if let Some(found) = self.addresses.container(&request.host) {
            return Destination::Container(found.kind, found.name);
        }
        let host = azure::without_port(&request.host);
        let label = host.strip_suffix(self.addresses.domain.as_str()).and_then(|head| head.strip_suffix('.'));
        if SIGN_IN_HOSTS.contains(&host) || label == Some("login") {
            return Destination::SignIn;
        }
        if host == "management.azure.com" || label == Some("management") {
            return Destination::Arm;
        }
        let path = request.segments();
        let first = path.first().map(|first| first.to_ascii_lowercase());
        let second = path.get(1).copied();
        match (first.as_deref(), second) {
            (None, _) => Destination::Nowhere,
            // Asked by whatever name or address a probe has.
            (Some("health" | "ready"), None) => Destination::Health,
            // A name that is not ours, or that only looks like a container's, must not act on the default container.
            _ if !self.is_bare(host) => Destination::Nowhere,
            (Some("dev"), _) => Destination::Dev,
            _ if self.shows_metrics(request) => Destination::Metrics,
            (Some("metadata"), Some("endpoints")) => Destination::Arm,
            (Some(first), _) if ARM.contains(&first) => Destination::Arm,
            (Some(first), _) if DATA_PLANE.contains(&first) => match &self.default_container {
                Some((kind, name)) => Destination::Container(*kind, name),
                None => Destination::NoDefaultContainer,
            },
            // Everything else a client asks a bare host for begins with a tenant, or belongs to the directory.
            (Some(_), _) => Destination::SignIn,
        }
    }
}

impl Site {
    /// Whether this asks a development server for its metrics, from the same machine.
    fn shows_metrics(&self, request: &Request) -> bool {
        let is_path = request.segments() == [metrics::PATH.trim_start_matches('/')];
        self.dev.is_some() && is_path && request.method == http::Method::GET && request.address.is_loopback()
    }

    /// Whether a host, without its port, is the installation itself and no name under it.
    fn is_bare(&self, host: &str) -> bool {
        host == self.addresses.domain || LOOPBACK.contains(&host)
    }
}

/// 404, for what no front has.
fn nothing(message: &str) -> Response {
    azure::error_response(StatusCode::NOT_FOUND, "NotFound", message)
}

pub fn text(status: StatusCode, message: &'static str) -> Response {
    let mut response = http::Response::new(Bytes::from_static(message.as_bytes()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

impl crate::net::Handler for Site {
    async fn handle(&self, request: http::Request<Bytes>, peer: crate::net::Peer) -> Response {
        self.answer(request, peer.address.ip()).await
    }

    /// A backup is as large as all versions together, and has to come back. From those who may not restore it is not taken,
    /// or a few of them could take all the room that there is.
    async fn large_body(&self, head: &http::request::Parts, peer: crate::net::Peer) -> LargeBody {
        if head.method != http::Method::POST || !head.uri.path().trim_end_matches('/').ends_with("/restore") {
            return LargeBody::Refused;
        }
        let without = http::Request::from_parts(head.clone(), Bytes::new());
        let id = self.door.engine().new_guid();
        let Some(request) = Request::read(without, peer.address.ip(), id) else { return LargeBody::Refused };
        match self.destination(&request) {
            Destination::Container(kind, name) => match self.data_plane.is_allowed(kind, name, &request).await {
                true => LargeBody::Taken,
                false => LargeBody::Passed,
            },
            _ => LargeBody::Refused,
        }
    }

    fn refuse(&self, reason: crate::net::Refused) -> Response {
        use crate::net::Refused;
        let (status, code, message) = match reason {
            Refused::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The request body is too large.")
            }
            Refused::HeadersTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "RequestHeadersTooLarge",
                "The request headers are too large.",
            ),
            Refused::BadRequest => (StatusCode::BAD_REQUEST, "BadRequest", "The request is malformed."),
            Refused::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "RequestTimeout", "The request body took too long."),
            Refused::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "The request failed."),
        };
        azure::error_response(status, code, message)
    }
}
