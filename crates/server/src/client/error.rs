//! What can go wrong in the client, and the exit code a script sees.

use serde_json::Value;

/// A failure of one command line.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The command line is not one that can be carried out.
    #[error("{0}")]
    Usage(String),
    /// What the command names does not exist, as this side found out.
    #[error("{0}")]
    NotFound(String),
    /// Something on this machine, or between it and the server.
    #[error("{0}")]
    Local(String),
    /// The server said no.
    #[error("{0}")]
    Service(Refused),
}

/// An error answer of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The error code; empty if the answer had none.
    pub code: String,
    /// The message.
    pub message: String,
    /// Inner errors from the outermost inwards, each ready to be shown.
    pub inner: Vec<String>,
}

impl ClientError {
    /// The exit code: az's where az has one.
    pub fn exit_code(&self) -> u8 {
        match self {
            ClientError::Usage(_) => 2,
            ClientError::NotFound(_) => 3,
            ClientError::Service(refused) if refused.status == 404 => 3,
            ClientError::Local(_) | ClientError::Service(_) => 1,
        }
    }

    /// The lines for standard error, the first one without its `ERROR: `.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.to_string()];
        if let ClientError::Service(refused) = self {
            lines.extend(refused.inner.iter().map(|inner| format!("Inner error: {inner}")));
        }
        lines
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code.as_str() {
            "" => write!(out, "{}", self.message),
            code => write!(out, "({code}) {}", self.message),
        }
    }
}

impl Refused {
    /// Reads an error answer of the data plane, of ARM or of the token endpoint.
    pub fn read(status: u16, body: &[u8]) -> Refused {
        let Ok(answer) = serde_json::from_slice::<Value>(body) else {
            return Refused { status, code: String::new(), message: plain(status, body), inner: vec![] };
        };
        let error = &answer["error"];
        let text = |value: &Value| value.as_str().unwrap_or_default().trim_end().to_owned();
        if let Some(code) = error.as_str() {
            // The token endpoint's shape: `error` is the code itself.
            return Refused {
                status,
                code: code.to_owned(),
                message: text(&answer["error_description"]),
                inner: vec![],
            };
        }
        let (code, mut message) = (text(&error["code"]), text(&error["message"]));
        if code.is_empty() && message.is_empty() {
            message = plain(status, b"");
        }
        Refused { status, code, message, inner: inner_errors(error) }
    }
}

/// The message of an answer that is not in any of the known shapes: its one line of text, if it is that.
fn plain(status: u16, body: &[u8]) -> String {
    match std::str::from_utf8(body).map(str::trim) {
        Ok(text) if !text.is_empty() && text.len() < 200 && !text.contains(['<', '\n']) => text.to_owned(),
        _ => format!("The server answered HTTP {status} without a reason."),
    }
}

fn inner_errors(error: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = &error["innererror"];
    while next.is_object() {
        match (next["code"].as_str(), next["message"].as_str()) {
            (Some(code), Some(message)) => found.push(format!("({code}) {message}")),
            (Some(one), None) | (None, Some(one)) => found.push(one.to_owned()),
            (None, None) => {}
        }
        next = &next["innererror"];
    }
    found
}

/// Makes an error of this machine out of what was tried and what came of it.
pub fn local(tried: impl std::fmt::Display, outcome: impl std::fmt::Display) -> ClientError {
    ClientError::Local(format!("{tried}: {outcome}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_with_an_inner_code_reads_as_two_lines() {
        let body = br#"{"error":{"code":"Conflict","message":"Key k is deleted.","innererror":{"code":"ObjectIsDeletedButRecoverable"}}}"#;
        let error = ClientError::Service(Refused::read(409, body));
        assert_eq!(error.lines(), ["(Conflict) Key k is deleted.", "Inner error: ObjectIsDeletedButRecoverable"]);
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn a_404_of_any_code_exits_with_3() {
        let error = ClientError::Service(Refused::read(404, br#"{"error":{"code":"KeyNotFound","message":"none"}}"#));
        assert_eq!((error.to_string().as_str(), error.exit_code()), ("(KeyNotFound) none", 3));
    }

    #[test]
    fn the_token_endpoint_has_its_own_shape() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000215: Wrong secret.\r\n"}"#;
        assert_eq!(Refused::read(401, body).to_string(), "(invalid_client) AADSTS7000215: Wrong secret.");
    }

    #[test]
    fn an_answer_that_is_no_json_still_gives_a_sentence() {
        assert_eq!(Refused::read(400, b"The clock moves forward.\n").to_string(), "The clock moves forward.");
        assert_eq!(Refused::read(502, b"<html>").to_string(), "The server answered HTTP 502 without a reason.");
    }

    #[test]
    fn inner_errors_may_nest() {
        let body = br#"{"error":{"code":"A","message":"m","innererror":{"code":"B","message":"n","innererror":{"code":"C"}}}}"#;
        assert_eq!(Refused::read(403, body).inner, ["(B) n", "C"]);
    }
}
