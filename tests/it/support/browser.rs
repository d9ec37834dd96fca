//! A browser without a script: cookies, redirects, forms. It talks to the router in this process, so a test is an ordinary function.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

/// A browser with a cookie jar.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    base_url: String,
    cookies: BTreeMap<String, String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    /// The path and query that gave this answer, after redirects.
    pub at: String,
}

impl Answer {
    /// `Location`, or empty.
    pub fn location(&self) -> String {
        self.header(header::LOCATION.as_str())
    }

    /// A header as text, or empty.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The only form whose action ends with `action` (`""`: the only form of the page besides sign-out).
    pub fn form(&self, action: &str) -> Form {
        let mut forms: Vec<Form> = forms_of(&self.body, &self.at);
        forms.retain(|form| form.action.ends_with(action) && (form.action != "/sign-out" || action == "/sign-out"));
        assert_eq!(forms.len(), 1, "one form with action {action:?} at {}: {}", self.at, self.body);
        forms.remove(0)
    }

    /// Every form whose action ends with `action`.
    pub fn forms(&self, action: &str) -> Vec<Form> {
        let mut forms = forms_of(&self.body, &self.at);
        forms.retain(|form| form.action.ends_with(action));
        forms
    }

    /// Does the page say this?
    #[track_caller]
    pub fn says(&self, text: &str) {
        assert!(self.body.contains(text), "{} should say {text:?}: {}", self.at, self.body);
    }
}

/// A form as it stands on a page.
#[derive(Clone, Debug)]
pub struct Form {
    pub method: String,
    pub action: String,
    pub fields: Vec<(String, String)>,
    /// Values that can be ticked, ticked or not.
    pub choices: Vec<(String, String)>,
}

impl Form {
    /// Fills in a field; a group of tick boxes or radio buttons of that name becomes just this one.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Ticks one more.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Leaves a field out altogether.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self
    }

    /// Unticks one value.
    #[must_use]
    pub fn untick(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, text)| !(field == name && text == value));
        self
    }

    /// The value of a field.
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
    }
}

impl Browser {
    pub fn new(router: Router, base_url: &str) -> Self {
        Self { router, base_url: base_url.to_owned(), cookies: BTreeMap::new() }
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Sends one request and follows nothing.
    pub async fn send(&mut self, method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let path = url.strip_prefix(&self.base_url).unwrap_or(url);
        let path = path.split('#').next().unwrap_or(path);
        let mut request = Request::builder().method(method).uri(path);
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request of a test is well-formed");
        let response = self.router.clone().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("our cookies are text");
            let (name, value) =
                text.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie has a name and a value");
            if value.is_empty() || text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        let bytes = body.collect().await.expect("the body arrives").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            at: path.to_owned(),
        }
    }

    /// GET, following nothing.
    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(Method::GET, url, &[], Body::empty()).await
    }

    /// GET, following redirects within our own site.
    pub async fn open(&mut self, url: &str) -> Answer {
        let answer = self.get(url).await;
        self.follow(answer).await
    }

    /// Follows redirects for as long as they stay on our own site.
    pub async fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            let location = answer.location();
            let ours =
                location.starts_with(&self.base_url) || (location.starts_with('/') && !location.starts_with("//"));
            if !answer.status.is_redirection() || !ours {
                return answer;
            }
            answer = self.get(&location).await;
        }
        panic!("too many redirects, last to {}", answer.location());
    }

    /// POST of form fields, following nothing.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let body = encoded(fields.iter().copied());
        self.send(Method::POST, url, &[("content-type", "application/x-www-form-urlencoded")], body).await
    }

    /// Sends a form as it stands, following nothing.
    pub async fn submit(&mut self, form: &Form) -> Answer {
        let fields = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        if form.method == "get" {
            return self.get(&format!("{}?{}", form.action, encoded(fields))).await;
        }
        self.send(Method::POST, &form.action, &[("content-type", "application/x-www-form-urlencoded")], encoded(fields))
            .await
    }

    /// Sends a form and follows redirects within our own site.
    pub async fn submit_and_follow(&mut self, form: &Form) -> Answer {
        let answer = self.submit(form).await;
        self.follow(answer).await
    }

    /// Sends a form as `multipart/form-data`.
    pub async fn submit_multipart(&mut self, form: &Form, file: Option<(&str, &[u8])>) -> Answer {
        let mut body = Vec::new();
        for (name, value) in &form.fields {
            body.extend_from_slice(
                format!("--bound\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
            );
        }
        if let Some((name, bytes)) = file {
            body.extend_from_slice(
                format!("--bound\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\nContent-Type: application/octet-stream\r\n\r\n").as_bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--bound--\r\n");
        self.send(Method::POST, &form.action, &[("content-type", "multipart/form-data; boundary=bound")], body).await
    }
}

fn encoded<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Every form of a page of ours. Our own markup only: attributes in double quotes.
fn forms_of(html: &str, at: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    for part in html.split("<form").skip(1) {
        let (open, rest) = part.split_once('>').expect("a tag ends");
        let inside = rest.split("</form>").next().expect("there is always a first part");
        let action = attribute(open, "action").filter(|action| !action.is_empty()).unwrap_or_else(|| at.to_owned());
        let mut form = Form {
            method: attribute(open, "method").unwrap_or_else(|| "get".into()),
            action,
            fields: Vec::new(),
            choices: Vec::new(),
        };
        for tag in inside.split('<').skip(1) {
            let Some(name) = attribute(tag, "name") else { continue };
            let tag_name = tag.split([' ', '>']).next().unwrap_or("");
            let (attributes, after) = tag.split_once('>').unwrap_or((tag, ""));
            let value = attribute(attributes, "value").unwrap_or_default();
            let kind = attribute(attributes, "type").unwrap_or_default();
            match (tag_name, kind.as_str()) {
                ("input", "checkbox" | "radio") => {
                    form.choices.push((name.clone(), value.clone()));
                    if has_flag(attributes, "checked") && !has_flag(attributes, "disabled") {
                        form.fields.push((name, value));
                    }
                }
                ("input", "file") => {}
                ("input", _) => form.fields.push((name, value)),
                ("textarea", _) => form.fields.push((name, unescaped(after))),
                ("select", _) => {
                    let options = inside
                        .split(&format!("name=\"{name}\""))
                        .nth(1)
                        .and_then(|rest| rest.split("</select>").next())
                        .unwrap_or("");
                    let mut values = options.split("<option").skip(1).map(|option| {
                        let tag = option.split('>').next().unwrap_or("");
                        (attribute(tag, "value").unwrap_or_default(), has_flag(tag, "selected"))
                    });
                    let all: Vec<_> = values.by_ref().collect();
                    form.choices.extend(all.iter().map(|(value, _)| (name.clone(), value.clone())));
                    if let Some((value, _)) = all.iter().find(|(_, selected)| *selected).or_else(|| all.first()) {
                        form.fields.push((name, value.clone()));
                    }
                }
                // buttons are pressed by name: `form.with("decision", "allow")`
                _ => {}
            }
        }
        forms.push(form);
    }
    forms
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    Some(unescaped(tag[start..].split('"').next()?))
}

fn has_flag(tag: &str, name: &str) -> bool {
    tag.split_ascii_whitespace().any(|word| word == name)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
