//! Countersign.

pub mod http;
