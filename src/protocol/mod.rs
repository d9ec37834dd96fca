//! What apps do: OAuth 2.0, OpenID Connect and SMART App Launch.
//!
//! | room | tells |
//! |---|---|
//! | [`params`], [`error`] | one parser for every request, two audiences for every refusal |
//! | [`client_auth`], [`client_assertion`], [`jwk`] | how a client proves who it is |
//! | [`authorize`], `authorize_checks`, [`interaction`], [`consent`] | from the authorization request through patient picker and consent to the code |
//! | [`token`], [`grants`], [`mint`], [`oxide`] | the token endpoint: three grant types, driven by oxide-auth's state machines |
//! | [`introspection`], [`revocation`], [`userinfo`] | what a token is worth now |
//! | [`logout`], [`backchannel`] | the end of a session, and who is told |
//! | [`discovery`], [`signing`], [`id_token`] | what we say of ourselves, and sign |
//!
//! # Decisions where specifications leave room
//!
//! - **D1 audience of assertions** (RFC 10070 against SMART 2.2): one value only; the issuer is good everywhere, the token URL at the token endpoint only and for clients in
//!   `smart` mode only; `typ: client-authentication+jwt` asks for the issuer. See [`client_assertion`].
//! - **D2 code replay**: by the client itself, with its proof: the family dies. By anyone else: refused and recorded, nothing dies. See [`grants::authorization_code`].
//! - **D3 refresh**: rotation for public clients, with a retry rule. See `domain::grants`.
//! - **D4**: clients that are not approved, or disabled, are never redirected to. See [`authorize`].
//! - **X-06**: the `iss` of a launch (FHIR base URL), of an authorization response (issuer) and of a JWT are never compared with each other.
//! - **X-11**: `sub` of a user is an account id (`acc_...`), of a backend service its client id (`app_...`): they cannot collide.

pub mod access_token;
pub mod apps;
pub mod authorize;
mod authorize_checks;
pub mod backchannel;
pub mod brands;
pub mod client_assertion;
pub mod client_auth;
mod client_lookup;
pub mod consent;
pub mod cors;
pub mod discovery;
pub mod error;
pub mod grants;
pub mod id_token;
pub mod interaction;
pub mod introspection;
pub mod jwk;
pub mod launch;
pub mod logout;
pub mod mint;
pub mod oxide;
pub mod params;
pub mod patients;
pub mod pkce;
pub mod reading;
pub mod records;
pub mod redirect_uri;
pub mod revocation;
pub mod sign_in_only;
pub mod signing;
pub mod token;
pub mod userinfo;

pub use error::{ErrorKind, OAuthError};
