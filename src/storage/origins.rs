//! Browser origins of approved clients, for CORS preflights: a preflight names no client.

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::ids::OrganizationId;

/// Has any client that is approved at this organization a redirect URI at this origin? `origin` is scheme, host and port, lower case.
pub async fn is_registered(conn: &mut Conn, organization: &OrganizationId, origin: &str) -> Result<bool, StorageError> {
    // an origin holds neither quotes nor wildcards of `like`: checked by the caller's parser; `_` cannot occur in one that browsers send
    let row = sqlx::query(
        "select count(*) as found from approvals a join client_revisions r on r.client_id = a.client_id and r.revision = a.client_revision
         where a.organization_id = $1 and a.state = 'enabled' and (r.metadata like $2 or r.metadata like $3)",
    )
    .bind(organization.as_str())
    .bind(format!("%\"{origin}/%"))
    .bind(format!("%\"{origin}\"%"))
    .fetch_one(conn)
    .await?;
    Ok(row.int("found")? > 0)
}
