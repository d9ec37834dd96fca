//! Asking an organization for access: where, what, why. Every step is a page of its own and carries what was chosen before, so that it works
//! without a script and the way back loses nothing.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use fhir_scopes::describe::{self, Category, Options};
use fhir_scopes::{
    Interaction, Level, NonResource, Permissions, Release, RequestEntry, ResourceRequest, ResourceType, ScopeSet,
    TypeSelector,
};
use serde::Deserialize;

use super::clients::{Standing, badge, standings, type_words};
use super::{Desk, done, fault_text, faults_or, say};
use crate::domain::access_requests::{AccessRequest, RequestState};
use crate::domain::clients::GrantType;
use crate::domain::ids::ClientId;
use crate::domain::organizations::{FhirEndpoint, Organization, Standing as Active};
use crate::domain::permission::system_needs_key;
use crate::governance::access_requests::{self, Ask};
use crate::governance::clients::{self, OwnClient};
use crate::governance::error::Fault;
use crate::http::AppState;
use crate::http::error::{Failure, PageError};
use crate::http::extract::{CsrfForm, SignedIn, Visitor};
use crate::http::pages::Html;
use crate::http::pages::frame::PortalSection;
use crate::http::pages::parts::{Badge, Choice, Field, Stand};
use crate::http::pages::portal::{AskWhat, AskWhere, AskWhy, EndpointChoice, PickBox, PickGroup, PickRow};
use crate::http::present::{groups_of, words_lang};
use crate::storage::{self, Conn};

/// The letters of the four tick boxes of a type, and the key of their words.
const BOXES: [(&str, &str); 4] =
    [("rs", "portal-pick-read"), ("c", "portal-pick-add"), ("u", "portal-pick-change"), ("d", "portal-pick-delete")];
/// From which sensitivity on a type is marked.
const SENSITIVE: u8 = 4;

/// `GET .../ask`: step 1, where.
pub async fn place(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
) -> Result<Html, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let own = clients::own(&mut conn, &desk.developer, &ClientId::from_text(client)).await?;
    let page = place_page(&state, &visitor, &mut conn, &desk, &own, "").await?;
    Ok(state.pages.render(&visitor.frame(desk.nav(PortalSection::Clients)), &page))
}

async fn place_page(
    state: &AppState,
    visitor: &Visitor,
    conn: &mut Conn,
    desk: &Desk,
    own: &OwnClient,
    error: &str,
) -> Result<AskWhere, PageError> {
    let standings = standings(state, conn, &own.client.id).await?;
    let mut endpoints = Vec::new();
    for organization in storage::organizations::list_active(conn).await? {
        let standing = standings.iter().find(|standing| standing.organization_id == organization.id);
        for endpoint in storage::organizations::list_endpoints(conn, &organization.id).await? {
            if endpoint.standing == Active::Active {
                endpoints.push(endpoint_choice(state, visitor, &organization, &endpoint, standing));
            }
        }
    }
    let back_href = format!("{}/clients/{}", desk.base, own.client.id);
    Ok(AskWhere {
        action: format!("{back_href}/ask/what"),
        back_href,
        client: badge(own, &type_words(state, visitor, &own.latest.metadata)),
        endpoints,
        error: error.to_owned(),
    })
}

fn endpoint_choice(
    state: &AppState,
    visitor: &Visitor,
    organization: &Organization,
    endpoint: &FhirEndpoint,
    standing: Option<&Standing>,
) -> EndpointChoice {
    let (stand, closed) = standing.map_or((Stand::None, false), |standing| (standing.stand, standing.blocked));
    let waiting = standing.is_some_and(|standing| standing.request.state == RequestState::Waiting);
    let note = match stand {
        _ if closed => "portal-note-blocked",
        _ if waiting => "portal-note-waiting",
        Stand::Approved | Stand::Disabled => "portal-note-approved",
        Stand::Draft | Stand::Waiting | Stand::Rejected | Stand::Withdrawn | Stand::Expired | Stand::None => "",
    };
    EndpointChoice {
        value: format!("{}/{}", organization.slug, endpoint.slug),
        organization: organization.name.clone(),
        endpoint: format!("{} (FHIR {})", endpoint.name, endpoint.release.as_str().to_uppercase()),
        base_url: endpoint.base_url.clone(),
        stand,
        note: if note.is_empty() { String::new() } else { say(state, visitor, note) },
        closed,
    }
}

