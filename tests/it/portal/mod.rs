//! The portal, as an application provider uses it.

mod asking;
mod clients;
