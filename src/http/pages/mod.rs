//! Pages: what people see. Plain structs with ready values, templates with layout, words in `.ftl` files.
//!
//! # How to add a page
//!
//! 1. **A struct** in this folder (`console/`, `portal/` for those faces), with a doc comment that names its form: method,
//!    action, every field. Fields are ready to show (see [`parts`]: `""` and `[]` mean nothing; no `Option`; a number only
//!    where words need a plural). Never a `serde_json::Value`: its numbers become maps in this binary.
//! 2. **`impl Page`**: the template's path, and `samples()`: nothing, typical, too much (80-character names, 60 scopes),
//!    hostile ([`samples::MARKUP`], [`samples::RTL`], [`samples::EMOJI`]). `sample_nav()` when it stands in a frame.
//! 3. **One line** in [`gallery::gallery`], so that `tests/templates.rs` renders every sample in every language.
//! 4. **A template** that extends `layouts/plain.html` (one column: sign-in, consent, errors) or `layouts/staff.html`
//!    (navigation beside it). The struct is `page`, the surroundings are `frame`.
//! 5. **Words** in `templates/locales/en/*.ftl` *and* `nl/*.ftl`: `{{ t(key="clients-title", count=page.waiting) }}`;
//!    `{{ rich(key=...) }}` when the words carry `<strong>` or `<bdi>` (arguments are still escaped).
//!
//! In templates: `{{ asset(name="countersign.css") }}`, `{{ icon(name="check") }}`, `{{ page.homepage | href }}` for every URL that
//! is not ours. Every POST form starts with `{{ <form.csrf token={frame.csrf}/> }}`. No `style=` and no `on...=`:
//! the Content-Security-Policy refuses them.
//!
//! A handler ends `pages.render(&frame, &page)`, with `.with_status(...)`, `.leads_to(redirect_uri)` on every page of a launch
//! whose form may end at the app, and `.framed_by(origins)` in an embedded launch. It formats with `pages.day|minute|second|ago`
//! (times), `pages.count`, `pages.span`, and takes words with `pages.say(lang, "literal-key", &[("name", Arg::Text(..))])`.
//!
//! # Components (`templates/components/`)
//!
//! | call | shows |
//! |---|---|
//! | `<ui.state state={s}/>` | a [`parts::Stand`] as icon, word and colour |
//! | `<ui.risk risk={r}/>` | a [`parts::Risk`] |
//! | `<ui.badge badge={b}/>` | logo or initials, name, provider ([`parts::Badge`]) |
//! | `<ui.time at={m}/>` | a [`parts::Moment`] |
//! | `<ui.copy text={s}/>` | code to copy |
//! | `<ui.note tone="care" title="...">...</ui.note>` | a box: `info`, `done`, `care`, `problem` |
//! | `<ui.empty title=".." text=".."/>` | an empty state |
//! | `<ui.crumb href=".." text=".."/>` | the way back |
//! | `<ui.facts facts={f}/>` | a definition list of [`parts::Fact`] |
//! | `<ui.history lines={h}/>` | a list of [`parts::HistoryLine`] |
//! | `<ui.paging paging={p}/>` | previous and next ([`parts::Paging`]) |
//! | `<form.csrf token={frame.csrf}/>` | the hidden anti-forgery field |
//! | `<form.field field={f} name=".." label=".." .../>` | a labelled input with hint and error ([`parts::Field`]) |
//! | `<form.area .../>`, `<form.select .../>`, `<form.file .../>` | the same for long text, choices and uploads |
//! | `<form.confirm action=".." token={frame.csrf} yes=".." no=".." back="..">...</form.confirm>` | the one question before something ends; sends `confirmed=1` |
//! | `<scope.list groups={g} pick={true}/>` | scope groups, with tick boxes when `pick` |
//! | `<scope.raw groups={g}/>` | the literal scopes behind *Technical details* |
//! | `<review.ask runs={r}/>`, `<review.changes changes={c}/>` | the one sentence; added, removed, unchanged |
//!
//! Lists are `<div class="table-wrap"><table class="list">` with `data-label` on each `td`: a table on a wide window, cards on a
//! phone. Whole-row links: `class="list clients"` on the table and `class="row-link"` on the one link of the row.

use serde::Serialize;

use super::assets;

pub mod console;
pub mod frame;
pub mod gallery;
pub mod parts;
pub mod portal;
pub mod samples;

mod account;
mod apps;
mod consent;
mod engine;
mod error;
mod form_post;
mod format;
mod html;
mod patient_picker;
mod record_picker;
mod sign_in;
mod start;
mod waiting;
mod words;

pub use account::{Account, SessionRow, TokenRow};
pub use apps::{AppCard, Apps, StopApp};
pub use consent::{Consent, PatientCard, VisitCard};
pub use engine::{Pages, RenderError};
pub use error::{ErrorPage, Trouble};
pub use form_post::{FormPost, FormValue};
pub use frame::{Flash, Frame, Nav, Tone, Viewer};
pub use html::Html;
pub use patient_picker::{PatientPicker, PatientRow};
pub use record_picker::{RecordPicker, RecordRow};
pub use sign_in::{SignIn, SignOutQuestion, SignedOut};
pub use start::Start;
pub use waiting::Waiting;
pub use words::{Arg, Lang, Words, WordsError};

/// A page: a struct of ready values that knows its template and shows what it may look like.
pub trait Page: Serialize + Sized {
    /// Path below `templates/`.
    const TEMPLATE: &'static str;

    /// What it may look like: nothing, typical, too much, hostile. Rendered in every language by the tests.
    fn samples() -> Vec<Self>;

    /// The navigation its samples stand in.
    fn sample_nav() -> Nav {
        Nav::None
    }
}
