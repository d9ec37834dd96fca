//! The URI spellings of scopes (SMART App Launch 2.2, "URI representation of scopes").

use alloc::string::String;

use crate::{NonResource, Scope, ScopeKind};

/// Before SMART scopes.
pub(crate) const SMART: &str = "http://smarthealthit.org/fhir/scopes/";
/// Before the scopes that OpenID Connect defines.
pub(crate) const OPENID: &str = "http://openid.net/specs/openid-connect-core-1_0#";

pub(crate) fn is_spelled_out(literal: &str) -> bool {
    literal.starts_with(SMART) || literal.starts_with(OPENID)
}

/// Whether OpenID Connect Core defines the scope; the others are SMART's own.
pub(crate) fn is_openid(plain: NonResource) -> bool {
    matches!(plain, NonResource::OpenId | NonResource::Profile | NonResource::Email | NonResource::OfflineAccess)
}

pub(crate) fn spell(scope: &Scope<'_>) -> Option<String> {
    let prefix = match scope.kind() {
        ScopeKind::Plain(plain) if is_openid(*plain) => OPENID,
        ScopeKind::Resource(_) | ScopeKind::Plain(_) => SMART,
        ScopeKind::Extension | ScopeKind::Unknown => return None,
    };
    let literal = scope.literal();
    Some(if is_spelled_out(literal) { literal.into() } else { [prefix, literal].concat() })
}
