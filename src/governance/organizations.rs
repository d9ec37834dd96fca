//! What an organization's admins keep in order: its members, FHIR endpoints and settings; and its activity, read by its staff.

use super::actor::Staff;
use super::client_management::{Happened, Person, person, with_names};
use super::{Refusal, words};
use crate::app::App;
use crate::domain::accounts::{StaffMembership, StaffRole, normalized_email};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccountId, FhirEndpointId, OrganizationId, ResourceServerId, WebhookId};
use crate::domain::organizations::{FhirEndpoint, FhirEndpointSettings, Organization, OrganizationSettings, ResourceServer, Standing, is_slug};
use crate::domain::secrets::PlainSecret;
use crate::governance::error::Fault;
use crate::storage::outbox::{Channel, Message};
use crate::storage::{self, Conn, StorageError};
use fhir_scopes::Release;

/// A member of staff, as the page of members shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// Their e-mail address.
    pub email: String,
    /// As what.
    pub role: StaffRole,
    /// Since when.
    pub since: Option<UtcMillis>,
    /// False: deactivated, they cannot sign in.
    pub active: bool,
}

/// Who is staff, by name.
pub async fn members(app: &App, staff: &Staff) -> Result<Vec<Member>, Refusal> {
    let mut conn = app.store.read().await?;
    let mut members = Vec::new();
    for membership in storage::accounts::staff_of(&mut conn, &staff.organization.id).await? {
        if let Some(account) = storage::accounts::lookup(&mut conn, &membership.account_id).await? {
            let person = Person { id: account.id, name: account.name };
            let since = storage::accounts::staff_since(&mut conn, &staff.organization.id, &person.id).await?;
            members.push(Member { person, email: account.email, role: membership.role, since, active: account.active });
        }
    }
    members.sort_by(|a, b| a.person.name.to_lowercase().cmp(&b.person.name.to_lowercase()).then_with(|| a.email.cmp(&b.email)));
    Ok(members)
}

/// Makes somebody who has an account a member of staff.
pub async fn add_member(app: &App, staff: &Staff, email: &str, role: StaffRole) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let email = normalized_email(email).ok_or_else(|| Refusal::invalid("email", "not-an-address", "that is no e-mail address"))?;
    let (staff, now) = (staff.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let account = storage::accounts::find_by_email(conn, &email)
                    .await?
                    .ok_or_else(|| Refusal::invalid("email", "no-account", "nobody with this address has an account yet"))?;
                if role_of(conn, &staff.organization.id, &account.id).await?.is_some() {
                    return Err(Refusal::Conflict("they are a member already".into()));
                }
                let event = about_member(&staff, "staff.added", &account.id, now).with("role", role.as_str());
                storage::audit::append(conn, &event).await?;
                let membership = StaffMembership { organization_id: staff.organization.id.clone(), account_id: account.id, role };
                storage::accounts::put_staff(conn, &membership, now).await?;
                Ok(())
            })
        })
        .await
}

/// Changes what a member may do. The last admin stays one.
pub async fn change_role(app: &App, staff: &Staff, member: &AccountId, role: StaffRole) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let (staff, member, now) = (staff.clone(), member.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                // first, because it locks the organization's chain: of two admins stepping down at once, the second sees the first
                let event = about_member(&staff, "staff.role_changed", &member, now).with("role", role.as_str());
                storage::audit::append(conn, &event).await?;
                let before = role_of(conn, &staff.organization.id, &member).await?.ok_or(Refusal::NotFound)?;
                if before == role {
                    return Err(Refusal::Conflict("they have this role already".into()));
                }
                another_admin_stays(conn, &staff.organization.id, &member, before).await?;
                let membership = StaffMembership { organization_id: staff.organization.id.clone(), account_id: member, role };
                storage::accounts::put_staff(conn, &membership, now).await?;
                Ok(())
            })
        })
        .await
}

/// Ends a membership. The last admin stays.
pub async fn remove_member(app: &App, staff: &Staff, member: &AccountId) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let (staff, member, now) = (staff.clone(), member.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                storage::audit::append(conn, &about_member(&staff, "staff.removed", &member, now)).await?;
                let before = role_of(conn, &staff.organization.id, &member).await?.ok_or(Refusal::NotFound)?;
                another_admin_stays(conn, &staff.organization.id, &member, before).await?;
                storage::accounts::remove_staff(conn, &staff.organization.id, &member).await?;
                Ok(())
            })
        })
        .await
}

