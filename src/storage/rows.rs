//! Reading columns without noise.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::error::StorageError;
use crate::domain::clock::UtcMillis;
use crate::domain::secrets::HashedSecret;

/// Shorthand for reading a column, with our error.
pub(super) trait Columns {
    fn text(&self, name: &str) -> Result<String, StorageError>;
    fn text_or_null(&self, name: &str) -> Result<Option<String>, StorageError>;
    fn int(&self, name: &str) -> Result<i64, StorageError>;
    fn int_or_null(&self, name: &str) -> Result<Option<i64>, StorageError>;
    fn bytes(&self, name: &str) -> Result<Vec<u8>, StorageError>;

    fn time(&self, name: &str) -> Result<UtcMillis, StorageError> {
        self.int(name).map(UtcMillis)
    }

    fn time_or_null(&self, name: &str) -> Result<Option<UtcMillis>, StorageError> {
        Ok(self.int_or_null(name)?.map(UtcMillis))
    }

    fn flag(&self, name: &str) -> Result<bool, StorageError> {
        Ok(self.int(name)? != 0)
    }

    fn hash(&self, name: &str) -> Result<HashedSecret, StorageError> {
        HashedSecret::from_bytes(&self.bytes(name)?)
            .ok_or_else(|| StorageError::inconsistent("a row", name, "not a hash"))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, StorageError> {
        let text = self.text(name)?;
        serde_json::from_str(&text).map_err(|error| StorageError::inconsistent("a row", name, error.to_string()))
    }
}

impl Columns for AnyRow {
    fn text(&self, name: &str) -> Result<String, StorageError> {
        Ok(self.try_get(name)?)
    }

    fn text_or_null(&self, name: &str) -> Result<Option<String>, StorageError> {
        Ok(self.try_get(name)?)
    }

    fn int(&self, name: &str) -> Result<i64, StorageError> {
        Ok(self.try_get(name)?)
    }

    fn int_or_null(&self, name: &str) -> Result<Option<i64>, StorageError> {
        Ok(self.try_get(name)?)
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        Ok(self.try_get(name)?)
    }
}

/// The JSON of a column, for writing.
pub(super) fn json_text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types have text keys and serialize")
}
