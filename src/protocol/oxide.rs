//! The one place that knows `oxide_auth`: its sans-IO state machines say what comes next in each flow of RFC 6749, and we answer.
//!
//! The machines are driven in steps, as plain types: each step can only be had from the one before, and each takes the answer the machine asked for. What the
//! machine cannot know (who the client is by any method, exact redirect strings, PKCE, launch context, single use) is decided before an answer is given, with
//! our own precise refusal; what it does check (that the code or token belongs to the client, the order of things) is checked again by somebody else.
//!
//! The version is pinned exactly. `tests` below characterise its gaps, with what we do instead, so that an upgrade that changes them is seen:
//! sets instead of ordered scopes, `invalid_request` where RFC 6749 5.2 wants `invalid_grant`, URL normalisation, and a clock of its own (every grant we show
//! it ends never; our own clock has judged before).

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use oxide_auth::code_grant::{accesstoken, authorization, client_credentials, refresh};
use oxide_auth::primitives::grant::{Extensions, Grant};
use oxide_auth::primitives::issuer::{IssuedToken, RefreshedToken, TokenType};
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};
use oxide_auth::primitives::scope::Scope;

use super::error::{ErrorKind, OAuthError};

/// Backend services have no redirect URI, the library's grant must have one.
const NO_REDIRECT: &str = "urn:countersign:no-redirect";

/// The library's clock must never decide: ours has.
const NEVER: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

/// What the machines are told about the family behind a code or a refresh token.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Whose code or token it is.
    pub client_id: String,
    /// Where the code was sent; anything for a refresh token.
    pub redirect_uri: String,
    /// Who granted it.
    pub owner: String,
    /// Granted scopes.
    pub scopes: String,
}

impl Recovered {
    fn grant(self) -> Option<Box<Grant>> {
        Some(Box::new(Grant {
            owner_id: self.owner,
            client_id: self.client_id,
            scope: self.scopes.parse().ok()?,
            redirect_uri: self.redirect_uri.parse().ok()?,
            until: NEVER,
            extensions: Extensions::new(),
        }))
    }
}

/// A refusal of a machine where we had accepted: our checks and its own disagree. Refused, and worth a look in the log.
fn disagrees(flow: &'static str) -> OAuthError {
    OAuthError::grant(format!("oxide_auth refused the {flow} flow"))
}

/// What an authorization request shows to its machine.
#[derive(Clone, Debug)]
pub struct AuthorizationView<'a> {
    /// A client we know.
    pub client_id: &'a str,
    /// A redirect URI it registered, byte for byte.
    pub redirect_uri: &'a str,
    /// As asked.
    pub scope: &'a str,
    /// As asked.
    pub state: Option<&'a str>,
    /// As asked.
    pub response_type: &'a str,
}

impl authorization::Request for AuthorizationView<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        Some(self.client_id.into())
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        Some(self.scope.into())
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(self.redirect_uri.into())
    }
    fn state(&self) -> Option<Cow<'_, str>> {
        self.state.map(Into::into)
    }
    fn response_type(&self) -> Option<Cow<'_, str>> {
        Some(self.response_type.into())
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// Runs the authorization machine up to the point where a person has to be asked. `Err` if it refuses.
pub fn authorization(view: &AuthorizationView<'_>) -> Result<(), OAuthError> {
    use authorization::{Authorization, Input, Output};
    let mut machine = Authorization::new(view);
    let (Output::Bind { .. }, Ok(exact)) = (machine.advance(Input::None), ExactUrl::new(view.redirect_uri.to_owned()))
    else {
        return Err(OAuthError::request("the authorization request is not valid"));
    };
    let redirect = RegisteredUrl::Exact(exact);
    let bound_client =
        BoundClient { client_id: Cow::Owned(view.client_id.to_owned()), redirect_uri: Cow::Owned(redirect.clone()) };
    let Output::Extend = machine.advance(Input::Bound { request: view, bound_client }) else {
        return Err(OAuthError::request("the authorization request is not valid"));
    };
    let Output::Negotiate { scope: Some(scope), .. } = machine.advance(Input::Extended(Extensions::new())) else {
        return Err(disagrees("authorization"));
    };
    let pre_grant = PreGrant { client_id: view.client_id.to_owned(), redirect_uri: redirect, scope };
    match machine.advance(Input::Negotiated { pre_grant, state: view.state.map(str::to_owned) }) {
        Output::Ok { .. } => Ok(()),
        Output::Bind { .. } | Output::Extend | Output::Negotiate { .. } | Output::Err(_) => {
            Err(disagrees("authorization"))
        }
    }
}

