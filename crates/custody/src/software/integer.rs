//! Big-endian integers as clients send them: with leading zeros too many, or too few.

use zeroize::Zeroizing;

/// Without leading zeros; empty for zero.
pub(crate) fn strip(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// The number of significant bits.
pub(crate) fn bit_length(bytes: &[u8]) -> u32 {
    let stripped = strip(bytes);
    let unused = stripped.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(stripped.len()).unwrap_or(u32::MAX / 8).saturating_mul(8).saturating_sub(unused)
}

/// Exactly `length` bytes, zeros put back or taken away; `None` if the number is too big. Wiped when dropped, as
/// it serves private scalars too.
pub(crate) fn fixed(bytes: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let stripped = strip(bytes);
    let zeros = length.checked_sub(stripped.len())?;
    let mut padded = Zeroizing::new(vec![0; length]);
    padded.get_mut(zeros..)?.copy_from_slice(stripped);
    Some(padded)
}
