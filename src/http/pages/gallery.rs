//! Every page with every sample, for tests and for looking at.

use tera::Value;

use super::{Frame, Lang, Nav, Page, Pages, RenderError, Viewer, sign_in};

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
    add::<sign_in::SignIn>(&mut all);
    add::<sign_in::SignedOut>(&mut all);
    all
}

fn add<P: Page>(all: &mut Vec<Sample>) {
    for (number, page) in P::samples().iter().enumerate() {
        let value = Value::from_serializable(page);
        all.push(Sample { template: P::TEMPLATE, number, value, nav: P::sample_nav() });
    }
}
