//! The engine: one Tera instance per language over the embedded templates, so that `t(...)` knows its language
//! everywhere, inside components too (which see nothing but their arguments).
//!
//! A debug build reads `templates/` from disk and rebuilds when a file changed; a template that does not parse then keeps
//! the last good set and says so in the log. A release build carries everything in the binary and never looks again.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, RwLock};

use axum::http::StatusCode;
use rust_embed::Embed;
use tera::{Context, Kwargs, State, Tera, Value};

use super::frame::Frame;
use super::html::Html;
use super::words::{Arg, Lang, Words, WordsError};
use super::{Page, assets};

#[derive(Embed)]
#[folder = "templates"]
struct Templates;

/// Every page of the product, ready to be rendered. Built once, shared by all handlers.
pub struct Pages {
    set: RwLock<Arc<Set>>,
}

/// One consistent state of the templates folder.
struct Set {
    fingerprint: u64,
    languages: Vec<(Lang, Tera, Arc<Words>)>,
}

/// A page could not be rendered; a mistake of ours that `tests/templates.rs` should have found.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template is wrong or got a page it does not fit.
    #[error("{0}")]
    Template(String),
    /// Words are missing.
    #[error(transparent)]
    Words(#[from] WordsError),
}

impl From<tera::Error> for RenderError {
    fn from(error: tera::Error) -> Self {
        RenderError::Template(described(&error))
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl Pages {
    /// Parses every template and every word. Called once at start, so a broken release never answers a request.
    pub fn load() -> Result<Self, RenderError> {
        Ok(Self { set: RwLock::new(Arc::new(Set::load(fingerprint())?)) })
    }

    /// Renders a page for a handler. Should it fail, the answer is a plain 500 without any of our templates, and the log
    /// has the reason.
    pub fn render<P: Page>(&self, frame: &Frame, page: &P) -> Html {
        match self.try_render(frame, page) {
            Ok(body) => Html::new(body, frame.nonce.clone()),
            Err(error) => {
                tracing::error!(template = P::TEMPLATE, %error, "a page could not be rendered");
                Html::new(LAST_RESORT.to_owned(), None).with_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// Renders a page, or says why not.
    pub fn try_render<P: Page>(&self, frame: &Frame, page: &P) -> Result<String, RenderError> {
        let page = Value::try_from_serializable(page)?;
        self.try_render_value(frame, P::TEMPLATE, page)
    }

    /// Renders a template over a value that is already in the engine's own form (tests plant markup in it).
    pub fn try_render_value(&self, frame: &Frame, template: &str, page: Value) -> Result<String, RenderError> {
        let mut context = Context::new();
        context.insert_value("page", page);
        context.insert_value("frame", Value::try_from_serializable(&frame.view())?);
        let set = self.current();
        Ok(set.language(frame.lang).0.render(template, &context)?)
    }

    /// Words for Rust code that puts a sentence into a page: `pages.say(lang, "flash-disabled", &[...])`. The key is a
    /// literal, so that `tests/templates.rs` can see that it exists; should it not, people read the key and the log says so.
    pub fn say(&self, lang: Lang, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.text(lang, key, args).unwrap_or_else(|error| {
            tracing::error!(%error, "words are missing");
            key.to_owned()
        })
    }

    /// The same for whoever must know that words are missing.
    pub fn text(&self, lang: Lang, key: &str, args: &[(&str, Arg<'_>)]) -> Result<String, WordsError> {
        self.current().language(lang).1.say(key, args)
    }

    fn current(&self) -> Arc<Set> {
        let set = Arc::clone(&self.set.read().expect("the set is replaced in one move, a panic cannot tear it"));
        if cfg!(not(debug_assertions)) {
            return set;
        }
        let now = fingerprint();
        if now == set.fingerprint {
            return set;
        }
        match Set::load(now) {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *self.set.write().expect("as above") = Arc::clone(&fresh);
                fresh
            }
            Err(error) => {
                tracing::error!(%error, "the changed templates do not load, the last good ones stay");
                set
            }
        }
    }
}

impl Set {
    fn load(fingerprint: u64) -> Result<Self, RenderError> {
        let files = files();
        let languages = Lang::ALL
            .into_iter()
            .map(|lang| {
                let folder = format!("locales/{}/", lang.tag());
                let texts: Vec<_> = files.iter().filter(|(name, _)| name.starts_with(&folder)).cloned().collect();
                let words = Arc::new(Words::parse(lang, &texts)?);
                let tera = environment(&words, &files)?;
                Ok((lang, tera, words))
            })
            .collect::<Result<_, RenderError>>()?;
        Ok(Self { fingerprint, languages })
    }

    fn language(&self, lang: Lang) -> (&Tera, &Words) {
        let (_, tera, words) =
            self.languages.iter().find(|(own, _, _)| *own == lang).expect("every language of Lang::ALL is loaded");
        (tera, words)
    }
}

/// Tera with our functions:
/// - `t(key=..., name=...)`: words, escaped like any value;
/// - `rich(key=..., name=...)`: words that carry markup of their own (`<strong>`, `<bdi>`); the *arguments* are escaped;
/// - `asset(name=...)`: URL of an asset with its content hash; `icon(name=...)`: an icon of `icons.svg`, drawn in place;
/// - `value | href`: a URL from outside as it may stand in `href` (http, https, mailto, tel or a path of ours).
fn environment(words: &Arc<Words>, files: &[(String, String)]) -> Result<Tera, RenderError> {
    let mut tera = Tera::new();
    let plain = Arc::clone(words);
    tera.register_function("t", move |kwargs: Kwargs, _: &State| say(&plain, &kwargs, str::to_owned));
    let rich = Arc::clone(words);
    tera.register_function("rich", move |kwargs: Kwargs, _: &State| {
        say(&rich, &kwargs, escaped).map(|text| Value::safe_string(&text))
    });
    tera.register_function("asset", |kwargs: Kwargs, _: &State| {
        let name = kwargs.must_get::<&str>("name")?;
        assets::url(name).ok_or_else(|| tera::Error::message(format!("there is no asset `{name}`")))
    });
    let icons = icons(files);
    tera.register_function("icon", move |kwargs: Kwargs, _: &State| {
        let name = kwargs.must_get::<&str>("name")?;
        let drawing = icons
            .iter()
            .find(|(id, _)| id == name)
            .ok_or_else(|| tera::Error::message(format!("there is no icon `{name}`")))?;
        Ok::<_, tera::Error>(Value::safe_string(&format!(
            r#"<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>"#,
            drawing.1
        )))
    });
    tera.register_filter("href", |url: &str, _: Kwargs, _: &State| safe_href(url).to_owned());
    tera.add_raw_templates(
        files
            .iter()
            .filter(|(name, _)| !name.starts_with("locales/") && !name.starts_with("assets/"))
            .map(|(name, text)| (name.as_str(), text.as_str())),
    )?;
    Ok(tera)
}

fn say(words: &Words, kwargs: &Kwargs, treat: fn(&str) -> String) -> Result<String, tera::Error> {
    let key = kwargs.must_get::<&str>("key")?;
    let mut texts = Vec::new();
    let mut counts = Vec::new();
    for (name, value) in kwargs.iter() {
        let Some(name) = name.as_str().filter(|name| *name != "key") else { continue };
        match (value.as_str(), value.as_i64()) {
            (Some(text), _) => texts.push((name, treat(text))),
            (None, Some(count)) => counts.push((name, count)),
            (None, None) => {
                let problem = format!("the argument `{name}` of `{key}` is a {}, not text or a number", value.name());
                return Err(tera::Error::message(problem));
            }
        }
    }
    let mut args: Vec<_> = texts.iter().map(|(name, text)| (*name, Arg::Text(text.as_str()))).collect();
    args.extend(counts.iter().map(|(name, count)| (*name, Arg::Count(*count))));
    words.say(key, &args).map_err(tera::Error::message)
}

/// Text for use inside markup and double-quoted attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A client's own URL is untrusted: `javascript:` and friends become a link to nowhere.
fn safe_href(url: &str) -> &str {
    let path = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    let query = url.starts_with('?') || url.starts_with('#');
    let known = ["https://", "http://", "mailto:", "tel:"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if path || query || known { url } else { "#" }
}

/// `(id, drawing)` of every `<symbol id="...">` in `assets/icons.svg`.
fn icons(files: &[(String, String)]) -> Vec<(String, String)> {
    let Some((_, sprite)) = files.iter().find(|(name, _)| name == "assets/icons.svg") else {
        return Vec::new();
    };
    sprite
        .split("<symbol id=\"")
        .skip(1)
        .filter_map(|symbol| {
            let (id, rest) = symbol.split_once("\">")?;
            let (drawing, _) = rest.split_once("</symbol>")?;
            Some((id.to_owned(), drawing.trim().to_owned()))
        })
        .collect()
}

fn files() -> Vec<(String, String)> {
    let mut files: Vec<_> = Templates::iter()
        .filter_map(|name| {
            let file = Templates::get(&name)?;
            let text = String::from_utf8(file.data.into_owned()).ok()?;
            Some((name.into_owned(), text))
        })
        .collect();
    files.sort();
    files
}

/// Changes whenever a file below `templates/` changes on disk; a release build has nothing to look at.
fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    if cfg!(debug_assertions) {
        hash_times(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")), &mut hasher);
    }
    hasher.finish()
}

fn hash_times(folder: &Path, hasher: &mut DefaultHasher) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_times(&path, hasher);
        } else {
            let changed = path.metadata().and_then(|data| data.modified()).ok();
            (path, changed).hash(hasher);
        }
    }
}

/// Tera's own message names template, line and column; its causes say the rest.
fn described(error: &tera::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

const LAST_RESORT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Something went wrong</title>\
<h1>Something went wrong on our side</h1><p>Nothing you did is lost. Please try again in a moment.</p></html>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_given_by_a_client_cannot_run_script() {
        for bad in ["javascript:alert(1)", " javascript:1", "data:text/html,x", "//evil.example", "/\\evil.example", ""]
        {
            assert_eq!(safe_href(bad), "#", "{bad}");
        }
        for good in ["https://a.example/x", "HTTPS://a.example", "mailto:a@b.example", "/console/x", "?page=2"] {
            assert_eq!(safe_href(good), good);
        }
    }

    #[test]
    fn arguments_of_rich_words_are_escaped() {
        assert_eq!(escaped("<b a='1'>&\""), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;");
    }
}