/// What a code exchange shows to its machine.
struct CodeView<'a> {
    client_id: &'a str,
    code: &'a str,
    redirect_uri: &'a str,
}

impl accesstoken::Request for CodeView<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.into())
    }
    fn authorization(&self) -> accesstoken::Authorization<'_> {
        // proven before, by whichever method: the machine gets the name alone
        accesstoken::Authorization::Username(self.client_id.into())
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(self.redirect_uri.into())
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some("authorization_code".into())
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// A code exchange whose client is proven: the machine asks for the grant behind the code.
pub struct CodeExchange(accesstoken::AccessToken);

/// A code exchange whose grant is found: the machine asks for a token.
pub struct CodeExchangeIssuing(accesstoken::AccessToken);

impl CodeExchange {
    /// For a proven client.
    pub fn begin(client_id: &str, code: &str, redirect_uri: &str) -> Result<Self, OAuthError> {
        use accesstoken::{AccessToken, Input, Output};
        let mut machine = AccessToken::new(&CodeView { client_id, code, redirect_uri });
        if !matches!(machine.advance(Input::None), Output::Authenticate { .. }) {
            return Err(OAuthError::request("the token request is not valid"));
        }
        match machine.advance(Input::Authenticated) {
            Output::Recover { .. } => Ok(Self(machine)),
            _ => Err(disagrees("code")),
        }
    }

    /// The code was good, and is consumed.
    pub fn recovered(mut self, recovered: Recovered) -> Result<CodeExchangeIssuing, OAuthError> {
        use accesstoken::{Input, Output};
        if !matches!(self.0.advance(Input::Recovered(recovered.grant())), Output::Extend { .. }) {
            return Err(disagrees("code"));
        }
        match self.0.advance(Input::Extended { access_extensions: Extensions::new() }) {
            Output::Issue { .. } => Ok(CodeExchangeIssuing(self.0)),
            _ => Err(disagrees("code")),
        }
    }
}

impl CodeExchangeIssuing {
    /// The token is made; the machine's own response is not used, ours says more.
    pub fn issued(mut self) -> Result<(), OAuthError> {
        use accesstoken::{Input, Output};
        let token = IssuedToken { token: String::new(), refresh: None, until: NEVER, token_type: TokenType::Bearer };
        match self.0.advance(Input::Issued(token)) {
            Output::Ok(_) => Ok(()),
            _ => Err(disagrees("code")),
        }
    }
}

struct RefreshView<'a> {
    client_id: &'a str,
    token: &'a str,
}

impl refresh::Request for RefreshView<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        Some(self.token.into())
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some("refresh_token".into())
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        // with a name here the machine itself checks that the token is this client's, for public clients too
        Some((self.client_id.into(), Cow::Borrowed(&[])))
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// A refresh whose client is proven: the machine asks for the grant behind the token.
pub struct RefreshExchange(refresh::Refresh);

/// A refresh whose grant is found: the machine asks for a token.
pub struct RefreshExchangeIssuing(refresh::Refresh);

impl RefreshExchange {
    /// For a proven client, or a public one named by its token.
    pub fn begin(client_id: &str, token: &str) -> Result<Self, OAuthError> {
        use refresh::{Input, Output, Refresh};
        let mut machine = Refresh::new(&RefreshView { client_id, token });
        if !matches!(machine.advance(Input::None), Output::Unauthenticated { .. }) {
            return Err(OAuthError::request("the token request is not valid"));
        }
        match machine.advance(Input::Authenticated { scope: None }) {
            Output::RecoverRefresh { .. } => Ok(Self(machine)),
            _ => Err(disagrees("refresh")),
        }
    }

