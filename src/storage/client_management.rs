//! The lines of *Client management*: one per client that ever asked an organization, kept up to date in the transaction of whatever changes it.

use sqlx::any::AnyRow;

use super::rows::Columns as _;
use super::{Conn, StorageError};
use crate::domain::clock::UtcMillis;
use crate::domain::ids::{AccessRequestId, ApplicationProviderId, ClientId, OrganizationId};

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// At which organization.
    pub organization_id: OrganizationId,
    /// Which client.
    pub client_id: ClientId,
    /// Its name, as last seen by this organization.
    pub client_name: String,
    /// Its provider's name.
    pub provider_name: String,
    /// `waiting`, `approved`, `disabled`, `rejected`, `withdrawn` or `expired`.
    pub state: String,
    /// Approved or disabled, with a change request open.
    pub change_waiting: bool,
    /// Approved scopes, or those asked where nothing is approved.
    pub scopes: String,
    /// The newest request.
    pub access_request_id: AccessRequestId,
    /// When that was sent.
    pub requested_at: UtcMillis,
    /// When it was last decided.
    pub decided_at: Option<UtcMillis>,
    /// Name of who decided.
    pub decided_by: Option<String>,
}

/// A line with what its row on the page shows besides.
#[derive(Clone, Debug)]
pub struct ListedLine {
    /// The line.
    pub line: Line,
    /// When the client was last used here.
    pub last_used_at: Option<UtcMillis>,
    /// Live access and refresh tokens (see `token_counters`).
    pub live_tokens: i64,
    /// The FHIR release by which its scopes are read.
    pub release: Option<fhir_scopes::Release>,
    /// Digest of the logo of the revision that is live here, or asked about.
    pub logo: Option<String>,
}

/// How to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Longest waiting first.
    Oldest,
    /// Newest request first.
    Newest,
    /// By client name.
    Name,
    /// Most recently used first.
    LastUsed,
}

/// What to list.
#[derive(Clone, Debug)]
pub struct Filter {
    /// One state, or all. `waiting` includes approved clients with a change request open.
    pub state: Option<String>,
    /// Part of a client or provider name, or a `client_id`.
    pub search: String,
    /// Order.
    pub sort: Sort,
    /// Lines a page.
    pub limit: i64,
    /// Lines to skip.
    pub offset: i64,
}

/// Writes a line, new or changed.
pub async fn put(conn: &mut Conn, line: &Line) -> Result<(), StorageError> {
    let search = format!("{} {} {}", line.client_name, line.provider_name, line.client_id).to_lowercase();
    sqlx::query(
        "insert into client_management
         (organization_id, client_id, client_name, provider_name, search_text, state, change_waiting, scopes, access_request_id, requested_at, decided_at, decided_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (organization_id, client_id) do update set
          client_name = excluded.client_name, provider_name = excluded.provider_name, search_text = excluded.search_text, state = excluded.state,
          change_waiting = excluded.change_waiting, scopes = excluded.scopes, access_request_id = excluded.access_request_id,
          requested_at = excluded.requested_at, decided_at = excluded.decided_at, decided_by = excluded.decided_by",
    )
    .bind(line.organization_id.as_str())
    .bind(line.client_id.as_str())
    .bind(line.client_name.as_str())
    .bind(line.provider_name.as_str())
    .bind(search)
    .bind(line.state.as_str())
    .bind(i64::from(line.change_waiting))
    .bind(line.scopes.as_str())
    .bind(line.access_request_id.as_str())
    .bind(line.requested_at.0)
    .bind(line.decided_at.map(|at| at.0))
    .bind(line.decided_by.as_deref())
    .execute(conn)
    .await?;
    Ok(())
}

/// One line.
pub async fn find(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
) -> Result<Option<Line>, StorageError> {
    sqlx::query(
        "select organization_id, client_id, client_name, provider_name, state, change_waiting, scopes, access_request_id, requested_at, decided_at, decided_by
         from client_management where organization_id = $1 and client_id = $2",
    )
    .bind(organization.as_str())
    .bind(client.as_str())
    .fetch_optional(conn)
    .await?
    .map(|row| line(&row))
    .transpose()
}

/// How many lines are in each state. An approved or disabled client with a change request open counts there and among the waiting ones, as the filters show it in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting, changes included.
    pub waiting: i64,
    /// Approved.
    pub approved: i64,
    /// Disabled.
    pub disabled: i64,
    /// Rejected.
    pub rejected: i64,
    /// Withdrawn.
    pub withdrawn: i64,
    /// Expired.
    pub expired: i64,
    /// Every line once.
    pub all: i64,
}

