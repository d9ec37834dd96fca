//! Proof that the audit record is whole.

use crate::domain::audit::{BrokenChain, verify_link};
use crate::storage::{self, StorageError, Store};

/// Records read at a time.
const PAGE: i64 = 500;

/// Where a chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// An organization's id, or `server`.
    pub chain: String,
    /// Its last record.
    pub seq: i64,
    /// The hash of it.
    pub hash: String,
}

/// Why a record is not proven whole.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    /// It was tampered with.
    #[error(transparent)]
    Broken(#[from] BrokenChain),
    /// It could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Follows every chain from its first record to its head.
pub async fn verify(store: &Store) -> Result<Vec<Head>, NotWhole> {
    let mut conn = store.read().await?;
    let heads = storage::audit::heads(&mut conn).await?;
    for (chain, seq, hash) in &heads {
        let (mut at, mut previous) = (0, String::new());
        loop {
            let records = storage::audit::page_from(&mut conn, chain, at, PAGE).await?;
            // records written after the head was read are beyond what is verified now
            let page: Vec<_> = records.into_iter().take_while(|record| record.seq <= *seq).collect();
            if page.is_empty() {
                break;
            }
            for record in page {
                verify_link(&record, at, &previous)?;
                (at, previous) = (record.seq, record.hash);
            }
        }
        if (at, &previous) != (*seq, hash) {
            return Err(
                BrokenChain { chain: chain.clone(), seq: at + 1, what: "the end of the chain is missing" }.into()
            );
        }
    }
    Ok(heads.into_iter().map(|(chain, seq, hash)| Head { chain, seq, hash }).collect())
}
