//! An authorization response as a form (OAuth 2.0 Form Post Response Mode).

use serde::Serialize;

use super::{Page, samples};

/// A form that sends itself to the app; without script a button does. Answer it with
/// [`Html::leads_to`](super::Html::leads_to) the same address.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FormPost {
    /// The app's redirect URI.
    pub action: String,
    /// The app's name.
    pub app: String,
    /// `code`, `state`, `iss`, or `error` and so on.
    pub fields: Vec<FormValue>,
}

/// One hidden field.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FormValue {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Page for FormPost {
    const TEMPLATE: &'static str = "form_post.html";

    fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| FormValue { name: name.into(), value: value.into() };
        let typical = Self {
            action: "https://chart.example/callback".into(),
            app: "Growth Chart".into(),
            fields: vec![
                field("code", "csc_8Qm2"),
                field("state", "x y&z"),
                field("iss", "https://id.example/o/st-mary"),
            ],
        };
        vec![
            Self { fields: Vec::new(), ..typical.clone() },
            typical.clone(),
            Self { app: samples::LONG_WORD.into(), ..typical.clone() },
            Self {
                action: samples::BAD_URL.into(),
                app: samples::MARKUP.into(),
                fields: vec![field("state", samples::MARKUP)],
            },
        ]
    }
}
