//! What the bytes of a value tell before anybody looks closer: one pass, many bytes at a time, without branches.

/// As many bytes as are looked at together.
const LANES: usize = 16;

/// What stands in a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signs {
    /// A byte that may not stand in a scope token (RFC 6749 3.3): printable ASCII without space, quote and backslash.
    pub(crate) outside: bool,
    /// Something encoded, a list of values or of pairs, or a misplaced separator: `%`, `,`, `&`, `=` or `?`.
    pub(crate) intricate: bool,
    /// How many bars; more than 255 count as 255.
    pub(crate) bars: u8,
}

impl Signs {
    const OUTSIDE: u8 = 1;
    const INTRICATE: u8 = 2;

    pub(crate) fn of(text: &str) -> Self {
        let (mut found, mut bars) = ([0_u8; LANES], [0_u8; LANES]);
        by_lanes(text, b'!', |group| {
            for (i, &byte) in group.iter().enumerate() {
                let is = |sign: u8| u8::from(byte == sign);
                let outside = u8::from(byte.wrapping_sub(0x21) > 0x7e - 0x21) | is(b'"') | is(b'\\');
                found[i] |= outside * Self::OUTSIDE;
                // `=` and `?` differ in one bit
                let separator = u8::from(byte & !2 == b'=');
                found[i] |= (u8::from(byte.wrapping_sub(b'%') < 2) | is(b',') | separator) * Self::INTRICATE;
                bars[i] = bars[i].saturating_add(is(b'|'));
            }
        });
        let found = found.iter().fold(0, |all, one| all | one);
        let bars: u32 = bars.iter().map(|one| u32::from(*one)).sum();
        Self {
            outside: found & Self::OUTSIDE != 0,
            intricate: found & Self::INTRICATE != 0,
            bars: u8::try_from(bars).unwrap_or(u8::MAX),
        }
    }

    /// Whether the value of a pair is plain: one value, nothing encoded.
    pub(crate) const fn is_plain(&self) -> bool {
        !self.outside && !self.intricate
    }
}

/// Shows the bytes group by group, the last one filled up with a byte that means nothing.
#[inline]
fn by_lanes(text: &str, filler: u8, mut look: impl FnMut(&[u8; LANES])) {
    let (groups, rest) = text.as_bytes().as_chunks();
    for group in groups {
        look(group);
    }
    if rest.is_empty() {
        return;
    }
    let mut last = [filler; LANES];
    match text.as_bytes().last_chunk() {
        // the end of a longer text, less what was looked at already
        Some(end) => {
            let seen = LANES - rest.len();
            for (i, (place, byte)) in last.iter_mut().zip(end as &[u8; LANES]).enumerate() {
                *place = if i < seen { filler } else { *byte };
            }
        }
        None => {
            for (place, byte) in last.iter_mut().zip(rest) {
                *place = *byte;
            }
        }
    }
    look(&last);
}

#[cfg(test)]
mod tests {
    use super::Signs;
    use alloc::string::String;

    #[test]
    fn every_byte_of_a_text_is_looked_at() {
        let plain = Signs { outside: false, intricate: false, bars: 0 };
        assert_eq!(Signs::of(""), plain);
        for length in 1..70 {
            for at in 0..length {
                let with =
                    |sign: char| Signs::of(&(0..length).map(|i| if i == at { sign } else { 'a' }).collect::<String>());
                for sign in [' ', '"', '\\', '\u{7f}', '\t', '\0'] {
                    assert_eq!(with(sign), Signs { outside: true, ..plain });
                }
                assert!(with('é').outside);
                for sign in ['%', ',', '&', '=', '?'] {
                    assert_eq!(with(sign), Signs { intricate: true, ..plain });
                }
                assert_eq!(with('|'), Signs { bars: 1, ..plain });
                for sign in ['!', '~', '/', '.', '*', '#', '[', ']', '0', 'z'] {
                    assert_eq!(with(sign), plain);
                }
            }
        }
    }

    #[test]
    fn counts_do_not_wrap_around() {
        assert_eq!(Signs::of(&"|".repeat(10_000)).bars, 255);
    }
}
