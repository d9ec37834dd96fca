//! SMART on FHIR scopes.
