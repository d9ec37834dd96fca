//! Countersign.
fn main() {}
