//! Searches in text and writes numbers without the searchers and formatters of std, which are large in the core for pages.

use alloc::string::String;

/// Divides text at the first occurrence of an ASCII character, which neither part contains.
#[must_use]
pub fn split_at_ascii(text: &str, character: u8) -> Option<(&str, &str)> {
    debug_assert!(character.is_ascii());
    let index = text.bytes().position(|byte| byte == character)?;
    Some((&text[..index], &text[index + 1..]))
}

/// Returns a number in decimal digits. std's formatter, and 64-bit division in plain JavaScript, would be several times as
/// large, so this is long division by ten with the four 16-bit digits of the number.
#[must_use]
pub fn decimal(number: u64) -> String {
    let mut limbs = [48, 32, 16, 0].map(|shift| (number >> shift) as u32 & 0xffff);
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        let mut remainder = 0;
        for limb in &mut limbs {
            let dividend = remainder << 16 | *limb;
            *limb = dividend / 10;
            remainder = dividend % 10;
        }
        start -= 1;
        digits[start] = b'0' + remainder as u8;
        if limbs == [0; 4] {
            return digits[start..].iter().map(|digit| char::from(*digit)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_has_the_digits_that_std_writes(number: u64, shift in 0_u32..64) {
            let number: u64 = number >> shift;
            prop_assert_eq!(decimal(number), number.to_string());
        }

        #[test]
        fn text_is_divided_as_std_does(text in "[a.é]{0,9}") {
            prop_assert_eq!(split_at_ascii(&text, b'.'), text.split_once('.'));
        }
    }
}
