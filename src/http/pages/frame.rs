//! What surrounds a page: language, who is looking, where they are, one message from the step before.

use serde::Serialize;

use super::words::Lang;

/// Everything a page needs that is not the page's own. A handler builds it from the request and hands it to
/// [`Pages::render`](super::Pages::render) beside the page.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The language of every word of ours on the page.
    pub lang: Lang,
    /// A nonce for `script-src`, when something in front of us injects a script; our own pages need none.
    pub nonce: Option<String>,
    /// The anti-forgery token of this session, put into every form as the hidden field `csrf`.
    pub csrf: String,
    /// Who is signed in, if anybody.
    pub viewer: Option<Viewer>,
    /// Which navigation stands beside the page.
    pub nav: Nav,
    /// One message from the step before, shown once on top.
    pub flash: Option<Flash>,
    /// Path and query by which this page can be fetched with GET, without `lang`: the language switch leads back to it.
    pub path: String,
}

/// The person who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Name as shown.
    pub name: String,
    /// E-mail address as shown.
    pub email: String,
}

/// The navigation beside a page.
#[derive(Clone, Debug, Default)]
pub enum Nav {
    /// None: sign-in, consent, errors.
    #[default]
    None,
    /// The console of one provider organization.
    Console(ConsoleNav),
    /// The portal of one application provider.
    Portal(PortalNav),
    /// The operator's pages.
    Operator {
        /// The page we are on.
        section: OperatorSection,
    },
    /// A signed-in person's own pages.
    Account,
}

/// The console's navigation.
#[derive(Clone, Debug, Default)]
pub struct ConsoleNav {
    /// The organization's name.
    pub organization: String,
    /// Its slug: pages live below `/console/{slug}/`.
    pub slug: String,
    /// The page we are on.
    pub section: ConsoleSection,
    /// The other organizations this person may switch to.
    pub others: Vec<Switch>,
    /// How many access requests wait for a decision; shown beside *Client management* when not zero.
    pub waiting: u32,
}

/// The portal's navigation.
#[derive(Clone, Debug, Default)]
pub struct PortalNav {
    /// The application provider's name.
    pub provider: String,
    /// The path below which its pages live, without a slash at the end (`/portal` or `/portal/acme`).
    pub base: String,
    /// The page we are on.
    pub section: PortalSection,
    /// The other application providers this person may switch to.
    pub others: Vec<Switch>,
}

/// Another organization or application provider to switch to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Switch {
    /// Its name.
    pub name: String,
    /// Where its first page is.
    pub href: String,
}

/// The entries of the console's navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConsoleSection {
    #[default]
    Clients,
    Activity,
    Notifications,
    Members,
    FhirEndpoints,
    Launches,
    Brand,
    Settings,
}

/// The entries of the portal's navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PortalSection {
    #[default]
    Clients,
    Requests,
    Members,
    Webhooks,
    Settings,
}

/// The entries of the operator's navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum OperatorSection {
    #[default]
    Organizations,
    Accounts,
    Keys,
    Activity,
}

/// One message from the step before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// How it is meant.
    pub tone: Tone,
    /// The whole sentence, in the frame's language.
    pub text: String,
}

/// How a message or a box is meant; always shown as icon, word and colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Plain information.
    #[default]
    Info,
    /// Something was done.
    Done,
    /// Something needs care.
    Care,
    /// Something went wrong.
    Problem,
}

/// The frame as templates see it: ready strings and booleans, nothing optional.
#[derive(Debug, Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is one question a layout asks
pub(super) struct FrameView {
    lang: Lang,
    csrf: String,
    signed_in: bool,
    viewer_name: String,
    viewer_email: String,
    has_flash: bool,
    flash_tone: Tone,
    flash_text: String,
    languages: Vec<LanguageLink>,
    has_nav: bool,
    nav: NavView,
}

#[derive(Debug, Serialize)]
struct LanguageLink {
    tag: &'static str,
    name: &'static str,
    href: String,
    current: bool,
}

#[derive(Debug, Default, Serialize)]
struct NavView {
    kind: &'static str,
    title: String,
    items: Vec<NavItem>,
    others: Vec<Switch>,
}

#[derive(Debug, Serialize)]
struct NavItem {
    /// Key suffix of the words: `nav-{word}`.
    word: &'static str,
    icon: &'static str,
    href: String,
    current: bool,
    count: u32,
}

impl Frame {
    pub(super) fn view(&self) -> FrameView {
        let viewer = self.viewer.clone().unwrap_or_default();
        let nav = self.nav.view();
        FrameView {
            lang: self.lang,
            csrf: self.csrf.clone(),
            signed_in: self.viewer.is_some(),
            viewer_name: viewer.name,
            viewer_email: viewer.email,
            has_flash: self.flash.is_some(),
            flash_tone: self.flash.as_ref().map(|flash| flash.tone).unwrap_or_default(),
            flash_text: self.flash.as_ref().map(|flash| flash.text.clone()).unwrap_or_default(),
            languages: Lang::ALL.into_iter().map(|lang| self.language_link(lang)).collect(),
            has_nav: !nav.items.is_empty(),
            nav,
        }
    }

