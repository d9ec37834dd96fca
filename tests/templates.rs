//! Every page, with every sample, in every language: it renders, says nothing unescaped, and lacks no words.
//!
//! With `COUNTERSIGN_SAMPLES_DIR=dir cargo test --test templates` every sample is also written to `dir` as a page that
//! opens from disk, for looking at.

#![allow(clippy::unwrap_used)] // a test may stop at the first surprise

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use countersign::http::assets;
use countersign::http::pages::gallery::{Sample, gallery};
use countersign::http::pages::{Frame, Lang, Pages, samples};
use tera::Value;

fn templates_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_sample_of_every_page_renders_in_every_language() {
    let pages = Pages::load().unwrap();
    let mut failures = Vec::new();
    for sample in gallery() {
        for lang in Lang::ALL {
            if let Err(error) = sample.render(&pages, lang) {
                failures.push(format!("{} in {}:\n{error}", sample.name(), lang.tag()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_page_has_at_least_three_samples_and_its_template_exists() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in gallery() {
        *counts.entry(sample.template).or_default() += 1;
    }
    for (template, count) in counts {
        assert!(count >= 3, "{template} has only {count} samples");
        assert!(templates_folder().join(template).is_file(), "{template} does not exist");
    }
}

/// Text of people is replaced everywhere at once; what the program reads (enum words, ids, paths) stays.
fn with_markup_in_every_text(value: &Value) -> Value {
    if let Some(text) = value.as_str() {
        let for_people = text.chars().any(|letter| letter == ' ' || letter.is_uppercase());
        let planted = if for_people { samples::MARKUP } else { text };
        return Value::from_serializable(planted);
    }
    if let Some(list) = value.as_array() {
        return Value::from_serializable(&list.iter().map(with_markup_in_every_text).collect::<Vec<_>>());
    }
    if let Some(map) = value.as_map() {
        let planted: BTreeMap<String, Value> =
            map.iter().map(|(key, inner)| (key.to_string(), with_markup_in_every_text(inner))).collect();
        return Value::from_serializable(&planted);
    }
    value.clone()
}

fn assert_escaped(html: &str, name: &str) {
    for raw in ["<script>alert", "<img src=x", "alert('x')"] {
        if let Some(at) = html.find(raw) {
            let near: String = html[..at].chars().rev().take(120).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{name}: `{raw}` came out unescaped after: {near}");
        }
    }
    for attribute in ["href=\"", "src=\"", "action=\""] {
        for part in html.split(attribute).skip(1) {
            let url = part.split('"').next().unwrap_or_default().trim().to_ascii_lowercase();
            assert!(!url.starts_with("javascript:"), "{name}: a {attribute} runs script");
        }
    }
}

#[test]
fn markup_in_any_field_of_any_page_comes_out_escaped() {
    let pages = Pages::load().unwrap();
    for sample in gallery() {
        let as_it_is = sample.render(&pages, Lang::En).unwrap();
        assert_escaped(&as_it_is, &sample.name());
        let frame: Frame = sample.frame(Lang::En);
        let planted = with_markup_in_every_text(&sample.value);
        let html = pages
            .try_render_value(&frame, sample.template, planted)
            .unwrap_or_else(|error| panic!("{} with markup in every field: {error}", sample.name()));
        assert_escaped(&html, &sample.name());
    }
}

#[test]
fn pages_carry_no_inline_style_or_handler_which_the_content_security_policy_would_refuse() {
    let pages = Pages::load().unwrap();
    for sample in gallery() {
        let html = sample.render(&pages, Lang::En).unwrap();
        for tag in html.split('<').skip(1).filter_map(|part| part.split('>').next()) {
            let inside = tag.split('"').step_by(2).collect::<Vec<_>>().join(" ");
            assert!(!inside.contains(" style="), "{}: <{tag}>", sample.name());
            let handler = inside.split_whitespace().any(|word| word.starts_with("on") && word.contains('='));
            assert!(!handler, "{}: <{tag}>", sample.name());
            assert!(!inside.starts_with("style"), "{}: a <style> element", sample.name());
        }
    }
}

#[test]
fn ids_are_unique_and_every_label_points_at_a_field() {
    let pages = Pages::load().unwrap();
    for sample in gallery() {
        let html = sample.render(&pages, Lang::En).unwrap();
        let attribute = |name: &str| -> Vec<String> {
            let opening = format!(" {name}=\"");
            html.split(&opening).skip(1).filter_map(|part| part.split('"').next()).map(str::to_owned).collect()
        };
        let ids = attribute("id");
        let unique: BTreeSet<_> = ids.iter().collect();
        let twice: Vec<_> = ids.iter().filter(|id| ids.iter().filter(|other| other == id).count() > 1).collect();
        assert!(twice.is_empty(), "{}: ids used twice: {twice:?}", sample.name());
        let pointers = ["for", "aria-describedby", "aria-labelledby"].into_iter().flat_map(attribute);
        for pointer in pointers.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()) {
            assert!(unique.contains(&pointer), "{}: nothing has the id {pointer}", sample.name());
        }
    }
}

#[test]
fn every_form_that_posts_carries_the_anti_forgery_token() {
    let pages = Pages::load().unwrap();
    for sample in gallery().into_iter().filter(|sample| sample.template != "form_post.html") {
        let html = sample.render(&pages, Lang::En).unwrap();
        for form in html.split("<form ").skip(1).filter_map(|part| part.split("</form>").next()) {
            let head = form.split('>').next().unwrap_or_default();
            if head.contains("method=\"post\"") {
                assert!(form.contains("name=\"csrf\""), "{}: <form {head}>", sample.name());
            } else {
                assert!(head.contains("method=\"get\""), "{}: <form {head}> names no method", sample.name());
            }
        }
    }
}

fn keys_of(lang: Lang) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files_below(&templates_folder().join("locales").join(lang.tag()), "ftl") {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut key = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if !line.starts_with([' ', '}', '[', '*']) {
                let Some((name, _)) = line.split_once(" =") else { continue };
                name.clone_into(&mut key);
                let fresh = keys.insert(key.clone(), BTreeSet::new()).is_none();
                assert!(fresh, "{key} stands twice in the {} words", lang.tag());
            }
            let arguments = line.split('$').skip(1).map(|part| {
                part.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>()
            });
            keys.entry(key.clone()).or_default().extend(arguments);
        }
    }
    keys
}

#[test]
fn both_languages_have_the_same_keys_with_the_same_arguments() {
    let (english, dutch) = (keys_of(Lang::En), keys_of(Lang::Nl));
    let only_in = |one: &BTreeMap<String, BTreeSet<String>>,
                   other: &BTreeMap<String, BTreeSet<String>>|
     -> Vec<String> { one.keys().filter(|key| !other.contains_key(*key)).cloned().collect() };
    assert_eq!(only_in(&english, &dutch), Vec::<String>::new(), "keys without Dutch words");
    assert_eq!(only_in(&dutch, &english), Vec::<String>::new(), "keys without English words");
    for (key, arguments) in &english {
        assert_eq!(arguments, &dutch[key], "the arguments of {key} differ");
    }
}

#[test]
fn no_words_are_left_over() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = files_below(&templates_folder(), "html").into_iter().chain(files_below(&source, "rs"));
    let text: String = sources.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    // `t(key="state-" ~ state)` uses every key that starts so; what it can be is checked by rendering
    let prefixes: Vec<_> = text
        .split("key=\"")
        .skip(1)
        .filter_map(|part| {
            let (key, rest) = part.split_once('"')?;
            rest.trim_start().starts_with('~').then(|| key.to_owned())
        })
        .collect();
    let unused: Vec<_> = keys_of(Lang::En)
        .into_keys()
        .filter(|key| !text.contains(&format!("\"{key}\"")))
        // the words of a fault, and of a conflict, go by its code
        .filter(|key| {
            let code = key.strip_prefix("fault-").or_else(|| key.strip_prefix("conflict-"));
            code.is_none_or(|code| !text.contains(&format!("\"{code}\"")))
        })
        .filter(|key| !prefixes.iter().any(|prefix| key.starts_with(prefix)))
        .collect();
    assert!(unused.is_empty(), "words nobody says: {unused:?}");
}

#[test]
fn words_that_rust_code_asks_for_exist() {
    let known = keys_of(Lang::En);
    for file in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "rs") {
        let source = std::fs::read_to_string(&file).unwrap();
        let source: String = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for call in ["pages.say(", "self.say("].into_iter().flat_map(|call| source.split(call).skip(1)) {
            let Some(key) = call.split('"').nth(1).filter(|_| call.find('"') < call.find(')')) else { continue };
            assert!(known.contains_key(key), "{}: there are no words for {key}", file.display());
        }
    }
}

