//! The audit record: every state change has one, in the same transaction, in a hash chain per organization.
//!
//! `hash(n) = SHA-256(hash(n-1), every field of record n)`, each part preceded by its length, so that no edit, removal, insertion or reordering
//! leaves the chain whole. A chain cannot see its own cut tail: `countersign audit verify` prints the head, to be kept elsewhere.

use std::collections::BTreeMap;

use super::clock::UtcMillis;
use super::ids::{AccountId, ClientId, OrganizationId, ResourceServerId};
use super::secrets::hex_digest;

/// Which chain a record belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// An organization's.
    Organization(OrganizationId),
    /// The server's own: accounts, application providers, keys.
    Server,
}

impl Chain {
    /// The key of the chain.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Organization(id) => id.as_str(),
            Self::Server => "server",
        }
    }
}

impl From<&OrganizationId> for Chain {
    fn from(id: &OrganizationId) -> Self {
        Self::Organization(id.clone())
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member of an organization's staff.
    Staff(AccountId),
    /// A member of an application provider.
    Developer(AccountId),
    /// A patient or clinician using an app.
    User(AccountId),
    /// A client, after it proved who it is (or a public client, which cannot).
    Client(ClientId),
    /// A FHIR server.
    ResourceServer(ResourceServerId),
    /// Whoever runs this server: `apply`, commands.
    Operator,
    /// Time itself: expiry, key rotation.
    System,
}

impl Actor {
    /// The words of the columns `actor_kind` and `actor_id`.
    pub fn columns(&self) -> (&'static str, &str) {
        match self {
            Self::Staff(id) => ("staff", id.as_str()),
            Self::Developer(id) => ("developer", id.as_str()),
            Self::User(id) => ("user", id.as_str()),
            Self::Client(id) => ("client", id.as_str()),
            Self::ResourceServer(id) => ("resource_server", id.as_str()),
            Self::Operator => ("operator", "operator"),
            Self::System => ("system", "system"),
        }
    }
}

/// What is about to be recorded.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// Into which chain.
    pub chain: Chain,
    /// When.
    pub at: UtcMillis,
    /// What: `noun.past_tense_verb`, such as `client.disabled`. A stable code, not a sentence.
    pub event: &'static str,
    /// False for a refusal that leaves a mark (a replay, a wrong password).
    pub success: bool,
    /// Who.
    pub actor: Actor,
    /// The client it is about, if one.
    pub client_id: Option<ClientId>,
    /// The id of the thing it is about.
    pub subject: Option<String>,
    /// Further facts. Never a secret, a token or a patient's name.
    pub details: BTreeMap<&'static str, String>,
}

impl AuditEvent {
    /// A success without further facts.
    pub fn new(chain: impl Into<Chain>, at: UtcMillis, event: &'static str, actor: Actor) -> Self {
        Self {
            chain: chain.into(),
            at,
            event,
            success: true,
            actor,
            client_id: None,
            subject: None,
            details: BTreeMap::new(),
        }
    }

    /// About this client.
    #[must_use]
    pub fn client(mut self, id: &ClientId) -> Self {
        self.client_id = Some(id.clone());
        self
    }

    /// About this thing.
    #[must_use]
    pub fn subject(mut self, id: impl Into<String>) -> Self {
        self.subject = Some(id.into());
        self
    }

    /// With this fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.insert(name, value.into());
        self
    }

    /// A refusal.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.success = false;
        self
    }

    /// The columns this event becomes, chained to what came before.
    pub fn record(&self, seq: i64, previous_hash: &str) -> AuditRecord {
        let (actor_kind, actor_id) = self.actor.columns();
        let mut record = AuditRecord {
            chain: self.chain.as_str().to_owned(),
            seq,
            at: self.at,
            event: self.event.to_owned(),
            outcome: if self.success { "success" } else { "refused" }.to_owned(),
            actor_kind: actor_kind.to_owned(),
            actor_id: actor_id.to_owned(),
            client_id: self.client_id.as_ref().map(|id| id.as_str().to_owned()),
            subject: self.subject.clone(),
            details: serde_json::to_string(&self.details).expect("a map of text serializes"),
            previous_hash: previous_hash.to_owned(),
            hash: String::new(),
        };
        record.hash = record.computed_hash();
        record
    }
}

