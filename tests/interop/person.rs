//! Somebody with a browser that knows no JavaScript.

use std::collections::BTreeMap;

use oauth2::reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use oauth2::url::Url;
use serde_json::Value;

/// Signs in, picks the patient and allows what is asked, as the pages come up, until one redirects to `redirect_uri`.
pub async fn authorize(who: &Value, url: Url, redirect_uri: &str) -> Url {
    let said = |name: &str| who[name].as_str().unwrap_or_default().to_owned();
    let mut cookies = BTreeMap::new();
    let mut url = url;
    let mut fields: Option<Vec<(String, String)>> = None;
    for _ in 0..30 {
        let request = match fields.take() {
            Some(fields) => {
                super::http().post(url.clone()).form(&fields).header("origin", url.origin().ascii_serialization())
            }
            None => super::http().get(url.clone()),
        };
        let header: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, header.join("; ")).send().await.unwrap();
        for line in answer.headers().get_all(SET_COOKIE) {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        if let Some(location) = answer.headers().get(LOCATION) {
            url = url.join(location.to_str().unwrap()).unwrap();
            if url.as_str().split(['?', '#']).next() == Some(redirect_uri) {
                return url;
            }
            continue;
        }
        let page = answer.text().await.unwrap();
        let form =
            forms(&page).into_iter().find(|form| ["password", "patient", "decision"].iter().any(|name| form.has(name)));
        let form = form.unwrap_or_else(|| panic!("nothing to do on {url}:\n{page}"));
        let mut answers = form.kept;
        if answers.iter().any(|(name, _)| name == "password") {
            answers.retain(|(name, _)| name != "email" && name != "password");
            answers.extend([("email".to_owned(), said("email")), ("password".to_owned(), said("password"))]);
        } else if form.buttons.iter().any(|name| name == "patient") {
            answers.push(("patient".to_owned(), said("patient")));
        } else {
            answers.push(("decision".to_owned(), "allow".to_owned()));
            answers
                .extend(form.unticked.contains(&"offline".to_owned()).then(|| ("offline".to_owned(), "1".to_owned())));
        }
        url = url.join(&form.action).unwrap();
        fields = Some(answers);
    }
    panic!("still not back at {redirect_uri}: {url}");
}

/// What a form sends by itself, and what it leaves to a click.
#[derive(Default)]
struct Form {
    action: String,
    kept: Vec<(String, String)>,
    buttons: Vec<String>,
    unticked: Vec<String>,
}

impl Form {
    fn has(&self, name: &str) -> bool {
        self.kept.iter().any(|(each, _)| each == name) || self.buttons.iter().any(|each| each == name)
    }
}

fn forms(page: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    for part in page.split("<form").skip(1) {
        let mut tags = part.split("</form").next().unwrap_or_default().split('<');
        let opening = tags.next().unwrap_or_default();
        let mut form = Form { action: attribute(opening, "action").unwrap_or_default(), ..Form::default() };
        for tag in tags.filter(|tag| tag.starts_with("input") || tag.starts_with("button")) {
            let Some(name) = attribute(tag, "name") else { continue };
            let value = attribute(tag, "value").unwrap_or_default();
            let kind = attribute(tag, "type").unwrap_or_default();
            match kind.as_str() {
                _ if tag.starts_with("button") => form.buttons.push(name),
                "checkbox" | "radio" if !has_word(tag, "checked") => form.unticked.push(name),
                _ => form.kept.push((name, value)),
            }
        }
        forms.push(form);
    }
    forms
}

/// The value of an attribute; pages write them all in double quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    let characters = [("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    Some(characters.iter().fold(value.to_owned(), |text, (entity, character)| text.replace(entity, character)))
}

fn has_word(tag: &str, word: &str) -> bool {
    tag.split('>').next().unwrap_or_default().split_whitespace().any(|each| each == word)
}
