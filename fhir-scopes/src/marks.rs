//! Finding the marks that part a text: slashes, colons, ampersands.

/// What stands before the first of these marks, the mark, and what stands behind it. The marks are ASCII.
#[inline]
pub(crate) fn cut<const N: usize>(text: &str, marks: [u8; N]) -> Option<(&str, u8, &str)> {
    let (head, tail) = text.split_at_checked(first_of(text.as_bytes(), marks)?)?;
    Some((head, *tail.as_bytes().first()?, tail.get(1..)?))
}

/// The place of the first byte that is one of these: eight bytes at a time, by the carry that a subtraction leaves in a byte that is zero.
pub(crate) fn first_of<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // a false hit only ever stands behind a true one
    let first = |eight: [u8; 8]| {
        let word = u64::from_le_bytes(eight);
        let hits = wanted.iter().fold(0, |hits, one| {
            let zero_where_equal = word ^ (LOW * u64::from(*one));
            hits | zero_where_equal.wrapping_sub(LOW) & !zero_where_equal & HIGH
        });
        (hits != 0).then_some(hits.trailing_zeros() as usize / 8)
    };
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().position(|byte| wanted.contains(byte));
    };
    for (turn, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        if let Some(place) = first(*eight) {
            return Some(turn * 8 + place);
        }
    }
    // the last eight overlap with what was looked at, where nothing was found
    first(*last).map(|place| bytes.len() - 8 + place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::first_of;

    #[test]
    fn the_first_of_some_bytes_is_found_wherever_it_stands() {
        let mut text = alloc::vec![0x81_u8; 40];
        for filler in [0x81, 0x00, 0x01, 0x7f, 0xff, b'<', b'>', b'%' - 1, b'&' + 1] {
            text.fill(filler);
            assert_eq!(first_of(&text, [b'=', b'&']), None, "{filler}");
            for length in 0..40 {
                for place in 0..length {
                    for mark in [b'=', b'&'] {
                        let mut one = text.get(..length).unwrap().to_vec();
                        one[place] = mark;
                        assert_eq!(first_of(&one, [b'=', b'&']), Some(place), "{filler} {length} {place}");
                        one[length - 1] = b'&';
                        assert_eq!(first_of(&one, [b'=', b'&']), Some(place), "{filler} {length} {place}");
                    }
                }
            }
        }
    }
}
