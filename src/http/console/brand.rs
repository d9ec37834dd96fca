//! How the organization appears in its brand bundle: one multipart form (it may carry a logo).

use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::desk::{Desk, done, faults_of};
use crate::domain::accounts::StaffRole;
use crate::domain::brands::{Address, Brand, Identifier, KINDS, Portal};
use crate::domain::ids::FhirEndpointId;
use crate::governance::brands::{brand, change, checked};
use crate::governance::clients::{MAX_LOGO_BYTES, keep_logo};
use crate::governance::error::Fault;
use crate::governance::fhir_endpoints::endpoints;
use crate::http::error::{Failure, PageError};
use crate::http::extract::CsrfRefused;
use crate::http::logos;
use crate::http::pages::Html;
use crate::http::pages::console::Brand as BrandPage;
use crate::http::pages::frame::ConsoleSection;
use crate::http::pages::parts::{Badge, Choice, Field};

/// The largest form: a logo and the words around it.
pub const BODY_LIMIT: usize = MAX_LOGO_BYTES + 64 * 1024;

/// `GET /console/{org}/brand`.
pub async fn show(desk: Desk) -> Result<Html, PageError> {
    let now = brand(&desk.state.app, &desk.staff).await?;
    let page = page_of(&desk, &Sent::of(&now), now.logo.as_deref(), &[]).await?;
    desk.render(ConsoleSection::Brand, &page).await
}

