//! Countersign: a SMART on FHIR authorization server in which the provider organization countersigns every app.
//!
//! # The house
//!
//! Floors; each uses only those below it.
//!
//! ```text
//! http      jobs     cli       edges: handlers and pages; background loops; commands
//!   |        |        |
//! protocol      governance     what apps do (RFC, SMART)  |  what people decide (register, request, approve, disable, audit)
//!      \        /
//!         app                  config + store + clock + entropy + keys, built once
//!      /        \
//! storage       outbound       our database  |  the rest of the world: FHIR servers, clients' JWKS, mail, webhooks
//!      \        /
//!        domain                pure facts and rules; no async, no SQL, no HTTP
//!          |
//!     fhir-scopes              the scope language: its own crate, usable by any Rust FHIR server
//! ```
//!
//! The same file name on every floor gives the view of one feature: `ls src/*/approvals.rs`.

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod governance;
pub mod http;
pub mod jobs;
pub mod outbound;
pub mod protocol;
pub mod storage;
pub mod vault;
