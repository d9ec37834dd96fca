//! Pure facts and rules: no async, no SQL, no HTTP. Time and randomness are arguments.

pub mod access_requests;
pub mod accounts;
pub mod application_providers;
pub mod approvals;
pub mod audit;
pub mod brands;
pub mod clients;
pub mod clock;
pub mod deliveries;
pub mod entropy;
pub mod grants;
pub mod ids;
pub mod json;
pub mod keys;
pub mod launch_context;
pub mod names;
pub mod organizations;
pub mod permission;
pub mod reader_keys;
pub mod secrets;
pub mod sessions;
pub mod throttle;
pub mod tokens;
