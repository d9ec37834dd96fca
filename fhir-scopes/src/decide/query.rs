//! Query strings and form bodies: names and values, decoded only where something is encoded.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::marks::{cut, first_of};

/// Each parameter of the parts, as `(name, value)`. None inside when an encoding is broken: then nobody knows what it says.
pub(crate) fn pairs(parts: [&str; 2]) -> impl Iterator<Item = Option<(Cow<'_, str>, Cow<'_, str>)>> {
    parts.into_iter().flat_map(Pairs).map(|pair| Some((pair.name()?, pair.value()?)))
}

/// The parameters of a query string or form.
pub(super) struct Pairs<'a>(&'a str);

impl<'a> Pairs<'a> {
    /// From the first parameter on whose name could reach beyond the searched type. Looks at names only, so that plain searches cost
    /// little.
    pub(super) fn from_first_link(query: &'a str) -> Self {
        let mut start = 0;
        while let Some(rest) = query.as_bytes().get(start..) {
            let Some(at) = rest.iter().position(|byte| NAME_ENDS_OR_LINKS[usize::from(*byte)]) else { break };
            match rest.get(at..) {
                Some([b'&', ..]) => start += at + 1,
                Some([b'=', value @ ..]) => match first_of(value, [b'&']) {
                    Some(end) => start += at + 1 + end + 1,
                    None => break,
                },
                _ => return Self(query.get(start..).unwrap_or_default()),
            }
        }
        Self("")
    }

    fn take(&mut self) -> Option<Pair<'a>> {
        while !self.0.is_empty() {
            let mut pair = Pair { name: "", value: "", is_encoded: false };
            let is_named;
            (pair.name, is_named) = self.up_to([b'=', b'&'], [b'=', b'&', b'%', b'+'], &mut pair.is_encoded);
            if is_named == b'=' {
                (pair.value, _) = self.up_to([b'&'], [b'&', b'%', b'+'], &mut pair.is_encoded);
            }
            if !pair.name.is_empty() || is_named == b'=' {
                return Some(pair);
            }
        }
        None
    }

    /// Takes what stands before the first of these ends, and tells which it is: the end of all counts as `&`. The signs are the ends
    /// and what tells that something is encoded, so that mostly one look is enough.
    #[inline]
    fn up_to<const E: usize, const S: usize>(
        &mut self,
        ends: [u8; E],
        signs: [u8; S],
        is_encoded: &mut bool,
    ) -> (&'a str, u8) {
        let mut found = cut(self.0, signs);
        if let Some((_, b'%' | b'+', _)) = found {
            *is_encoded = true;
            found = cut(self.0, ends);
        }
        let (taken, mark, rest) = found.unwrap_or((self.0, b'&', ""));
        self.0 = rest;
        (taken, mark)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() { None } else { self.take() }
    }
}

/// One parameter as it stands in the query.
pub(super) struct Pair<'a> {
    name: &'a str,
    value: &'a str,
    is_encoded: bool,
}

impl<'a> Pair<'a> {
    /// Decoded; none where the encoding is broken.
    pub(super) fn name(&self) -> Option<Cow<'a, str>> {
        self.text(self.name)
    }

    /// Decoded; none where the encoding is broken.
    pub(super) fn value(&self) -> Option<Cow<'a, str>> {
        self.text(self.value)
    }

    #[inline]
    fn text(&self, text: &'a str) -> Option<Cow<'a, str>> {
        if self.is_encoded { decode(text).map(Cow::Owned) } else { Some(Cow::Borrowed(text)) }
    }
}

/// The bytes that end a parameter's name, or may make it reach beyond the searched type.
static NAME_ENDS_OR_LINKS: [bool; 256] = {
    let mut marks = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        marks[byte as usize] = matches!(byte, b'=' | b'&' | b'_' | b'%' | b'+' | b'.');
        byte += 1;
    }
    marks
};

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

/// How deep chains and `_has` may go; deeper ones are refused.
pub(crate) const MAX_HOPS: usize = 8;

/// What a parameter does to the reach of a search.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
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
    /// `_contained`: anything but `false` shows, or is found by, what the resources of other types hold.
    Contained,
    /// Can reach anything, or is not known.
    Refused,
    /// Formats the answer; no part of the search.
    Format,
}

/// Control parameters that reach nothing beyond the searched resources.
const HARMLESS: [&str; 22] = [
    "_at",
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

pub(crate) fn role(name: &str) -> Role {
    if name == "_include" {
        return Role::Include;
    }
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
        "_contained" => Role::Contained,
        "_format" | "_pretty" | "_elements" | "_summary" => Role::Format,
        _ if name.contains('.') => Role::Refused,
        _ if HARMLESS.contains(&stem) => Role::Plain,
        // `_query` and `_filter` can do anything; unknown ones might (`_cascade`, `_expunge`)
        _ => Role::Refused,
    }
}

/// Whether any parameter picks resources. The others say how the answer looks: they would leave a conditional request without its condition.
pub(super) fn has_condition(query: &str) -> bool {
    let shapes = |name: &str| {
        let stem = name.split_once(':').map_or(name, |(stem, _)| stem);
        role(name) == Role::Format || RESULT.contains(&stem)
    };
    pairs([query, ""]).flatten().any(|(name, value)| !name.is_empty() && !value.is_empty() && !shapes(&name))
}

/// Parameters that say how results are counted, ordered and paged.
const RESULT: [&str; 9] =
    ["_contained", "_containedType", "_count", "_maxresults", "_offset", "_page", "_score", "_sort", "_total"];

/// Whether a query asks for more than a format: such a query means nothing to a read.
pub(crate) fn is_meaningless_to_read(query: &str) -> bool {
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
