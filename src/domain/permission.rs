//! "May this be used?" - the one function behind every door.
//!
//! Tokens are issued, refreshed, introspected and used at userinfo only while **all** layers say yes: the organization is active; the client is registered; the organization's
//! approval exists, is enabled, has not expired, and is of the same epoch; the grant is not revoked; the person is active; the FHIR endpoint is this organization's and
//! part of the approval; somebody who may has consented; the scopes lie within the approved ones; and `system/` scopes are those of a client with a key, unless the
//! organization takes secrets for them too.
//!
//! When the answer is no, it knows **which** layer said so. That goes to the audit record and to staff; the wire answer does not leak it.

use fhir_scopes::{Scope, ScopeSet, us_core};

use super::approvals::{Approval, ApprovalState};
use super::clients::{Client, ClientState, ClientType};
use super::clock::UtcMillis;
use super::organizations::{FhirEndpoint, Organization, Standing};

/// Everything the decision depends on, gathered in one transaction or one query.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The present moment.
    pub now: UtcMillis,
    /// The organization whose issuer is asked.
    pub organization: &'a Organization,
    /// The client.
    pub client: &'a Client,
    /// How it proves who it is, in the revision that is live here.
    pub client_type: ClientType,
    /// The organization's answer about it, if it gave one.
    pub approval: Option<&'a Approval>,
    /// The epoch that the code, token or grant carries; `None` where nothing was issued yet.
    pub epoch: Option<i64>,
    /// The FHIR endpoint that the token is for.
    pub endpoint: &'a FhirEndpoint,
    /// Is the person who granted it active and known here? `None` where no person takes part (client credentials).
    pub person_is_active: Option<bool>,
    /// Did someone who may agree to it?
    pub consent: Consent,
    /// The grant was revoked: by the user, by a replay, by logout.
    pub grant_is_revoked: bool,
}

/// Who agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The user, to these scopes.
    Given,
    /// The organization, for its clinicians.
    Standing,
    /// No person takes part: the organization's approval is the consent (SMART Backend Services).
    NotNeeded,
    /// Nobody yet: the question is being prepared (authorization endpoint, before the consent page).
    Pending,
    /// Nobody.
    Missing,
}

/// Which layer said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The organization is suspended.
    Organization,
    /// The client was deleted by its owner.
    Client,
    /// The organization never approved it.
    NotApproved,
    /// The organization disabled it.
    Disabled,
    /// The approval ran out.
    ApprovalExpired,
    /// It was issued before the last disable.
    Epoch,
    /// The grant was revoked.
    Grant,
    /// The person was deactivated or is not known at this organization.
    Person,
    /// The FHIR endpoint is another organization's, suspended, or not part of the approval.
    Endpoint,
    /// Nobody consented.
    Consent,
    /// `system/` scopes for a client without a key, at an organization that does not take secrets for them (SMART Backend Services).
    NeedsKey,
    /// Nothing of what is asked is approved.
    Scopes,
}

impl Layer {
    /// A stable word, for audit records and for staff pages to translate.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization_suspended",
            Self::Client => "client_deleted",
            Self::NotApproved => "not_approved",
            Self::Disabled => "disabled",
            Self::ApprovalExpired => "approval_expired",
            Self::Epoch => "issued_before_disable",
            Self::Grant => "grant_revoked",
            Self::Person => "person_inactive",
            Self::Endpoint => "endpoint_not_approved",
            Self::Consent => "no_consent",
            Self::NeedsKey => "needs_key",
            Self::Scopes => "scopes_not_approved",
        }
    }
}

/// All layers but the scopes say yes. Only [`Standing`](Permit) facts are in it: hold it no longer than the transaction that gathered them.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Permit<'a> {
    /// The approval in force.
    pub approval: &'a Approval,
    /// The client is no backend service here: it gets no `system/` scope.
    system_needs_key: bool,
}

/// Is a client that proves itself like this refused `system/` scopes here until it has a key? SMART 2.2 has backend services prove themselves with keys; its profile for
/// secrets "is not intended for" them. An organization that takes plain OAuth clients all the same says so in its settings.
pub fn system_needs_key(organization: &Organization, client_type: ClientType) -> bool {
    client_type != ClientType::ConfidentialKeys && !organization.settings.backend_services_may_use_secrets
}

/// The first layers, which need no grant: may this client act at this organization at all? Client authentication ends with this question, so that a client
/// that may not act here gets the answer of one that does not exist.
pub fn client_may_act<'a>(
    now: UtcMillis,
    organization: &Organization,
    client: &Client,
    approval: Option<&'a Approval>,
) -> Result<&'a Approval, Layer> {
    if organization.standing != Standing::Active {
        return Err(Layer::Organization);
    }
    if client.state != ClientState::Active {
        return Err(Layer::Client);
    }
    let approval = approval
        .filter(|approval| approval.client_id == client.id && approval.organization_id == organization.id)
        .ok_or(Layer::NotApproved)?;
    if matches!(approval.state, ApprovalState::Disabled { .. }) {
        return Err(Layer::Disabled);
    }
    if approval.is_expired(now) {
        return Err(Layer::ApprovalExpired);
    }
    Ok(approval)
}

