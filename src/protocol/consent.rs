//! Consent: what a person may be asked, when they need not be, and what their answer leaves.
//!
//! An answer only ever narrows. What is remembered is used for the same or less, of the same client revision, at the same FHIR endpoint, about the same patient, and
//! never where somebody else could be listening (a native app's loopback address or private scheme) or where it is not clear whose data is meant (a person with
//! several patients).

use fhir_scopes::{NonResource, ResourceType, ScopeKind, ScopeSet};

use super::authorize::AuthorizationRequest;
use super::redirect_uri;
use crate::domain::accounts::FhirUser;
use crate::domain::clients::{ClientMetadata, GrantType};
use crate::domain::launch_context::LaunchContext;
use crate::domain::organizations::Organization;
use crate::storage::consents::RememberedConsent;

/// What of the accepted scopes this person, with this context, can grant at all.
pub fn candidate(
    accepted: &ScopeSet,
    metadata: &ClientMetadata,
    user: Option<&FhirUser>,
    context: &LaunchContext,
) -> ScopeSet {
    let may_refresh = metadata.may_use(GrantType::RefreshToken);
    accepted.filtered(|scope| match scope.kind() {
        ScopeKind::Plain(NonResource::FhirUser) => user.is_some(),
        ScopeKind::Plain(NonResource::OfflineAccess | NonResource::OnlineAccess) => may_refresh,
        ScopeKind::Plain(NonResource::LaunchFor(kind)) => is_in_context(*kind, scope.own_role(), context),
        // L08: never patient/ without a patient
        ScopeKind::Resource(resource) => resource.level != fhir_scopes::Level::Patient || context.patient.is_some(),
        _ => true,
    })
}

/// Who agrees, if nobody has to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The person did before, to this or more.
    Remembered,
    /// The organization did, for its clinicians.
    Standing,
}

/// Is there anything in context of what a launch scope asks for? A role that nobody filled still gives what there is of its type (SMART 2.2 "launch context with
/// roles"); but a patient or an encounter in a role of its own is another one than the patient or encounter of the launch.
fn is_in_context(kind: ResourceType, own_role: Option<&str>, context: &LaunchContext) -> bool {
    match own_role {
        None if kind == ResourceType::PATIENT => context.patient.is_some(),
        None if kind == ResourceType::ENCOUNTER => context.encounter.is_some(),
        _ => context.has_type(kind.name()),
    }
}

/// What is known before the question.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What would be asked.
    pub candidate: &'a ScopeSet,
    /// The patient in context.
    pub patient: Option<&'a str>,
    /// What the person agreed to before, at this FHIR endpoint.
    pub remembered: Option<&'a RememberedConsent>,
    /// The client registered itself (RFC 7591): nobody agrees to it in a person's place.
    pub self_registered: bool,
}

/// Does anybody have to be asked? `None`: yes.
///
/// - **Standing consent** is the organization's own decision about its clinicians, so nothing in a request changes it: with `prompt=consent` too the consent is
///   there (OpenID Connect Core 3.1.2.1 asks for "consent", not for a page), and a clinician who was asked could only say what the organization has said. The
///   organization ends it in its settings, or disables the app.
/// - **A client that registered itself** never gets a code that no person agreed to (A35): the standing consent is not for it. What a person agreed to for this
///   very client and revision, redirect URIs included, is remembered for it as for any other, because `prompt=none` (OpenID Connect) builds on that.
/// - **A remembered consent** holds for the same or less of the same client revision at the same FHIR endpoint, unless `prompt=consent` asks anew. What a patient, or
///   somebody who acts for one, agreed to about a patient holds for that patient; a clinician agrees to the app, and chooses the patient each time.
pub fn settled(
    request: &AuthorizationRequest,
    metadata: &ClientMetadata,
    (organization, user): (&Organization, Option<&FhirUser>),
    known: &Known<'_>,
) -> Option<Settled> {
    let candidate = known.candidate;
    if organization.settings.standing_consent_for_clinicians
        && !known.self_registered
        && user.is_some_and(FhirUser::is_clinician)
    {
        return Some(Settled::Standing);
    }
    if request.prompt.consent || (metadata.native && redirect_uri::may_be_another_apps(&request.redirect_uri)) {
        return None;
    }
    let about_a_patient = is_about_a_patient(candidate);
    if user.is_some_and(|user| user.patients.len() > 1) && about_a_patient {
        return None;
    }
    let remembered = known.remembered.filter(|remembered| remembered.client_revision == request.client_revision)?;
    let is_clinician = user.is_some_and(FhirUser::is_clinician);
    if about_a_patient && !is_clinician && remembered.patient.as_deref() != known.patient {
        return None;
    }
    let agreed = ScopeSet::parse_lenient(&remembered.scopes, candidate.release()).0;
    agreed.covers(candidate).then_some(Settled::Remembered)
}

