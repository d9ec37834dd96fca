//! What a request means, for people: the words of `fhir_scopes::describe`, and the risks a reviewer should see before anything else.

use super::client_management::Review;
use crate::domain::clients::{ClientMetadata, ClientType, GrantType};
use crate::domain::organizations::FhirEndpoint;
use fhir_scopes::describe::{Description, Lang, Options, WarningKind, describe_with};
use fhir_scopes::{Level, NonResource, Permissions, Release, ScopeSet, TypeSelector};

/// What a reviewer should see first. The gravest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Its name looks like that of another provider's client that is approved here, or mixes alphabets.
    LooksLike,
    /// Deletes data.
    Deletes,
    /// Creates or changes data.
    Writes,
    /// Reaches all patients, or all that a user may see.
    AllPatients,
    /// Works with nobody signed in, or after the person has left.
    Background,
    /// Includes kinds of data that are added later.
    FutureKinds,
    /// Mental health, sexual health, genetics, notes.
    Sensitive,
    /// No client of this application provider was ever approved here.
    NewProvider,
    /// The client cannot keep a secret.
    PublicClient,
    /// It asks for `system/` scopes and proves itself with a shared secret, which this organization does not take for them: approved or not, it gets no tokens
    /// until it registers a key or the organization takes secrets.
    NeedsKey,
    /// Works with nobody signed in, and proves itself with a shared secret, which this organization takes: SMART Backend Services asks for a key.
    SharedSecret,
    /// It registered itself and named nobody to write to.
    NoContact,
    /// A host in a redirect, launch or key URL that was not there when it was approved.
    NewHost,
    /// A limit or scope without plain words: a person must read the technical text.
    NeedsCheck,
}

impl Risk {
    /// A stable word, for the API and the locales.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LooksLike => "looks-like",
            Self::Deletes => "deletes",
            Self::Writes => "writes",
            Self::AllPatients => "all-patients",
            Self::Background => "background",
            Self::FutureKinds => "future-kinds",
            Self::Sensitive => "sensitive",
            Self::NewProvider => "new-provider",
            Self::PublicClient => "public-client",
            Self::NeedsKey => "needs-key",
            Self::SharedSecret => "shared-secret",
            Self::NoContact => "no-contact",
            Self::NewHost => "new-host",
            Self::NeedsCheck => "needs-check",
        }
    }
}

/// Scopes in words, for staff who decide about them on behalf of others.
pub fn for_staff(scopes: &ScopeSet, lang: Lang) -> Description {
    describe_with(scopes, lang, &Options { for_reviewers: true, corrected: true, ..Options::default() })
}

/// What is asked in a few words: "reads lab results, all patients".
pub fn summary(scopes: &str, release: Release, lang: Lang) -> String {
    for_staff(&ScopeSet::parse_lenient(scopes, release).0, lang).summary
}

/// By which release the scopes of a list are read: that of the organization's endpoints, the first where they differ. Only the words depend on it.
pub fn release_of(endpoints: &[FhirEndpoint]) -> Release {
    endpoints.first().map_or(Release::default(), |endpoint| endpoint.release)
}

/// The risks of what a request asks, gravest first.
pub fn risks(review: &Review) -> Vec<Risk> {
    let mut risks = risks_of_scopes(&review.asked);
    if review.looks_like_another {
        risks.push(Risk::LooksLike);
    }
    if review.new_provider {
        risks.push(Risk::NewProvider);
    }
    let metadata = &review.revision.metadata;
    if metadata.client_type == ClientType::Public {
        risks.push(Risk::PublicClient);
    }
    if review.system_needs_key && review.asked.has_system_level() {
        risks.push(Risk::NeedsKey);
    } else if metadata.client_type == ClientType::ConfidentialSecret && metadata.may_use(GrantType::ClientCredentials) {
        risks.push(Risk::SharedSecret);
    }
    if metadata.contacts.is_empty() {
        risks.push(Risk::NoContact);
    }
    if review
        .approved_revision
        .as_ref()
        .is_some_and(|approved| !new_hosts(&review.revision.metadata, &approved.metadata).is_empty())
    {
        risks.push(Risk::NewHost);
    }
    risks.sort_unstable();
    risks
}

