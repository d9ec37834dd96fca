//! The rest of the world, well-behaved and not.

mod fhir;