/// Where it is asked: `slug/endpoint`.
async fn find_place(conn: &mut Conn, at: &str) -> Result<Option<(Organization, FhirEndpoint)>, PageError> {
    let Some((slug, endpoint)) = at.split_once('/') else { return Ok(None) };
    let Some(organization) = storage::organizations::find_by_slug(conn, slug).await? else { return Ok(None) };
    let endpoint = storage::organizations::list_endpoints(conn, &organization.id)
        .await?
        .into_iter()
        .find(|candidate| candidate.slug == endpoint);
    let active =
        |endpoint: &FhirEndpoint| organization.standing == Active::Active && endpoint.standing == Active::Active;
    Ok(endpoint.filter(active).map(|endpoint| (organization, endpoint)))
}

/// Which place.
#[derive(Debug, Deserialize)]
pub struct At {
    #[serde(default)]
    at: String,
}

/// `GET .../ask/what?at=slug/endpoint`: step 2, what. Starts from what the client asked there last, if it did.
pub async fn what(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
    Query(query): Query<At>,
) -> Result<Response, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let own = clients::own(&mut conn, &desk.developer, &ClientId::from_text(client)).await?;
    let frame = visitor.frame(desk.nav(PortalSection::Clients));
    let Some((organization, endpoint)) = find_place(&mut conn, &query.at).await? else {
        let page =
            place_page(&state, &visitor, &mut conn, &desk, &own, &say(&state, &visitor, "portal-choose-endpoint"))
                .await?;
        return Ok(state.pages.render(&frame, &page).with_status(StatusCode::BAD_REQUEST).into_response());
    };
    let last = storage::access_requests::find_latest(&mut conn, &organization.id, &own.client.id).await?;
    let chosen = last.map_or_else(Chosen::first, |request| Chosen::from_scopes(&request.scopes, endpoint.release));
    let page = what_page(&state, &visitor, &Where::new(&desk, &own, &organization, &endpoint), &chosen, "");
    Ok(state.pages.render(&frame, &page).into_response())
}

/// The place with whose page is being made.
struct Where<'a> {
    base: String,
    client: Badge,
    organization: &'a Organization,
    endpoint: &'a FhirEndpoint,
    /// The client could ask for `system/` scopes, and would get no tokens for them.
    needs_key: bool,
}

impl<'a> Where<'a> {
    fn new(desk: &Desk, own: &OwnClient, organization: &'a Organization, endpoint: &'a FhirEndpoint) -> Self {
        Self {
            base: format!("{}/clients/{}", desk.base, own.client.id),
            client: badge(own, &desk.developer.provider.name),
            organization,
            endpoint,
            needs_key: own.latest.metadata.may_use(GrantType::ClientCredentials)
                && system_needs_key(organization, own.latest.metadata.client_type),
        }
    }

    fn edit_href(&self) -> String {
        format!("{}/edit", self.base)
    }

    fn at(&self) -> String {
        format!("{}/{}", self.organization.slug, self.endpoint.slug)
    }

    /// Step 2 for this place.
    fn what_href(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("at", &self.at()).finish();
        format!("{}/ask/what?{query}", self.base)
    }

    fn endpoint_words(&self) -> String {
        format!("{} (FHIR {})", self.endpoint.name, self.endpoint.release.as_str().to_uppercase())
    }
}

/// The fields of step 2.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Chosen {
    #[serde(default)]
    at: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    pick: Vec<String>,
    #[serde(default)]
    sign_in: Option<String>,
    #[serde(default)]
    launch: Option<String>,
    #[serde(default)]
    launch_patient: Option<String>,
    #[serde(default)]
    offline: Option<String>,
    #[serde(default)]
    scopes: String,
}

