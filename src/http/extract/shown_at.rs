//! Where the page that answers a POST can be had with GET: what the language switch of such a page leads to. A form that was refused is shown at the address it
//! was sent to, where GET is not a method.

/// The nearest page above the path of a form. A handler that knows better says so with [`Visitor::shown_at`](super::Visitor::shown_at).
pub(super) fn nearest_page(path: &str) -> String {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let kept = match parts.as_slice() {
        ["account", ..] => 1,
        // its parameters were in the form: without them it is another question
        ["o", organization, "authorize" | "consent" | "patient" | "record" | "logout" | "apps", ..] => {
            return format!("/o/{organization}/apps");
        }
        ["console", _, "clients" | "access-requests", _, _]
        | ["portal", _, "requests", _, "withdraw"]
        | ["portal", _, "clients", _, "secrets", ..] => 4,
        ["console", _, _, ..] | ["portal", _, "members" | "webhooks", ..] => 3,
        ["portal", _, "clients", _, "ask", ..] => 5,
        ["sign-out"] => 0,
        all => all.len(),
    };
    format!("/{}", parts[..kept].join("/"))
}
