//! `POST /o/{organization}/launch`: an EHR, proven as a resource server of the organization, makes a launch handle. JSON in and out.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::{Challenge, authorization, json as answer, organization, refusal, wire_text};
use crate::domain::audit::Actor;
use crate::domain::ids::ResourceServerId;
use crate::domain::json;
use crate::http::AppState;
use crate::protocol::introspection::resource_server;
use crate::protocol::launch::{Launch, NoLaunch, Wish, create};
use crate::protocol::{ErrorKind, OAuthError, client_auth};

/// Makes a launch handle.
pub async fn post(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match made(&state, &slug, &headers, &body).await {
        Ok(launch) => {
            let mut members = serde_json::json!({ "launch": launch.handle.reveal(), "iss": launch.iss, "expires_in": launch.expires_in });
            if let Some(url) = launch.url {
                members["launch_url"] = url.into();
            }
            answer(StatusCode::CREATED, &members)
        }
        Err(Refused::Protocol(error)) => refusal(&error, Challenge::Basic),
        Err(Refused::Launch(why)) => refused(&why),
        Err(Refused::Unreadable(why)) => answer(
            StatusCode::BAD_REQUEST,
            &serde_json::json!({ "error": "invalid_request", "error_description": why }),
        ),
    }
}

/// A launch that is not made, told to the EHR.
fn refused(why: &NoLaunch) -> Response {
    let (status, error) = match why {
        NoLaunch::Wrong(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
        NoLaunch::NotApproved => (StatusCode::FORBIDDEN, "invalid_request"),
        NoLaunch::TooMany => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
        NoLaunch::FhirUnavailable => (StatusCode::BAD_GATEWAY, "temporarily_unavailable"),
        NoLaunch::Unavailable(why) => {
            let error = OAuthError::new(ErrorKind::TemporarilyUnavailable, "try again later").because(why);
            return refusal(&error, Challenge::None);
        }
    };
    let text = wire_text(&why.to_string());
    let mut response = answer(status, &serde_json::json!({ "error": error, "error_description": text }));
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("300"));
    }
    response
}

enum Refused {
    Protocol(OAuthError),
    Launch(NoLaunch),
    Unreadable(String),
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self::Protocol(error)
    }
}

async fn made(state: &AppState, slug: &str, headers: &HeaderMap, body: &Bytes) -> Result<Launch, Refused> {
    let organization =
        organization(&state.app, slug).await?.ok_or_else(|| OAuthError::client("unknown organization"))?;
    let readings = authorization(headers)?.and_then(client_auth::basic).unwrap_or_default();
    let principal = resource_server(&state.app, &organization, &readings)
        .await
        .map_err(OAuthError::from)?
        .ok_or_else(|| OAuthError::client("not a resource server"))?;
    let wish: Wish = json::read(body)
        .map_err(|error| Refused::Unreadable(wire_text(&format!("the body does not read: {error}"))))?;
    let by = Actor::ResourceServer(ResourceServerId::from_text(principal));
    create(&state.app, &organization, by, wish).await.map_err(Refused::Launch)
}