fn about_member(staff: &Staff, event: &'static str, member: &AccountId, now: UtcMillis) -> AuditEvent {
    AuditEvent::new(&staff.organization.id, now, event, staff.audit()).subject(member.as_str())
}

async fn role_of(conn: &mut Conn, organization: &OrganizationId, account: &AccountId) -> Result<Option<StaffRole>, StorageError> {
    let memberships = storage::accounts::staff_memberships(conn, account).await?;
    Ok(memberships.into_iter().find(|membership| membership.organization_id == *organization).map(|membership| membership.role))
}

async fn another_admin_stays(conn: &mut Conn, organization: &OrganizationId, member: &AccountId, role: StaffRole) -> Result<(), Refusal> {
    if role != StaffRole::Admin {
        return Ok(());
    }
    for other in storage::accounts::staff_of(conn, organization).await? {
        if other.role == StaffRole::Admin && other.account_id != *member {
            // a deactivated admin cannot let anybody in
            if storage::accounts::lookup(conn, &other.account_id).await?.is_some_and(|account| account.active) {
                return Ok(());
            }
        }
    }
    Err(Refusal::Conflict("the last admin stays".into()))
}

/// The FHIR endpoints, by name.
pub async fn endpoints(app: &App, staff: &Staff) -> Result<Vec<FhirEndpoint>, Refusal> {
    Ok(storage::organizations::list_endpoints(&mut *app.store.read().await?, &staff.organization.id).await?)
}

/// What an admin says of a FHIR endpoint.
#[derive(Clone, Debug)]
pub struct EndpointForm {
    /// Path segment of its discovery documents; cannot be changed afterwards.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
    /// The FHIR base URL: the `aud` of SMART.
    pub base_url: String,
    /// The FHIR release, as `r4`, `r4b`, `r5`.
    pub release: String,
    /// See [`FhirEndpointSettings`].
    pub jwt_access_tokens: bool,
    /// Other base URLs that are this endpoint.
    pub aliases: Vec<String>,
    /// In use?
    pub active: bool,
}

impl EndpointForm {
    /// What stands now.
    pub fn of(endpoint: &FhirEndpoint) -> Self {
        Self {
            slug: endpoint.slug.clone(),
            name: endpoint.name.clone(),
            base_url: endpoint.base_url.clone(),
            release: endpoint.release.as_str().to_owned(),
            jwt_access_tokens: endpoint.settings.jwt_access_tokens,
            aliases: endpoint.settings.aliases.clone(),
            active: endpoint.standing == Standing::Active,
        }
    }
}

/// One of the organization's own endpoints.
pub async fn endpoint_of(app: &App, staff: &Staff, id: &FhirEndpointId) -> Result<FhirEndpoint, Refusal> {
    let found = storage::organizations::lookup_endpoint(&mut *app.store.read().await?, id).await?;
    found.filter(|endpoint| endpoint.organization_id == staff.organization.id).ok_or(Refusal::NotFound)
}

/// A path segment from a name, other than those taken: "Main record" becomes `main-record`.
pub fn slug_from_name(name: &str, taken: &[String]) -> String {
    let mut slug = String::new();
    for c in name.trim().to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.chars().take(50).collect::<String>();
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "fhir" } else { slug };
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    std::iter::once(slug.to_owned()).chain(numbered).find(|one| !taken.contains(one)).unwrap_or_default()
}

/// The resource servers of the organization, each with when it last introspected.
pub async fn resource_servers(app: &App, staff: &Staff) -> Result<Vec<(ResourceServer, Option<UtcMillis>)>, Refusal> {
    let mut conn = app.store.read().await?;
    let mut servers = Vec::new();
    for server in storage::organizations::list_resource_servers(&mut conn, &staff.organization.id).await? {
        let last_used = storage::organizations::resource_server_last_used(&mut conn, &server.id).await?;
        servers.push((server, last_used));
    }
    Ok(servers)
}

