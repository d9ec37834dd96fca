//! "Try a launch": staff make a launch handle for an approved client, as an EHR would, and open the app with it.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::desk::Desk;
use crate::domain::ids::ClientId;
use crate::domain::json;
use crate::domain::launch_context::{ContextItem, LaunchContext};
use crate::governance::error::Fault;
use crate::governance::fhir_endpoints::endpoints;
use crate::governance::launches::{launchable, tries};
use crate::http::PageError;
use crate::http::error::Failure;
use crate::http::extract::CsrfForm;
use crate::http::pages::Html;
use crate::http::pages::console::{LaunchItem, LaunchReady, Launches};
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::{Choice, Field};
use crate::protocol::launch::{NoLaunch, Wish, WrongWish, create};

/// How many entries of `fhirContext` the form has room for.
const ITEMS: usize = 3;

/// What was typed, field by field.
#[derive(Clone, Debug, Default)]
struct Typed(Vec<(String, String)>);

impl Typed {
    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name).to_owned()).filter(|text| !text.is_empty())
    }

    /// The members of one entry of `fhirContext`; `None` if nothing is typed.
    fn item(&self, number: usize) -> Option<ContextItem> {
        let member = |name: &str| self.some(&format!("{name}_{number}"));
        let identifier: serde_json::Map<String, serde_json::Value> =
            [("system", member("identifier_system")), ("value", member("identifier_value"))]
                .into_iter()
                .filter_map(|(name, text)| Some((name.to_owned(), text?.into())))
                .collect();
        let item = ContextItem {
            reference: member("reference"),
            canonical: member("canonical"),
            identifier: Some(identifier).filter(|identifier| !identifier.is_empty()),
            resource_type: member("type"),
            role: member("role"),
        };
        (item != ContextItem::default()).then_some(item)
    }

    /// The numbers of the entries that are filled in.
    fn filled(&self) -> Vec<usize> {
        (1..=ITEMS).filter(|number| self.item(*number).is_some()).collect()
    }

    fn wish(&self) -> Result<Wish, WrongWish> {
        let extensions = match self.text("extensions") {
            "" => std::collections::BTreeMap::new(),
            text => json::object(text.as_bytes()).map(|members| members.into_iter().collect()).map_err(|_| {
                WrongWish { field: "context", item: None, code: "not-an-object", sentence: "a JSON object" }
            })?,
        };
        let context = LaunchContext {
            patient: self.some("patient"),
            encounter: self.some("encounter"),
            fhir_context: (1..=ITEMS).filter_map(|number| self.item(number)).collect(),
            need_patient_banner: match self.text("need_patient_banner") {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            intent: self.some("intent"),
            smart_style_url: self.some("smart_style_url"),
            tenant: self.some("tenant"),
            app_context: self.some("app_context"),
            extensions,
        };
        Ok(Wish {
            client_id: ClientId::from_text(self.text("client_id")),
            iss: self.some("iss"),
            user: self.some("user"),
            task: None,
            context,
        })
    }
}

/// `GET /console/{org}/launches`.
pub async fn show(desk: Desk) -> Result<Html, PageError> {
    let typed = Typed(vec![("user".into(), desk.staff.account.email.clone())]);
    let page = page_of(&desk, &typed, None).await?;
    desk.render(ConsoleSection::Launches, &page).await
}

