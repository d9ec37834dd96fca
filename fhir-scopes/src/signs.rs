//! What the bytes of a value tell before anybody looks closer: one pass, many bytes at a time, without branches.

/// As many bytes as are looked at together.
const LANES: usize = 16;

/// The number of each lane, as small as the bytes, so that they are compared together.
const NUMBERS: [u8; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// What stands in a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signs {
    /// One value as it stands: nothing encoded, no list of values or of pairs, no misplaced separator (`%`, `,`, `&`, `=`, `?`), and no byte that may not stand in a
    /// scope token (RFC 6749 3.3: printable ASCII without space, quote and backslash).
    pub(crate) is_plain: bool,
    /// How many bars; more than 255 count as 255.
    pub(crate) bars: u8,
}

impl Signs {
    pub(crate) fn of(value: &str) -> Self {
        let (mut found, mut bars) = ([0_u8; LANES], [0_u8; LANES]);
        by_lanes(value, b'!', |group, seen| {
            for (i, &byte) in group.iter().enumerate() {
                let is = |sign: u8| u8::from(byte == sign);
                let outside = u8::from(byte.wrapping_sub(0x21) > 0x7e - 0x21);
                // the quote and `&` differ in one bit, and so do `=` and `?`
                let paired = u8::from(byte & !4 == b'"') | u8::from(byte & !2 == b'=');
                found[i] |= outside | paired | is(b'%') | is(b',') | is(b'\\');
                bars[i] = bars[i].saturating_add(is(b'|') & u8::from(NUMBERS[i] >= seen));
            }
        });
        let bars: u32 = bars.iter().map(|one| u32::from(*one)).sum();
        Self { is_plain: found.iter().all(|one| *one == 0), bars: u8::try_from(bars).unwrap_or(u8::MAX) }
    }
}

/// Shows the bytes group by group, each with the number of its first lanes that were shown before: the last group of a longer text overlaps, and a short text is filled
/// up with a byte that means nothing.
#[inline]
fn by_lanes(text: &str, filler: u8, mut look: impl FnMut(&[u8; LANES], u8)) {
    let (groups, rest) = text.as_bytes().as_chunks();
    for group in groups {
        look(group, 0);
    }
    if rest.is_empty() {
        return;
    }
    if let Some(end) = text.as_bytes().last_chunk() {
        return look(end, u8::try_from(LANES - rest.len()).unwrap_or_default());
    }
    let mut only = [filler; LANES];
    for (place, byte) in only.iter_mut().zip(rest) {
        *place = *byte;
    }
    look(&only, 0);
}

#[cfg(test)]
mod tests {
    use super::Signs;
    use alloc::string::String;

    #[test]
    fn every_byte_of_a_text_is_looked_at() {
        let plain = Signs { is_plain: true, bars: 0 };
        assert_eq!(Signs::of(""), plain);
        for length in 1..70 {
            for at in 0..length {
                let with =
                    |sign: char| Signs::of(&(0..length).map(|i| if i == at { sign } else { 'a' }).collect::<String>());
                for sign in [' ', '"', '\\', '\u{7f}', '\t', '\0', 'é', '%', ',', '&', '=', '?'] {
                    assert_eq!(with(sign), Signs { is_plain: false, ..plain }, "{sign}");
                }
                assert_eq!(with('|'), Signs { bars: 1, ..plain });
                for sign in ('!'..='~').filter(|sign| !"\"\\%,&=?|".contains(*sign)) {
                    assert_eq!(with(sign), plain, "{sign}");
                }
            }
        }
    }

    #[test]
    fn counts_do_not_wrap_around() {
        assert_eq!(Signs::of(&"|".repeat(10_000)).bars, 255);
    }
}