/// Makes credentials with which a FHIR server of the organization introspects. The secret is shown this once.
pub async fn make_resource_server(app: &App, staff: &Staff, endpoint: &FhirEndpointId) -> Result<(ResourceServer, PlainSecret), Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let endpoint = endpoint_of(app, staff, endpoint).await?;
    let now = app.now();
    let secret = PlainSecret::alphanumeric(&*app.entropy);
    let server = ResourceServer {
        id: ResourceServerId::new(now, &*app.entropy),
        organization_id: staff.organization.id.clone(),
        name: endpoint.name,
        secret_hash: secret.hashed(),
        standing: Standing::Active,
    };
    let (staff, made) = (staff.clone(), server.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                storage::organizations::insert_resource_server(conn, &made, now).await?;
                let event = AuditEvent::new(&staff.organization.id, now, "resource_server.added", staff.audit())
                    .subject(made.id.as_str())
                    .with("name", made.name.as_str());
                storage::audit::append(conn, &event).await?;
                Ok::<(), Refusal>(())
            })
        })
        .await?;
    Ok((server, secret))
}

/// Adds a FHIR endpoint.
pub async fn add_endpoint(app: &App, staff: &Staff, form: &EndpointForm) -> Result<FhirEndpoint, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let now = app.now();
    let id = FhirEndpointId::new(now, &*app.entropy);
    let mut faults = Vec::new();
    if !is_slug(&form.slug) {
        faults.push(Fault::new("slug", "not-a-slug", "lower-case letters, digits and hyphens"));
    }
    let endpoint = checked_endpoint(app, staff, id, form, faults)?;
    let (staff, added) = (staff.clone(), endpoint.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                storage::organizations::insert_endpoint(conn, &added, now).await.map_err(taken)?;
                storage::audit::append(conn, &about_endpoint(&staff, "fhir_endpoint.added", &added, now)).await?;
                Ok::<(), Refusal>(())
            })
        })
        .await?;
    Ok(endpoint)
}

/// Changes a FHIR endpoint. A new base URL or release applies to what is issued from now on.
pub async fn change_endpoint(app: &App, staff: &Staff, id: &FhirEndpointId, form: &EndpointForm) -> Result<FhirEndpoint, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let now = app.now();
    let endpoint = checked_endpoint(app, staff, id.clone(), form, Vec::new())?;
    let (staff, changed) = (staff.clone(), endpoint.clone());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                let before = storage::organizations::lookup_endpoint(conn, &changed.id)
                    .await?
                    .filter(|before| before.organization_id == staff.organization.id)
                    .ok_or(Refusal::NotFound)?;
                storage::organizations::update_endpoint(conn, &changed).await.map_err(taken)?;
                let event = about_endpoint(&staff, "fhir_endpoint.changed", &changed, now).with("base_url_before", before.base_url);
                storage::audit::append(conn, &event).await?;
                Ok::<(), Refusal>(())
            })
        })
        .await?;
    Ok(endpoint)
}

fn taken(error: StorageError) -> Refusal {
    match error {
        StorageError::Duplicate(_) => Refusal::invalid("base_url", "taken", "another endpoint has this base URL or slug"),
        other => Refusal::Storage(other),
    }
}

fn checked_endpoint(app: &App, staff: &Staff, id: FhirEndpointId, form: &EndpointForm, mut faults: Vec<Fault>) -> Result<FhirEndpoint, Refusal> {
    let name = words::one_line("name", &form.name, 120, &mut faults);
    let loose = app.config.outbound.allow_private_networks;
    let base_url = base_url("base_url", &form.base_url, loose, &mut faults);
    let aliases = form.aliases.iter().map(|alias| alias.trim()).filter(|alias| !alias.is_empty());
    let aliases = aliases.map(|alias| self::base_url("aliases", alias, loose, &mut faults)).collect();
    let release = Release::ALL.into_iter().find(|release| release.as_str() == form.release);
    if release.is_none() {
        faults.push(Fault::new("release", "unknown", "r4, r4b or r5"));
    }
    match release {
        Some(release) if faults.is_empty() => Ok(FhirEndpoint {
            id,
            organization_id: staff.organization.id.clone(),
            slug: form.slug.clone(),
            name,
            base_url,
            release,
            settings: FhirEndpointSettings { jwt_access_tokens: form.jwt_access_tokens, aliases },
            standing: if form.active { Standing::Active } else { Standing::Suspended },
        }),
        _ => Err(Refusal::Invalid(faults)),
    }
}