/// `POST /console/{org}/brand`.
pub async fn save(desk: Desk, request: Request) -> Result<Response, PageError> {
    let sent = read(&desk, request).await?;
    // before a picture is drawn for somebody who may not
    desk.staff.must_be(StaffRole::Admin)?;
    let before = brand(&desk.state.app, &desk.staff).await?;
    let mut faults = Vec::new();
    let mut logo = before.logo.filter(|_| !sent.remove_logo);
    if !sent.logo.is_empty() {
        match keep_logo(&desk.state.app, sent.logo.clone()).await {
            Ok(digest) => logo = Some(digest),
            Err(refusal) => faults.extend(faults_of(refusal)?),
        }
    }
    let own = endpoints(&desk.state.app, &desk.staff).await?;
    let unpublished =
        own.into_iter().map(|endpoint| endpoint.id).filter(|id| !sent.publish.iter().any(|one| one == id.as_str()));
    let wish = sent.brand(logo.clone(), unpublished.collect());
    let answer = match faults.as_slice() {
        [] => change(&desk.state.app, &desk.staff, wish).await,
        // the picture is refused already; what else is wrong is told with it
        _ => checked(wish),
    };
    match answer {
        Ok(_) if faults.is_empty() => return Ok(done(&desk, "brand-saved", &desk.path("brand"))),
        Ok(_) => {}
        Err(refusal) => faults.extend(faults_of(refusal)?),
    }
    let page = page_of(&desk, &sent, logo.as_deref(), &faults).await?;
    let html = desk.render(ConsoleSection::Brand, &page).await?;
    Ok(html.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

/// The form as it was sent.
#[derive(Debug, Default)]
struct Sent {
    display_name: String,
    kind: String,
    website: String,
    logo: Vec<u8>,
    remove_logo: bool,
    logo_license: String,
    portal: Portal,
    address: Address,
    places: String,
    identifiers: String,
    publish: Vec<String>,
    /// Nothing was sent yet: what is published is told by what is not.
    unpublished: Option<Vec<FhirEndpointId>>,
}

/// A place on one line: `City, Country` or `City, State, Country`.
fn place_of(line: &str) -> Address {
    let mut parts = line.split(',').map(str::trim);
    let city = parts.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = parts.collect();
    let (country, state) =
        rest.split_last().map_or(("", ""), |(country, state)| (*country, state.first().copied().unwrap_or("")));
    Address { city, state: state.to_owned(), country: country.to_owned(), ..Address::default() }
}

fn line_of(place: &Address) -> String {
    [&place.city, &place.state, &place.country]
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

impl Sent {
    fn of(brand: &Brand) -> Self {
        let mut addresses = brand.addresses.iter();
        Self {
            display_name: brand.name.clone(),
            kind: brand.kind.clone(),
            website: brand.website.clone(),
            logo_license: brand.logo_license.clone(),
            portal: brand.portal.clone(),
            address: addresses.next().cloned().unwrap_or_default(),
            places: addresses.map(line_of).collect::<Vec<_>>().join("\n"),
            identifiers: brand
                .identifiers
                .iter()
                .map(|one| format!("{}|{}", one.system, one.value))
                .collect::<Vec<_>>()
                .join("\n"),
            unpublished: Some(brand.unpublished.clone()),
            ..Self::default()
        }
    }

    fn brand(&self, logo: Option<String>, unpublished: Vec<FhirEndpointId>) -> Brand {
        let lines = |text: &str| {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let identifier = |line: String| {
            // the value may hold a bar, the system not
            let (system, value) = line.split_once('|').unwrap_or((line.as_str(), ""));
            Identifier { system: system.to_owned(), value: value.to_owned() }
        };
        let mut addresses = vec![self.address.clone()];
        addresses.extend(lines(&self.places).iter().map(|line| place_of(line)));
        Brand {
            name: self.display_name.clone(),
            kind: self.kind.clone(),
            website: self.website.clone(),
            identifiers: lines(&self.identifiers).into_iter().map(identifier).collect(),
            logo,
            logo_license: self.logo_license.clone(),
            portal: self.portal.clone(),
            addresses,
            unpublished,
        }
    }
}

/// Reads the multipart form. The anti-forgery token must come before anything is believed.
async fn read(desk: &Desk, request: Request) -> Result<Sent, PageError> {
    let unreadable = || Failure::new(StatusCode::BAD_REQUEST, "form", "The form could not be read.");
    let too_large = |status| Failure::new(status, "form", "The form could not be read, or is too large.");
    // a form without a token, of whatever kind, is not ours
    let refused = || CsrfRefused { again: desk.visitor.path.clone() };
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| PageError::from(refused()))?;
    let mut sent = Sent::default();
    let mut proven = false;
    while let Some(part) = parts.next_field().await.map_err(|refused| too_large(refused.status()))? {
        let name = part.name().unwrap_or("").to_owned();
        let bytes = part.bytes().await.map_err(|refused| too_large(refused.status()))?;
        if name == "logo" {
            sent.logo = bytes.to_vec();
            continue;
        }
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| unreadable())?;
        if text.contains('\0') {
            return Err(unreadable().into());
        }
        match name.as_str() {
            "csrf" => proven = desk.visitor.is_csrf(&text),
            "display_name" => sent.display_name = text,
            "kind" => sent.kind = text,
            "website" => sent.website = text,
            "remove_logo" => sent.remove_logo = text == "1",
            "logo_license" => sent.logo_license = text,
            "portal_name" => sent.portal.name = text,
            "portal_url" => sent.portal.url = text,
            "portal_description" => sent.portal.description = text,
            "line" => sent.address.line = text,
            "postal_code" => sent.address.postal_code = text,
            "city" => sent.address.city = text,
            "state" => sent.address.state = text,
            "country" => sent.address.country = text,
            "places" => sent.places = text,
            "identifiers" => sent.identifiers = text,
            "publish" => sent.publish.push(text),
            _ => {}
        }
    }
    if proven { Ok(sent) } else { Err(refused().into()) }
}

async fn page_of(desk: &Desk, sent: &Sent, logo: Option<&str>, faults: &[Fault]) -> Result<BrandPage, PageError> {
    let say = desk.say();
    let field = |name: &str, value: &str| Field { value: value.to_owned(), error: say.faults(faults, name) };
    let organization = &desk.staff.organization;
    let name = if sent.display_name.trim().is_empty() { &organization.name } else { &sent.display_name };
    let badge = Badge::new(name, "");
    let is_published = |id: &FhirEndpointId| match &sent.unpublished {
        Some(unpublished) => !unpublished.contains(id),
        None => sent.publish.iter().any(|one| one == id.as_str()),
    };
    let endpoints = endpoints(&desk.state.app, &desk.staff).await?.into_iter().map(|endpoint| Choice {
        current: is_published(&endpoint.id),
        text: format!("{} ({})", endpoint.name, endpoint.base_url),
        value: endpoint.id.as_str().to_owned(),
    });
    Ok(BrandPage {
        action: desk.path("brand"),
        badge: logo.map_or_else(|| badge.clone(), |digest| badge.clone().with_logo(&logos::href(digest))),
        bundle: format!("{}/brands", desk.state.app.issuer(&organization.slug)),
        mistakes: u32::try_from(faults.len()).unwrap_or(u32::MAX),
        display_name: field("display_name", &sent.display_name),
        kinds: KINDS
            .into_iter()
            .map(|kind| Choice { value: kind.to_owned(), text: say.word(kind_key(kind)), current: kind == sent.kind })
            .collect(),
        website: field("website", &sent.website),
        logo: field("logo", ""),
        logo_license: field("logo_license", &sent.logo_license),
        portal_name: field("portal_name", &sent.portal.name),
        portal_url: field("portal_url", &sent.portal.url),
        portal_description: field("portal_description", &sent.portal.description),
        line: field("line", &sent.address.line),
        postal_code: field("postal_code", &sent.address.postal_code),
        city: field("city", &sent.address.city),
        state: field("state", &sent.address.state),
        country: field("country", &sent.address.country),
        places: field("places", &sent.places),
        identifiers: field("identifiers", &sent.identifiers),
        endpoints: endpoints.collect(),
        may_change: desk.may_change(),
    })
}

fn kind_key(kind: &str) -> &'static str {
    match kind {
        "ins" => "brand-kind-ins",
        "laboratory" => "brand-kind-laboratory",
        "imaging" => "brand-kind-imaging",
        "pharmacy" => "brand-kind-pharmacy",
        "health-information-network" => "brand-kind-network",
        "health-data-aggregator" => "brand-kind-aggregator",
        _ => "brand-kind-prov",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_line_and_back() {
        for line in ["Utrecht, NL", "Boston, MA, US", "Utrecht"] {
            assert_eq!(line_of(&place_of(line)), line);
        }
        assert_eq!(place_of("Boston , MA,US").state, "MA");
        assert_eq!(place_of(",").city, "");
    }
}
