//! Entries for random input: what comes before HTTP does. None of these may panic.

use super::{
    Names,
    proxy::{Answer, judge},
};

/// A head as it came; and one line of ours around it, so that it is more often one. Who is let in named us.
pub(crate) fn proxy_head(bytes: &[u8]) {
    let names = Names::dev("localhost");
    let whole = [b"CONNECT ", bytes, b" HTTP/1.1\r\n\r\n"].concat();
    for head in [bytes, &whole] {
        if judge(head, &names) == Answer::Established {
            let target = head.split(|byte| *byte == b' ').nth(1).and_then(|target| std::str::from_utf8(target).ok());
            let host = target.and_then(|target| target.rsplit_once(':')).map(|(host, _)| host);
            assert!(host.is_some_and(|host| names.covers(host)));
        }
    }
}