/// A FHIR base URL: https (http too where private networks are allowed), without query, fragment, user and trailing slash.
pub(super) fn base_url(field: &'static str, text: &str, loose: bool, faults: &mut Vec<Fault>) -> String {
    let text = text.trim().trim_end_matches('/');
    let good = url::Url::parse(text).is_ok_and(|url| {
        (url.scheme() == "https" || (loose && url.scheme() == "http"))
            && url.host_str().is_some()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && text.len() <= 500
    });
    if !good {
        faults.push(Fault::new(field, "not-a-base-url", "an https URL without query or fragment"));
    }
    text.to_owned()
}

fn about_endpoint(staff: &Staff, event: &'static str, endpoint: &FhirEndpoint, now: UtcMillis) -> AuditEvent {
    AuditEvent::new(&staff.organization.id, now, event, staff.audit())
        .subject(endpoint.id.as_str())
        .with("name", endpoint.name.as_str())
        .with("base_url", endpoint.base_url.as_str())
        .with("release", endpoint.release.as_str())
        .with("state", endpoint.standing.as_str())
        .with("jwt_access_tokens", if endpoint.settings.jwt_access_tokens { "yes" } else { "no" })
}

/// Changes the organization's name and settings.
pub async fn change_settings(app: &App, staff: &Staff, name: &str, settings: OrganizationSettings) -> Result<Organization, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    let mut faults = Vec::new();
    let name = words::one_line("name", name, 120, &mut faults);
    if !(1..=3650).contains(&settings.request_expires_days) {
        faults.push(Fault::new("request_expires_days", "out-of-range", "1 to 3650 days"));
    }
    if settings.approval_expires_days.is_some_and(|days| !(1..=super::approvals::LONGEST_DAYS).contains(&days)) {
        faults.push(Fault::new("approval_expires_days", "out-of-range", "1 to 3650 days, or empty"));
    }
    for origin in &settings.frame_ancestors {
        let loose = app.config.outbound.allow_private_networks;
        let good = url::Url::parse(origin).is_ok_and(|url| {
            url.origin().ascii_serialization() == *origin && (url.scheme() == "https" || (loose && url.scheme() == "http"))
        });
        if !good {
            faults.push(Fault::new("frame_ancestors", "not-an-origin", format!("{}: an origin such as https://ehr.example.org", origin.chars().take(200).collect::<String>())));
        }
    }
    if !settings.website.is_empty() && !url::Url::parse(&settings.website).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
        faults.push(Fault::new("website", "not-a-url", "a web address"));
    }
    if !settings.contact_email.is_empty() && normalized_email(&settings.contact_email).is_none() {
        faults.push(Fault::new("contact_email", "not-an-address", "that is no e-mail address"));
    }
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let now = app.now();
    let staff = staff.clone();
    app.store
        .write(move |conn| {
            Box::pin(async move {
                // read again: the operator may have suspended the organization meanwhile
                let current = storage::organizations::lookup(conn, &staff.organization.id).await?.ok_or(Refusal::NotFound)?;
                let changed = Organization { name, settings, ..current };
                storage::organizations::update(conn, &changed).await?;
                let settings = serde_json::to_string(&changed.settings).expect("settings are plain values and serialize");
                let event = AuditEvent::new(&changed.id, now, "organization.settings_changed", staff.audit())
                    .with("name", changed.name.as_str())
                    .with("settings", settings);
                storage::audit::append(conn, &event).await?;
                Ok(changed)
            })
        })
        .await
}

/// Which events to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Every one.
    #[default]
    All,
    /// About access requests and approvals.
    Requests,
    /// Clients being disabled and enabled.
    Clients,
    /// About members.
    Staff,
    /// Tokens and sign-ins.
    Tokens,
}

impl Kind {
    /// Every kind, in the order shown.
    pub const ALL: [Self; 5] = [Self::All, Self::Requests, Self::Clients, Self::Staff, Self::Tokens];

    /// The word of a URL; empty for all.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Requests => "requests",
            Self::Clients => "clients",
            Self::Staff => "staff",
            Self::Tokens => "tokens",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// How the events of this kind begin.
    fn beginnings(self) -> [&'static str; 6] {
        match self {
            Self::All => [""; 6],
            Self::Requests => ["access_request.", "approval.", "approval.", "approval.", "approval.", "approval."],
            Self::Clients => ["client."; 6],
            Self::Staff => ["staff.", "member.", "user.", "user.", "user.", "user."],
            Self::Tokens => ["token.", "access_token.", "refresh_token.", "code.", "grant.", "launch."],
        }
    }
}

