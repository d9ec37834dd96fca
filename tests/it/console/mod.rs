//! The console and `/api/v1`, through the router.

mod api;
mod brand;
mod deciding;
mod house;
mod launches;
mod openapi;
mod registration;
mod switching;
