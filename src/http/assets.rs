//! Static assets: our one stylesheet, the small script, the favicon.
//!
//! Everything lies in `templates/assets/` and is part of the binary; a debug build reads the folder instead, so a
//! changed stylesheet shows on reload. A page never writes an asset's path by hand: `{{ asset(name="countersign.css") }}`
//! gives a URL with a hash of the content in it, so the answer may be cached for a year and a new release is seen at once.

use std::borrow::Cow;

use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::Embed;
use sha2::{Digest, Sha256};

/// Where assets live below the host.
pub const PREFIX: &str = "/assets/";

#[derive(Embed)]
#[folder = "templates/assets"]
struct Assets;

/// The one route of this module: `GET /assets/{file}`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{file}", get(serve))
}

/// The URL of an asset, with the hash of its content; `None` when there is no such asset.
pub fn url(name: &str) -> Option<String> {
    let bytes = content(name)?;
    let (stem, extension) = name.rsplit_once('.')?;
    Some(format!("{PREFIX}{stem}.{}.{extension}", fingerprint(&bytes)))
}

/// The bytes of an asset by its plain name (`countersign.css`).
pub fn content(name: &str) -> Option<Cow<'static, [u8]>> {
    Assets::get(name).map(|file| file.data)
}

/// `GET /assets/{stem}.{hash}.{extension}`: a year when the hash is the content's, otherwise not to be stored
/// (a page of an older release asks for an older hash; it gets the present file rather than nothing).
pub async fn serve(file: Result<Path<String>, PathRejection>) -> Response {
    let Some((name, asked)) = file.ok().and_then(|Path(file)| plain_name(&file)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(bytes) = content(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let fresh = asked == fingerprint(&bytes);
    let caching = if fresh { "public, max-age=31536000, immutable" } else { "no-store" };
    let headers = [
        (header::CONTENT_TYPE, media_type(&name)),
        (header::CACHE_CONTROL, caching),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes.into_owned()).into_response()
}

/// `countersign.0a1b2c3d4e5f.css` -> (`countersign.css`, `0a1b2c3d4e5f`).
fn plain_name(file: &str) -> Option<(String, String)> {
    let (rest, extension) = file.rsplit_once('.')?;
    let (stem, hash) = rest.rsplit_once('.')?;
    Some((format!("{stem}.{extension}"), hash.to_owned()))
}

fn fingerprint(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3], digest[4], digest[5])
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_url_of_an_asset_is_served_for_a_year_and_an_older_hash_is_not_stored() {
        let url = url("countersign.css").unwrap();
        let file = url.strip_prefix(PREFIX).unwrap().to_owned();
        let fresh = serve(Ok(Path(file))).await;
        assert_eq!(fresh.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert!(fresh.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));

        let stale = serve(Ok(Path("countersign.000000000000.css".into()))).await;
        assert_eq!(stale.status(), StatusCode::OK);
        assert_eq!(stale.headers()[header::CACHE_CONTROL], "no-store");
    }

    #[tokio::test]
    async fn a_path_that_is_no_asset_is_not_found() {
        for file in ["countersign.css", "../layouts/base.0.html", "x", "nothing.0.css"] {
            assert_eq!(serve(Ok(Path(file.into()))).await.status(), StatusCode::NOT_FOUND, "{file}");
        }
    }
}
