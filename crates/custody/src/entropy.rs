//! The source of randomness, an argument wherever this crate needs random bytes.

/// Random bytes fit for keys and nonces.
pub trait Entropy: Send + Sync {
    /// Overwrites all of `bytes`. It can't fail: a source that runs dry must stop the program, for the alternative
    /// is a predictable key.
    fn fill(&self, bytes: &mut [u8]);
}

/// The generator of the cryptographic library, seeded by the operating system.
#[derive(Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place where randomness enters")]
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // Not an error to hand on: whoever ignored it would use a key of zeros.
            std::process::abort();
        }
    }
}

/// `N` fresh random bytes.
pub(crate) fn draw<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
