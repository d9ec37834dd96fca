//! JSON from outside, read so that no two parsers read two things in it: bodies of requests, parts of JWTs, key sets, answers of other servers.
//!
//! - What is to be an object is written as one, at every depth (RFC 7515 4, RFC 7519 7.2, RFC 7591 3.1). Derived readers also take a list of the values in the order in
//!   which our source happens to name them: nobody's protocol.
//! - No member is said twice: one parser believes the first, another the last (RFC 8259 4).
//! - No text holds U+0000: databases that store text cannot hold it, and no value of any protocol here needs it (RFC 6749 appendix A).

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

/// Most members of an object.
const MOST_MEMBERS: usize = 100;

/// Why JSON is not taken: one sentence for whoever sent it. It may repeat names of members that were sent, and never names anything of our source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadJson(String);

/// The members of a JSON object.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, BadJson> {
    let unreadable = |error: serde_json::Error| BadJson(error.to_string());
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Plain.deserialize(&mut reader).and_then(|()| reader.end()).map_err(unreadable)?;
    match serde_json::from_slice(bytes).map_err(unreadable)? {
        Value::Object(members) => Ok(members),
        other => Err(BadJson(format!("{}, where an object is expected", kind(&other)))),
    }
}

/// A JSON object, as a `T`.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BadJson> {
    from_members(object(bytes)?)
}

/// The members of an object as a `T`: what `T` takes for an object is one at every depth.
pub fn from_members<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, BadJson> {
    T::deserialize(Exact(Value::Object(members))).map_err(|error| BadJson(error.to_string()))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Reads any JSON and keeps nothing; fails at an object that has a member twice, or too many, and at a text with U+0000.
struct Plain;

impl<'de> DeserializeSeed<'de> for Plain {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Plain {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON in which nothing is said twice")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') { Err(E::custom("a text holds the character U+0000")) } else { Ok(()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            Self.visit_str::<A::Error>(&name)?;
            if !seen.insert(name) {
                return Err(A::Error::custom("a member is said twice"));
            }
            if seen.len() > MOST_MEMBERS {
                return Err(A::Error::custom("there are too many members"));
            }
            entries.next_value_seed(Self)?;
        }
        Ok(())
    }
}

/// A value that is read as a struct only if it is an object.
struct Exact(Value);

impl IntoDeserializer<'_, serde_json::Error> for Exact {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Exact {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Exact));
                let read = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(read)
            }
            Value::Object(members) => {
                let mut members = MapDeserializer::new(members.into_iter().map(|(name, value)| (name, Exact(value))));
                let read = visitor.visit_map(&mut members)?;
                members.end()?;
                Ok(read)
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            other => Err(Self::Error::custom(format!("{}, where an object is expected", kind(&other)))),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::String(_) | Value::Object(_) => self.0.deserialize_enum(name, variants, visitor),
            other => Err(Self::Error::custom(format!("{}, where one of {variants:?} is expected", kind(&other)))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        a: i64,
        #[serde(default)]
        b: Option<String>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Outer {
        inner: Inner,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        word: Option<Word>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Yes,
    }

    #[test]
    fn an_object_is_an_object_at_every_depth() {
        let good = br#" {"inner":{"a":1,"b":null},"list":[{"a":2,"b":"x"}],"word":"yes","more":[1,-2,0.5,true,"x",{"c":null}]} "#;
        let inner = |a, b: Option<&str>| Inner { a, b: b.map(str::to_owned) };
        assert_eq!(
            read::<Outer>(good),
            Ok(Outer { inner: inner(1, None), list: vec![inner(2, Some("x"))], word: Some(Word::Yes) })
        );
        for bad in [
            r#"[{"a":1}]"#,
            r#"{"inner":[1]}"#,
            r#"{"inner":[1,"x"]}"#,
            r#"{"inner":{"a":1},"list":[[1,"x"]]}"#,
            r#"{"inner":{"a":1},"list":{"a":1}}"#,
            r#"{"inner":"text"}"#,
            r#"{"inner":null}"#,
            r#"{"inner":{"a":1.5}}"#,
            r#"{"inner":{"a":1,"c":1}}"#,
            r#"{"inner":{"a":1},"word":["yes"]}"#,
            "[]",
            "null",
            "1",
            "\"x\"",
            "",
        ] {
            let error = read::<Outer>(bad.as_bytes()).expect_err(bad).to_string();
            assert!(
                !error.contains("struct") && !error.contains("Inner") && !error.contains("Outer"),
                "{bad}: {error}"
            );
        }
    }

    #[test]
    fn nothing_is_said_twice_and_no_text_holds_a_nul() {
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"jwks":{"keys":[{"kid":"a","kid":"b"}]}}"#,
            r#"{"unknown":{"x":null,"x":null}}"#,
            r#"{"a":"x\u0000"}"#,
            r#"{"a":["\u0000"]}"#,
            r#"{"a\u0000":1}"#,
            "{}{}",
            r#"{"a":["a",,"b"]}"#,
            r#"{"a":1,}"#,
        ] {
            assert!(object(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(object(deep.as_bytes()).is_err());
        let many: Vec<String> = (0..200).map(|place| format!(r#""m{place}":1"#)).collect();
        assert!(object(format!("{{{}}}", many.join(",")).as_bytes()).is_err());
        assert_eq!(object(br#"{"a":"\u0001"}"#).map(Value::Object), Ok(json!({ "a": "\u{1}" })));
    }
}
