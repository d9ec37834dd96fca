//! The request as the guard sees it.

#[cfg(not(feature = "json"))]
use core::marker::PhantomData;

/// An HTTP request to a FHIR server, its path relative to the base.
///
/// ```
/// use fhir_scopes::decide::{Body, Request};
/// let search = Request { body: Body::Form("code=x"), ..Request::new("POST", "/Observation/_search", "") };
/// assert_eq!(search.path, "/Observation/_search");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// Relative to the base, not decoded: `/Patient/123`.
    pub path: &'a str,
    /// After the question mark, not decoded; empty when there is none.
    pub query: &'a str,
    /// The header `If-None-Exist`.
    pub if_none_exist: Option<&'a str>,
    /// A header that asks to treat the request as another method (`X-HTTP-Method-Override` and its kin). Always refused.
    pub method_override: Option<&'a str>,
    /// The body, as far as it matters here.
    pub body: Body<'a>,
}

/// The body of a request.
///
/// ```
/// assert!(matches!(fhir_scopes::decide::Body::default(), fhir_scopes::decide::Body::Absent));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub enum Body<'a> {
    /// No body, or none that was read. Writes that need a look at their content are then refused; whether the content of others makes
    /// the server search (conditional references) is then the server's to look at.
    #[default]
    Absent,
    /// `application/x-www-form-urlencoded`, of a search by POST.
    Form(&'a str),
    /// A FHIR resource or a JSON patch.
    #[cfg(feature = "json")]
    Json(&'a serde_json::Value),
    /// Keeps the lifetime in use where the feature `json` is off.
    #[cfg(not(feature = "json"))]
    #[doc(hidden)]
    Unread(PhantomData<&'a ()>),
}

impl<'a> Request<'a> {
    /// A request without body and headers.
    ///
    /// ```
    /// use fhir_scopes::decide::Request;
    /// assert_eq!(Request::new("DELETE", "/Observation/1", "").method, "DELETE");
    /// ```
    pub const fn new(method: &'a str, path: &'a str, query: &'a str) -> Self {
        Self { method, path, query, if_none_exist: None, method_override: None, body: Body::Absent }
    }

    /// A `GET`.
    ///
    /// ```
    /// assert_eq!(fhir_scopes::decide::Request::get("/Patient/1", "").method, "GET");
    /// ```
    pub const fn get(path: &'a str, query: &'a str) -> Self {
        Self::new("GET", path, query)
    }

    /// The same request with a JSON body.
    ///
    /// ```
    /// use fhir_scopes::decide::{Body, Request};
    /// let patient = serde_json::json!({ "resourceType": "Patient" });
    /// let request = Request::new("POST", "/Patient", "").with_json(&patient);
    /// assert!(matches!(request.body, Body::Json(_)));
    /// ```
    #[cfg(feature = "json")]
    #[must_use]
    pub const fn with_json(self, body: &'a serde_json::Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }
}