impl Counts {
    /// The count of one state, by the word of the column; 0 for a word that is none.
    pub fn of(&self, state: &str) -> i64 {
        match state {
            "waiting" => self.waiting,
            "approved" => self.approved,
            "disabled" => self.disabled,
            "rejected" => self.rejected,
            "withdrawn" => self.withdrawn,
            "expired" => self.expired,
            _ => 0,
        }
    }
}

/// How many clients are in each state, for the filter chips, within a search. Expired approvals still count by their line until the expiry job has passed.
pub async fn counts(conn: &mut Conn, organization: &OrganizationId, search: &str) -> Result<Counts, StorageError> {
    let rows = sqlx::query(
        "select state, count(*) as lines, cast(coalesce(sum(change_waiting), 0) as bigint) as changes
         from client_management where organization_id = $1 and search_text like $2 escape '\\' group by state",
    )
    .bind(organization.as_str())
    .bind(pattern(search))
    .fetch_all(conn)
    .await?;
    let mut counts = Counts::default();
    for row in rows {
        let lines = row.int("lines")?;
        counts.all += lines;
        counts.waiting += row.int("changes")?;
        match row.text("state")?.as_str() {
            "waiting" => counts.waiting += lines,
            "approved" => counts.approved += lines,
            "disabled" => counts.disabled += lines,
            "rejected" => counts.rejected += lines,
            "withdrawn" => counts.withdrawn += lines,
            "expired" => counts.expired += lines,
            other => {
                return Err(StorageError::inconsistent(
                    "client_management",
                    organization.as_str(),
                    format!("unknown state {other}"),
                ));
            }
        }
    }
    Ok(counts)
}

/// When the longest waiting request was sent.
pub async fn oldest_waiting(conn: &mut Conn, organization: &OrganizationId) -> Result<Option<UtcMillis>, StorageError> {
    let row = sqlx::query(
        "select min(requested_at) as oldest from client_management where organization_id = $1 and (state = 'waiting' or change_waiting = 1)",
    )
    .bind(organization.as_str())
    .fetch_one(conn)
    .await?;
    row.time_or_null("oldest")
}

macro_rules! list {
    ($inner:literal, $outer:literal) => {
        concat!(
            "select p.organization_id, p.client_id, p.client_name, p.provider_name, p.state, p.change_waiting, p.scopes, p.access_request_id, p.requested_at, \
             p.decided_at, p.decided_by, p.last_used_at, e.release, v.metadata, \
             (select cast(coalesce(sum(t.tokens), 0) as bigint) from token_counters t where t.organization_id = p.organization_id \
               and t.client_id = p.client_id and t.epoch = p.epoch and t.bucket >= $6 and p.approval_state = 'enabled') as live_tokens \
             from (select m.organization_id, m.client_id, m.client_name, m.provider_name, m.state, m.change_waiting, m.scopes, m.access_request_id, \
               m.requested_at, m.decided_at, m.decided_by, a.last_used_at, a.epoch, a.state as approval_state, a.client_revision \
               from client_management m left join approvals a on a.organization_id = m.organization_id and a.client_id = m.client_id \
               where m.organization_id = $1 and m.search_text like $2 escape '\\' \
               and ($3 = '' or m.state = $3 or ($3 = 'waiting' and m.change_waiting = 1)) order by ",
            $inner,
            " limit $4 offset $5) p \
             left join access_requests r on r.id = p.access_request_id left join fhir_endpoints e on e.id = r.fhir_endpoint_id \
             left join client_revisions v on v.client_id = p.client_id and v.revision = coalesce(p.client_revision, r.client_revision) order by ",
            $outer
        )
    };
}

/// A page of lines. What only the shown rows need is joined to the page, not to every line that was looked through.
pub async fn list(
    conn: &mut Conn,
    organization: &OrganizationId,
    filter: &Filter,
    now: UtcMillis,
) -> Result<Vec<ListedLine>, StorageError> {
    let sql = match filter.sort {
        Sort::Oldest => list!("m.requested_at, m.client_id", "p.requested_at, p.client_id"),
        Sort::Newest => list!("m.requested_at desc, m.client_id desc", "p.requested_at desc, p.client_id desc"),
        Sort::Name => list!("lower(m.client_name), m.client_id", "lower(p.client_name), p.client_id"),
        Sort::LastUsed => {
            list!("coalesce(a.last_used_at, 0) desc, m.client_id", "coalesce(p.last_used_at, 0) desc, p.client_id")
        }
    };
    sqlx::query(sql)
        .bind(organization.as_str())
        .bind(pattern(&filter.search))
        .bind(filter.state.as_deref().unwrap_or(""))
        .bind(filter.limit)
        .bind(filter.offset)
        .bind(counter_bucket(now))
        .fetch_all(conn)
        .await?
        .iter()
        .map(listed)
        .collect()
}