    /// The refresh token is good. Narrowing is ours: the library compares scopes as words.
    pub fn recovered(mut self, recovered: Recovered) -> Result<RefreshExchangeIssuing, OAuthError> {
        use refresh::{Input, Output};
        match self.0.advance(Input::Recovered { scope: None, grant: recovered.grant() }) {
            Output::Refresh { .. } => Ok(RefreshExchangeIssuing(self.0)),
            _ => Err(disagrees("refresh")),
        }
    }
}

impl RefreshExchangeIssuing {
    /// The tokens are made.
    pub fn issued(mut self) -> Result<(), OAuthError> {
        use refresh::{Input, Output};
        let token = RefreshedToken { token: String::new(), refresh: None, until: NEVER, token_type: TokenType::Bearer };
        match self.0.advance(Input::Refreshed(token)) {
            Output::Ok(_) => Ok(()),
            _ => Err(disagrees("refresh")),
        }
    }
}

struct CredentialsView<'a> {
    client_id: &'a str,
    scope: &'a str,
}

impl client_credentials::Request for CredentialsView<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((self.client_id.into(), Cow::Borrowed(&[])))
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        Some(self.scope.into())
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some("client_credentials".into())
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// Runs the client-credentials machine for a proven client with the scopes it will get.
pub fn client_credentials(client_id: &str, scope: &str) -> Result<(), OAuthError> {
    use client_credentials::{ClientCredentials, Input, Output};
    let redirect =
        || ExactUrl::new(NO_REDIRECT.to_owned()).map(RegisteredUrl::Exact).map_err(|_| disagrees("client credentials"));
    let mut machine = ClientCredentials::new(&CredentialsView { client_id, scope });
    if !matches!(machine.advance(Input::None), Output::Authenticate { .. }) {
        return Err(OAuthError::request("the token request is not valid"));
    }
    if !matches!(machine.advance(Input::Authenticated), Output::Binding { .. }) {
        return Err(disagrees("client credentials"));
    }
    let bound_client =
        BoundClient { client_id: Cow::Owned(client_id.to_owned()), redirect_uri: Cow::Owned(redirect()?) };
    if !matches!(machine.advance(Input::Bound { bound_client }), Output::Extend) {
        return Err(disagrees("client credentials"));
    }
    let Output::Negotiate { scope: Some(scope), .. } =
        machine.advance(Input::Extended { extensions: Extensions::new() })
    else {
        return Err(disagrees("client credentials"));
    };
    let pre_grant = PreGrant { client_id: client_id.to_owned(), redirect_uri: redirect()?, scope };
    match machine.advance(Input::Negotiated { pre_grant }) {
        Output::Ok { .. } => Ok(()),
        _ => Err(disagrees("client credentials")),
    }
}

/// Is this a list of scopes that can be read: the charset of RFC 6749 3.3, as the library checks it, and no more than anybody needs?
pub fn check_scope_text(text: &str) -> Result<(), OAuthError> {
    if text.len() > fhir_scopes::MAX_LIST_BYTES {
        return Err(OAuthError::new(ErrorKind::InvalidScope, SCOPE_TOO_LONG));
    }
    match text.parse::<Scope>() {
        Ok(_) => Ok(()),
        Err(_) => Err(OAuthError::new(ErrorKind::InvalidScope, "the scope does not read")),
    }
}