/// Asks every layer but the scopes. The order is the order of the story above; the first no is the answer.
pub fn may_be_used<'a>(facts: &Facts<'a>) -> Result<Permit<'a>, Layer> {
    let approval = client_may_act(facts.now, facts.organization, facts.client, facts.approval)?;
    if facts.epoch.is_some_and(|epoch| epoch != approval.epoch) {
        return Err(Layer::Epoch);
    }
    if facts.grant_is_revoked {
        return Err(Layer::Grant);
    }
    if facts.person_is_active == Some(false) {
        return Err(Layer::Person);
    }
    let endpoint_is_ours =
        facts.endpoint.organization_id == facts.organization.id && facts.endpoint.standing == Standing::Active;
    if !endpoint_is_ours || !approval.fhir_endpoints.contains(&facts.endpoint.id) {
        return Err(Layer::Endpoint);
    }
    if facts.consent == Consent::Missing {
        return Err(Layer::Consent);
    }
    Ok(Permit { approval, system_needs_key: system_needs_key(facts.organization, facts.client_type) })
}

/// What of `asked` may be granted under this permit: within the approved scopes, in the spelling asked (SMART 2.2 scopes, "literal echo"). Never empty.
///
/// Authorization requests, redemptions, refreshes, client credentials and introspection all come here, so one rule holds for them all.
///
/// Whoever asks for `system/` scopes without the key that they need here is refused as a whole, and told so ([`Layer::NeedsKey`]): less than was asked would hide
/// from its developer what to do. A token with such a scope, issued while the organization took secrets, is likewise good for nothing once it does not.
pub fn scopes_within(permit: &Permit<'_>, asked: &ScopeSet, endpoint: &FhirEndpoint) -> Result<ScopeSet, Layer> {
    if permit.system_needs_key && asked.has_system_level() {
        return Err(Layer::NeedsKey);
    }
    let approved = ScopeSet::parse_lenient(&permit.approval.scopes, endpoint.release).0;
    let granted = approved_part(asked, &approved);
    if granted.is_empty() { Err(Layer::Scopes) } else { Ok(granted) }
}

