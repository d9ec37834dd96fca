//! Scope sets as strings in serde formats.

use alloc::borrow::Cow;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Release, ScopeSet};

impl Serialize for ScopeSet {
    /// The literal list.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    /// Read strictly, with the oldest release that knows every type and parameter.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let mut first = None;
        for release in Release::ALL {
            match Self::parse(&text, release) {
                Ok(set) => return Ok(set),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.map_or_else(|| D::Error::custom("no FHIR release"), D::Error::custom))
    }
}
