//! Refusals of the protocol. Every one has two audiences: the wire gets a code and a safe sentence, the log and the audit record get the reason.

use crate::domain::permission::Layer;
use crate::storage::StorageError;

/// The error codes we use, with the document that defines each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// RFC 6749 4.1.2.1, 5.2.
    InvalidRequest,
    /// RFC 6749 5.2: who the client is could not be proven, or it may not act here.
    InvalidClient,
    /// RFC 6749 5.2.
    InvalidGrant,
    /// RFC 6749 4.1.2.1, 5.2.
    UnauthorizedClient,
    /// RFC 6749 5.2.
    UnsupportedGrantType,
    /// RFC 6749 4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749 4.1.2.1, 5.2.
    InvalidScope,
    /// RFC 6749 4.1.2.1.
    AccessDenied,
    /// RFC 8707 2.
    InvalidTarget,
    /// OpenID Connect Core 3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core 3.1.2.6.
    ConsentRequired,
    /// OpenID Connect Core 3.1.2.6.
    InteractionRequired,
    /// OpenID Connect Core 3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core 3.1.2.6.
    RequestUriNotSupported,
    /// RFC 6750 3.1.
    InvalidToken,
    /// RFC 6750 3.1.
    InsufficientScope,
    /// RFC 7009 2.2.1.
    UnsupportedTokenType,
    /// RFC 7591 3.2.2.
    InvalidRedirectUri,
    /// RFC 7591 3.2.2.
    InvalidClientMetadata,
    /// RFC 7591 3.2.2.
    InvalidSoftwareStatement,
    /// RFC 6749 4.1.2.1; with status 503: a fault of ours, try again.
    TemporarilyUnavailable,
    /// The same code with status 429 (RFC 6585 4) and `Retry-After`: this caller asks too much. No document has a code of its own for it, and
    /// `temporarily_unavailable` is the one that tells a client to come back with the same request.
    TooManyRequests {
        /// When, seconds.
        retry_after: u32,
    },
}

impl ErrorKind {
    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidSoftwareStatement => "invalid_software_statement",
            Self::TemporarilyUnavailable | Self::TooManyRequests { .. } => "temporarily_unavailable",
        }
    }

    /// The status of a direct (not redirected) answer.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::TemporarilyUnavailable => 503,
            Self::TooManyRequests { .. } => 429,
            Self::InvalidRequest
            | Self::InvalidGrant
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::UnsupportedResponseType
            | Self::InvalidScope
            | Self::AccessDenied
            | Self::InvalidTarget
            | Self::LoginRequired
            | Self::ConsentRequired
            | Self::InteractionRequired
            | Self::RequestNotSupported
            | Self::RequestUriNotSupported
            | Self::UnsupportedTokenType
            | Self::InvalidRedirectUri
            | Self::InvalidClientMetadata
            | Self::InvalidSoftwareStatement => 400,
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {text}", .kind.as_str())]
pub struct OAuthError {
    /// The code.
    pub kind: ErrorKind,
    /// For the wire: printable ASCII without quotes or backslashes (RFC 6749 5.2), and never a fact the caller should not have.
    pub text: &'static str,
    /// For the log and the audit record.
    pub because: Option<String>,
}

impl OAuthError {
    /// A refusal with what the wire may know.
    pub fn new(kind: ErrorKind, text: &'static str) -> Self {
        Self { kind, text, because: None }
    }

    /// With what only we should know.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.because = Some(detail.into());
        self
    }

    /// Client authentication failed. One answer for an unknown client, a wrong proof and a client that may not act here (K20).
    pub fn client(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidClient, "client authentication failed").because(detail)
    }

    /// A code or refresh token that is not good here. One answer for unknown, spent, expired, revoked and somebody else's.
    pub fn grant(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidGrant, "the code or token is not valid").because(detail)
    }

    /// The caller asks too much; it may come back after so many seconds.
    pub fn too_many(retry_after: u32, text: &'static str) -> Self {
        Self::new(ErrorKind::TooManyRequests { retry_after }, text)
    }

    /// The request itself is wrong.
    pub fn request(text: &'static str) -> Self {
        Self::new(ErrorKind::InvalidRequest, text)
    }
}

impl From<StorageError> for OAuthError {
    fn from(error: StorageError) -> Self {
        if matches!(error, StorageError::Unstorable) {
            return Self::request("a value holds the character U+0000");
        }
        Self::new(ErrorKind::TemporarilyUnavailable, "try again later").because(error.to_string())
    }
}

/// A no of the permission function at the token endpoint: who may not act here is not authenticated, everything else is a grant that is no good.
impl From<Layer> for OAuthError {
    fn from(layer: Layer) -> Self {
        match layer {
            Layer::Organization | Layer::Client | Layer::NotApproved | Layer::Disabled | Layer::ApprovalExpired => {
                Self::client(layer.as_str())
            }
            Layer::Epoch | Layer::Grant | Layer::Person | Layer::Endpoint | Layer::Consent => {
                Self::grant(layer.as_str())
            }
            Layer::NeedsKey => Self::new(
                ErrorKind::UnauthorizedClient,
                "this organization gives system scopes to clients with a key only: register a key and use private_key_jwt, or ask the organization to take secrets",
            )
            .because(layer.as_str()),
            Layer::Scopes => {
                Self::new(ErrorKind::InvalidScope, "none of the scopes may be granted").because(layer.as_str())
            }
        }
    }
}

/// What a decision that must leave a mark returns from its transaction: the refusal commits.
pub type Decision<T> = Result<Result<T, OAuthError>, OAuthError>;
