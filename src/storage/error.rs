//! What can go wrong below the SQL. A storage failure can only become 503 at the edge, never a success and never a "not found".

/// A failure of the database, or of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database did not answer, or not in time. Try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// More writes wait than we are willing to keep waiting.
    #[error("too many writes are waiting")]
    Busy,
    /// A row that contradicts itself or our model. Never guessed away.
    #[error("{table} {key}: {what}")]
    Inconsistent {
        /// The table it stands in.
        table: &'static str,
        /// The row.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// A value holds U+0000, which PostgreSQL stores in no text. The edge refuses such values; this is for one it overlooked, and it is the asker's mistake.
    #[error("a value holds the character U+0000")]
    Unstorable,
    /// A unique constraint refused the row.
    #[error("a row like this exists already: {0}")]
    Duplicate(String),
}

impl StorageError {
    /// For a row that cannot be read as what it should be.
    pub fn inconsistent(table: &'static str, key: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Inconsistent { table, key: key.into(), what: what.into() }
    }
}

/// PostgreSQL's `character_not_in_repertoire`. Our texts are UTF-8, so it can only be U+0000.
const UNTRANSLATABLE: &str = "22021";

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refusal) if refusal.is_unique_violation() => {
                Self::Duplicate(refusal.message().to_owned())
            }
            sqlx::Error::Database(refusal) if refusal.code().as_deref() == Some(UNTRANSLATABLE) => Self::Unstorable,
            sqlx::Error::ColumnDecode { index, source } => Self::inconsistent("a row", index, source.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