#[test]
fn what_is_wrong_with_a_form_is_told_in_both_languages() {
    let known = keys_of(Lang::En);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut codes = BTreeSet::new();
    for file in files_below(&source, "rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        // the code stands behind the field, or alone where a function checks what fields have in common
        for (call, place) in [("Fault::new(", 1), ("Refusal::invalid(", 1), ("Err((", 0), ("refuse(", 0)] {
            for call in code.split(call).skip(1) {
                let first: Vec<_> = call.splitn(4, ',').map(str::trim).take(2).collect();
                let literal = |part: &&str| part.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
                codes.extend(first.get(place).and_then(literal).filter(|code| code.contains('-')));
            }
        }
    }
    assert!(codes.len() > 60, "the codes are found: {codes:?}");
    let untold: Vec<_> = codes.iter().filter(|code| !known.contains_key(&format!("fault-{code}"))).collect();
    assert!(untold.is_empty(), "mistakes without words: {untold:?}");
}

#[test]
fn why_something_cannot_be_done_is_told_in_both_languages() {
    let known = keys_of(Lang::En);
    let mut codes = BTreeSet::new();
    for file in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        for call in text.split("Refusal::conflict(").chain(text.split("Self::conflict(")).skip(1) {
            codes
                .extend(call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    assert!(codes.len() > 15, "the codes are found: {codes:?}");
    let untold: Vec<_> = codes.iter().filter(|code| !known.contains_key(&format!("conflict-{code}"))).collect();
    assert!(untold.is_empty(), "conflicts without words: {untold:?}");
}

#[test]
fn a_key_that_exists_nowhere_fails_the_page() {
    let pages = Pages::load().unwrap();
    assert!(pages.text(Lang::En, "no-such-key", &[]).is_err());
    let frame = Frame::default();
    assert!(pages.try_render_value(&frame, "no_such_page.html", Value::none()).is_err());
}

#[test]
fn samples_are_written_where_somebody_wants_to_look_at_them() {
    let Ok(folder) = std::env::var("COUNTERSIGN_SAMPLES_DIR") else { return };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let pages = Pages::load().unwrap();
    let names = ["countersign.css", "countersign.js", "favicon.svg"];
    for name in names {
        std::fs::write(folder.join(name), assets::content(name).unwrap()).unwrap();
    }
    let local =
        |html: String| names.into_iter().fold(html, |html, name| html.replace(&assets::url(name).unwrap(), name));
    let write = |sample: &Sample, lang: Lang| {
        let html = local(sample.render(&pages, lang).unwrap());
        let name = format!("{}.{}.html", sample.name(), lang.tag());
        std::fs::write(folder.join(name), html).unwrap();
    };
    for sample in gallery() {
        for lang in Lang::ALL {
            write(&sample, lang);
        }
    }
}
