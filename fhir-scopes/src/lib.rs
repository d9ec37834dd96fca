//! SMART on FHIR scopes: parse, compare, explain and enforce.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod compartment;
mod constraint;
mod covers;
pub mod decide;
#[cfg(feature = "describe")]
pub mod describe;
mod difference;
mod encoding;
mod error;
mod grammar;
mod intersect;
mod level;
pub mod matches;
mod normal;
mod permissions;
mod planned;
mod resource_request;
mod resource_type;
pub mod route;
mod scope;
mod scope_set;
#[cfg(feature = "serde")]
mod serde_text;
mod tables;
mod uri;
pub mod us_core;

pub use constraint::{Clause, Limit, MAX_LIMIT_BYTES, ParameterKind, split_token};
pub use difference::Difference;
pub use error::{ParseError, ParseErrorKind, Rejected};
pub use level::{Level, UnknownLevel};
pub use permissions::Permissions;
pub use planned::{Unplannable, UnplannableKind};
pub use resource_request::{Interaction, RequestEntry, ResourceRequest};
pub use resource_type::{Release, ResourceType, TypeSelector};
pub use scope::{Dialect, NonResource, ResourceScope, Scope, ScopeKind};
pub use scope_set::{MAX_LIST_BYTES, MAX_TOKENS, ScopeSet};
