//! People: one account each, with a membership at an organization (staff), at an application provider (developer), or a FHIR identity (user).

use super::clock::UtcMillis;
use super::ids::{AccountId, ApplicationProviderId, OrganizationId};
use super::launch_context::LaunchContext;

/// A person who can sign in.
#[derive(Clone, Debug)]
pub struct Account {
    /// Id.
    pub id: AccountId,
    /// Lower-case e-mail address: how they sign in.
    pub email: String,
    /// Name shown to people.
    pub name: String,
    /// argon2id in PHC form; `None` if they cannot sign in with a password.
    pub password_hash: Option<String>,
    /// May they sign in at all?
    pub active: bool,
    /// Preferred language: `en` or `nl`.
    pub lang: String,
    /// Bumped by a password change or deactivation; sessions of an older epoch are dead.
    pub session_epoch: i64,
    /// When the account was made.
    pub created_at: UtcMillis,
}

/// What a member of staff may do; each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StaffRole {
    /// See requests, clients and activity.
    Viewer,
    /// Also decide: approve, reject, disable, enable.
    Reviewer,
    /// Also manage members, endpoints and settings.
    Admin,
}

impl StaffRole {
    /// The word of the column and of `apply` files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "viewer" => Some(Self::Viewer),
            "reviewer" => Some(Self::Reviewer),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// What a developer may do at an application provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeveloperRole {
    /// Manage clients and ask for access.
    Developer,
    /// Also manage the provider's members.
    Admin,
}

impl DeveloperRole {
    /// The word of the column and of `apply` files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "developer" => Some(Self::Developer),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// A staff membership.
#[derive(Clone, Debug)]
pub struct StaffMembership {
    /// At which organization.
    pub organization_id: OrganizationId,
    /// Who.
    pub account_id: AccountId,
    /// As what.
    pub role: StaffRole,
}

/// A developer membership.
#[derive(Clone, Debug)]
pub struct DeveloperMembership {
    /// At which application provider.
    pub application_provider_id: ApplicationProviderId,
    /// Who.
    pub account_id: AccountId,
    /// As what.
    pub role: DeveloperRole,
}

/// Who a person is at an organization, as a FHIR resource (SMART `fhirUser`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FhirUser {
    /// Relative reference: `Patient/123`, `Practitioner/7`, `RelatedPerson/9`, `Person/4`.
    pub reference: String,
    /// Patients this person may choose, oneself first. Empty for a clinician, who chooses by search.
    pub patients: Vec<UserPatient>,
}

impl FhirUser {
    /// A clinician chooses among all patients of the organization's FHIR server.
    pub fn is_clinician(&self) -> bool {
        is_clinician(&self.reference)
    }

    /// Is this a patient they may choose: themselves, or somebody they act for?
    pub fn has_patient(&self, patient: &str) -> bool {
        self.patients.iter().any(|one| one.patient == patient)
    }

    /// May they open an app with this context by their own right, as they could without anybody's help? A clinician may; anybody else if it is about a patient of
    /// theirs, or about nobody.
    pub fn may_open(&self, context: &LaunchContext) -> bool {
        let is_theirs = |patient: &String| self.has_patient(patient);
        self.is_clinician() || context.patient.as_ref().map_or(!context.may_be_about_somebody(), is_theirs)
    }
}

/// Is this FHIR user (`Practitioner/7`) a clinician?
pub fn is_clinician(reference: &str) -> bool {
    reference.starts_with("Practitioner/") || reference.starts_with("PractitionerRole/")
}

/// A patient a user may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPatient {
    /// Logical id, without `Patient/`.
    pub patient: String,
    /// True for oneself, false for somebody they act for.
    pub is_self: bool,
}

/// An e-mail address as we keep it: trimmed, lower case. `None` if it cannot be one.
pub fn normalized_email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.rsplit_once('@')?;
    let plausible = !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | ':' | '"'));
    plausible.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_a_clinician_may_open_what_is_not_about_a_patient_of_theirs() {
        let person = |reference: &str, patients: &[&str]| FhirUser {
            reference: reference.into(),
            patients: patients.iter().map(|one| UserPatient { patient: (*one).into(), is_self: false }).collect(),
        };
        let anna = person("Patient/anna", &["anna"]);
        let mother = person("RelatedPerson/m", &["sam", "anna"]);
        let joe = person("Patient/joe", &["joe"]);
        let odd = person("Patient/anna", &[]);
        let doctor = person("Practitioner/7", &[]);
        for (context, allowed) in [
            (r#"{"patient":"anna"}"#, [true, true, false, false, true]),
            (
                r#"{"patient":"anna","encounter":"v","fhirContext":[{"reference":"Task/1"}]}"#,
                [true, true, false, false, true],
            ),
            (r#"{"patient":"nobody"}"#, [false, false, false, false, true]),
            (r#"{"encounter":"v"}"#, [false, false, false, false, true]),
            (r#"{"fhirContext":[{"reference":"Task/1"}]}"#, [false, false, false, false, true]),
            (r#"{"appContext":"x"}"#, [false, false, false, false, true]),
            (r#"{"__x":1}"#, [false, false, false, false, true]),
            (r#"{"intent":"x","tenant":"t","need_patient_banner":true}"#, [true; 5]),
            ("{}", [true; 5]),
        ] {
            let read: LaunchContext = serde_json::from_str(context).expect("a context");
            let found = [&anna, &mother, &joe, &odd, &doctor].map(|user| user.may_open(&read));
            assert_eq!(found, allowed, "{context}");
        }
    }
}
