//! Reads an HTTP request as one FHIR interaction. What is not plainly an interaction of the specification is refused.
//!
//! The path is relative to the base and taken as it is: no decoding, no repair of slashes. A guard that repairs reads another
//! request than the server behind it.

use crate::marks::cut;
use crate::matches::is_id;
use crate::{Release, ResourceType, compartment};

/// One FHIR interaction.
///
/// ```
/// use fhir_scopes::{Release, ResourceType, route::{self, Interaction}};
/// let read = route::read("GET", "/Patient/123", "", Release::R4).unwrap();
/// assert_eq!(read, Interaction::Read { one: ResourceType::PATIENT, id: "123" });
/// let search = route::read("POST", "/Patient/_search", "", Release::R4).unwrap();
/// assert_eq!(search, Interaction::Search { one: ResourceType::PATIENT });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interaction<'a> {
    /// `/metadata`, `/.well-known/smart-configuration`, any `OPTIONS`: open to everyone.
    Open,
    /// `GET T/id`, `HEAD T/id`
    Read {
        /// The type.
        one: ResourceType,
        /// The id.
        id: &'a str,
    },
    /// `GET T/id/_history/v`
    VersionRead {
        /// The type.
        one: ResourceType,
        /// The id.
        id: &'a str,
        /// The version.
        version: &'a str,
    },
    /// `GET T/id/_history`
    InstanceHistory {
        /// The type.
        one: ResourceType,
        /// The id.
        id: &'a str,
    },
    /// `GET T/_history`
    TypeHistory {
        /// The type.
        one: ResourceType,
    },
    /// `GET /_history`
    SystemHistory,
    /// `GET T?...`, `POST T/_search`
    Search {
        /// The type.
        one: ResourceType,
    },
    /// `GET /?...`, `POST /_search`
    SystemSearch,
    /// `GET Patient/123/T?...`, `GET Patient/123/*`, and by POST.
    CompartmentSearch {
        /// The owner's type.
        owner: ResourceType,
        /// The owner's id.
        id: &'a str,
        /// The type searched, none for `*`.
        one: Option<ResourceType>,
    },
    /// `POST T`
    Create {
        /// The type.
        one: ResourceType,
    },
    /// `PUT T/id`
    Update {
        /// The type.
        one: ResourceType,
        /// The id.
        id: &'a str,
    },
    /// `PUT T?...`
    ConditionalUpdate {
        /// The type.
        one: ResourceType,
    },
    /// `PATCH T/id`
    Patch {
        /// The type.
        one: ResourceType,
        /// The id.
        id: &'a str,
    },
    /// `PATCH T?...`
    ConditionalPatch {
        /// The type.
        one: ResourceType,
    },
    /// `DELETE T/id`
    Delete {
        /// The type.
        one: ResourceType,
        /// The id.
        id: &'a str,
    },
    /// `DELETE T?...`
    ConditionalDelete {
        /// The type.
        one: ResourceType,
    },
    /// `POST /`: batch or transaction.
    Bundle,
    /// `$name` on the system, a type or an instance.
    Operation {
        /// The name without the dollar sign.
        name: &'a str,
        /// What it is called on.
        on: OperationTarget<'a>,
        /// Whether it came by `POST`: only then may it change something.
        post: bool,
    },
}

/// What an operation is called on.
///
/// ```
/// use fhir_scopes::{ResourceType, route::OperationTarget};
/// assert_eq!(OperationTarget::Type(ResourceType::PATIENT).one(), Some(ResourceType::PATIENT));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationTarget<'a> {
    /// `/$name`
    System,
    /// `/T/$name`
    Type(ResourceType),
    /// `/T/id/$name`
    Instance(ResourceType, &'a str),
}

impl OperationTarget<'_> {
    /// The type, if there is one.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::route::OperationTarget::System.one(), None);
    /// ```
    pub const fn one(self) -> Option<ResourceType> {
        match self {
            Self::System => None,
            Self::Type(one) | Self::Instance(one, _) => Some(one),
        }
    }
}

