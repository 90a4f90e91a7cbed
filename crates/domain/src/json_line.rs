//! One JSON object in one line, written straight down: for the record and the answer of every use of a key. It is what
//! serde writes, but it looks at a text's characters many at a time, and at none of those that can't need an escape.

use crate::{
    Guid,
    plain_text::{push_address, push_number},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    fmt::{Display, Write as _},
    net::IpAddr,
};

/// An object to which members are added in their order. Names have nothing in them to be escaped. Without `Debug`: a value
/// may be what was decrypted.
pub struct JsonLine(String);

impl JsonLine {
    /// An object without members yet, with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self(text)
    }

    /// The whole object.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    /// Begins an object inside: what follows are its members, until [`JsonLine::close`].
    pub(crate) fn open(&mut self, name: &str) {
        self.name(name);
        self.0.push('{');
    }

    pub(crate) fn close(&mut self) {
        self.0.push('}');
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        push_number(&mut self.0, value);
    }

    /// A text that has nothing in it to be escaped.
    pub fn word(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push('"');
        self.0.push_str(value);
        self.0.push('"');
    }

    /// The same of something that writes itself.
    pub(crate) fn display(&mut self, name: &str, value: impl Display) {
        self.name(name);
        // A string takes whatever is written to it.
        let _ = write!(self.0, "\"{value}\"");
    }

    pub(crate) fn address(&mut self, name: &str, address: IpAddr) {
        self.name(name);
        self.0.push('"');
        push_address(&mut self.0, address);
        self.0.push('"');
    }

    pub(crate) fn guid(&mut self, name: &str, guid: Guid) {
        self.word(name, guid.as_text(&mut [0; Guid::TEXT_LENGTH]));
    }

    /// Bytes as base64url without padding.
    pub fn base64url(&mut self, name: &str, bytes: &[u8]) {
        self.name(name);
        self.0.push('"');
        URL_SAFE_NO_PAD.encode_string(bytes, &mut self.0);
        self.0.push('"');
    }

    /// Any text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push('"');
        if is_plain(value.as_bytes()) {
            self.0.push_str(value);
        } else {
            value.chars().for_each(|character| self.escaped(character));
        }
        self.0.push('"');
    }

    /// RFC 8259 §7: what has a short form is written in it.
    fn escaped(&mut self, character: char) {
        match character {
            '"' | '\\' => self.0.extend(['\\', character]),
            '\u{8}' => self.0.push_str("\\b"),
            '\t' => self.0.push_str("\\t"),
            '\n' => self.0.push_str("\\n"),
            '\u{c}' => self.0.push_str("\\f"),
            '\r' => self.0.push_str("\\r"),
            '\0'..' ' => drop(write!(self.0, "\\u{:04x}", u32::from(character))),
            _ => self.0.push(character),
        }
    }
}

/// Whether nothing in a text has to be escaped.
fn is_plain(text: &[u8]) -> bool {
    // No end before the last byte, so that it is many bytes at a time.
    fn all(bytes: &[u8]) -> bool {
        let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        bytes.iter().fold(0, |special, byte| special | u8::from(is_special(*byte))) == 0
    }
    let (pieces, rest) = text.as_chunks::<16>();
    // What is left over is looked at together with what comes before it.
    pieces.iter().all(|piece| all(piece)) && text.last_chunk::<16>().map_or_else(|| all(rest), |end| all(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_escaped_as_serde_does(text in r#"[a-z]{0,40}["\\\x1f]?[a-z]{0,20}|[\x00-\x7f"\\ü🔑]{0,20}"#) {
            let mut line = JsonLine::with_capacity(0);
            line.text("a", &text);
            line.text("b", &text);
            prop_assert_eq!(line.finish(), serde_json::json!({ "a": text, "b": text }).to_string());
        }
    }

    #[test]
    fn members_stand_apart_wherever_they_are() {
        let mut line = JsonLine::with_capacity(0);
        line.open("a");
        line.number("b", 1);
        line.word("c", "d");
        line.close();
        line.open("e");
        line.close();
        line.base64url("f", &[0xff; 4]);
        assert_eq!(line.finish(), r#"{"a":{"b":1,"c":"d"},"e":{},"f":"_____w"}"#);
    }
}
