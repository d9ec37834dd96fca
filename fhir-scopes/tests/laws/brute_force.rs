//! What a scope list means, worked out the slow way: split the text, then try every right on every resource of a small world.
//!
//! Written apart from the crate, on purpose with none of its types, so that a misreading is not made twice.

use std::collections::BTreeSet;

/// A coding: system, if any, and code.
pub type Coding = (Option<&'static str>, &'static str);

/// A resource of the small world.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    pub type_name: &'static str,
    pub category: Vec<Coding>,
    pub tag: Vec<Coding>,
}

/// One thing a client may be allowed to do: level, letter, place of the resource in the world.
pub type Right = (&'static str, char, usize);

/// Observations with up to two categories and tags, and types without categories, one of them not invented yet.
pub fn world() -> Vec<Resource> {
    let systems = [Some("s"), Some("t"), Some("elsewhere"), None];
    let codings: Vec<Coding> =
        systems.iter().flat_map(|system| ["a", "b", "other"].map(|code| (*system, code))).collect();
    let mut categories = vec![vec![]];
    for (i, first) in codings.iter().enumerate() {
        categories.push(vec![*first]);
        categories.extend(codings[i + 1..].iter().map(|second| vec![*first, *second]));
    }
    let tags: [Vec<Coding>; 6] = [
        vec![],
        vec![(None, "x")],
        vec![(Some("s"), "y")],
        vec![(Some("elsewhere"), "x")],
        vec![(None, "x"), (Some("s"), "y")],
        vec![(Some("elsewhere"), "x"), (Some("s"), "y")],
    ];
    let mut world = vec![];
    for tag in tags {
        world.extend(categories.iter().map(|category| Resource {
            type_name: "Observation",
            category: category.clone(),
            tag: tag.clone(),
        }));
        for type_name in ["Patient", "Encounter", "InventedLater"] {
            world.push(Resource { type_name, category: vec![], tag: tag.clone() });
        }
    }
    world
}

fn token_matches(coding: Coding, value: &str) -> bool {
    match value.find('|') {
        None => coding.1 == value,
        Some(0) => coding.0.is_none() && coding.1 == &value[1..],
        Some(at) if at + 1 == value.len() => coding.0 == Some(&value[..at]),
        Some(at) => coding.0 == Some(&value[..at]) && coding.1 == &value[at + 1..],
    }
}

fn limit_holds(resource: &Resource, limit: &str) -> bool {
    limit.split('&').all(|pair| {
        let (name, values) = pair.split_once('=').unwrap();
        let codings = match name {
            "category" => &resource.category,
            "_tag" => &resource.tag,
            other => panic!("no {other} in this world"),
        };
        values.split(',').any(|value| codings.iter().any(|coding| token_matches(*coding, value)))
    })
}

/// Every right that a list gives in this world.
pub fn rights(list: &str, world: &[Resource]) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for token in list.split(' ').filter(|token| about_resources(token)) {
        let (head, limit) = token.split_once('?').map_or((token, None), |(head, limit)| (head, Some(limit)));
        let (level, rest) = head.split_once('/').unwrap();
        let (type_name, letters) = rest.split_once('.').unwrap();
        let level = ["patient", "user", "system"].into_iter().find(|known| *known == level).unwrap();
        let letters = match letters {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters => letters,
        };
        for (place, resource) in world.iter().enumerate() {
            if (type_name == "*" || type_name == resource.type_name)
                && limit.is_none_or(|limit| limit_holds(resource, limit))
            {
                rights.extend(letters.chars().map(|letter| (level, letter, place)));
            }
        }
    }
    rights
}

/// The tokens of a list that are not about resources.
pub fn others(list: &str) -> BTreeSet<&str> {
    list.split(' ').filter(|token| !token.is_empty() && !about_resources(token)).collect()
}

fn about_resources(token: &str) -> bool {
    ["patient/", "user/", "system/"].iter().any(|level| token.starts_with(level))
}
