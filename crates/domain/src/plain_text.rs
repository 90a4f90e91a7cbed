//! Numbers and addresses as text, without a formatter on the way: every request's answer and record has some.

use std::{fmt::Write as _, net::IpAddr};

/// Appends a number in decimal.
pub(crate) fn push_number(text: &mut String, number: u64) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// Appends an address as its `Display` writes it.
pub fn push_address(text: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    text.push('.');
                }
                push_number(text, octet.into());
            }
        }
        // A string takes whatever is written to it.
        IpAddr::V6(address) => drop(write!(text, "{address}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_is_what_a_formatter_writes(number: u64, small in 0..1_000_u64, address: IpAddr) {
            let mut text = String::new();
            push_number(&mut text, number);
            push_number(&mut text, small);
            push_address(&mut text, address);
            prop_assert_eq!(text, format!("{number}{small}{address}"));
        }
    }
}
