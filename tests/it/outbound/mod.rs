//! The rest of the world, well-behaved and not.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]

mod fhir;
