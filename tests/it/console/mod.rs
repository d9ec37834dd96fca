//! The console and `/api/v1`, through the router.

mod access;
mod api;
mod deciding;
mod house;
mod openapi;
mod registration;
mod switching;
