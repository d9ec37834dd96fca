//! Words: the `.ftl` files of `templates/locales/{en,nl}/`, one Fluent bundle per language.
//!
//! There is no fallback from one language to another: a key that is missing, or an argument a message asks for and does
//! not get, is an error that names it, and `tests/templates.rs` finds it before a person does. Arguments are not wrapped
//! in isolating marks (they would end up in copied ids); names of people and apps are isolated in the markup by `<bdi>`.

use std::fmt;

use fluent_templates::fluent_bundle::concurrent::FluentBundle;
use fluent_templates::fluent_bundle::types::{FluentNumber, FluentValue};
use fluent_templates::fluent_bundle::{FluentArgs, FluentResource};
use fluent_templates::{LanguageIdentifier, langid};
use serde::Serialize;

/// A language people read our pages in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Dutch.
    Nl,
}

impl Lang {
    /// Every language, in the order the switch shows them.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Nl];

    /// The BCP 47 tag, as in `<html lang>` and `?lang=`.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Nl => "nl",
        }
    }

    /// The language's name for itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Lang::En => "English",
            Lang::Nl => "Nederlands",
        }
    }

    /// The first language of ours in a space- or comma-separated preference list: `ui_locales` (OpenID Connect Core
    /// 3.1.2.1), a stored setting or `Accept-Language`. Region subtags are ignored; weights are taken in written order.
    pub fn preferred(list: &str) -> Option<Lang> {
        list.split([' ', ',']).find_map(|entry| {
            let primary = entry.trim().split(['-', '_', ';']).next().unwrap_or_default().to_ascii_lowercase();
            Lang::ALL.into_iter().find(|lang| lang.tag() == primary)
        })
    }

    fn identifier(self) -> LanguageIdentifier {
        match self {
            Lang::En => langid!("en"),
            Lang::Nl => langid!("nl"),
        }
    }
}

/// An argument of a message.
#[derive(Clone, Debug)]
pub enum Arg<'a> {
    /// Text, put in as it is.
    Text(&'a str),
    /// A whole number: chooses the plural form and is written with the language's thousands separator.
    Count(i64),
}

/// What is wrong with a look-up; always a mistake of ours, never of a user's.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// No message with this key in this language.
    #[error("no words for the key `{key}` in `{lang}`")]
    MissingKey {
        /// The key that was asked for.
        key: String,
        /// The language that lacks it.
        lang: &'static str,
    },
    /// The message could not be formatted, most often because it asks for an argument it did not get.
    #[error("the words for `{key}` in `{lang}` could not be formed: {problems}")]
    Unformed {
        /// The key that was asked for.
        key: String,
        /// The language it was asked in.
        lang: &'static str,
        /// What Fluent said.
        problems: String,
    },
    /// A file of words does not parse.
    #[error("the words in {file} do not parse: {problems}")]
    Unparsable {
        /// The file below `templates/locales/`.
        file: String,
        /// What Fluent said.
        problems: String,
    },
}

/// All words of one language.
pub struct Words {
    lang: Lang,
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").field("lang", &self.lang).finish_non_exhaustive()
    }
}

impl Words {
    /// Parses the given `(file name, text)` pairs; a key defined twice is an error.
    pub fn parse(lang: Lang, files: &[(String, String)]) -> Result<Self, WordsError> {
        let mut bundle = FluentBundle::new_concurrent(vec![lang.identifier()]);
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(match lang {
            Lang::En => |value, _| grouped(value, ','),
            Lang::Nl => |value, _| grouped(value, '.'),
        }));
        for (file, text) in files {
            let unparsable = |problems: String| WordsError::Unparsable { file: file.clone(), problems };
            let resource =
                FluentResource::try_new(text.clone()).map_err(|(_, errors)| unparsable(format!("{errors:?}")))?;
            bundle.add_resource(resource).map_err(|errors| unparsable(format!("{errors:?}")))?;
        }
        Ok(Self { lang, bundle })
    }

    /// The words for a key, with its arguments put in.
    pub fn say(&self, key: &str, args: &[(&str, Arg<'_>)]) -> Result<String, WordsError> {
        let lang = self.lang.tag();
        let pattern = self
            .bundle
            .get_message(key)
            .and_then(|message| message.value())
            .ok_or_else(|| WordsError::MissingKey { key: key.to_owned(), lang })?;
        let mut fluent = FluentArgs::new();
        for (name, arg) in args {
            let value = match arg {
                Arg::Text(text) => FluentValue::from(*text),
                Arg::Count(count) => FluentValue::from(*count),
            };
            fluent.set(*name, value);
        }
        let mut errors = Vec::new();
        let said = self.bundle.format_pattern(pattern, Some(&fluent), &mut errors).into_owned();
        if errors.is_empty() {
            return Ok(said);
        }
        Err(WordsError::Unformed { key: key.to_owned(), lang, problems: format!("{errors:?}") })
    }
}

/// Whole numbers with a thousands separator from 10,000 on; everything else is left to Fluent.
fn grouped(value: &FluentValue<'_>, separator: char) -> Option<String> {
    let FluentValue::Number(FluentNumber { value, .. }) = value else {
        return None;
    };
    Some(group_thousands(*value, separator))
}

fn group_thousands(value: f64, separator: char) -> String {
    let plain = format!("{value}");
    let digits = plain.trim_start_matches('-');
    if digits.len() < 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return plain;
    }
    let mut out = String::with_capacity(plain.len() + plain.len() / 3);
    if plain.starts_with('-') {
        out.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words::parse(Lang::En, &[("test.ftl".into(), text.into())]).unwrap()
    }

    #[test]
    fn a_missing_key_and_a_missing_argument_are_errors_that_name_it() {
        let words = words("hello = Hello { $name }");
        assert_eq!(words.say("hello", &[("name", Arg::Text("Ada"))]).unwrap(), "Hello Ada");
        assert!(words.say("hello", &[]).unwrap_err().to_string().contains("hello"));
        assert!(words.say("bye", &[]).unwrap_err().to_string().contains("bye"));
    }

    #[test]
    fn counts_choose_the_plural_and_are_grouped() {
        let words = words("n = { $n ->\n  [one] one token\n *[other] { $n } tokens\n }");
        assert_eq!(words.say("n", &[("n", Arg::Count(1))]).unwrap(), "one token");
        assert_eq!(words.say("n", &[("n", Arg::Count(1234))]).unwrap(), "1234 tokens");
        assert_eq!(words.say("n", &[("n", Arg::Count(1_234_567))]).unwrap(), "1,234,567 tokens");
    }

    #[test]
    fn the_first_known_language_of_a_list_is_preferred() {
        assert_eq!(Lang::preferred("fr-FR,nl-NL;q=0.8,en;q=0.5"), Some(Lang::Nl));
        assert_eq!(Lang::preferred("en_GB nl"), Some(Lang::En));
        assert_eq!(Lang::preferred("de"), None);
    }
}
