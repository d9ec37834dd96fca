//! Every page with every sample, for tests and for looking at.

use tera::Value;

use super::console;
use super::{
    Account, Apps, Consent, ErrorPage, Flash, FormPost, Frame, Lang, Nav, Page, Pages, PatientPicker, RecordPicker,
    RenderError, SignIn, SignOutQuestion, SignedOut, Start, StopApp, Tone, Viewer, Waiting, samples,
};

/// One sample of one page, ready to be rendered.
pub struct Sample {
    /// The template's path, which names the page.
    pub template: &'static str,
    /// Which sample of the page, from 0.
    pub number: usize,
    /// The page in the engine's own form.
    pub value: Value,
    nav: Nav,
}

impl Sample {
    /// A file name without extension: `console-clients-2`.
    pub fn name(&self) -> String {
        let stem = self.template.trim_end_matches(".html").replace('/', "-");
        format!("{stem}-{}", self.number)
    }

    /// The frame the sample stands in.
    pub fn frame(&self, lang: Lang) -> Frame {
        let viewer = Viewer { name: "Noor de Vries".into(), email: "noor@st-mary.example".into() };
        let framed = !matches!(self.nav, Nav::None);
        Frame {
            lang,
            csrf: "csrf-of-the-sample".into(),
            viewer: framed.then_some(viewer),
            nav: self.nav.clone(),
            flash: (self.number == 1).then(|| Flash { tone: Tone::Done, text: samples::MARKUP.into() }),
            path: format!("/{}?state=waiting", self.name()),
            ..Frame::default()
        }
    }

    /// Renders the sample.
    pub fn render(&self, pages: &Pages, lang: Lang) -> Result<String, RenderError> {
        pages.try_render_value(&self.frame(lang), self.template, self.value.clone())
    }
}

/// Every page there is. A page that is not here is not tested: add a line.
pub fn gallery() -> Vec<Sample> {
    let mut all = Vec::new();
    add::<Start>(&mut all);
    add::<SignIn>(&mut all);
    add::<SignedOut>(&mut all);
    add::<SignOutQuestion>(&mut all);
    add::<Consent>(&mut all);
    add::<PatientPicker>(&mut all);
    add::<RecordPicker>(&mut all);
    add::<ErrorPage>(&mut all);
    add::<Waiting>(&mut all);
    add::<Apps>(&mut all);
    add::<StopApp>(&mut all);
    add::<Account>(&mut all);
    add::<FormPost>(&mut all);
    add::<super::portal::PortalClients>(&mut all);
    add::<super::portal::PortalClientForm>(&mut all);
    add::<super::portal::PortalClient>(&mut all);
    add::<super::portal::AskWhere>(&mut all);
    add::<super::portal::AskWhat>(&mut all);
    add::<super::portal::AskWhy>(&mut all);
    add::<super::portal::PortalRequests>(&mut all);
    add::<super::portal::PortalRequest>(&mut all);
    add::<super::portal::PortalNone>(&mut all);
    add::<super::portal::PortalMembers>(&mut all);
    add::<super::portal::PortalWebhooks>(&mut all);
    add::<super::portal::PortalSettings>(&mut all);
    add::<super::portal::PortalConfirm>(&mut all);
    add::<console::Clients>(&mut all);
    add::<console::Review>(&mut all);
    add::<console::ApproveConfirm>(&mut all);
    add::<console::RejectConfirm>(&mut all);
    add::<console::Changed>(&mut all);
    add::<console::Client>(&mut all);
    add::<console::DisableConfirm>(&mut all);
    add::<console::Receipt>(&mut all);
    add::<console::Activity>(&mut all);
    add::<console::Notifications>(&mut all);
    add::<console::Members>(&mut all);
    add::<console::Launches>(&mut all);
    add::<console::FhirEndpoints>(&mut all);
    add::<console::Brand>(&mut all);
    add::<console::Settings>(&mut all);
    add::<console::Registration>(&mut all);
    all
}

fn add<P: Page>(all: &mut Vec<Sample>) {
    for (number, page) in P::samples().iter().enumerate() {
        let value = Value::from_serializable(page);
        all.push(Sample { template: P::TEMPLATE, number, value, nav: P::sample_nav() });
    }
}
