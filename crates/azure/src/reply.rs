//! Building responses.

use crate::Response;
use bytes::Bytes;
use engine::Ending;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

const MOST_HEADERS: usize = 12;
/// Of an answer about one object.
const USUAL_BYTES: usize = 640;

/// The documents' content type includes the charset.
const JSON: &str = "application/json; charset=utf-8";

/// A JSON response.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => with_type(status, JSON, bytes.into()),
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The same of what is JSON already.
pub(crate) fn json_text(status: StatusCode, body: String) -> Response {
    with_type(status, JSON, body.into())
}

pub(crate) fn with_type(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    // Room for all that a front puts on its answers: a map that grows allocates twice over.
    *response.headers_mut() = HeaderMap::with_capacity(MOST_HEADERS);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// Adds a header; a value that is no header value is left out.
pub(crate) fn set<V>(response: &mut Response, name: HeaderName, value: V)
where
    HeaderValue: TryFrom<V>,
{
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The error shape of data plane and resource manager alike (contract: key-vault §1.3).
#[derive(Serialize)]
pub(crate) struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Serialize)]
pub(crate) struct ErrorDetail {
    pub code: &'static str,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub innererror: Option<InnerError>,
}

#[derive(Serialize)]
pub(crate) struct InnerError {
    pub code: &'static str,
}

/// The error that an answer tells of, for those whom the answer passes on its way: the inner code where it has one.
#[derive(Clone, Copy, Debug)]
struct ErrorCode(&'static str);

pub(crate) fn error(
    status: StatusCode,
    code: &'static str,
    inner: Option<&'static str>,
    message: impl Into<String>,
) -> Response {
    let innererror = inner.map(|code| InnerError { code });
    let mut response = json(status, &ErrorBody { error: ErrorDetail { code, message: message.into(), innererror } });
    response.extensions_mut().insert(ErrorCode(inner.unwrap_or(code)));
    response
}

/// How an answer ends its request, for the audit log.
pub(crate) fn ending(response: &Response) -> Ending<'_> {
    let status = response.status();
    let told = response.extensions().get::<ErrorCode>().map(|code| code.0);
    // A challenge or a redirection has no code of its own.
    let reason = || status.canonical_reason().unwrap_or("Failure");
    let code = if status.is_success() { None } else { Some(told.unwrap_or_else(reason)) };
    Ending { status: status.as_u16(), code }
}
