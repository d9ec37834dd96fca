//! Percent-encoding of limit values.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

/// Decodes `%XX`. A plus stays a plus: the URI rule, not the HTML form rule. Refuses broken encoding, broken UTF-8 and control characters.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%' || !matches!(byte, b' '..=0x7e)) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            bytes.push(hex(rest.next()?)? << 4 | hex(rest.next()?)?);
        } else {
            bytes.push(byte);
        }
    }
    let decoded = String::from_utf8(bytes).ok()?;
    (!decoded.chars().any(char::is_control)).then_some(Cow::Owned(decoded))
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// A decoded value in its canonical encoding: `% + # ? = &`, space, quote, backslash and non-ASCII as upper-case `%XX`.
#[derive(Clone, Copy)]
pub(crate) struct Encoded<'a>(pub(crate) &'a str);

const fn must_encode(byte: u8) -> bool {
    !matches!(byte, 0x21..=0x7e) || matches!(byte, b'%' | b'+' | b'#' | b'?' | b'=' | b'&' | b'"' | b'\\')
}

fn encoded(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(|&byte| {
        let digit = |nibble: u8| b"0123456789ABCDEF"[usize::from(nibble & 15)];
        let encoded = must_encode(byte);
        let bytes = if encoded { [b'%', digit(byte >> 4), digit(byte)] } else { [byte, 0, 0] };
        bytes.into_iter().take(if encoded { 3 } else { 1 })
    })
}

impl Encoded<'_> {
    fn bytes(self) -> impl Iterator<Item = u8> {
        encoded(self.0.as_bytes())
    }

    /// The order of the encoded texts. What both begin with is encoded alike, so that only the rest is looked at.
    pub(crate) fn cmp(self, other: &Self) -> Ordering {
        let (own, others) = (self.0.as_bytes(), other.0.as_bytes());
        let common = own.iter().zip(others).take_while(|(a, b)| a == b).count();
        encoded(own.get(common..).unwrap_or_default()).cmp(encoded(others.get(common..).unwrap_or_default()))
    }
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.bytes().any(must_encode) {
            return f.write_str(self.0);
        }
        self.bytes().try_for_each(|byte| fmt::Write::write_char(f, char::from(byte)))
    }
}