    fn language_link(&self, lang: Lang) -> LanguageLink {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        let joint = if path.contains('?') { '&' } else { '?' };
        LanguageLink {
            tag: lang.tag(),
            name: lang.own_name(),
            href: format!("{path}{joint}lang={}", lang.tag()),
            current: lang == self.lang,
        }
    }
}

impl Nav {
    fn view(&self) -> NavView {
        match self {
            Nav::None => NavView::default(),
            Nav::Console(console) => console.view(),
            Nav::Portal(portal) => portal.view(),
            Nav::Operator { section } => operator_view(*section),
            Nav::Account => NavView {
                kind: "account",
                title: String::new(),
                items: vec![item("account", "person", "/account".into(), true)],
                others: Vec::new(),
            },
        }
    }
}

impl ConsoleNav {
    fn view(&self) -> NavView {
        use ConsoleSection as S;
        let rows = [
            (S::Clients, "clients", "stamp", "clients"),
            (S::Activity, "activity", "list", "activity"),
            (S::Notifications, "notifications", "mail", "notifications"),
            (S::Members, "members", "people", "members"),
            (S::FhirEndpoints, "fhir-endpoints", "server", "fhir-endpoints"),
            (S::Launches, "launches", "app", "launches"),
            (S::Brand, "brand", "tag", "brand"),
            (S::Settings, "settings", "sliders", "settings"),
        ];
        let items = rows.map(|(section, word, icon, path)| NavItem {
            count: if section == S::Clients { self.waiting } else { 0 },
            ..item(word, icon, format!("/console/{}/{path}", self.slug), section == self.section)
        });
        NavView { kind: "console", title: self.organization.clone(), items: items.into(), others: self.others.clone() }
    }
}

impl PortalNav {
    fn view(&self) -> NavView {
        use PortalSection as S;
        let rows = [
            (S::Clients, "my-clients", "app", "clients"),
            (S::Requests, "requests", "stamp", "requests"),
            (S::Members, "members", "people", "members"),
            (S::Webhooks, "webhooks", "link", "webhooks"),
            (S::Settings, "settings", "sliders", "settings"),
        ];
        let items = rows.map(|(section, word, icon, path)| {
            item(word, icon, format!("{}/{path}", self.base), section == self.section)
        });
        NavView { kind: "portal", title: self.provider.clone(), items: items.into(), others: self.others.clone() }
    }
}

fn operator_view(current: OperatorSection) -> NavView {
    use OperatorSection as S;
    let rows = [
        (S::Organizations, "organizations", "home", "organizations"),
        (S::Accounts, "accounts", "people", "accounts"),
        (S::Keys, "keys", "key", "keys"),
        (S::Activity, "activity", "list", "activity"),
    ];
    let items =
        rows.map(|(section, word, icon, path)| item(word, icon, format!("/operator/{path}"), section == current));
    NavView { kind: "operator", title: String::new(), items: items.into(), others: Vec::new() }
}

fn item(word: &'static str, icon: &'static str, href: String, current: bool) -> NavItem {
    NavItem { word, icon, href, current, count: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_switch_leads_back_to_the_same_view() {
        let hrefs = |path: &str| -> Vec<String> {
            let frame = Frame { path: path.into(), ..Frame::default() };
            frame.view().languages.into_iter().map(|link| link.href).collect()
        };
        assert_eq!(hrefs("/x?flow=f&q=a%26b"), ["/x?flow=f&q=a%26b&lang=en", "/x?flow=f&q=a%26b&lang=nl"]);
        assert_eq!(hrefs("/x"), ["/x?lang=en", "/x?lang=nl"]);
        assert_eq!(hrefs(""), ["/?lang=en", "/?lang=nl"]);
    }

    #[test]
    fn the_console_leads_only_to_its_own_organization_and_marks_where_we_are() {
        let nav = Nav::Console(ConsoleNav {
            slug: "st-mary".into(),
            section: ConsoleSection::Activity,
            waiting: 3,
            ..ConsoleNav::default()
        });
        let view = nav.view();
        assert!(view.items.iter().all(|item| item.href.starts_with("/console/st-mary/")));
        let current: Vec<_> = view.items.iter().filter(|item| item.current).map(|item| item.word).collect();
        assert_eq!(current, ["activity"]);
        let counts: Vec<_> = view.items.iter().map(|item| item.count).filter(|count| *count > 0).collect();
        assert_eq!(counts, [3]);
    }
}
