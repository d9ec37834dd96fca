#!/usr/bin/env python3
"""Writes src/describe/names.rs from resource-names.json and wording.json. Run it from any folder; the output is stable."""
import json
import pathlib

here = pathlib.Path(__file__).parent
names = json.loads((here / "resource-names.json").read_text("utf-8"))
wording = json.loads((here / "wording.json").read_text("utf-8"))


def text(value):
    return json.dumps(value, ensure_ascii=False)


def variant(key):
    return "".join(part.capitalize() for part in key.split("-"))


lines = [
    "//! Plain names of resource types and known limits. Written by `words/generate.py`; do not edit.",
    "",
    "use super::catalogue::{Category, KnownLimit};",
    "",
    "/// Type, English, Dutch, category, sensitivity.",
    "pub(super) type Name = (&'static str, &'static str, &'static str, Category, u8);",
    "",
    "/// Sorted by type.",
    "#[rustfmt::skip]",
    "pub(super) static NAMES: &[Name] = &[",
]
for name in sorted(names):
    entry = names[name]
    lines.append(
        f"    ({text(name)}, {text(entry['en'])}, {text(entry['nl'])}, Category::{variant(entry['category'])}, {entry['sensitivity']}),"
    )
lines += ["];", "", "/// Key, English, Dutch of each category.", "#[rustfmt::skip]", "pub(super) static CATEGORIES: &[(Category, &str, &str, &str)] = &["]
for key, entry in wording["categories"].items():
    lines.append(f"    (Category::{variant(key)}, {text(key)}, {text(entry['en'])}, {text(entry['nl'])}),")
lines += ["];", "", "/// Limits that have a name.", "#[rustfmt::skip]", "pub(super) static LIMITS: &[KnownLimit] = &["]
for name, limits in wording["granular"].items():
    for query, entry in limits.items():
        us_core = entry.get("usCore") in ("SHALL", "SHOULD")
        lines.append(
            f"    KnownLimit {{ type_name: {text(name)}, query: {text(query)}, en: {text(entry['en'])}, nl: {text(entry['nl'])}, "
            f"sensitivity: {entry['sensitivity']}, us_core: {str(us_core).lower()} }},"
        )
lines += ["];", ""]
(here.parent / "src" / "describe" / "names.rs").write_text("\n".join(lines), "utf-8")