/// Why a request is no interaction that a scope could permit.
///
/// ```
/// use fhir_scopes::{Release, route::{self, NoRoute}};
/// assert_eq!(route::read("GET", "/Foo/1", "", Release::R4), Err(NoRoute::UnknownType));
/// assert_eq!(route::read("GET", "//Patient/1", "", Release::R4), Err(NoRoute::Path));
/// assert_eq!(route::read("PUT", "/", "", Release::R4), Err(NoRoute::NoInteraction));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoRoute {
    /// Empty segments, dots, encoded or odd characters, an id that is none.
    Path,
    /// The first segment is no resource type of the release.
    UnknownType,
    /// FHIR has no such interaction, or SMART gives no letter for it.
    NoInteraction,
    /// `DELETE /?...`: deletes across types; SMART lists no such interaction.
    SystemDelete,
}

/// Reads method, path and query string. The path is relative to the FHIR base, with or without the first slash.
///
/// ```
/// use fhir_scopes::{Release, ResourceType, route::{self, Interaction}};
/// let found = route::read("GET", "/Patient/123/Observation", "code=x", Release::R4);
/// let own = Interaction::CompartmentSearch { owner: ResourceType::PATIENT, id: "123", one: Some(ResourceType::OBSERVATION) };
/// assert_eq!(found, Ok(own));
/// ```
pub fn read<'a>(method: &str, path: &'a str, query: &str, release: Release) -> Result<Interaction<'a>, NoRoute> {
    let method = Method::read(method).ok_or(NoRoute::NoInteraction)?;
    if method == Method::Options {
        return Ok(Interaction::Open);
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    // what an interaction is made of has been compared or checked byte by byte, so only a refusal asks whether the path itself is odd
    interaction(method, path, query, release).map_err(|why| if is_plain(path) { why } else { NoRoute::Path })
}

fn interaction<'a>(method: Method, path: &'a str, query: &str, release: Release) -> Result<Interaction<'a>, NoRoute> {
    let mut segments = [""; 5];
    let mut count = 0;
    let mut rest = (!path.is_empty()).then_some(path);
    while let Some(text) = rest {
        let slot = segments.get_mut(count).ok_or(NoRoute::NoInteraction)?;
        (*slot, rest) = cut(text, [b'/']).map_or((text, None), |(segment, _, after)| (segment, Some(after)));
        count += 1;
    }
    let one = |name: &str| ResourceType::parse(name, release).ok_or(NoRoute::UnknownType);
    match segments.get(..count).unwrap_or_default() {
        [] => root(method, query),
        ["metadata"] | [".well-known", "smart-configuration"] if method == Method::Get => Ok(Interaction::Open),
        ["_history"] if method == Method::Get => Ok(Interaction::SystemHistory),
        ["_search"] if method == Method::Post => Ok(Interaction::SystemSearch),
        [name] if name.starts_with('$') => operation(method, name, OperationTarget::System),
        [name] => on_type(method, one(name)?, query),
        [name, last] if last.starts_with('$') => operation(method, last, OperationTarget::Type(one(name)?)),
        [name, "_search"] => {
            let one = one(name)?;
            if method == Method::Post { Ok(Interaction::Search { one }) } else { Err(NoRoute::NoInteraction) }
        }
        [name, "_history"] => {
            let one = one(name)?;
            if method == Method::Get { Ok(Interaction::TypeHistory { one }) } else { Err(NoRoute::NoInteraction) }
        }
        [name, id] => on_instance(method, one(name)?, checked(id)?),
        [name, id, last] if last.starts_with('$') => {
            operation(method, last, OperationTarget::Instance(one(name)?, checked(id)?))
        }
        [name, id, "_history"] => {
            let (one, id) = (one(name)?, checked(id)?);
            if method == Method::Get {
                Ok(Interaction::InstanceHistory { one, id })
            } else {
                Err(NoRoute::NoInteraction)
            }
        }
        [name, id, member] if method == Method::Get => in_compartment(one(name)?, checked(id)?, member, release),
        [name, id, member, "_search"] if method == Method::Post => {
            in_compartment(one(name)?, checked(id)?, member, release)
        }
        [name, id, "_history", version] => {
            let (one, id, version) = (one(name)?, checked(id)?, checked(version)?);
            if method == Method::Get {
                Ok(Interaction::VersionRead { one, id, version })
            } else {
                Err(NoRoute::NoInteraction)
            }
        }
        _ => Err(NoRoute::NoInteraction),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    fn read(text: &str) -> Option<Self> {
        match text {
            "GET" | "HEAD" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            "OPTIONS" => Some(Self::Options),
            _ => None,
        }
    }
}

