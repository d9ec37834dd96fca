//! Where the page that answers a POST can be had with GET: what the language switch of such a page leads to, and where a form that is too old can be had again. A
//! form that was refused is shown at the address it was sent to, where GET is not a method.

use super::next::local_path;

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

/// Where the form that was sent to `path` can be had again, still on the way to where its fields lead: back to a page of ours, or on in a launch.
pub(super) fn form_again(path: &str, fields: &[(String, String)]) -> String {
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let with = |path: &str, name: &str, value: &str| {
        format!("{path}?{}", url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish())
    };
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (parts.as_slice(), field("flow")) {
        (["sign-in"], _) => with("/sign-in", "next", local_path(field("return_to").unwrap_or_default())),
        (["o", organization, ..], Some(flow)) => with(&format!("/o/{organization}/continue"), "flow", flow),
        _ => nearest_page(path),
    }
}

#[cfg(test)]
mod tests {
    use super::form_again;

    #[test]
    fn a_form_that_is_too_old_can_be_had_again_on_the_way_to_where_it_led() {
        for (path, name, value, again) in [
            ("/sign-in", "return_to", "/account?a=1", "/sign-in?next=%2Faccount%3Fa%3D1"),
            ("/sign-in", "return_to", "//evil.example", "/sign-in?next=%2F"),
            ("/sign-in", "email", "a@b.example", "/sign-in?next=%2F"),
            ("/o/st-mary/consent", "flow", "csi_1&x", "/o/st-mary/continue?flow=csi_1%26x"),
            ("/o/st-mary/apps/stop", "client", "c", "/o/st-mary/apps"),
            ("/console/st-mary/clients/c/disable", "note", "n", "/console/st-mary/clients/c"),
            ("/account/password", "flow", "csi_1", "/account"),
        ] {
            assert_eq!(form_again(path, &[(name.into(), value.into())]), again);
        }
    }
}