/// The risks that lie in the scopes alone, gravest first.
pub fn risks_of_scopes(scopes: &ScopeSet) -> Vec<Risk> {
    let any = |letters: Permissions| scopes.resources().any(|resource| resource.permissions.intersects(letters));
    let warnings = for_staff(scopes, Lang::En).warnings;
    let warned = |kind: WarningKind| warnings.iter().any(|warning| warning.kind == kind);
    let mut risks: Vec<Risk> = [
        (any(Permissions::DELETE), Risk::Deletes),
        (any(Permissions::CREATE) || any(Permissions::UPDATE), Risk::Writes),
        (scopes.has_level(Level::System) || scopes.has_level(Level::User), Risk::AllPatients),
        (scopes.has_level(Level::System) || scopes.has(NonResource::OfflineAccess), Risk::Background),
        (scopes.resources().any(|resource| resource.types == TypeSelector::All), Risk::FutureKinds),
        (warned(WarningKind::Sensitive), Risk::Sensitive),
        (warned(WarningKind::NeedsCheck), Risk::NeedsCheck),
    ]
    .into_iter()
    .filter_map(|(applies, risk)| applies.then_some(risk))
    .collect();
    risks.sort_unstable();
    risks
}

/// Hosts that tokens, codes or people may be sent to in `new` and could not be in `old`.
pub fn new_hosts(new: &ClientMetadata, old: &ClientMetadata) -> Vec<String> {
    let known = hosts(old);
    hosts(new).into_iter().filter(|host| !known.contains(host)).collect()
}

/// The hosts of every URL that matters for security, in order, each once.
pub fn hosts(metadata: &ClientMetadata) -> Vec<String> {
    let urls = metadata
        .redirect_uris
        .iter()
        .chain(&metadata.launch_uri)
        .chain(&metadata.jwks_uri)
        .chain(&metadata.post_logout_redirect_uris)
        .chain(&metadata.backchannel_logout_uri);
    let mut hosts: Vec<String> = Vec::new();
    for url in urls {
        // an app's own scheme (`com.example.app:/callback`) has no host: the scheme is what it answers to
        let host = match url::Url::parse(url) {
            Ok(url) => url.host_str().map_or_else(|| format!("{}:", url.scheme()), str::to_owned),
            Err(_) => url.clone(),
        };
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

/// One field of a client that is not as it was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The member of the metadata: `name`, `redirect_uris`, ...
    pub field: &'static str,
    /// What it was; one entry per value.
    pub before: Vec<String>,
    /// What it is now.
    pub after: Vec<String>,
}

/// What differs between two revisions of a client, field by field.
pub fn field_changes(old: &ClientMetadata, new: &ClientMetadata) -> Vec<FieldChange> {
    let one = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    let maybe = |text: &Option<String>| text.iter().cloned().collect::<Vec<_>>();
    let fields = |metadata: &ClientMetadata| {
        [
            ("name", one(&metadata.name)),
            ("description", one(&metadata.description)),
            ("logo", maybe(&metadata.logo)),
            ("client_type", one(client_type(metadata.client_type))),
            ("redirect_uris", metadata.redirect_uris.clone()),
            ("launch_uri", maybe(&metadata.launch_uri)),
            ("jwks_uri", maybe(&metadata.jwks_uri)),
            ("jwks", maybe(&metadata.jwks)),
            ("grant_types", metadata.grant_types.iter().map(|one| one.as_str().to_owned()).collect()),
            ("post_logout_redirect_uris", metadata.post_logout_redirect_uris.clone()),
            ("backchannel_logout_uri", maybe(&metadata.backchannel_logout_uri)),
            ("native", one(if metadata.native { "yes" } else { "no" })),
            ("contacts", metadata.contacts.clone()),
            ("homepage", one(&metadata.homepage)),
            ("privacy", one(&metadata.privacy)),
            ("terms", one(&metadata.terms)),
            ("assertion_audience", one(&format!("{:?}", metadata.assertion_audience).to_lowercase())),
            ("fhir_context_objects", one(if metadata.fhir_context_objects { "yes" } else { "no" })),
            ("declared", metadata.declared.lines()),
        ]
    };
    fields(old)
        .into_iter()
        .zip(fields(new))
        .filter(|((_, before), (_, after))| before != after)
        .map(|((field, before), (_, after))| FieldChange { field, before, after })
        .collect()
}

/// The word of a client type, as in the metadata.
pub fn client_type(client_type: ClientType) -> &'static str {
    match client_type {
        ClientType::Public => "public",
        ClientType::ConfidentialSecret => "confidential_secret",
        ClientType::ConfidentialKeys => "confidential_keys",
    }
}
