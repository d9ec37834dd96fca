//! The edge towards browsers and apps: pages, static assets and (on the same floor) the endpoints.

pub mod assets;
pub mod pages;
