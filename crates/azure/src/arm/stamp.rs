//! The headers that every answer of the resource manager carries (contract: key-vault §1.2).

use crate::{Request, Response, reply};
use domain::UnixTime;
use http::{HeaderName, header};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");
const ROUTING_ID: HeaderName = HeaderName::from_static("x-ms-routing-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// What of a request its answer's headers repeat.
pub(crate) struct Stamp {
    id: String,
    correlation_id: Option<String>,
    client_request_id: Option<String>,
}

impl Stamp {
    pub(crate) fn of(request: &Request) -> Self {
        let header = |name: HeaderName| request.header(name.as_str()).map(str::to_owned);
        Self {
            id: request.id.to_string(),
            correlation_id: header(CORRELATION_ID),
            client_request_id: header(CLIENT_REQUEST_ID),
        }
    }

    pub(crate) fn put(&self, response: &mut Response, now: UnixTime) {
        let compact = now.to_string().replace(['-', ':'], "");
        reply::set(response, REQUEST_ID, &self.id);
        reply::set(response, CORRELATION_ID, self.correlation_id.as_ref().unwrap_or(&self.id));
        reply::set(response, ROUTING_ID, &format!("STRONGROOM:{compact}:{}", self.id));
        if let Some(id) = &self.client_request_id {
            reply::set(response, CLIENT_REQUEST_ID, id);
        }
        reply::set(response, header::CACHE_CONTROL, "no-cache");
        reply::set(response, header::PRAGMA, "no-cache");
        reply::set(response, header::EXPIRES, "-1");
        reply::set(response, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
        reply::set(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    }
}
