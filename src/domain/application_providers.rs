//! Application providers: the vendors that own clients.

use super::clock::UtcMillis;
use super::ids::ApplicationProviderId;
use super::organizations::Standing;

/// A vendor.
#[derive(Clone, Debug)]
pub struct ApplicationProvider {
    /// Id.
    pub id: ApplicationProviderId,
    /// Name shown to people.
    pub name: String,
    /// Its website, or empty.
    pub website: String,
    /// Active or suspended.
    pub standing: Standing,
    /// When it was set up.
    pub created_at: UtcMillis,
}