/// A view of the activity.
#[derive(Clone, Debug)]
pub struct ActivityFilter {
    /// Only what is older than this sequence number.
    pub before: Option<i64>,
    /// Of which kind.
    pub kind: Kind,
    /// Part of an event, an id or a detail.
    pub search: String,
    /// How many.
    pub limit: i64,
}

/// A page of the activity, newest first. Reading it is itself recorded, once per view.
pub async fn activity(app: &App, staff: &Staff, filter: &ActivityFilter) -> Result<Vec<Happened>, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    if filter.before.is_some_and(|before| before < 1) || !(1..=500).contains(&filter.limit) {
        return Err(Refusal::invalid("before", "out-of-range", "there is no such page"));
    }
    if filter.search.chars().count() > 200 {
        return Err(Refusal::invalid("q", "too-long", "search for at most 200 characters"));
    }
    let mut conn = app.store.read().await?;
    let search = storage::audit::Search { beginnings: filter.kind.beginnings(), text: &filter.search };
    let chain = staff.organization.id.as_str();
    let records = storage::audit::search_before(&mut conn, chain, filter.before.unwrap_or(i64::MAX), &search, filter.limit).await?;
    let happened = with_names(&mut conn, records).await?;
    drop(conn);
    let event = AuditEvent::new(&staff.organization.id, app.now(), "audit.viewed", staff.audit()).with("records", happened.len().to_string());
    app.store.write(move |conn| Box::pin(async move { storage::audit::append(conn, &event).await })).await?;
    Ok(happened)
}

/// What was told to whom, newest first: each message with the address it goes to.
pub async fn notifications(app: &App, staff: &Staff, before: Option<i64>, limit: i64) -> Result<Vec<(Message, String)>, Refusal> {
    staff.must_be(StaffRole::Viewer)?;
    let mut conn = app.store.read().await?;
    let mut told = Vec::new();
    for message in storage::outbox::list_by_organization(&mut conn, &staff.organization.id, before, limit).await? {
        let to = match message.channel {
            Channel::Mail => message.recipient.clone(),
            // where a webhook leads is the provider's; its host is enough to tell whether it arrived
            Channel::Webhook => storage::webhooks::lookup(&mut conn, &WebhookId::from_text(message.recipient.as_str()))
                .await?
                .and_then(|webhook| url::Url::parse(&webhook.url).ok())
                .and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_else(|| message.recipient.clone()),
        };
        told.push((message, to));
    }
    Ok(told)
}

/// Sends a message again that was given up.
pub async fn send_again(app: &App, staff: &Staff, message: i64) -> Result<(), Refusal> {
    staff.must_be(StaffRole::Reviewer)?;
    let (staff, now) = (staff.clone(), app.now());
    app.store
        .write(move |conn| {
            Box::pin(async move {
                if !storage::outbox::retry(conn, &staff.organization.id, message, now).await? {
                    return Err(Refusal::NotFound);
                }
                let event = AuditEvent::new(&staff.organization.id, now, "notification.sent_again", staff.audit()).subject(message.to_string());
                storage::audit::append(conn, &event).await?;
                Ok(())
            })
        })
        .await
}

/// Records after a sequence number, oldest first, for a copy outside. For admins; recorded too.
pub async fn export(app: &App, staff: &Staff, after: i64, limit: i64) -> Result<Vec<AuditRecord>, Refusal> {
    staff.must_be(StaffRole::Admin)?;
    if after < 0 || !(1..=1000).contains(&limit) {
        return Err(Refusal::invalid("after", "out-of-range", "there is no such page"));
    }
    let records = storage::audit::page_from(&mut *app.store.read().await?, staff.organization.id.as_str(), after, limit).await?;
    let event = AuditEvent::new(&staff.organization.id, app.now(), "audit.exported", staff.audit())
        .with("after", after.to_string())
        .with("records", records.len().to_string());
    app.store.write(move |conn| Box::pin(async move { storage::audit::append(conn, &event).await })).await?;
    Ok(records)
}

/// The name of a person, for pages.
pub async fn name_of(app: &App, id: &AccountId) -> Result<String, Refusal> {
    Ok(person(&mut *app.store.read().await?, id).await?.name)
}
