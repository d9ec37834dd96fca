//! SMART on FHIR scopes: parse, compare, explain and enforce.
//!
//! A scope is one thing with four parts, level, type, letters and limit: `patient/Observation.rs?category=laboratory`. Taking these parts from
//! each other is the source of most scope bugs, so this crate never does.
//!
//! 1. **Read**: [`ScopeSet::parse`] (the first fault refuses the list, with byte range and what was expected) or
//!    [`ScopeSet::parse_lenient`] (keeps what is well-formed and tells why the rest was left out). [`Scope::parse`] reads one token without allocating.
//! 2. **Compare**: [`ScopeSet::covers`], [`ScopeSet::intersect`], [`ScopeSet::granted_within`], [`ScopeSet::difference`],
//!    [`ScopeSet::normalized`]. Levels have no order; whatever cannot be compared with certainty counts as not covered.
//! 3. **Ask**: [`ResourceRequest`] turns resources and interactions, or planned HTTP requests, into the smallest scope set.
//! 4. **Explain**: the module `describe` tells any scope set in English or Dutch.
//! 5. **Enforce**: [`decide::Grant`], compiled once per token, answers a FHIR request with allow, filter or deny.
//!
//! ```
//! use fhir_scopes::{Release, ScopeSet};
//!
//! let approved = ScopeSet::parse("openid patient/Patient.rs patient/Condition.r", Release::R4)?;
//! let requested = ScopeSet::parse("openid offline_access patient/*.read", Release::R4)?;
//! let granted = requested.granted_within(&approved);
//! assert_eq!(granted.to_string(), "openid patient/Condition.r patient/Patient.read");
//! assert!(requested.covers(&granted) && approved.covers(&granted));
//! # Ok::<(), fhir_scopes::ParseError>(())
//! ```
//!
//! Everything is bounded ([`MAX_LIST_BYTES`], [`MAX_TOKENS`], [`MAX_LIMIT_BYTES`]) and nothing panics.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

/// The examples of the README, run as tests.
#[cfg(all(doctest, feature = "r4"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod compartment;
mod constraint;
mod covers;
pub mod decide;
#[cfg(feature = "describe")]
pub mod describe;
mod difference;
mod encoding;
mod error;
mod few;
mod grammar;
mod intersect;
mod level;
mod limit_grammar;
mod marks;
pub mod matches;
mod names;
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
mod signs;
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