/// The part of `asked` that is approved, in the order and spelling asked:
///
/// - a scope that is approved whole, verbatim;
/// - of any other scope, its common part with each approved scope, but only where the limit of the one implies that of the other: who asks for all observations
///   gets the approved laboratory results, who asks for the final laboratory results of an approval for laboratory results gets what was asked. Two limits that
///   say different things (`category=laboratory` asked, `category=vital-signs` approved) have nothing in common that anybody asked for or agreed to, so nothing
///   is granted (S06);
/// - the observation categories that US Core itself has published misspelt mean what they were meant to mean (USC-05), and are echoed as they were asked.
pub fn approved_part(asked: &ScopeSet, approved: &ScopeSet) -> ScopeSet {
    let approved = us_core::corrected(approved).0;
    let meant = |scope: &Scope<'static>| us_core::corrected(&ScopeSet::from_scopes([scope.clone()], asked.release())).0;
    let verbatim = asked.filtered(|scope| approved.covers(&meant(scope)));
    if verbatim.len() == asked.len() {
        return verbatim;
    }
    let settled = us_core::corrected(&verbatim).0;
    let mut granted: Vec<Scope<'static>> = Vec::new();
    for scope in asked {
        if verbatim.contains_literal(scope.literal()) {
            granted.push(scope.clone());
            continue;
        }
        let meant = meant(scope);
        let Some(wanted) = meant.resources().next() else { continue };
        let comparable = approved.filtered(|own| {
            own.resource().is_some_and(|own| own.limit.implies(&wanted.limit) || wanted.limit.implies(&own.limit))
        });
        let parts = meant.granted_within(&comparable);
        granted.extend(parts.iter().filter(|part| !settled.covers_scope(part)).cloned());
    }
    ScopeSet::from_scopes(granted, asked.release())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir_scopes::Release;

    const LAB: &str =
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    const SOCIAL: &str =
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history";
    const MISSPELT: &str =
        "patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history";

    #[track_caller]
    fn part(asked: &str, approved: &str) -> String {
        let set = |text: &str| ScopeSet::parse_lenient(text, Release::R4).0;
        let (asked, approved) = (set(asked), set(approved));
        let granted = approved_part(&asked, &approved);
        let (meant, _) = us_core::corrected(&granted);
        assert!(us_core::corrected(&approved).0.covers(&meant), "{granted} within {approved}");
        assert!(us_core::corrected(&asked).0.covers(&meant), "{granted} within {asked}");
        granted.to_string()
    }

    #[test]
    fn what_is_granted_is_what_was_asked_as_far_as_it_is_approved() {
        for (asked, approved, granted) in [
            // S01, S02: letters
            ("patient/*.cruds", "patient/*.rs", "patient/*.rs"),
            ("user/Patient.write user/Patient.read", "user/Patient.read", "user/Patient.read"),
            ("patient/Observation.*", "patient/*.read", "patient/Observation.read"),
            // S03: the old words stand for the new letters, and come back as the old words where one fits
            ("patient/Patient.read", "patient/Patient.rs", "patient/Patient.read"),
            ("patient/Patient.read", "patient/Patient.rd", "patient/Patient.r"),
            ("patient/Patient.cud", "patient/Patient.write", "patient/Patient.cud"),
            ("patient/Patient.read", "patient/Patient.cud", ""),
            // S04, S05: what does not read, or is spelled in some other way, is not approved
            ("patient/Patient.sr patient/Patient.dus patient/Patient.rr patient/Patient.", "patient/Patient.cruds", ""),
            (
                "system:Patient.read system//Patient.rs patient/patient.rs PATIENT/Patient.rs",
                "system/*.cruds patient/*.cruds",
                "",
            ),
            ("patient/Patient.rs,patient/Observation.rs", "patient/*.cruds", ""),
            // levels have no order
            ("user/Patient.rs", "patient/*.cruds system/*.cruds", ""),
            // S11: order and duplicates are the asker's
            ("openid patient/Patient.r openid", "patient/Patient.r openid", "openid patient/Patient.r"),
            ("offline_access foo:bar __x https://x.example/y", "openid", ""),
        ] {
            assert_eq!(part(asked, approved), granted, "{asked} within {approved}");
        }
    }

    #[test]
    fn of_two_limits_the_narrower_is_granted_and_two_that_differ_grant_nothing() {
        let vitals = LAB.replace("laboratory", "vital-signs");
        let final_lab = format!("{LAB}&status=final");
        // S06
        assert_eq!(part("patient/Observation.rs", LAB), LAB, "asked whole");
        assert_eq!(part("patient/*.rs", LAB), LAB);
        assert_eq!(part("patient/Observation.cruds", LAB), LAB);
        assert_eq!(part("patient/Observation.read", LAB), LAB, "the old words know no limits");
        assert_eq!(part(&final_lab, LAB), final_lab, "asked less");
        assert_eq!(part(LAB, &final_lab), final_lab, "approved less");
        assert_eq!(part(&vitals, LAB), "");
        assert_eq!(
            part("patient/Observation.rs?status=final", LAB),
            "",
            "nobody asked for final results, nor approved them"
        );
        assert_eq!(part(&LAB.replace('|', "%26x|"), LAB), "");
        assert_eq!(part("patient/Observation.rs?category:not=x", LAB), "");
        assert_eq!(part("patient/Observation.rs?_filter=status%20eq%20final", LAB), "");
        assert_eq!(part(&LAB.replace('|', "%7C"), LAB), LAB.replace('|', "%7C"), "the same limit, as it was asked");
        assert_eq!(part("patient/Observation.r", LAB), LAB.replace(".rs", ".r"));
        // every comparable approved scope counts, and one of them is enough
        assert_eq!(part("patient/Observation.rs", &format!("{LAB} {vitals}")), format!("{LAB} {vitals}"));
        assert_eq!(part(&format!("{vitals} {LAB}"), LAB), LAB);
        assert_eq!(part(&vitals, &format!("{LAB} patient/Observation.rs")), vitals);
        assert_eq!(part(&format!("patient/Observation.rs {LAB}"), LAB), LAB, "told once");
        let several =
            LAB.replace("|laboratory", "|laboratory,http://terminology.hl7.org/CodeSystem/observation-category|survey");
        assert_eq!(part(&several, LAB), LAB, "one of two values asked");
        assert_eq!(part(LAB, &several), LAB);
    }

    #[test]
    fn a_misspelling_that_us_core_published_means_what_it_was_meant_to() {
        assert_eq!(part(MISSPELT, SOCIAL), MISSPELT, "and is echoed");
        assert_eq!(part(SOCIAL, MISSPELT), SOCIAL);
        assert_eq!(part(MISSPELT, "patient/*.rs"), MISSPELT);
        assert_eq!(part(MISSPELT, LAB), "");
        assert_eq!(part(&MISSPELT.replace(".rs", ".cruds"), SOCIAL), SOCIAL);
        let other =
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem-observation-category|social-history";
        assert_eq!(part(other, SOCIAL), "", "only what was published");
    }
}