/// A record as it stands in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Key of the chain.
    pub chain: String,
    /// 1, 2, 3, ... without gaps.
    pub seq: i64,
    /// When.
    pub at: UtcMillis,
    /// What.
    pub event: String,
    /// `success` or `refused`.
    pub outcome: String,
    /// Kind of actor.
    pub actor_kind: String,
    /// Id of the actor.
    pub actor_id: String,
    /// The client it is about.
    pub client_id: Option<String>,
    /// The id of the thing it is about.
    pub subject: Option<String>,
    /// JSON object of strings.
    pub details: String,
    /// Hash of the record before; empty for the first.
    pub previous_hash: String,
    /// Hash of this record.
    pub hash: String,
}

impl AuditRecord {
    /// What the hash of this record must be.
    pub fn computed_hash(&self) -> String {
        // an absent value and an empty one must not hash alike
        let optional =
            |value: &Option<String>| value.as_ref().map_or_else(|| "-".to_owned(), |text| format!("+{text}"));
        hex_digest(&[
            self.previous_hash.as_bytes(),
            self.chain.as_bytes(),
            &self.seq.to_be_bytes(),
            &self.at.0.to_be_bytes(),
            self.event.as_bytes(),
            self.outcome.as_bytes(),
            self.actor_kind.as_bytes(),
            self.actor_id.as_bytes(),
            optional(&self.client_id).as_bytes(),
            optional(&self.subject).as_bytes(),
            self.details.as_bytes(),
        ])
    }
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit chain {chain} breaks at record {seq}: {what}")]
pub struct BrokenChain {
    /// Which chain.
    pub chain: String,
    /// The first record that does not fit.
    pub seq: i64,
    /// Why.
    pub what: &'static str,
}

/// Checks that `record` follows a record with `previous_seq` and `previous_hash`.
pub fn verify_link(record: &AuditRecord, previous_seq: i64, previous_hash: &str) -> Result<(), BrokenChain> {
    let broken = |what| Err(BrokenChain { chain: record.chain.clone(), seq: record.seq, what });
    if record.seq != previous_seq + 1 {
        return broken("a record is missing or out of order");
    }
    if record.previous_hash != previous_hash {
        return broken("it does not follow the record before it");
    }
    if record.hash != record.computed_hash() {
        return broken("it was changed after it was written");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Vec<AuditRecord> {
        let org = OrganizationId::from_text("org_1");
        let mut previous = String::new();
        (1..=5)
            .map(|seq| {
                let record = AuditEvent::new(&org, UtcMillis(seq), "client.disabled", Actor::Operator)
                    .with("reason", "x")
                    .record(seq, &previous);
                previous.clone_from(&record.hash);
                record
            })
            .collect()
    }

    fn verify(records: &[AuditRecord]) -> Result<(), BrokenChain> {
        let (mut seq, mut hash) = (0, String::new());
        for record in records {
            verify_link(record, seq, &hash)?;
            (seq, hash) = (record.seq, record.hash.clone());
        }
        Ok(())
    }

    #[test]
    fn an_untouched_chain_verifies() {
        assert_eq!(verify(&chain()), Ok(()));
    }

    #[test]
    fn an_edited_removed_or_reordered_record_is_found() {
        let mut edited = chain();
        edited[2].details = "{}".into();
        assert_eq!(verify(&edited).unwrap_err().seq, 3);
        let mut forged = chain();
        forged[2].details = "{}".into();
        forged[2].hash = forged[2].computed_hash();
        assert_eq!(verify(&forged).unwrap_err().seq, 4);
        let mut removed = chain();
        removed.remove(1);
        assert_eq!(verify(&removed).unwrap_err().seq, 3);
        let mut reordered = chain();
        reordered.swap(1, 2);
        assert!(verify(&reordered).is_err());
    }
}
