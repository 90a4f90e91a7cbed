//! One call without a token, to a path of the server itself: what `strongroom clock` needs.

use super::{
    grammar::Global,
    http::{Network, Request, Wire as _},
    settings::Settings,
};
use crate::Failure;
use std::path::Path;

/// Returns the text of the answer.
///
/// # Errors
/// The server can't be reached, or its answer is no success: then its text, with the status.
pub fn plain_call(global: &Global, method: &'static str, path: &str, body: Option<String>) -> Result<String, Failure> {
    let settings = Settings::gather(global, &|name| std::env::var(name).ok(), Path::new("."))?;
    let request = Request {
        method,
        url: format!("{}{path}", settings.base),
        token: None,
        body: body.map(|body| ("application/json", body.into_bytes().into())),
    };
    let answer = Network::new(&settings)?.exchange(&request)?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if (200..300).contains(&answer.status) {
        return Ok(text);
    }
    Err(format!("{}: {}", answer.status, text.trim_end()).into())
}
