//! Padmé padding (Nikitin et al., PETS 2019). A padded length leaks at most O(log log n) bits of the length `n`, and
//! the overhead is at most 12 %.

/// Returns the padded size of `length` bytes.
pub(crate) fn padded_len(length: usize) -> usize {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let significant = exponent.checked_ilog2().map_or(0, |log| log + 1);
    let mask = (1usize << (exponent - significant)) - 1;
    (length + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::padded_len;

    #[test]
    fn padded_lengths_have_few_significant_bits_and_at_most_12_percent_overhead() {
        assert_eq!([9, 10, 17, 100, 1000, 131_084].map(padded_len), [10, 10, 18, 104, 1024, 135_168]);
        for length in 0..10_000 {
            let padded = padded_len(length);
            assert!(padded >= length && padded * 100 <= length * 112, "{length} became {padded}");
            assert_eq!(padded_len(padded), padded);
        }
    }
}
