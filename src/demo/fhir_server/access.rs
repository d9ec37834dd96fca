//! What the granted scopes, and this server's own policy, let one request reach.

use std::fmt;

use axum::body::Bytes;
use axum::http::{Method, request};
use fhir_scopes::compartment::CompartmentMode;
use fhir_scopes::decide::{Body, Decision, Filter, Grant, Obligation, Request};
use fhir_scopes::{Level, NonResource, Release, ScopeSet, us_core};
use serde_json::Value;

use super::interaction::is_form;
use super::introspection::LiveToken;
use super::person::Person;
use super::refusal::Refusal;

/// Everything about a token that decides: its scopes, ready to be asked, and the person behind it.
#[derive(Debug)]
pub(super) struct Access {
    grant: Grant,
    person: Person,
    /// The person's own resource, as `Type/id`, where the app was told who signed in.
    own: Option<String>,
}

/// What one allowed request may touch.
pub(super) struct Reach<'a> {
    filter: Option<Filter<'a>>,
    person: &'a Person,
    minimal: bool,
}

impl fmt::Debug for Reach<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach")
            .field("filtered", &self.filter.is_some())
            .field("person", self.person)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Compiles a token. A scope that cannot be read grants nothing; `user/` scopes of nobody we know reach nobody.
    ///
    /// The narrow reading of the patient compartment: a record is the launch patient's if it is *about* them.
    pub(super) fn of(token: &LiveToken, person: Person, base_url: &str) -> Self {
        let (granted, unreadable) = ScopeSet::parse_lenient(&token.scope, Release::R4);
        if !unreadable.is_empty() {
            tracing::warn!(count = unreadable.len(), "some granted scopes cannot be read and grant nothing");
        }
        // US Core has published a misspelt category; who was granted it is to see what it stands for (`us_core::corrected`)
        let granted = us_core::corrected(&granted).0;
        let is_user_level = |level: Option<Level>| level == Some(Level::User);
        let granted = granted
            .filtered(|scope| person.is_known() || !is_user_level(scope.resource().map(|resource| resource.level)));
        let mut grant = Grant::new(&granted).mode(CompartmentMode::Subject).base(base_url);
        if let Some(patient) = &token.patient {
            grant = grant.launch_patient(patient);
        }
        let told = granted.has(NonResource::FhirUser) || granted.has(NonResource::Profile);
        Self { grant, person, own: token.fhir_user.clone().filter(|_| told) }
    }

    /// Decides about a request with a base-relative path; `content` is the resource a write would store, as it was read.
    ///
    /// The scopes must judge the very value that is stored: judging the text again could read it differently (a member
    /// that occurs twice, say).
    pub(super) fn decide(
        &self,
        parts: &request::Parts,
        path: &str,
        form: &Bytes,
        content: Option<&Value>,
    ) -> Result<Reach<'_>, Refusal> {
        // an app that was told who signed in may read that one resource, whatever else it may (SMART 2.2 scopes: fhirUser)
        if parts.method == Method::GET && self.own.as_deref() == Some(path) && parts.uri.query().is_none() {
            return Ok(Reach { filter: None, person: &self.person, minimal: false });
        }
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let overrides = ["x-http-method-override", "x-http-method", "x-method-override"];
        let request_path = format!("/{path}");
        let request = Request {
            if_none_exist: header("if-none-exist"),
            method_override: overrides.into_iter().find_map(header),
            body: match (content, std::str::from_utf8(form)) {
                (Some(content), _) => Body::Json(content),
                (None, Ok(form)) if is_form(&parts.headers) => Body::Form(form),
                (None, _) => Body::Absent,
            },
            ..Request::new(parts.method.as_str(), &request_path, parts.uri.query().unwrap_or_default())
        };
        let decision = self.grant.decide(&request);
        let minimal = decision.obligations().has(Obligation::ReturnMinimal);
        let filter = match decision {
            Decision::Allow(_) => None,
            Decision::Filter(filter) => Some(filter),
            Decision::Deny(denial) => {
                return Err(Refusal::beyond_scope(
                    denial.www_authenticate(),
                    "The access token does not allow this request.",
                ));
            }
        };
        Ok(Reach { filter, person: &self.person, minimal })
    }
}

impl Reach<'_> {
    /// Is this stored resource within reach? If not, it is as if it were not there.
    pub(super) fn covers(&self, stored: &Value) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.accepts(stored)) && self.person.may_see(stored)
    }

    /// May the person put this content here? The scopes judged it when they let the request through.
    pub(super) fn takes(&self, content: &Value) -> Result<(), Refusal> {
        if self.person.may_see(content) {
            return Ok(());
        }
        let challenge = r#"Bearer error="insufficient_scope""#.to_owned();
        Err(Refusal::beyond_scope(challenge, "The person signed in may not write this."))
    }

    /// Must the answer to a write leave the resource out, because the client may not read it?
    pub(super) fn answers_without_body(&self) -> bool {
        self.minimal
    }
}
