//! Clients, access requests, approvals: through the functions of portal and console.

use std::collections::BTreeSet;

use super::super::access_requests::{self, Ask};
use super::super::actor::{Developer, Staff};
use super::super::approvals::{self, Life, Yes};
use super::super::clients;
use super::{Applying, ApprovalDeclared, ClientDeclared, MadeSecret, NotApplied, RequestDeclared, invalid, refused};
use crate::domain::access_requests::AccessRequest;
use crate::domain::clients::{Client, ClientMetadata, ClientType};
use crate::domain::ids::{AccessRequestId, ClientId, ResourceServerId, is_reserved_client_id};
use crate::domain::secrets::PlainSecret;
use crate::governance::Refusal;
use crate::storage;

/// A secret shorter than this is one that somebody thought up.
const SHORTEST_SECRET: usize = 24;

impl Applying<'_> {
    /// In whose name a provider's clients are registered here: an admin of it if there is one.
    async fn developer_of(&self, client: &Client, what: &str) -> Result<Developer, NotApplied> {
        self.developer_at(&client.application_provider_id, what).await
    }

    async fn developer_at(
        &self,
        provider: &crate::domain::ids::ApplicationProviderId,
        what: &str,
    ) -> Result<Developer, NotApplied> {
        let mut conn = self.app.store.read().await?;
        let mut members = storage::application_providers::developers_of(&mut conn, provider).await?;
        members.sort_by_key(|member| std::cmp::Reverse(member.role));
        for member in members {
            let Some(account) = storage::accounts::lookup(&mut conn, &member.account_id).await? else { continue };
            if account.active {
                return Developer::at(&mut conn, &account, provider).await.map_err(refused(what));
            }
        }
        Err(NotApplied::Unknown {
            what: what.to_owned(),
            missing: "developer at its application provider, in whose name to act".to_owned(),
        })
    }

    async fn client_named(&self, id: &str, what: &str) -> Result<Option<Client>, NotApplied> {
        let found = storage::clients::lookup(&mut *self.app.store.read().await?, &ClientId::from_text(id)).await?;
        let declared = self.declaration.clients.iter().any(|client| client.client_id == id);
        self.or_unknown(found, declared, what, || format!("client {id}"))
    }

    /// A client's id is also its `sub`: it must not be one of a person, of a FHIR server or of ours.
    async fn means_something_else(&self, id: &str) -> Result<bool, NotApplied> {
        let is_declared = self
            .declaration
            .organizations
            .iter()
            .flat_map(|organization| &organization.resource_servers)
            .any(|server| server.id.as_deref() == Some(id));
        let mut conn = self.app.store.read().await?;
        let server = ResourceServerId::from_text(id);
        let is_server = storage::organizations::resource_server_exists(&mut conn, &server).await?;
        Ok(is_declared || is_server || is_reserved_client_id(id))
    }

    pub(super) async fn client(&mut self, declared: &ClientDeclared) -> Result<(), NotApplied> {
        let what = format!("client {}", declared.client_id);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.');
        if !(3..=64).contains(&declared.client_id.len()) || !declared.client_id.bytes().all(plain) {
            return Err(invalid(&what, "client_id", "3 to 64 lower-case letters, digits, `_`, `-` and `.`"));
        }
        if declared.secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            return Err(invalid(&what, "secret", "at least 24 random characters"));
        }
        let metadata = clients::validate(declared.metadata.clone(), self.app.config.outbound.allow_private_networks)
            .map_err(refused(&what))?;
        let Some(provider) = self.provider_named(&declared.application_provider, &what).await? else {
            self.added(&what);
            return Ok(());
        };
        let id = ClientId::from_text(declared.client_id.as_str());
        let found = storage::clients::lookup(&mut *self.app.store.read().await?, &id).await?;
        if found.as_ref().is_some_and(|client| client.application_provider_id != provider.id) {
            return Err(invalid(&what, "application_provider", "this client belongs to another provider"));
        }
        if found.is_none() && self.means_something_else(&declared.client_id).await? {
            return Err(invalid(&what, "client_id", "an id of this form, or this very id, belongs to something else"));
        }
        if self.dry_run && found.is_none() {
            self.added(&what);
            return Ok(());
        }
        let developer = self.developer_at(&provider.id, &what).await?;
        if found.is_none() {
            self.added(&what);
            clients::register_as(self.app, &developer, id.clone(), metadata.clone()).await.map_err(refused(&what))?;
        } else {
            let own =
                clients::own(&mut *self.app.store.read().await?, &developer, &id).await.map_err(refused(&what))?;
            if own.latest.metadata != metadata {
                self.changed(&what, format!("revision {}", own.latest.revision + 1));
                if !self.dry_run {
                    let why = "Declared by the operator of this server.";
                    clients::revise(self.app, &developer, &id, own.latest.revision, metadata.clone(), why)
                        .await
                        .map_err(refused(&what))?;
                }
            }
        }
        if metadata.client_type == ClientType::ConfidentialSecret {
            self.client_secret(&developer, &id, declared, &what).await?;
        }
        Ok(())
    }

    async fn client_secret(
        &mut self,
        developer: &Developer,
        id: &ClientId,
        declared: &ClientDeclared,
        what: &str,
    ) -> Result<(), NotApplied> {
        let now = self.app.now();
        let secrets = storage::clients::list_secrets(&mut *self.app.store.read().await?, id).await?;
        let live: Vec<_> = secrets.iter().filter(|secret| secret.is_live(now)).collect();
        match declared.secret.as_deref().map(PlainSecret::from_text) {
            Some(given) if live.iter().any(|secret| secret.secret_hash.matches(&given.hashed())) => {}
            Some(given) => {
                self.changed(what, "a secret is added");
                if !self.dry_run {
                    clients::keep_secret(self.app, developer, id, given, None).await.map_err(refused(what))?;
                }
            }
            None if !live.is_empty() => {}
            None => {
                self.changed(what, "a secret is made");
                if !self.dry_run {
                    let made = clients::make_secret(self.app, developer, id, None).await.map_err(refused(what))?;
                    self.report.secrets.push(MadeSecret { of: id.as_str().to_owned(), plain: made.plain });
                }
            }
        }
        Ok(())
    }

    pub(super) async fn access_request(&mut self, declared: &RequestDeclared) -> Result<(), NotApplied> {
        let what = format!("access request of {} to {}", declared.client_id, declared.organization);
        let (client, organization) = (
            self.client_named(&declared.client_id, &what).await?,
            self.organization_named(&declared.organization, &what).await?,
        );
        let (Some(client), Some(organization)) = (client, organization) else {
            self.added(&what);
            return Ok(());
        };
        let mut conn = self.app.store.read().await?;
        let endpoints = storage::organizations::list_endpoints(&mut conn, &organization.id).await?;
        let endpoint = endpoints.into_iter().find(|endpoint| endpoint.slug == declared.fhir_endpoint);
        let Some(endpoint) =
            self.or_unknown(endpoint, true, &what, || format!("FHIR endpoint {}", declared.fhir_endpoint))?
        else {
            self.added(&what);
            return Ok(());
        };
        // asked once is asked: whatever became of it, the file does not ask again
        let asked = storage::access_requests::list_by_client(&mut conn, &client.id).await?;
        let same = |request: &AccessRequest| {
            request.organization_id == organization.id
                && request.fhir_endpoint_id == endpoint.id
                && literals(&request.scopes) == literals(&declared.scopes)
        };
        if asked.iter().any(same) {
            return Ok(());
        }
        drop(conn);
        self.added(&what);
        if self.dry_run {
            return Ok(());
        }
        let developer = self.developer_of(&client, &what).await?;
        let ask = Ask {
            client_id: client.id,
            organization_id: organization.id,
            fhir_endpoint_id: endpoint.id,
            scopes: declared.scopes.clone(),
            reason: declared.reason.clone(),
        };
        access_requests::ask(self.app, &developer, ask).await.map_err(refused(&what))?;
        Ok(())
    }

    /// Is a waiting change exactly what the file says of this client and asks for it?
    fn is_declared(&self, waiting: &AccessRequest, metadata: &ClientMetadata, approval: &ApprovalDeclared) -> bool {
        let local = self.app.config.outbound.allow_private_networks;
        let client = self.declaration.clients.iter().find(|client| client.client_id == approval.client_id);
        let asked = |request: &RequestDeclared| {
            request.client_id == approval.client_id
                && request.organization == approval.organization
                && literals(&request.scopes) == literals(&waiting.scopes)
        };
        client.is_some_and(|client| {
            clients::validate(client.metadata.clone(), local).is_ok_and(|declared| declared == *metadata)
        }) && self.declaration.access_requests.iter().any(asked)
    }

    pub(super) async fn approval(&mut self, declared: &ApprovalDeclared) -> Result<(), NotApplied> {
        let what = format!("approval of {} at {}", declared.client_id, declared.organization);
        let (client, organization) = (
            self.client_named(&declared.client_id, &what).await?,
            self.organization_named(&declared.organization, &what).await?,
        );
        let account = self.account_of(&declared.approved_by, &what).await?;
        let (Some(client), Some(organization), Some(account)) = (client, organization, account) else {
            self.added(&what);
            return Ok(());
        };
        let mut conn = self.app.store.read().await?;
        let approval = storage::approvals::find(&mut conn, &organization.id, &client.id).await?;
        let waiting = storage::access_requests::find_waiting(&mut conn, &organization.id, &client.id).await?;
        let Some(waiting) = waiting else {
            drop(conn);
            if approval.is_some() {
                return Ok(());
            }
            // in a dry run the request may be one that the file itself would send
            let declared_too = self.declaration.access_requests.iter().any(|request| {
                request.client_id == declared.client_id && request.organization == declared.organization
            });
            if self.dry_run && declared_too {
                self.added(&what);
                return Ok(());
            }
            return Err(NotApplied::Unknown { what, missing: "request that waits for an answer".to_owned() });
        };
        let staff = Staff::at(&mut conn, &account, &declared.organization).await.map_err(refused(&what))?;
        let revision = storage::clients::find_revision(&mut conn, &client.id, waiting.client_revision).await?;
        drop(conn);
        let revision = revision.ok_or_else(|| refused(&what)(Refusal::NotFound))?;
        if approval.is_some() {
            if !self.is_declared(&waiting, &revision.metadata, declared) {
                // somebody asked for something else meanwhile: that is for a person to decide
                return Ok(());
            }
            self.changed(&what, "the change request is approved");
        } else {
            self.added(&what);
        }
        if self.dry_run {
            return Ok(());
        }
        let yes =
            Yes { digest: waiting.digest(&revision.digest), scopes: declared.scopes.clone(), life: Life::AsConfigured };
        let id: AccessRequestId = waiting.id;
        approvals::approve(self.app, &staff, &id, yes).await.map_err(refused(&what))?;
        Ok(())
    }
}

/// Scopes as a set: their order says nothing.
fn literals(scopes: &str) -> BTreeSet<&str> {
    scopes.split_ascii_whitespace().collect()
}
