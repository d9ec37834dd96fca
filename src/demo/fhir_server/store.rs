//! The records, in memory: loaded from the demo data at start, changed by create, update and delete, forgotten at stop.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::outbound::fhir::{NotFhir, R4};

/// A resource as last written.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// The element tree that goes out.
    pub(super) resource: R4,
    /// The same as JSON, which search and scope limits look at.
    pub(super) json: Value,
    /// `meta.versionId`, from 1.
    pub(super) version: u32,
}

#[derive(Debug)]
enum Slot {
    Present(Stored),
    /// Deleted at this version; what it was is kept only to decide who may hear that it is gone.
    Deleted {
        before: Stored,
    },
}

/// What is under a type and id.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Present(&'a Stored),
    Deleted { before: &'a Stored },
    Nothing,
}

/// All resources by type, then id.
#[derive(Debug, Default)]
pub(super) struct Store {
    types: BTreeMap<String, BTreeMap<String, Slot>>,
    created: u64,
}

impl Store {
    /// Loads resources that carry their own id and `meta`; each is read strictly.
    pub(super) fn load(resources: &[Value]) -> Result<Self, NotFhir> {
        let mut store = Self::default();
        for value in resources {
            let resource = R4::from_value(value)?;
            let (kind, id) = (resource.resource_type().to_owned(), resource.id().unwrap_or_default().to_owned());
            let stored = Stored { json: resource.to_value(), resource, version: 1 };
            store.types.entry(kind).or_default().insert(id, Slot::Present(stored));
        }
        Ok(store)
    }

    /// What is there under this type and id.
    pub(super) fn find(&self, kind: &str, id: &str) -> Found<'_> {
        match self.types.get(kind).and_then(|ids| ids.get(id)) {
            Some(Slot::Present(stored)) => Found::Present(stored),
            Some(Slot::Deleted { before }) => Found::Deleted { before },
            None => Found::Nothing,
        }
    }

    /// All present resources of a type, by id.
    pub(super) fn of_type(&self, kind: &str) -> impl Iterator<Item = &Stored> {
        self.types.get(kind).into_iter().flat_map(BTreeMap::values).filter_map(|slot| match slot {
            Slot::Present(stored) => Some(stored),
            Slot::Deleted { .. } => None,
        })
    }

    /// An id nobody has.
    pub(super) fn fresh_id(&mut self, kind: &str) -> String {
        loop {
            self.created += 1;
            let id = format!("new-{}", self.created);
            if matches!(self.find(kind, &id), Found::Nothing) {
                return id;
            }
        }
    }

    /// Writes a resource under its type and id as the next version. `meta` other than version and time is kept.
    pub(super) fn put(&mut self, kind: &str, id: &str, mut value: Value, now: Timestamp) -> Result<Stored, NotFhir> {
        let version = match self.find(kind, id) {
            Found::Present(stored) => stored.version + 1,
            Found::Deleted { before } => before.version + 2,
            Found::Nothing => 1,
        };
        value["id"] = json!(id);
        let mut meta = value.get("meta").cloned().filter(Value::is_object).unwrap_or_else(|| json!({}));
        meta["versionId"] = json!(version.to_string());
        meta["lastUpdated"] = json!(format!("{now:.3}"));
        value["meta"] = meta;
        let resource = R4::from_value(&value)?;
        let stored = Stored { json: resource.to_value(), resource, version };
        self.types.entry(kind.to_owned()).or_default().insert(id.to_owned(), Slot::Present(stored.clone()));
        Ok(stored)
    }

    /// Deletes; `false` if there was nothing.
    pub(super) fn delete(&mut self, kind: &str, id: &str) -> bool {
        let Some(slot) = self.types.get_mut(kind).and_then(|ids| ids.get_mut(id)) else {
            return false;
        };
        let Slot::Present(before) = slot else {
            return false;
        };
        *slot = Slot::Deleted { before: before.clone() };
        true
    }
}
