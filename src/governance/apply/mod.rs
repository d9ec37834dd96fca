//! `countersign apply`: a file says what is to be, this makes it so. Applying the same file again changes nothing; `dry_run` only says what would change.
//!
//! Clients, requests and approvals go through the same functions as portal and console, in the name of a developer of the provider and of the reviewer
//! the file names; so every rule holds here too. Nothing is ever taken away: what a file does not mention stays, a client that staff disabled stays disabled,
//! a request that was rejected is not asked again, a password that somebody changed is theirs.

mod apps;
mod declaration;
mod people;
mod places;

use std::fmt;

pub use declaration::{
    AccountDeclared, ApprovalDeclared, ClientDeclared, Declaration, DeveloperDeclared, EndpointDeclared, Given,
    OrganizationDeclared, ProviderDeclared, RequestDeclared, ResourceServerDeclared, StaffDeclared, Unreadable,
    UserDeclared,
};

use super::Refusal;
use crate::app::App;
use crate::domain::accounts::{Account, normalized_email};
use crate::domain::application_providers::ApplicationProvider;
use crate::domain::organizations::Organization;
use crate::domain::secrets::PlainSecret;
use crate::storage::{self, StorageError};

/// Something that was (or would be) changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// New, or different from before.
    pub kind: ChangeKind,
    /// `client growth-chart`, ...
    pub what: String,
    /// How it differs; empty for something new.
    pub how: String,
}

/// New, or different from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Was not there.
    Added,
    /// Was otherwise.
    Changed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            ChangeKind::Added => "+",
            ChangeKind::Changed => "~",
        };
        write!(f, "{sign} {}", self.what)?;
        if self.how.is_empty() { Ok(()) } else { write!(f, ": {}", self.how) }
    }
}

/// A secret that was made because the file gave none. Shown once.
#[derive(Debug)]
pub struct MadeSecret {
    /// The `client_id` of a client or resource server.
    pub of: String,
    /// It.
    pub plain: PlainSecret,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order of the file.
    pub changes: Vec<Change>,
    /// Secrets to be written down now.
    pub secrets: Vec<MadeSecret>,
}

/// A part of the file that cannot be applied. What came before it stands; applying again after mending goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum NotApplied {
    /// It refers to something that is neither in the file nor here.
    #[error("{what}: there is no {missing}")]
    Unknown {
        /// Which part of the file.
        what: String,
        /// What is missing.
        missing: String,
    },
    /// It breaks a rule.
    #[error("{what}: {refusal}")]
    Refused {
        /// Which part of the file.
        what: String,
        /// The rule.
        refusal: Refusal,
    },
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Makes it so, or with `dry_run` says what would change.
pub async fn apply(app: &App, declaration: &Declaration, dry_run: bool) -> Result<Report, NotApplied> {
    let mut run = Applying { app, declaration, dry_run, report: Report::default() };
    for organization in &declaration.organizations {
        run.organization(organization).await?;
    }
    for provider in &declaration.application_providers {
        run.provider(provider).await?;
    }
    for account in &declaration.accounts {
        run.account(account).await?;
    }
    for client in &declaration.clients {
        run.client(client).await?;
    }
    for request in &declaration.access_requests {
        run.access_request(request).await?;
    }
    for approval in &declaration.approvals {
        run.approval(approval).await?;
    }
    Ok(run.report)
}

struct Applying<'a> {
    app: &'a App,
    declaration: &'a Declaration,
    dry_run: bool,
    report: Report,
}

impl Applying<'_> {
    fn added(&mut self, what: impl Into<String>) {
        self.report.changes.push(Change { kind: ChangeKind::Added, what: what.into(), how: String::new() });
    }

    fn changed(&mut self, what: impl Into<String>, how: impl Into<String>) {
        self.report.changes.push(Change { kind: ChangeKind::Changed, what: what.into(), how: how.into() });
    }

    /// An organization; `None` only in a dry run, where the file itself would add it.
    async fn organization_named(&self, slug: &str, what: &str) -> Result<Option<Organization>, NotApplied> {
        let found = storage::organizations::find_by_slug(&mut *self.app.store.read().await?, slug).await?;
        let declared = self.declaration.organizations.iter().any(|organization| organization.slug == slug);
        self.or_unknown(found, declared, what, || format!("organization {slug}"))
    }

    /// A provider; `None` only in a dry run.
    async fn provider_named(&self, name: &str, what: &str) -> Result<Option<ApplicationProvider>, NotApplied> {
        let found = storage::application_providers::find_by_name(&mut *self.app.store.read().await?, name).await?;
        let declared = self.declaration.application_providers.iter().any(|provider| provider.name == name);
        self.or_unknown(found, declared, what, || format!("application provider {name}"))
    }

    /// An account; `None` only in a dry run.
    async fn account_of(&self, email: &str, what: &str) -> Result<Option<Account>, NotApplied> {
        let key = normalized_email(email).unwrap_or_default();
        let found = storage::accounts::find_by_email(&mut *self.app.store.read().await?, &key).await?;
        let declared =
            self.declaration.accounts.iter().any(|account| normalized_email(&account.email).as_ref() == Some(&key));
        self.or_unknown(found, declared, what, || format!("account {email}"))
    }

    fn or_unknown<T>(
        &self,
        found: Option<T>,
        declared: bool,
        what: &str,
        missing: impl Fn() -> String,
    ) -> Result<Option<T>, NotApplied> {
        if found.is_some() || (self.dry_run && declared) {
            return Ok(found);
        }
        Err(NotApplied::Unknown { what: what.to_owned(), missing: missing() })
    }
}

/// Says which part of the file a refusal is about.
fn refused(what: &str) -> impl Fn(Refusal) -> NotApplied + '_ {
    move |refusal| match refusal {
        Refusal::Storage(error) => NotApplied::Storage(error),
        refusal => NotApplied::Refused { what: what.to_owned(), refusal },
    }
}

fn invalid(what: &str, field: &'static str, message: &str) -> NotApplied {
    NotApplied::Refused { what: what.to_owned(), refusal: Refusal::invalid(field, "invalid", message) }
}

/// The fields that differ, as text for a person.
fn differences(fields: &[(&str, bool)]) -> String {
    fields.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
