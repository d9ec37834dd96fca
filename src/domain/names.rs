//! Names that look like other names (D05): `Grоwth Chart` with a Cyrillic `о` is not Growth Chart, and a reviewer cannot see it.
//!
//! [`skeleton`] writes a name as what it looks like: two names with one skeleton are easily taken for each other. Compare the confusables of Unicode Technical
//! Standard 39; here are the letters that matter beside the Latin alphabet, not all of its list.

/// What a name looks like: lower case, without spaces and punctuation, accents and look-alike letters replaced.
pub fn skeleton(name: &str) -> String {
    let letters: String = name.chars().flat_map(char::to_lowercase).filter_map(looks_like).collect();
    // pairs that look like one letter
    letters.replace("rn", "m").replace("vv", "w").replace("cl", "d")
}

/// Does a word of this name mix Latin letters with those of another alphabet that look like them?
pub fn is_mixed(name: &str) -> bool {
    name.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let is_latin = |c: char| c.is_ascii_alphabetic() || ('\u{c0}'..='\u{24f}').contains(&c);
        let is_other = |c: char| ('\u{370}'..='\u{52f}').contains(&c) || ('\u{13a0}'..='\u{13ff}').contains(&c);
        word.chars().any(is_latin) && word.chars().any(is_other)
    })
}

fn looks_like(c: char) -> Option<char> {
    Some(match c {
        '0' | 'о' | 'ο' | 'օ' | 'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => 'o',
        '1' | 'i' | 'l' | '|' | 'і' | 'ι' | 'ӏ' | 'ı' | 'ì'..='ï' | 'ї' | 'ί' | 'ł' | 'ĺ' | 'ľ' => 'l',
        '5' | 'ѕ' | 'ś' | 'š' | 'ş' => 's',
        'а' | 'α' | 'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'в' | 'β' | 'ß' => 'b',
        'с' | 'ç' | 'ć' | 'č' => 'c',
        'ԁ' | 'ď' | 'đ' => 'd',
        'е' | 'ё' | 'ε' | 'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ɡ' | 'ğ' => 'g',
        'һ' | 'н' => 'h',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'η' | 'п' | 'ñ' | 'ń' | 'ň' => 'n',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' | 'ř' => 'r',
        'т' | 'τ' => 't',
        'υ' | 'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ý' | 'ÿ' => 'y',
        'ž' | 'ź' | 'ż' | 'ζ' => 'z',
        // letters of full width
        '\u{ff10}'..='\u{ff5e}' => {
            let plain = char::from_u32(u32::from(c) - 0xfee0)?;
            return if plain.is_alphanumeric() { looks_like(plain) } else { None };
        }
        c if c.is_alphanumeric() => c,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for alike in [
            "Gr\u{43e}wth Chart",
            "GROWTH  CHART",
            "Growth-Chart",
            "Gr0wth Chart",
            "Gröwth Çhart",
            "Ｇｒｏｗｔｈ Ｃｈａｒｔ",
            "Growth Cha\u{433}t",
        ] {
            assert_eq!(skeleton(alike), skeleton("Growth Chart"), "{alike}");
        }
        assert_eq!(skeleton("rnyChart"), skeleton("myChart"));
        assert_eq!(skeleton("Careca1"), skeleton("CareCal"));
        for other in ["Growth Charts", "Grow Chart", "Grown Chart"] {
            assert_ne!(skeleton(other), skeleton("Growth Chart"), "{other}");
        }
    }

    #[test]
    fn a_word_of_two_alphabets_is_mixed_and_two_words_are_not() {
        assert!(is_mixed("Gr\u{43e}wth Chart"));
        assert!(is_mixed("\u{3b1}pp"));
        for plain in ["Growth Chart", "Карта роста", "Карта Growth", "Zorgdossier è", "β-app 2"] {
            assert!(!is_mixed(plain), "{plain}");
        }
    }
}