/// The limit of [`fhir_scopes::MAX_LIST_BYTES`], told.
const SCOPE_TOO_LONG: &str = "the list of scopes is longer than 16384 bytes";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_scopes_that_is_too_long_is_told_so_with_the_limit() {
        let just = "s".repeat(fhir_scopes::MAX_LIST_BYTES);
        assert!(check_scope_text(&just).is_ok());
        let error = check_scope_text(&format!("{just}s")).unwrap_err();
        assert!(error.text.contains(&fhir_scopes::MAX_LIST_BYTES.to_string()), "{}", error.text);
        assert!(check_scope_text("a\"b").is_err());
    }
    use crate::protocol::ErrorKind;

    fn recovered(client_id: &str, redirect_uri: &str) -> Recovered {
        Recovered {
            client_id: client_id.into(),
            redirect_uri: redirect_uri.into(),
            owner: "acc_1".into(),
            scopes: "openid patient/*.rs".into(),
        }
    }

    #[test]
    fn each_flow_runs_to_its_end() {
        let view = AuthorizationView {
            client_id: "app_1",
            redirect_uri: "https://app.example/cb",
            scope: "openid patient/Observation.rs?category=http://x|laboratory",
            state: Some("s"),
            response_type: "code",
        };
        authorization(&view).unwrap();
        assert!(authorization(&AuthorizationView { response_type: "token", ..view.clone() }).is_err());
        let code = CodeExchange::begin("app_1", "csc_1", "https://app.example/cb").unwrap();
        code.recovered(recovered("app_1", "https://app.example/cb")).unwrap().issued().unwrap();
        let refresh = RefreshExchange::begin("app_1", "csr_1").unwrap();
        refresh.recovered(recovered("app_1", NO_REDIRECT)).unwrap().issued().unwrap();
        client_credentials("app_1", "system/*.rs").unwrap();
    }

    #[test]
    fn the_machines_refuse_another_clients_code_and_refresh_token() {
        let code = CodeExchange::begin("app_1", "csc_1", "https://app.example/cb").unwrap();
        let refusal = code.recovered(recovered("app_2", "https://app.example/cb")).err().unwrap();
        assert_eq!(refusal.kind, ErrorKind::InvalidGrant);
        let code = CodeExchange::begin("app_1", "csc_1", "https://app.example/other").unwrap();
        assert!(code.recovered(recovered("app_1", "https://app.example/cb")).is_err());
        let refresh = RefreshExchange::begin("app_1", "csr_1").unwrap();
        assert!(refresh.recovered(recovered("app_2", NO_REDIRECT)).is_err());
    }

    // What follows characterises the library: if one of these fails after an upgrade, look at what we do instead.

    #[test]
    fn gap_scopes_are_a_set_without_order() {
        let asked = "a b c d e f g h i j k l m n o p";
        let mut orders: Vec<String> = (0..20).map(|_| asked.parse::<Scope>().unwrap().to_string()).collect();
        orders.dedup();
        assert!(orders.iter().any(|order| order != asked), "our responses echo the literal list from our own row");
    }

    #[test]
    fn gap_scopes_are_compared_as_words() {
        let wide: Scope = "patient/*.rs".parse().unwrap();
        let narrow: Scope = "patient/Observation.rs".parse().unwrap();
        assert!(!wide.priviledged_to(&narrow), "so narrowing is decided by fhir-scopes, and the machine sees none");
    }

    #[test]
    fn gap_redirect_uris_are_normalised() {
        let code = CodeExchange::begin("app_1", "csc_1", "https://app.example:443/x/../cb").unwrap();
        assert!(
            code.recovered(recovered("app_1", "https://app.example/cb")).is_ok(),
            "so redirect URIs are compared byte for byte before"
        );
    }

    #[test]
    fn gap_an_unknown_code_is_called_an_invalid_request() {
        use accesstoken::{AccessToken, Error, Input, Output};
        let mut machine =
            AccessToken::new(&CodeView { client_id: "app_1", code: "x", redirect_uri: "https://app.example/cb" });
        machine.advance(Input::Authenticated);
        let Output::Err(error) = machine.advance(Input::Recovered(None)) else { panic!("an unknown code is refused") };
        let Error::Invalid(description) = *error else { panic!("as an invalid request") };
        assert!(
            description.to_json().contains("invalid_request"),
            "so our own invalid_grant is given before the machine is asked"
        );
    }
}