/// Whose data is meant has to be said: not so for an app that only signs somebody in.
fn is_about_a_patient(candidate: &ScopeSet) -> bool {
    candidate.iter().any(|scope| match scope.kind() {
        ScopeKind::Resource(resource) => resource.level == fhir_scopes::Level::Patient,
        ScopeKind::Plain(plain) => *plain == NonResource::LAUNCH_PATIENT || *plain == NonResource::Launch,
        _ => false,
    })
}

/// A person's answer that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Something that was not asked: the form was tampered with.
    More,
    /// Data was asked for, and nothing of it ticked.
    Nothing,
    /// Something was unticked that would be granted all the same, because something wider stays ticked.
    StillIncluded,
}

/// What a person's ticks leave of what they were asked. `ticked` holds literal scopes: those of the page, or narrower ones of its choices.
pub fn chosen(candidate: &ScopeSet, ticked: &str, offline: bool) -> Result<ScopeSet, Unusable> {
    let (ticked, rejected) = ScopeSet::parse_lenient(ticked, candidate.release());
    if !rejected.is_empty() || !candidate.covers(&ticked) {
        return Err(Unusable::More);
    }
    let is_about_data = |scope: &fhir_scopes::Scope<'static>| scope.resource().is_some();
    let is_offline =
        |scope: &fhir_scopes::Scope<'static>| *scope.kind() == ScopeKind::Plain(NonResource::OfflineAccess);
    // in the order asked: what stays as it was, then what a choice made narrower
    let kept = candidate.filtered(|scope| {
        if is_offline(scope) {
            offline
        } else {
            // signing in and launching belong to the app; data is as ticked
            !is_about_data(scope) || ticked.contains_literal(scope.literal())
        }
    });
    let narrower = ticked.filtered(|scope| is_about_data(scope) && !kept.covers_scope(scope));
    // a kind of data and one of its categories, both ticked: the category adds nothing
    let covers = |wide: &fhir_scopes::Scope<'static>, narrow: &fhir_scopes::Scope<'static>| {
        ScopeSet::from_scopes([wide.clone()], candidate.release()).covers_scope(narrow)
    };
    let narrower =
        narrower.filtered(|scope| !narrower.iter().any(|other| covers(other, scope) && !covers(scope, other)));
    let chosen = kept.union(&narrower);
    let asked_for_data = candidate.iter().any(is_about_data);
    if asked_for_data && !chosen.iter().any(is_about_data) {
        return Err(Unusable::Nothing);
    }
    // whoever unticks something means that it is out; another way to write what stays is no case of that
    let is_included = |left: &fhir_scopes::Scope<'static>| {
        is_about_data(left)
            && !ticked.contains_literal(left.literal())
            && chosen.covers_scope(left)
            && !chosen.iter().any(|kept| covers(kept, left) && covers(left, kept))
    };
    if candidate.iter().any(is_included) { Err(Unusable::StillIncluded) } else { Ok(chosen) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir_scopes::Release;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text, Release::R4).unwrap()
    }

    #[test]
    fn an_answer_only_narrows() {
        let asked = set("launch/patient openid offline_access patient/Observation.rs patient/Condition.rs");
        let all = chosen(&asked, "patient/Observation.rs patient/Condition.rs", true).unwrap();
        assert_eq!(all.to_string(), asked.to_string());
        let one = chosen(&asked, "patient/Condition.rs", false).unwrap();
        assert_eq!(one.to_string(), "launch/patient openid patient/Condition.rs");
        let category = chosen(&asked, "patient/Observation.rs?category=laboratory", false).unwrap();
        assert_eq!(category.to_string(), "launch/patient openid patient/Observation.rs?category=laboratory");
        let wide_and_narrow =
            chosen(&asked, "patient/Observation.rs patient/Observation.rs?category=laboratory", false).unwrap();
        assert_eq!(wide_and_narrow.to_string(), "launch/patient openid patient/Observation.rs");
    }

    #[test]
    fn what_is_unticked_is_out_or_the_answer_is_none() {
        let asked = set("launch/patient patient/*.rs patient/Observation.rs patient/Patient.read patient/Patient.rs");
        let answer = |ticked: &str| chosen(&asked, ticked, false).map(|chosen| chosen.to_string());
        assert_eq!(answer("patient/*.rs patient/Patient.rs patient/Patient.read"), Err(Unusable::StillIncluded));
        assert_eq!(
            answer("patient/Patient.rs").unwrap(),
            "launch/patient patient/Patient.rs",
            "written twice, ticked once"
        );
        let all = "patient/*.rs patient/Observation.rs patient/Patient.read patient/Patient.rs";
        assert_eq!(answer(all).unwrap(), asked.to_string());
    }

    #[test]
    fn of_a_kind_and_its_categories_under_a_wildcard_the_wider_tick_counts() {
        let asked = set("launch/patient patient/*.read");
        let lab =
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
        let answer = |ticked: &str| chosen(&asked, ticked, false).unwrap().to_string();
        assert_eq!(answer("patient/*.read"), "launch/patient patient/*.read");
        assert_eq!(answer(&format!("patient/*.read {lab}")), "launch/patient patient/*.read");
        assert_eq!(answer(lab), format!("launch/patient {lab}"));
        assert_eq!(answer(&format!("{lab} patient/Observation.read")), "launch/patient patient/Observation.read");
        assert_eq!(answer("patient/Goal.read patient/Goal.rs"), "launch/patient patient/Goal.read patient/Goal.rs");
        // SMART-SC-21: the wide and the narrow were both asked; without the wide the narrow is left
        let both = set(&format!("patient/Observation.rs {lab}"));
        assert_eq!(chosen(&both, lab, false).unwrap().to_string(), lab);
        assert_eq!(chosen(&both, &both.to_string(), false).unwrap().to_string(), both.to_string());
        assert_eq!(
            chosen(&both, "patient/Observation.rs", false),
            Err(Unusable::StillIncluded),
            "the narrow was unticked"
        );
    }

    #[test]
    fn an_answer_with_more_than_was_asked_is_tampered_with() {
        let asked = set("openid patient/Observation.rs?category=laboratory");
        for more in [
            "patient/Observation.rs",
            "patient/Observation.cruds",
            "user/Observation.rs",
            "patient/*.rs",
            "offline_access",
            "patient/Observation.zz",
        ] {
            assert_eq!(chosen(&asked, more, true), Err(Unusable::More), "{more}");
        }
        assert!(
            !chosen(&asked, "patient/Observation.rs?category=laboratory", true).unwrap().has_offline_access(),
            "offline was not asked"
        );
        assert_eq!(chosen(&asked, "", true), Err(Unusable::Nothing));
        assert_eq!(chosen(&set("openid"), "", false).unwrap().to_string(), "openid");
    }

    #[test]
    fn a_launch_scope_is_granted_for_what_is_in_context_and_for_nothing_else() {
        let metadata = serde_json::from_value::<ClientMetadata>(serde_json::json!({
            "name": "x", "client_type": "public", "grant_types": ["authorization_code"]
        }))
        .unwrap();
        let accepted = set(
            "openid launch/patient launch/patient?role=https://x.example/twin launch/encounter launch/relatedperson?role=https://x.example/friend launch/relatedperson launch/location",
        );
        let granted = |context: &str| {
            let context: LaunchContext = serde_json::from_str(context).unwrap();
            candidate(&accepted, &metadata, None, &context).to_string()
        };
        assert_eq!(granted("{}"), "openid");
        assert_eq!(granted(r#"{"patient":"a"}"#), "openid launch/patient");
        assert_eq!(granted(r#"{"patient":"a","encounter":"v"}"#), "openid launch/patient launch/encounter");
        assert_eq!(
            granted(r#"{"fhirContext":[{"reference":"Patient/b","role":"https://x.example/twin"}]}"#),
            "openid launch/patient?role=https://x.example/twin"
        );
        assert_eq!(
            granted(r#"{"fhirContext":[{"reference":"RelatedPerson/r"}]}"#),
            "openid launch/relatedperson?role=https://x.example/friend launch/relatedperson",
            "a role that is not supported still gives what there is of its type"
        );
    }

    #[test]
    fn patient_scopes_need_a_patient() {
        let metadata = serde_json::from_value::<ClientMetadata>(serde_json::json!({
            "name": "x", "client_type": "public", "grant_types": ["authorization_code"]
        }))
        .unwrap();
        let accepted = set("launch/patient openid fhirUser offline_access patient/*.rs user/*.rs");
        let none = candidate(&accepted, &metadata, None, &LaunchContext::default());
        assert_eq!(none.to_string(), "openid user/*.rs");
        let context = LaunchContext { patient: Some("anna".into()), ..LaunchContext::default() };
        let some = candidate(&accepted, &metadata, None, &context);
        assert_eq!(some.to_string(), "launch/patient openid patient/*.rs user/*.rs");
    }
}