impl Chosen {
    fn first() -> Self {
        Self { level: "patient".into(), sign_in: Some("1".into()), launch_patient: Some("1".into()), ..Self::default() }
    }

    /// The tick boxes that say the same as `scopes`; what they cannot say is left in the field for pasting.
    fn from_scopes(scopes: &str, release: Release) -> Self {
        let set = ScopeSet::parse_lenient(scopes, release).0;
        let mut levels: Vec<Level> = set.resources().map(|right| right.level).collect();
        levels.dedup();
        let mut chosen = Self {
            level: levels.first().copied().unwrap_or(Level::Patient).as_str().into(),
            sign_in: set.has_openid().then(|| "1".into()),
            launch: set.has(NonResource::Launch).then(|| "1".into()),
            launch_patient: set.contains_literal("launch/patient").then(|| "1".into()),
            offline: set.has_offline_access().then(|| "1".into()),
            ..Self::default()
        };
        for right in set.resources() {
            let TypeSelector::One(one) = right.types else { continue };
            for (letters, _) in BOXES {
                if Permissions::parse(letters).is_some_and(|letters| right.permissions.contains(letters)) {
                    chosen.pick.push(format!("{}.{letters}", one.name()));
                }
            }
        }
        let told = chosen.to_scopes(release);
        if !(told.covers(&set) && set.covers(&told)) {
            set.to_string().clone_into(&mut chosen.scopes);
        }
        chosen
    }

    /// The scopes of the tick boxes.
    fn to_scopes(&self, release: Release) -> ScopeSet {
        let level = match self.level.as_str() {
            "user" => Level::User,
            "system" => Level::System,
            _ => Level::Patient,
        };
        let mut request = ResourceRequest::new(level);
        request.sign_in = self.sign_in.is_some();
        request.launch = self.launch.is_some();
        request.launch_patient = self.launch_patient.is_some();
        request.offline = self.offline.is_some();
        for pick in &self.pick {
            let Some((name, letters)) = pick.split_once('.') else { continue };
            let (Some(one), Some(letters)) = (ResourceType::parse(name, release), Permissions::parse(letters)) else {
                continue;
            };
            let interactions = [
                (Permissions::READ, Interaction::Read),
                (Permissions::SEARCH, Interaction::Search),
                (Permissions::CREATE, Interaction::Create),
                (Permissions::UPDATE, Interaction::Update),
                (Permissions::DELETE, Interaction::Delete),
            ];
            let chosen = interactions
                .into_iter()
                .filter(|(letter, _)| letters.contains(*letter))
                .map(|(_, interaction)| interaction);
            request.entries.push(RequestEntry::new(TypeSelector::One(one), chosen));
        }
        request.to_scopes(release)
    }
}

