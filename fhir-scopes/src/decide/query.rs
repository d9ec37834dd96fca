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
    /// Takes what stands before the first mark: the text, whether it is encoded, and the mark, [`AMPERSAND`] at the end.
    fn cut(&mut self, marks: u8) -> (&'a str, bool, u8) {
        let text = self.0;
        let mut seen = 0;
        for (at, byte) in text.bytes().enumerate() {
            let sign = SIGNS[usize::from(byte)];
            if sign & marks != 0 {
                self.0 = text.get(at + 1..).unwrap_or_default();
                return (text.get(..at).unwrap_or_default(), seen & ENCODED != 0, sign);
            }
            seen |= sign;
        }
        self.0 = "";
        (text, seen & ENCODED != 0, AMPERSAND)
    }
}

const ENCODED: u8 = 1;
const EQUALS: u8 = 2;
const AMPERSAND: u8 = 4;

/// What a byte means in a query string.
static SIGNS: [u8; 256] = {
    let mut signs = [0; 256];
    signs[b'%' as usize] = ENCODED;
    signs[b'+' as usize] = ENCODED;
    signs[b'=' as usize] = EQUALS;
    signs[b'&' as usize] = AMPERSAND;
    signs
};

impl<'a> Iterator for Pairs<'a> {
    type Item = Option<(Cow<'a, str>, Cow<'a, str>)>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let (name, name_encoded, mark) = self.cut(EQUALS | AMPERSAND);
            let (value, value_encoded, _) = if mark == EQUALS { self.cut(AMPERSAND) } else { ("", false, AMPERSAND) };
            if name.is_empty() && mark != EQUALS {
                continue;
            }
            let text = |text: &'a str, encoded| if encoded { decode(text).map(Cow::Owned) } else { Some(text.into()) };
            return Some(text(name, name_encoded).and_then(|name| Some((name, text(value, value_encoded)?))));
        }
        None
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

    use super::{Role, pairs, role};

    #[test]
    fn an_encoded_name_is_still_its_name() {
        let found: alloc::vec::Vec<_> = pairs(["%5Finclude=a%3Ab&x=1+2", "bad=%zz"]).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].as_ref().unwrap().0, "_include");
        assert_eq!(found[1].as_ref().unwrap().1, "1 2");
        assert!(found[2].is_none());
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
