//! The grammar of one token. Linear, no recursion, no panic; nothing misspelt is read as something known.
//!
//! ```text
//! token    = 1*( %x21 / %x23-5B / %x5D-7E )
//! resource = level "/" type "." perms [ "?" pair *( "&" pair ) ]
//! launch   = "launch" [ "/" lower-case-type [ "?role=" 1*char ] ]
//! others   = openid / fhirUser / profile / email / offline_access / online_access / URI / "__" name
//! ```

use crate::ParseErrorKind as Kind;
use crate::marks::{cut, first_of};
use crate::{
    Dialect, Level, Limit, NonResource, ParseError, Permissions, Release, ResourceScope, ResourceType, ScopeKind,
    TypeSelector, uri,
};

#[inline]
pub(crate) fn parse(token: &str, release: Release) -> Result<ScopeKind<'_>, ParseError> {
    let found = meaning(token, release);
    // a known scope is made of words that are known byte by byte, and of a limit whose bytes were looked at; of the others, what RFC 6749 does not allow is told
    // before anything else
    if !matches!(found, Ok(ScopeKind::Resource(_) | ScopeKind::Plain(_)))
        && let Some(strange) = strange_character(token)
    {
        return Err(strange);
    }
    found
}

/// The first character that may not stand in a token.
fn strange_character(token: &str) -> Option<ParseError> {
    let strange = |byte: u8| !matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let at = token.bytes().position(strange)?;
    let width = token.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
    Some(ParseError::new(Kind::Character, at..at + width))
}

fn meaning(token: &str, release: Release) -> Result<ScopeKind<'_>, ParseError> {
    if token.is_empty() {
        return Err(ParseError::new(Kind::Empty, 0..0));
    }
    // the URI spellings of known scopes
    if let Some(short) = token.strip_prefix(uri::SMART) {
        return spelled_out(parse_short(short, release), |plain| !uri::is_openid(plain))
            .map_err(|error| error.shifted(uri::SMART.len()));
    }
    if let Some(short) = token.strip_prefix(uri::OPENID) {
        return Ok(plain(short).filter(|plain| uri::is_openid(*plain)).map_or(ScopeKind::Extension, ScopeKind::Plain));
    }
    parse_short(token, release)
}

/// Under SMART's prefix a known scope keeps its meaning, a misspelt one is refused, and any other URI is an extension.
fn spelled_out(
    short: Result<ScopeKind<'_>, ParseError>,
    belongs: impl Fn(NonResource) -> bool,
) -> Result<ScopeKind<'_>, ParseError> {
    Ok(match short? {
        ScopeKind::Plain(plain) if !belongs(plain) => ScopeKind::Extension,
        ScopeKind::Extension | ScopeKind::Unknown => ScopeKind::Extension,
        known => known,
    })
}

#[inline]
fn parse_short(token: &str, release: Release) -> Result<ScopeKind<'_>, ParseError> {
    if let Some((word, _, rest)) = cut(token, [b'/']) {
        let level = match word {
            "patient" => Level::Patient,
            "user" => Level::User,
            "system" => Level::System,
            "launch" => {
                return launch(rest, release)
                    .ok_or_else(|| ParseError::new(Kind::Launch, "launch/".len()..token.len()));
            }
            _ => return other(token),
        };
        let start = word.len() + 1;
        if names_something_else(rest) {
            return Ok(ScopeKind::Unknown);
        }
        return resource(level, rest, release).map_err(|error| error.shifted(start));
    }
    match plain(token) {
        Some(plain) => Ok(ScopeKind::Plain(plain)),
        None => other(token),
    }
}

fn plain(token: &str) -> Option<NonResource> {
    Some(match token {
        "openid" => NonResource::OpenId,
        "fhirUser" => NonResource::FhirUser,
        "profile" => NonResource::Profile,
        "email" => NonResource::Email,
        "offline_access" => NonResource::OfflineAccess,
        "online_access" => NonResource::OnlineAccess,
        "launch" => NonResource::Launch,
        _ => return None,
    })
}

fn launch(rest: &str, release: Release) -> Option<ScopeKind<'static>> {
    let (context, role) = match rest.split_once('?') {
        Some((context, query)) => (context, Some(query.strip_prefix("role=")?)),
        None => (rest, None),
    };
    let strange =
        |role: &str| role.bytes().any(|byte| matches!(byte, b'&' | b'?' | b'=')) || strange_character(role).is_some();
    if role.is_some_and(|role| role.is_empty() || strange(role)) {
        return None;
    }
    let context = ResourceType::parse_lower_case(context, release)?;
    Some(ScopeKind::Plain(NonResource::LaunchFor(context)))
}