fn listed(row: &AnyRow) -> Result<ListedLine, StorageError> {
    let line = line(row)?;
    let logo = match row.text_or_null("metadata")? {
        Some(_) => row.json::<crate::domain::clients::ClientMetadata>("metadata")?.logo,
        None => None,
    };
    let release = row.text_or_null("release")?;
    Ok(ListedLine {
        line,
        last_used_at: row.time_or_null("last_used_at")?,
        live_tokens: row.int("live_tokens")?,
        release: release
            .and_then(|word| fhir_scopes::Release::ALL.into_iter().find(|release| release.as_str() == word)),
        logo,
    })
}

/// Takes the lines of a deleted client away, at every organization.
pub async fn remove_client(conn: &mut Conn, client: &ClientId) -> Result<(), StorageError> {
    sqlx::query("delete from client_management where client_id = $1").bind(client.as_str()).execute(conn).await?;
    Ok(())
}

/// Approvals that have ended by themselves while their line does not say so yet, at most `limit`.
pub async fn expired_approvals(
    conn: &mut Conn,
    now: UtcMillis,
    limit: i64,
) -> Result<Vec<(OrganizationId, ClientId)>, StorageError> {
    sqlx::query(
        "select a.organization_id, a.client_id from approvals a
         join client_management m on m.organization_id = a.organization_id and m.client_id = a.client_id
         where a.expires_at <= $1 and m.state in ('approved', 'disabled') order by a.expires_at limit $2",
    )
    .bind(now.0)
    .bind(limit)
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| {
        Ok((OrganizationId::from_text(row.text("organization_id")?), ClientId::from_text(row.text("client_id")?)))
    })
    .collect()
}

/// Was a client of this provider ever approved at the organization?
pub async fn provider_is_known(
    conn: &mut Conn,
    organization: &OrganizationId,
    provider: &ApplicationProviderId,
) -> Result<bool, StorageError> {
    let row = sqlx::query(
        "select count(*) as approvals from approvals a join clients c on c.id = a.client_id
         where a.organization_id = $1 and c.application_provider_id = $2",
    )
    .bind(organization.as_str())
    .bind(provider.as_str())
    .fetch_one(conn)
    .await?;
    Ok(row.int("approvals")? > 0)
}

/// How many people have a live grant under this epoch of an approval.
pub async fn users(
    conn: &mut Conn,
    organization: &OrganizationId,
    client: &ClientId,
    epoch: i64,
) -> Result<i64, StorageError> {
    let row = sqlx::query(
        "select count(distinct account_id) as users from grants
         where organization_id = $1 and client_id = $2 and epoch = $3 and revoked_at is null",
    )
    .bind(organization.as_str())
    .bind(client.as_str())
    .bind(epoch)
    .fetch_one(conn)
    .await?;
    row.int("users")
}

/// The bucket of `token_counters` in which a token that expires at `at` is counted: five minutes each.
pub fn counter_bucket(at: UtcMillis) -> i64 {
    at.0.div_euclid(300_000)
}

fn pattern(search: &str) -> String {
    let escaped = search.trim().to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

fn line(row: &AnyRow) -> Result<Line, StorageError> {
    Ok(Line {
        organization_id: OrganizationId::from_text(row.text("organization_id")?),
        client_id: ClientId::from_text(row.text("client_id")?),
        client_name: row.text("client_name")?,
        provider_name: row.text("provider_name")?,
        state: row.text("state")?,
        change_waiting: row.flag("change_waiting")?,
        scopes: row.text("scopes")?,
        access_request_id: AccessRequestId::from_text(row.text("access_request_id")?),
        requested_at: row.time("requested_at")?,
        decided_at: row.time_or_null("decided_at")?,
        decided_by: row.text_or_null("decided_by")?,
    })
}

/// The names of the clients that are approved at an organization, enabled or not, of every provider but one.
pub async fn approved_names(
    conn: &mut Conn,
    organization: &OrganizationId,
    but: &ApplicationProviderId,
) -> Result<Vec<String>, StorageError> {
    sqlx::query(
        "select r.metadata from approvals a join clients c on c.id = a.client_id
         join client_revisions r on r.client_id = a.client_id and r.revision = a.client_revision
         where a.organization_id = $1 and c.state = 'active' and c.application_provider_id <> $2",
    )
    .bind(organization.as_str())
    .bind(but.as_str())
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| Ok(row.json::<crate::domain::clients::ClientMetadata>("metadata")?.name))
    .collect()
}