fn what_page(state: &AppState, visitor: &Visitor, place: &Where<'_>, chosen: &Chosen, error: &str) -> AskWhat {
    let lang = words_lang(visitor.lang);
    let ticked = |value: &str| chosen.pick.iter().any(|pick| pick == value);
    let labels = BOXES.map(|(letters, key)| (letters, say(state, visitor, key)));
    let mut groups: Vec<PickGroup> = Vec::new();
    for category in Category::all() {
        let rows: Vec<PickRow> = describe::catalogue(place.endpoint.release)
            .filter(|entry| entry.category == category)
            .map(|entry| {
                let boxes = labels.iter().map(|(letters, label)| {
                    let value = format!("{}.{letters}", entry.resource_type.name());
                    PickBox { ticked: ticked(&value), value, label: label.clone() }
                });
                PickRow {
                    name: entry.name(lang).to_owned(),
                    resource_type: entry.resource_type.name().to_owned(),
                    sensitive: entry.sensitivity >= SENSITIVE,
                    boxes: boxes.collect(),
                }
            })
            .collect();
        if !rows.is_empty() {
            let open = rows.iter().any(|row| row.boxes.iter().any(|one| one.ticked));
            groups.push(PickGroup { title: category.title(lang).to_owned(), open, rows });
        }
    }
    let levels =
        [("patient", "portal-level-patient"), ("user", "portal-level-user"), ("system", "portal-level-system")];
    AskWhat {
        action: format!("{}/ask/why", place.base),
        back_href: format!("{}/ask", place.base),
        client: place.client.clone(),
        at: place.at(),
        organization: place.organization.name.clone(),
        endpoint: place.endpoint_words(),
        levels: levels
            .map(|(value, key)| Choice {
                value: value.into(),
                text: say(state, visitor, key),
                current: chosen.level == value,
            })
            .into(),
        needs_key: place.needs_key,
        edit_href: place.edit_href(),
        groups,
        sign_in: chosen.sign_in.is_some(),
        launch: chosen.launch.is_some(),
        launch_patient: chosen.launch_patient.is_some(),
        offline: chosen.offline.is_some(),
        scopes: Field {
            value: chosen.scopes.clone(),
            error: if chosen.scopes.is_empty() { String::new() } else { error.to_owned() },
        },
        error: if chosen.scopes.is_empty() { error.to_owned() } else { String::new() },
    }
}

/// `POST .../ask/why`: step 3, why, with all of it in plain words.
pub async fn why(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
    CsrfForm(chosen): CsrfForm<Chosen>,
) -> Result<Response, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let own = clients::own(&mut conn, &desk.developer, &ClientId::from_text(client)).await?;
    let (organization, endpoint) = find_place(&mut conn, &chosen.at).await?.ok_or_else(Failure::not_found)?;
    let place = Where::new(&desk, &own, &organization, &endpoint);
    let visitor = visitor.shown_at(|| place.what_href());
    let frame = visitor.frame(desk.nav(PortalSection::Clients));

    let mut faults: Vec<Fault> = Vec::new();
    let scopes = if chosen.scopes.trim().is_empty() {
        chosen.to_scopes(endpoint.release)
    } else {
        access_requests::strict_scopes(&chosen.scopes, endpoint.release, &mut faults)
    };
    if scopes.is_empty() && faults.is_empty() {
        faults.push(Fault::new("scopes", "scopes-none", "choose something that the app may do"));
    }
    if !faults.is_empty() {
        let page = what_page(&state, &visitor, &place, &chosen, &fault_text(&state, &visitor, &faults, "scopes"));
        return Ok(state.pages.render(&frame, &page).with_status(StatusCode::BAD_REQUEST).into_response());
    }
    let page = why_page(&visitor, &mut conn, &place, &own, &scopes, Field::default()).await?;
    Ok(state.pages.render(&frame, &page).into_response())
}

async fn why_page(
    visitor: &Visitor,
    conn: &mut Conn,
    place: &Where<'_>,
    own: &OwnClient,
    scopes: &ScopeSet,
    reason: Field,
) -> Result<AskWhy, PageError> {
    let told = describe::describe_with(
        scopes,
        words_lang(visitor.lang),
        &Options { for_reviewers: true, corrected: true, ..Options::default() },
    );
    let waiting = storage::access_requests::find_waiting(conn, &place.organization.id, &own.client.id).await?;
    let approval = storage::approvals::find(conn, &place.organization.id, &own.client.id).await?;
    Ok(AskWhy {
        action: format!("{}/ask/send", place.base),
        back_href: format!("{}/ask", place.base),
        client: place.client.clone(),
        at: place.at(),
        organization: place.organization.name.clone(),
        endpoint: place.endpoint_words(),
        scopes: scopes.to_string(),
        summary: told.summary.clone(),
        groups: groups_of(&told, scopes),
        needs_key: place.needs_key && scopes.has_system_level(),
        edit_href: place.edit_href(),
        warnings: told.warnings.into_iter().map(|warning| warning.text).collect(),
        replaces_waiting: waiting.is_some(),
        is_change: approval.is_some(),
        reason: if reason.value.is_empty() && reason.error.is_empty() {
            Field::of(waiting.map(|waiting| waiting.reason).unwrap_or_default())
        } else {
            reason
        },
    })
}

