//! Countersign.

pub mod demo;
pub mod outbound;
