//! Entries for random input: what a receiver may answer when it is asked whether it wants to be told.

use super::{Courier, Message, Reply, agree};
use crate::Addresses;
use domain::{
    EventSubscriptionName, Guid, UnixTime,
    notice::{Endpoint, EventSubscription, NoticeRefusal, NoticeSchema},
};
use http::{HeaderMap, HeaderValue};

const DOMAIN: &str = "keys.example.com";
const CODE: Guid = Guid::from_u128(0xc0de);

/// A receiver that always answers the same.
struct Receiver<'a> {
    origin: &'a [u8],
    body: &'a [u8],
}

impl Courier for Receiver<'_> {
    fn admit(&self, _: &Endpoint) -> Result<(), NoticeRefusal> {
        Ok(())
    }

    fn carry(&self, _: &Message<'_>) -> Result<Reply, String> {
        let mut headers = HeaderMap::new();
        if let Ok(origin) = HeaderValue::from_bytes(self.origin) {
            headers.insert("webhook-allowed-origin", origin);
        }
        Ok(Reply { status: 200, headers, body: self.body.to_vec() })
    }
}

/// `WebHook-Allowed-Origin` on the first line, the body on the rest. Nobody agrees who has not seen what was asked, or
/// said that anybody may.
pub fn agreement(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let receiver = Receiver { origin: lines.next().unwrap_or_default(), body: lines.next().unwrap_or_default() };
    let addresses = Addresses::new(DOMAIN.to_owned(), None, Guid::from_u128(1));
    let endpoint = Endpoint::parse("https://hooks.example.com/in?code=s3cret");
    let (Some(name), Some(endpoint)) = (EventSubscriptionName::parse("hook"), endpoint) else { return };
    for (schema, said) in [(NoticeSchema::CloudEvents, receiver.origin), (NoticeSchema::EventGrid, receiver.body)] {
        let subscription = EventSubscription { schema, ..EventSubscription::new(name.clone(), UnixTime(0)) };
        let asked = (&subscription, &endpoint);
        if agree(&receiver, &addresses, asked, "/v", (CODE, UnixTime(0))).is_ok() {
            let said = String::from_utf8_lossy(said).to_ascii_lowercase();
            let is_unread = schema == NoticeSchema::EventGrid && said.contains('\\');
            assert!(is_unread || said.trim() == "*" || said.contains(DOMAIN) || said.contains(&CODE.to_string()));
        }
    }
}
