//! What the router answers, read from its source: a route that nobody thought of in a test shows itself.

use axum::http::Method;

const SOURCE: &str = include_str!("../../../src/http/router.rs");

/// The product's routes, pages first: each method with its pattern.
pub fn all() -> Vec<(Method, String)> {
    let (_, product) = SOURCE.split_once("fn pages(").expect("the router has pages");
    let (product, _) = product.split_once("#[cfg(test)]").expect("the router's own tests end it");
    let (others, api) = product.split_once("fn api(").expect("the router has an API");
    let mut all = of(others, "");
    all.extend(of(api, "/api/v1"));
    assert!(all.len() > 100, "the search for routes finds them: {}", all.len());
    all
}

fn of(text: &str, prefix: &str) -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for rest in text.split(".route(").skip(1) {
        let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
        let (pattern, handlers) = rest.split_once('"').expect("a pattern ends");
        found.extend(methods(handlers).into_iter().map(|method| (method, format!("{prefix}{pattern}"))));
    }
    found
}

/// The names before the outer brackets of `, get(a).post(b))`.
fn methods(handlers: &str) -> Vec<Method> {
    let (mut depth, mut word, mut found) = (0_i32, String::new(), Vec::new());
    for sign in handlers.chars() {
        match sign {
            '(' => {
                if depth == 0 && ["get", "post", "put", "delete"].contains(&word.as_str()) {
                    found.push(Method::from_bytes(word.to_uppercase().as_bytes()).expect("a method"));
                }
                depth += 1;
            }
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            _ => {}
        }
        if sign.is_alphanumeric() || sign == '_' { word.push(sign) } else { word.clear() }
    }
    assert!(!found.is_empty(), "a route has a method: {handlers:.80}");
    found
}

/// The pattern with something in every place that takes something.
pub fn filled(pattern: &str, mut with: impl FnMut(&str) -> String) -> String {
    let mut path = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').expect("a place ends");
        path.push_str(before);
        path.push_str(&with(name));
        rest = after;
    }
    path + rest
}
