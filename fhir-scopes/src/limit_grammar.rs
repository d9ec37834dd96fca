//! The grammar of one clause of a limit, `name=value,value`.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::constraint::unescaped;
use crate::encoding::{Encoded, decode};
use crate::few::Few;
use crate::marks::cut;
use crate::matches::is_comparable_date;
use crate::signs::Signs;
use crate::{Clause, ParameterKind, ParseError, ParseErrorKind, Release, TypeSelector, tables};

/// Reads `name=value` where the value is plain: one value, nothing encoded, no other separator. None when it is not quite so.
#[inline]
pub(crate) fn plain_clause(pair: &str, types: TypeSelector, release: Release) -> Option<Clause<'_>> {
    let (name, _, value) = cut(pair, [b'='])?;
    let signs = Signs::of(value);
    if !signs.is_plain {
        return None;
    }
    let (parameter, kind) = parameter(name, types, release).ok()?;
    if !says_something(kind, value, signs.bars) {
        return None;
    }
    Some(Clause { parameter, kind, alternatives: Few::One(Cow::Borrowed(value)) })
}

/// Whether a plain value is one: not empty, for tokens one bar at most with something beside it, for dates one that can be compared.
fn says_something(kind: ParameterKind, value: &str, bars: u8) -> bool {
    match kind {
        ParameterKind::Token => !value.is_empty() && (bars == 0 || bars == 1 && value.len() > 1),
        ParameterKind::Date => is_comparable_date(value),
        _ => !value.is_empty(),
    }
}

/// Reads `name=value,value`.
pub(crate) fn clause(pair: &str, types: TypeSelector, release: Release) -> Result<Clause<'_>, ParseError> {
    let Some((name, _, value)) = cut(pair, [b'=']) else {
        return Err(ParseError::new(ParseErrorKind::Pair, 0..pair.len()));
    };
    let (parameter, kind) = parameter(name, types, release).map_err(|kind| ParseError::new(kind, 0..name.len()))?;
    let start = name.len() + 1;
    let signs = Signs::of(value);
    if signs.is_plain && says_something(kind, value, signs.bars) {
        return Ok(Clause { parameter, kind, alternatives: Few::One(Cow::Borrowed(value)) });
    }
    if let Some(at) = value.find(['=', '?']) {
        return Err(ParseError::new(ParseErrorKind::Pair, start + at..start + at + 1));
    }
    let refuse = |kind| ParseError::new(kind, start..pair.len());
    let alternatives = match decode(value).ok_or_else(|| refuse(ParseErrorKind::Encoding))? {
        Cow::Borrowed(value) => alternatives(value, kind, Cow::Borrowed),
        Cow::Owned(value) => alternatives(&value, kind, |alternative| Cow::Owned(alternative.to_string())),
    };
    let alternatives = alternatives.map_err(refuse)?;
    Ok(Clause { parameter, kind, alternatives })
}

/// The parts between commas that FHIR does not escape, sorted, each once; why not, when one of them says nothing.
fn alternatives<'v, 'a>(
    value: &'v str,
    kind: ParameterKind,
    keep: impl Fn(&'v str) -> Cow<'a, str>,
) -> Result<Few<Cow<'a, str>>, ParseErrorKind> {
    let mut all = Vec::with_capacity(2);
    let mut from = 0;
    for at in unescaped(value, b',').chain([value.len()]) {
        let alternative = value.get(from..at).unwrap_or_default();
        if !well_formed(kind, alternative) {
            return Err(ParseErrorKind::Value);
        }
        // one that no resource can ever be compared with would be a limit that nothing meets, or that a server drops
        if kind == ParameterKind::Date && !is_comparable_date(alternative) {
            return Err(ParseErrorKind::Date);
        }
        all.push(keep(alternative));
        from = at + 1;
    }
    if all.len() > 1 {
        all.sort_unstable_by(|a, b| Encoded(a).cmp(&Encoded(b)));
        all.dedup();
    }
    Ok(all.into())
}

/// A value that says something: not empty, no dangling escape, and for tokens one bar at most with something beside it.
fn well_formed(kind: ParameterKind, value: &str) -> bool {
    let mut escaped = false;
    let mut bars = 0;
    for byte in value.bytes() {
        if escaped {
            if !matches!(byte, b',' | b'|' | b'$' | b'\\') {
                return false;
            }
            escaped = false;
        } else {
            escaped = byte == b'\\';
            bars += usize::from(byte == b'|');
        }
    }
    !value.is_empty() && !escaped && (kind != ParameterKind::Token || value != "|" && bars <= 1)
}

/// Parameters that every resource type has.
fn universal(name: &str) -> Option<(&'static str, ParameterKind)> {
    Some(match name {
        "_id" => ("_id", ParameterKind::Token),
        "_tag" => ("_tag", ParameterKind::Token),
        "_security" => ("_security", ParameterKind::Token),
        "_profile" => ("_profile", ParameterKind::Uri),
        "_source" => ("_source", ParameterKind::Uri),
        "_lastUpdated" => ("_lastUpdated", ParameterKind::Date),
        _ => return None,
    })
}

/// Parameters that shape the answer or search in ways of their own, and so are no limit on resources.
const RESULT_PARAMETERS: [&str; 14] = [
    "_include",
    "_revinclude",
    "_count",
    "_sort",
    "_elements",
    "_format",
    "_pretty",
    "_summary",
    "_total",
    "_contained",
    "_containedType",
    "_score",
    "_type",
    "_maxresults",
];

#[inline]
fn parameter(
    name: &str,
    types: TypeSelector,
    release: Release,
) -> Result<(&'static str, ParameterKind), ParseErrorKind> {
    if name.is_empty() {
        return Err(ParseErrorKind::Pair);
    }
    if name.starts_with('_')
        && let Some(universal) = universal(name)
    {
        return Ok(universal);
    }
    if let TypeSelector::One(one) = types
        && let Some(found) = tables::parameter_kind(release, one, name)
    {
        return match found {
            // what cannot be compared on one resource is refused here rather than never met later
            (
                _,
                ParameterKind::Composite | ParameterKind::Special | ParameterKind::Number | ParameterKind::Quantity,
            ) => Err(ParseErrorKind::UnsupportedParameter),
            known => Ok(known),
        };
    }
    Err(if name.starts_with("_has") {
        ParseErrorKind::Chain
    } else if name.contains(':') {
        ParseErrorKind::Modifier
    } else if name.contains('.') {
        ParseErrorKind::Chain
    } else if RESULT_PARAMETERS.contains(&name) {
        ParseErrorKind::ResultParameter
    } else {
        ParseErrorKind::Parameter
    })
}
