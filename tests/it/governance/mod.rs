//! What people decide, asked of the functions themselves.

mod approving;
mod asking;
mod listing;
mod members;
mod races;
mod switching;
pub mod world;