async fn page_of(desk: &Desk, typed: &Typed, wrong: Option<&WrongWish>) -> Result<Launches, PageError> {
    let say = desk.say();
    let clients = launchable(&desk.state.app, &desk.staff).await?;
    let endpoints = endpoints(&desk.state.app, &desk.staff).await?;
    let words = |wrong: &WrongWish| {
        let fault = Fault::new(wrong.field, wrong.code, wrong.sentence);
        say.faults(std::slice::from_ref(&fault), "")
    };
    // beside which field is it said?
    let error_of =
        |field: &str| wrong.filter(|wrong| wrong.item.is_none() && wrong.field == field).map(words).unwrap_or_default();
    let field = |name: &str, member: &str| Field::wrong(typed.text(name), error_of(member));
    let filled = typed.filled();
    let wrong_item = wrong.and_then(|wrong| filled.get(wrong.item?).copied());
    let item = |number: usize| {
        let member = |name: &str, said: &str| {
            let error = wrong.filter(|wrong| wrong_item == Some(number) && wrong.field == said).map(words);
            Field::wrong(typed.text(&format!("{name}_{number}")), error.unwrap_or_default())
        };
        LaunchItem {
            number: number.to_string(),
            reference: member("reference", "reference"),
            resource_type: member("type", "type"),
            canonical: member("canonical", "canonical"),
            identifier_system: member("identifier_system", "identifier"),
            identifier_value: Field::of(typed.text(&format!("identifier_value_{number}"))),
            role: member("role", "role"),
        }
    };
    let choice =
        |value: &str, text: &str, chosen: &str| Choice { current: value == chosen, ..Choice::new(value, text) };
    Ok(Launches {
        action: desk.path("launches"),
        may_try: desk.may_decide(),
        client_error: error_of("client_id"),
        clients: clients
            .iter()
            .map(|client| {
                let name = if client.has_launch_uri {
                    client.name.clone()
                } else {
                    say.words("launches-without-url", &[("app", crate::http::pages::Arg::Text(&client.name))])
                };
                choice(client.client_id.as_str(), &name, typed.text("client_id"))
            })
            .collect(),
        endpoint_error: error_of("iss"),
        endpoints: endpoints.iter().map(|one| choice(&one.slug, &one.name, typed.text("iss"))).collect(),
        user: field("user", "user"),
        patient: field("patient", "patient"),
        encounter: field("encounter", "encounter"),
        banners: [("", "launches-banner-unsaid"), ("yes", "launches-banner-yes"), ("no", "launches-banner-no")]
            .map(|(value, key)| choice(value, &say.word(key), typed.text("need_patient_banner")))
            .into(),
        intent: field("intent", "intent"),
        smart_style_url: field("smart_style_url", "smart_style_url"),
        tenant: field("tenant", "tenant"),
        app_context: field("app_context", "appContext"),
        extensions: field("extensions", "context"),
        items: (1..=ITEMS).map(item).collect(),
        more_open: !filled.is_empty()
            || ["intent", "smart_style_url", "tenant", "app_context", "extensions", "need_patient_banner"]
                .iter()
                .any(|name| !typed.text(name).is_empty()),
        ..Launches::default()
    })
}

/// `POST /console/{org}/launches`. The answer is the page itself: the handle is shown this once.
pub async fn make(desk: Desk, CsrfForm(fields): CsrfForm<Vec<(String, String)>>) -> Result<Response, PageError> {
    let by = tries(&desk.staff)?;
    let typed = Typed(fields);
    let made = match typed.wish() {
        Ok(wish) => create(&desk.state.app, &desk.staff.organization, by, wish).await,
        Err(wrong) => Err(NoLaunch::Wrong(wrong)),
    };
    let (status, page) = match made {
        Ok(launch) => {
            let mut page = page_of(&desk, &typed, None).await?;
            page.ready = LaunchReady {
                app: page.clients.iter().find(|choice| choice.current).map(|one| one.text.clone()).unwrap_or_default(),
                href: launch.url.unwrap_or_default(),
                iss: launch.iss,
                handle: launch.handle.reveal().to_owned(),
                person: typed.text("user").to_owned(),
            };
            (StatusCode::OK, page)
        }
        Err(NoLaunch::Wrong(wrong)) => (StatusCode::UNPROCESSABLE_ENTITY, page_of(&desk, &typed, Some(&wrong)).await?),
        Err(NoLaunch::NotApproved) => {
            let wrong = WrongWish {
                field: "client_id",
                item: None,
                code: "not-approved",
                sentence: "not approved and enabled here",
            };
            (StatusCode::UNPROCESSABLE_ENTITY, page_of(&desk, &typed, Some(&wrong)).await?)
        }
        Err(NoLaunch::TooMany) => {
            return Err(
                Failure::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many launches; wait a little.").into()
            );
        }
        Err(NoLaunch::FhirUnavailable) => {
            return Err(
                Failure::new(StatusCode::BAD_GATEWAY, "fhir-unavailable", "The FHIR server does not answer.").into()
            );
        }
        Err(NoLaunch::Unavailable(why)) => {
            return Err(crate::storage::StorageError::Unavailable(why).into());
        }
    };
    let html = desk.render_answer(ConsoleSection::Launches, &desk.path("launches"), &page).await?;
    Ok(html.with_status(status).into_response())
}
