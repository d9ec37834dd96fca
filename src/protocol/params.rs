//! Parameters of OAuth requests, from a query or a form: one parser for both.
//!
//! RFC 6749 3.1 and 3.2: a parameter without a value is treated as omitted, whatever its name and however often; a parameter must not come twice; unknown ones are
//! ignored. These rules are applied here, before anything else (and any library) sees the request.

use std::collections::BTreeMap;

/// What is wrong with a query or form as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A `%` without two hexadecimal digits, bytes that are not UTF-8, or U+0000, which no parameter holds (RFC 6749 appendix A).
    #[error("the parameters are not well-formed")]
    Encoding,
    /// More parameters than any request needs.
    #[error("too many parameters")]
    TooMany,
}

/// The parameters of one request.
#[derive(Clone, Debug, Default)]
pub struct Params {
    values: BTreeMap<String, String>,
    repeated: Vec<String>,
}

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut params = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if params.values.len() >= 100 {
                return Err(Malformed::TooMany);
            }
            if value.is_empty() {
                continue;
            }
            if params.values.contains_key(&name) {
                params.repeated.push(name);
                continue;
            }
            params.values.insert(name, value);
        }
        Ok(params)
    }

    /// A parameter; `None` if absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Is the parameter there, with a value?
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Did this parameter come more than once, each time with a value?
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.iter().any(|repeated| repeated == name)
    }

    /// Did any parameter come more than once?
    pub fn any_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// For requests we make ourselves, and for tests.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut params = Self::default();
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            if params.values.insert(name.to_owned(), value.to_owned()).is_some() {
                params.repeated.push(name.to_owned());
            }
        }
        params
    }
}

/// Decodes one name or value, strictly.
pub fn decoded(text: &str) -> Result<String, Malformed> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit =
                    |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(Malformed::Encoding);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).map_err(|_| Malformed::Encoding)?
            }
            other => other,
        });
    }
    if bytes.contains(&0) {
        return Err(Malformed::Encoding);
    }
    String::from_utf8(bytes).map_err(|_| Malformed::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_absent_and_twice_is_noticed() {
        let params = Params::parse("scope=openid&state=&code=a&code=b&flag").unwrap();
        assert_eq!(params.get("scope"), Some("openid"));
        assert_eq!(params.get("state"), None);
        assert!(!params.has("state"));
        assert!(params.is_repeated("code"));
        assert!(!params.is_repeated("scope"));
        assert_eq!(params.get("flag"), None);
        for same in ["state=&state=a", "state=a&state=", "state&state=a&state"] {
            let params = Params::parse(same).unwrap();
            assert_eq!((params.get("state"), params.any_repeated()), (Some("a"), false), "{same}");
        }
    }

    #[test]
    fn what_is_not_utf8_or_half_encoded_is_refused() {
        assert_eq!(Params::parse("a=%ff").unwrap_err(), Malformed::Encoding);
        assert_eq!(Params::parse("a=%4").unwrap_err(), Malformed::Encoding);
        assert_eq!(Params::parse("a=x%00").unwrap_err(), Malformed::Encoding);
        assert_eq!(Params::parse("a%00=x").unwrap_err(), Malformed::Encoding);
        assert_eq!(Params::parse("a=\0").unwrap_err(), Malformed::Encoding);
        assert_eq!(Params::parse("a=%zz").unwrap_err(), Malformed::Encoding);
        assert_eq!(Params::parse("a=b%20c+d").unwrap().get("a"), Some("b c d"));
        let many = (0..200).map(|n| format!("a{n}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(Params::parse(&many).unwrap_err(), Malformed::TooMany);
    }
}
