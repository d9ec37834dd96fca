//! Logos: uploaded, never fetched. Whatever arrives is decoded within limits and drawn anew as a small PNG, so that what we serve holds pixels and nothing else.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

use crate::app::App;
use crate::domain::secrets::hex_digest;
use crate::governance::Refusal;
use crate::storage;

/// The largest upload, bytes.
pub const MAX_LOGO_BYTES: usize = 512 * 1024;
/// The widest and highest picture we decode, pixels.
const MAX_SIDE: u32 = 2048;
/// The widest and highest picture we keep, pixels.
const KEPT_SIDE: u32 = 256;

/// Why a picture is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoRefused {
    /// More than [`MAX_LOGO_BYTES`].
    #[error("a logo may have 512 kB")]
    TooLarge,
    /// Neither PNG nor JPEG, judged by content.
    #[error("a logo is a PNG or JPEG picture")]
    NotAPicture,
    /// It says it is one, but does not decode, or is larger than 2048 by 2048.
    #[error("this picture cannot be read, or is larger than 2048 by 2048 pixels")]
    Unreadable,
}

/// Decodes an upload and draws it anew as a PNG of at most 256 by 256. CPU work: call it off the async threads.
pub fn normalized_png(upload: &[u8]) -> Result<Vec<u8>, LogoRefused> {
    if upload.len() > MAX_LOGO_BYTES {
        return Err(LogoRefused::TooLarge);
    }
    let format = image::guess_format(upload).map_err(|_| LogoRefused::NotAPicture)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg) {
        return Err(LogoRefused::NotAPicture);
    }
    let mut reader = ImageReader::with_format(Cursor::new(upload), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(64 * 1024 * 1024);
    reader.limits(limits);
    let picture = reader.decode().map_err(|_| LogoRefused::Unreadable)?;
    let kept = if picture.width() > KEPT_SIDE || picture.height() > KEPT_SIDE {
        picture.thumbnail(KEPT_SIDE, KEPT_SIDE)
    } else {
        picture
    };
    let mut png = Cursor::new(Vec::new());
    kept.to_rgba8().write_to(&mut png, ImageFormat::Png).map_err(|_| LogoRefused::Unreadable)?;
    Ok(png.into_inner())
}

/// Keeps an uploaded logo and returns its digest, for [`ClientMetadata::logo`](crate::domain::clients::ClientMetadata).
pub async fn keep_logo(app: &App, upload: Vec<u8>) -> Result<String, Refusal> {
    let drawn =
        tokio::task::spawn_blocking(move || normalized_png(&upload)).await.unwrap_or(Err(LogoRefused::Unreadable));
    let png = drawn.map_err(|refused| {
        let code = match refused {
            LogoRefused::TooLarge => "logo-too-large",
            LogoRefused::NotAPicture => "logo-not-a-picture",
            LogoRefused::Unreadable => "logo-unreadable",
        };
        Refusal::invalid("logo", code, refused.to_string())
    })?;
    let digest = hex_digest(&[b"logo", &png]);
    let (now, kept) = (app.now(), digest.clone());
    app.store
        .write(move |conn| {
            Box::pin(
                async move { Ok::<_, Refusal>(storage::clients::put_logo(conn, &kept, "image/png", &png, now).await?) },
            )
        })
        .await?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(side: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image::RgbaImage::from_pixel(side, side, image::Rgba([1, 2, 3, 255]))
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_is_drawn_anew_and_small() {
        let mut upload = png(1000);
        upload.extend_from_slice(b"<script>alert(1)</script>");
        let kept = normalized_png(&upload).unwrap();
        assert!(!kept.windows(7).any(|window| window == b"<script"));
        let drawn = image::load_from_memory(&kept).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (256, 256));
    }

    #[test]
    fn markup_truncated_and_oversized_pictures_are_refused() {
        assert_eq!(normalized_png(b"<svg onload='x'/>"), Err(LogoRefused::NotAPicture));
        assert_eq!(normalized_png(b"GIF89a\x01\x00\x01\x00"), Err(LogoRefused::NotAPicture));
        let whole = png(64);
        assert_eq!(normalized_png(&whole[..whole.len() / 2]), Err(LogoRefused::Unreadable));
        assert_eq!(normalized_png(&png(MAX_SIDE + 1)), Err(LogoRefused::Unreadable));
        assert_eq!(normalized_png(&vec![0; MAX_LOGO_BYTES + 1]), Err(LogoRefused::TooLarge));
    }
}
