//! Secrets in memory.

use zeroize::Zeroize;

/// Bytes that must not be seen: boxed, wiped when dropped. It has no `Debug`, `Display`, `Clone`, `PartialEq`
/// or `Serialize`, so it cannot reach a log, an error or a file by accident. [`Secret::expose`] is the only reader.
pub struct Secret(Box<[u8]>);

impl Secret {
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        if bytes.len() == bytes.capacity() {
            return Self(bytes.into_boxed_slice());
        }
        // `into_boxed_slice` would reallocate and leave a copy behind: copy to the exact size and wipe the original.
        let mut bytes = bytes;
        let boxed: Box<[u8]> = bytes.as_slice().into();
        bytes.zeroize();
        Self(boxed)
    }

    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
