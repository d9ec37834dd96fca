//! Trying an EHR launch from the console: who may, and with which clients.

use super::Refusal;
use super::actor::Staff;
use crate::app::App;
use crate::domain::accounts::StaffRole;
use crate::domain::audit::Actor;
use crate::domain::clients::GrantType;
use crate::domain::ids::{ClientId, FhirEndpointId};
use crate::storage;

/// More clients than anybody chooses from in a list.
const MOST_CLIENTS: i64 = 500;

/// A client that can be launched.
#[derive(Clone, Debug)]
pub struct Launchable {
    /// Its id.
    pub client_id: ClientId,
    /// Its name, as approved.
    pub name: String,
    /// It registered a launch URL.
    pub has_launch_uri: bool,
    /// Where it is approved.
    pub fhir_endpoints: Vec<FhirEndpointId>,
}

/// The clients that are approved and enabled here and that people use, by name.
pub async fn launchable(app: &App, staff: &Staff) -> Result<Vec<Launchable>, Refusal> {
    let mut conn = app.store.read().await?;
    let found = storage::launch_handles::launchable(&mut conn, &staff.organization.id, app.now(), MOST_CLIENTS).await?;
    Ok(found
        .into_iter()
        .filter(|(_, metadata, _)| metadata.may_use(GrantType::AuthorizationCode))
        .map(|(client_id, metadata, fhir_endpoints)| Launchable {
            client_id,
            name: metadata.name,
            has_launch_uri: metadata.launch_uri.is_some(),
            fhir_endpoints,
        })
        .collect())
}

/// Whoever decides about clients may try them out. The launch itself is made by `protocol::launch`, as for an EHR; this is who makes it.
pub fn tries(staff: &Staff) -> Result<Actor, Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    Ok(staff.audit())
}