/// Whether every segment is there, takes no step and is made of plain bytes.
fn is_plain(path: &str) -> bool {
    let plain =
        |segment: &str| segment.bytes().all(|byte| PLAIN[usize::from(byte)]) && !matches!(segment, "" | "." | "..");
    path.is_empty() || path.split('/').all(plain)
}

/// The bytes that stand in types, ids, operations and the words of FHIR.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'$' | b'*');
        byte += 1;
    }
    plain
};

fn checked(id: &str) -> Result<&str, NoRoute> {
    if is_id(id) { Ok(id) } else { Err(NoRoute::Path) }
}

fn root(method: Method, query: &str) -> Result<Interaction<'static>, NoRoute> {
    match method {
        Method::Get => Ok(Interaction::SystemSearch),
        Method::Post => Ok(Interaction::Bundle),
        Method::Delete if !query.is_empty() => Err(NoRoute::SystemDelete),
        Method::Put | Method::Patch | Method::Delete | Method::Options => Err(NoRoute::NoInteraction),
    }
}

fn on_type<'a>(method: Method, one: ResourceType, query: &str) -> Result<Interaction<'a>, NoRoute> {
    match method {
        Method::Get => Ok(Interaction::Search { one }),
        Method::Post => Ok(Interaction::Create { one }),
        // without a condition these would be about every resource of the type
        Method::Put | Method::Patch | Method::Delete if query.is_empty() => Err(NoRoute::NoInteraction),
        Method::Put => Ok(Interaction::ConditionalUpdate { one }),
        Method::Patch => Ok(Interaction::ConditionalPatch { one }),
        Method::Delete => Ok(Interaction::ConditionalDelete { one }),
        Method::Options => Err(NoRoute::NoInteraction),
    }
}

fn on_instance(method: Method, one: ResourceType, id: &str) -> Result<Interaction<'_>, NoRoute> {
    match method {
        Method::Get => Ok(Interaction::Read { one, id }),
        Method::Put => Ok(Interaction::Update { one, id }),
        Method::Patch => Ok(Interaction::Patch { one, id }),
        Method::Delete => Ok(Interaction::Delete { one, id }),
        Method::Post | Method::Options => Err(NoRoute::NoInteraction),
    }
}

fn in_compartment<'a>(
    owner: ResourceType,
    id: &'a str,
    member: &str,
    release: Release,
) -> Result<Interaction<'a>, NoRoute> {
    if !compartment::is_owner(owner) {
        return Err(NoRoute::NoInteraction);
    }
    if member == "*" {
        return Ok(Interaction::CompartmentSearch { owner, id, one: None });
    }
    let one = ResourceType::parse(member, release).ok_or(NoRoute::UnknownType)?;
    if !compartment::is_member_type(owner, one, release) {
        return Err(NoRoute::NoInteraction);
    }
    Ok(Interaction::CompartmentSearch { owner, id, one: Some(one) })
}

fn operation<'a>(method: Method, name: &'a str, on: OperationTarget<'a>) -> Result<Interaction<'a>, NoRoute> {
    let name = name.strip_prefix('$').unwrap_or(name);
    if name.is_empty()
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.' || byte == b'_')
    {
        return Err(NoRoute::Path);
    }
    match method {
        Method::Get => Ok(Interaction::Operation { name, on, post: false }),
        Method::Post => Ok(Interaction::Operation { name, on, post: true }),
        Method::Put | Method::Patch | Method::Delete | Method::Options => Err(NoRoute::NoInteraction),
    }
}