/// The fields of step 3.
#[derive(Debug, Deserialize)]
pub struct Send {
    at: String,
    scopes: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    step: String,
}

/// `POST .../ask/send`: sends it, or goes back to step 2.
pub async fn send(
    State(state): State<AppState>,
    visitor: Visitor,
    who: SignedIn,
    Path((provider, client)): Path<(String, String)>,
    CsrfForm(form): CsrfForm<Send>,
) -> Result<Response, PageError> {
    let mut conn = state.app.store.read().await?;
    let desk = Desk::open(&mut conn, &who, &provider).await?;
    let own = clients::own(&mut conn, &desk.developer, &ClientId::from_text(client)).await?;
    let (organization, endpoint) = find_place(&mut conn, &form.at).await?.ok_or_else(Failure::not_found)?;
    let place = Where::new(&desk, &own, &organization, &endpoint);
    let visitor = visitor.shown_at(|| place.what_href());
    let frame = visitor.frame(desk.nav(PortalSection::Clients));
    if form.step == "back" {
        let page = what_page(&state, &visitor, &place, &Chosen::from_scopes(&form.scopes, endpoint.release), "");
        return Ok(state.pages.render(&frame, &page).into_response());
    }
    let ask = Ask {
        client_id: own.client.id.clone(),
        organization_id: organization.id.clone(),
        fhir_endpoint_id: endpoint.id.clone(),
        scopes: form.scopes.clone(),
        reason: form.reason.clone(),
    };
    match access_requests::ask(&state.app, &desk.developer, ask).await {
        Ok((request, _)) => Ok(done(say(&state, &visitor, "portal-done-sent"), &request_href(&desk, &request))),
        Err(refusal) => {
            let faults = faults_or(refusal)?;
            let wrong = fault_text(&state, &visitor, &faults, "scopes");
            if !wrong.is_empty() {
                let chosen = Chosen { scopes: form.scopes, at: form.at, ..Chosen::first() };
                let page = what_page(&state, &visitor, &place, &chosen, &wrong);
                return Ok(state.pages.render(&frame, &page).with_status(StatusCode::BAD_REQUEST).into_response());
            }
            let scopes = ScopeSet::parse_lenient(&form.scopes, endpoint.release).0;
            let mut reason = Field { value: form.reason, error: fault_text(&state, &visitor, &faults, "reason") };
            if reason.error.is_empty() {
                reason.error = faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join(" ");
            }
            let page = why_page(&visitor, &mut conn, &place, &own, &scopes, reason).await?;
            Ok(state.pages.render(&frame, &page).with_status(StatusCode::BAD_REQUEST).into_response())
        }
    }
}

fn request_href(desk: &Desk, request: &AccessRequest) -> String {
    format!("{}/requests/{}", desk.base, request.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tick_boxes_say_what_they_can_and_leave_the_rest_to_the_field() {
        let plain = Chosen::from_scopes(
            "openid fhirUser launch/patient patient/Observation.rs patient/Condition.cruds",
            Release::R4,
        );
        assert_eq!(plain.scopes, "");
        assert!(plain.pick.contains(&"Observation.rs".to_owned()) && plain.pick.contains(&"Condition.d".to_owned()));
        let set = plain.to_scopes(Release::R4);
        assert!(set.covers(&ScopeSet::parse("openid patient/Condition.cruds", Release::R4).unwrap()));
        for told_only_by_words in [
            "patient/*.rs",
            "patient/Observation.rs?category=laboratory",
            "patient/Observation.r",
            "patient/Patient.rs user/Patient.rs",
        ] {
            assert_eq!(Chosen::from_scopes(told_only_by_words, Release::R4).scopes, told_only_by_words);
        }
    }
}
