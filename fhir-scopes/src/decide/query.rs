//! Query strings and form bodies: names and values, decoded only where something is encoded.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Each parameter of the parts, as `(name, value)`. None inside when an encoding is broken: then nobody knows what it says.
pub(crate) fn pairs(parts: [&str; 2]) -> impl Iterator<Item = Option<(Cow<'_, str>, Cow<'_, str>)>> {
    parts.into_iter().flat_map(Pairs)
}

/// What is left of a query string.
struct Pairs<'a>(&'a str);

impl<'a> Pairs<'a> {
    /// Takes what stands before the first of these marks, and tells the mark: the end counts as `&`.
    fn cut<const N: usize>(&mut self, marks: [u8; N]) -> (&'a str, u8) {
        let text = self.0;
        let Some(at) = first_of(text.as_bytes(), marks) else {
            self.0 = "";
            return (text, b'&');
        };
        self.0 = text.get(at + 1..).unwrap_or_default();
        (text.get(..at).unwrap_or_default(), text.as_bytes().get(at).copied().unwrap_or(b'&'))
    }
}

/// The place of the first byte that is one of these: eight bytes at a time, by the carry that a subtraction leaves in a byte that is zero.
pub(super) fn first_of<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let (eights, rest) = bytes.as_chunks::<8>();
    for (turn, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let hits = wanted.iter().fold(0, |hits, one| {
            let zero_where_equal = word ^ (LOW * u64::from(*one));
            hits | zero_where_equal.wrapping_sub(LOW) & !zero_where_equal & HIGH
        });
        // a false hit only ever stands behind a true one
        if hits != 0 {
            return Some(turn * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let place = rest.iter().position(|byte| wanted.contains(byte))?;
    Some(bytes.len() - rest.len() + place)
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Option<(Cow<'a, str>, Cow<'a, str>)>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let (name, mark) = self.cut([b'=', b'&']);
            let (value, _) = if mark == b'=' { self.cut([b'&']) } else { ("", b'&') };
            if name.is_empty() && mark != b'=' {
                continue;
            }
            return Some(text(name).and_then(|name| Some((name, text(value)?))));
        }
        None
    }
}

/// As it stands where nothing is encoded.
fn text(encoded: &str) -> Option<Cow<'_, str>> {
    match first_of(encoded.as_bytes(), [b'%', b'+']) {
        Some(_) => decode(encoded).map(Cow::Owned),
        None => Some(Cow::Borrowed(encoded)),
    }
}

/// Percent-decoding of form data: a plus is a space.
fn decode(text: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(plain).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// What a parameter does to the reach of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Looks only at the searched type.
    Plain,
    Include,
    ReverseInclude,
    /// `a.b`, `a:T.b`
    Chain,
    /// `_has:T:ref:name`
    Has,
    List,
    Types,
    Sort,
    /// Can reach anything, or is not known.
    Refused,
    /// Formats the answer; no part of the search.
    Format,
}

/// Control parameters that reach nothing beyond the searched resources.
const HARMLESS: [&str; 23] = [
    "_at",
    "_contained",
    "_containedType",
    "_content",
    "_count",
    "_elements",
    "_format",
    "_id",
    "_language",
    "_lastUpdated",
    "_maxresults",
    "_offset",
    "_page",
    "_pretty",
    "_profile",
    "_score",
    "_security",
    "_since",
    "_source",
    "_summary",
    "_tag",
    "_text",
    "_total",
];

pub(super) fn role(name: &str) -> Role {
    if !name.starts_with('_') {
        return if name.contains('.') {
            if name.contains("_has:") { Role::Refused } else { Role::Chain }
        } else if name.contains("_has:") {
            Role::Refused
        } else {
            Role::Plain
        };
    }
    let stem = name.split_once(':').map_or(name, |(stem, _)| stem);
    match stem {
        "_include" => Role::Include,
        "_revinclude" => Role::ReverseInclude,
        "_has" => Role::Has,
        "_list" => Role::List,
        "_type" if name == "_type" => Role::Types,
        "_sort" => Role::Sort,
        "_format" | "_pretty" | "_elements" | "_summary" => Role::Format,
        _ if name.contains('.') => Role::Refused,
        _ if HARMLESS.contains(&stem) => Role::Plain,
        // `_query` and `_filter` can do anything; unknown ones might (`_cascade`, `_expunge`)
        _ => Role::Refused,
    }
}

/// Whether a query asks for more than a format: such a query means nothing to a read.
pub(super) fn is_meaningless_to_read(query: &str) -> bool {
    !query.is_empty()
        && pairs([query, ""]).any(|pair| match pair {
            Some((name, _)) => {
                role(&name) != Role::Format
                    && !matches!(name.as_ref(), "_count" | "_since" | "_at" | "_sort" | "_page" | "_offset")
            }
            None => true,
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::{Role, first_of, pairs, role};

    #[test]
    fn an_encoded_name_is_still_its_name() {
        let found: alloc::vec::Vec<_> = pairs(["%5Finclude=a%3Ab&x=1+2", "bad=%zz"]).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].as_ref().unwrap().0, "_include");
        assert_eq!(found[1].as_ref().unwrap().1, "1 2");
        assert!(found[2].is_none());
    }

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

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(role("_cascade"), Role::Refused);
        assert_eq!(role("_filter"), Role::Refused);
        assert_eq!(role("_count"), Role::Plain);
        assert_eq!(role("subject:Patient.name"), Role::Chain);
        assert_eq!(role("category"), Role::Plain);
    }
}