/// Names such as `system/bulk-submit` of other specifications: a lower-case word without a dot that is no misspelt resource type, and no letters that lost theirs.
fn names_something_else(rest: &str) -> bool {
    rest.starts_with(|first: char| first.is_ascii_lowercase())
        && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
        && !ResourceType::every().any(|known| known.name().eq_ignore_ascii_case(rest))
        && Permissions::parse(rest).is_none()
        && Permissions::parse_v1(rest).is_none()
}

fn resource(level: Level, rest: &str, release: Release) -> Result<ScopeKind<'_>, ParseError> {
    let stop = first_of(rest.as_bytes(), [b'.', b'?']).unwrap_or(rest.len());
    let end = stop + rest.bytes().skip(stop).position(|byte| byte == b'?').unwrap_or(rest.len() - stop);
    let (head, query) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..));
    let dot = (stop < end).then_some(stop);
    let name = head.get(..stop).unwrap_or_default();
    let types = if name == "*" {
        TypeSelector::All
    } else {
        let found = ResourceType::parse(name, release);
        TypeSelector::One(found.ok_or_else(|| ParseError::new(Kind::ResourceType, 0..name.len()))?)
    };
    let start = name.len() + 1;
    let refuse = |kind| ParseError::new(kind, start.min(end)..end);
    let word = dot.and_then(|dot| head.get(dot + 1..)).ok_or_else(|| refuse(Kind::Permissions))?;
    let (permissions, dialect) = match Permissions::parse(word) {
        Some(letters) => (letters, Dialect::V2),
        None => (Permissions::parse_v1(word).ok_or_else(|| refuse(Kind::Permissions))?, Dialect::V1),
    };
    let limit = match query {
        None => Limit::NONE,
        Some(_) if dialect == Dialect::V1 => return Err(ParseError::new(Kind::LimitOnV1, end..rest.len())),
        Some(query) => match Limit::plain(query, types, release) {
            Some(limit) => limit,
            None if strange_character(query).is_some() => {
                return Err(ParseError::new(Kind::Character, end..rest.len()));
            }
            None => Limit::parse(query, types, release).map_err(|error| error.shifted(end + 1))?,
        },
    };
    Ok(ScopeKind::Resource(ResourceScope { level, types, permissions, limit, dialect }))
}

/// Extensions, slips of the pen in known forms, and tokens that belong to somebody else.
fn other(token: &str) -> Result<ScopeKind<'static>, ParseError> {
    if let Some(name) = token.strip_prefix("__") {
        return if name.is_empty() { Err(ParseError::new(Kind::Extension, 2..2)) } else { Ok(ScopeKind::Extension) };
    }
    if is_uri(token) {
        return Ok(ScopeKind::Extension);
    }
    match slip(token) {
        Some(kind) => Err(ParseError::new(kind, 0..token.find(['/', '.', '$', '%', '?']).unwrap_or(token.len()))),
        None => Ok(ScopeKind::Unknown),
    }
}

fn is_uri(token: &str) -> bool {
    let Some((scheme, rest)) = token.split_once(':') else { return false };
    let named = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let urn = scheme.eq_ignore_ascii_case("urn")
        && rest.split_once(':').is_some_and(|(space, name)| !space.is_empty() && !name.is_empty());
    named && (urn || rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')))
}

/// `Observation.rs`: what stands behind a level, be it parted from it by the wrong sign.
fn is_type_with_letters(text: &str) -> bool {
    text.rsplit_once('.').is_some_and(|(name, word)| {
        (name == "*" || ResourceType::parse_any(name).is_some())
            && (Permissions::parse(word).is_some() || Permissions::parse_v1(word).is_some())
    })
}

/// A token that can only be meant as a resource or launch scope, but is none.
fn slip(token: &str) -> Option<Kind> {
    let type_like = |text: &str| text.starts_with(|first: char| first.is_ascii_uppercase() || first == '*');
    let word_end = token.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(token.len());
    let (word, rest) = token.split_at_checked(word_end)?;
    if word.eq_ignore_ascii_case("launch") {
        return (rest.is_empty() || rest.starts_with(['/', '.', '?', '%'])).then_some(Kind::Launch);
    }
    let separators: &[char] = &['/', '.', '$', '%'];
    if Level::ALL.into_iter().any(|level| level.as_str().eq_ignore_ascii_case(word))
        && (rest.is_empty() || rest.starts_with(separators) || is_type_with_letters(rest.get(1..).unwrap_or_default()))
    {
        return Some(Kind::Level);
    }
    if word.is_empty() && (rest.starts_with(['/', '.', '*'])) {
        return Some(Kind::Level);
    }
    // any word in the place of the level, or a type without one
    let misplaced = token.split_once('/').is_some_and(|(_, after)| type_like(after));
    let bare = rest.starts_with('.') && ResourceType::parse_any(word).is_some();
    (misplaced || bare).then_some(Kind::Level)
}
