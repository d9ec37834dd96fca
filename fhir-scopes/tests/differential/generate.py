#!/usr/bin/env python3
"""Asks the older implementation `fhir.smart.scopes` (PyPI, 0.0.2) and records its answers in answers.json.

    python3 -m venv older && older/bin/pip install fhir.smart.scopes==0.0.2
    older/bin/python tests/differential/generate.py

The output is the same every time. `tests/differential.rs` holds this crate against the answers and explains every difference.
"""
import itertools
import json
import pathlib
import random

from fhir.smart.scopes import ALL_RESOUCES, scopes

LETTERS = ["".join(pick) for n in range(1, 6) for pick in itertools.combinations("cruds", n)]
TYPES = ["Observation", "Patient", "DeviceAssociation", "*"]
SAMPLED = ["Observation", "Patient", "Encounter", "Goal"]


def tokens():
    for level, name, letters in itertools.product(["patient", "user", "system"], TYPES, LETTERS):
        yield f"{level}/{name}.{letters}"
    for letters in ["", "sr", "rr", "dus", "rsx", "R", "Rs", "cruds.", "reads", "read,write"]:
        yield f"patient/Observation.{letters}"
    for word in ["read", "write", "*"]:
        yield f"patient/Observation.{word}"
        yield f"user/*.{word}"
    yield from ["patient/observation.rs", "patient/Foo.rs", "patient/Resource.rs", "Patient/Observation.rs", "USER/*.rs"]
    yield from ["encounter/Observation.rs", "*/*.rs", "patient/Observation", "patient/*", "patient/Observationxrs", "patient/Obs*.rs"]
    yield from ["patient/.rs", "/Observation.rs", ".rs", "patient", "patient//Observation.rs", "patient/Observation.rs.r", "patient.Observation.rs"]
    yield from ["patient/Observation/1.rs", "patient/DocumentManifest.rs", "patient/Observation,Condition.rs", "system/bulk-submit"]
    yield from ["patient/Observation.rs?category=a", "patient/Observation.rs?", "user/*.rs?_tag=a"]
    yield from ["openid", "fhirUser", "profile", "email", "offline_access", "online_access", "launch", "OpenID", "foo:bar", "__x", "https://example.org/x"]
    yield from ["launch/patient", "launch/encounter", "launch/imagingstudy", "launch/Patient", "launch/foo", "launch/", "launch/patient?role=x"]


def accepted(token):
    try:
        scopes([token])
        return True
    except ValueError:
        return False


def lists(rng):
    names = SAMPLED + ["*", "*"]
    others = ["openid", "fhirUser", "launch", "launch/patient", "offline_access"]
    chosen = []
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.15:
            chosen.append(rng.choice(others))
        else:
            chosen.append(f"{rng.choice(['patient', 'patient', 'user', 'system'])}/{rng.choice(names)}.{rng.choice(LETTERS)}")
    return " ".join(dict.fromkeys(chosen))


def atoms(found):
    """The rights on a few types, and the other scopes; a wildcard shows as all of them."""
    shown = set()
    for level, name, letter in set.__iter__(found):
        if name is None:
            shown.add(level)
        elif name in SAMPLED:
            shown.add(f"{level}/{name}.{letter}")
    return sorted(shown)


rng = random.Random(20)
pairs = []
for _ in range(400):
    allowed, requested = lists(rng), lists(rng)
    a, b = scopes(allowed), scopes(requested)
    pairs.append({
        "allowed": allowed,
        "requested": requested,
        "both": atoms(a & b),
        "missing": atoms(b - a),
        "covers": set.issuperset(a, b),
    })
every_type = " ".join(f"patient/{name}.r" for name in sorted(ALL_RESOUCES))
pairs.append({
    "allowed": every_type,
    "requested": "patient/*.r",
    "both": atoms(scopes(every_type) & scopes("patient/*.r")),
    "missing": atoms(scopes("patient/*.r") - scopes(every_type)),
    "covers": set.issuperset(scopes(every_type), scopes("patient/*.r")),
})
answers = {
    "asked": "fhir.smart.scopes 0.0.2 (PyPI), which knows the types of R5",
    "tokens": [{"token": token, "accepted": accepted(token)} for token in dict.fromkeys(tokens())],
    "pairs": pairs,
}
target = pathlib.Path(__file__).with_name("answers.json")
target.write_text(json.dumps(answers, indent=0) + "\n", "utf-8")
