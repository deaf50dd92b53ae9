//! Statements and rows: the one place where values cross into the database and back.
//!
//! Text loses its NULs (PostgreSQL cannot hold them), times become microseconds, objects become JSON, and large ones
//! deflated JSON, alike on both databases.

use std::io::{Read as _, Write as _};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, AnyConnection, Row as _};

use super::StoreError;

/// The most that a BLOB may grow to when it is inflated; far above any profile, far below the memory of a machine.
const MAX_INFLATED: u64 = 512 << 20;

/// One statement with its parameters, `$1` first.
pub(super) struct Sql(sqlx::query::Query<'static, Any, AnyArguments>);

/// A statement without parameters yet.
pub(super) fn sql(text: &'static str) -> Sql {
    Sql(sqlx::query(text))
}

impl Sql {
    /// The next parameter: text.
    pub(super) fn text(self, text: &str) -> Self {
        Self(self.0.bind(storable(text)))
    }

    /// The next parameter: text or NULL.
    pub(super) fn opt_text(self, text: Option<&str>) -> Self {
        Self(self.0.bind(text.map(storable)))
    }

    /// The next parameter: a whole number.
    pub(super) fn int(self, number: i64) -> Self {
        Self(self.0.bind(number))
    }

    /// The next parameter: a count; beyond 2^63 it is stored as the most there is.
    pub(super) fn count(self, number: u64) -> Self {
        self.int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// The next parameter: 0 or 1.
    pub(super) fn flag(self, flag: bool) -> Self {
        self.int(i64::from(flag))
    }

    /// The next parameter: a time.
    pub(super) fn time(self, time: Timestamp) -> Self {
        self.int(time.as_microsecond())
    }

    /// The next parameter: a time or NULL.
    pub(super) fn opt_time(self, time: Option<Timestamp>) -> Self {
        Self(self.0.bind(time.map(Timestamp::as_microsecond)))
    }

    /// The next parameter: bytes, deflated.
    pub(super) fn deflated(self, bytes: &[u8]) -> Result<Self, StoreError> {
        Ok(Self(self.0.bind(deflate(bytes)?)))
    }

    /// The next parameter: an object as JSON.
    pub(super) fn json(self, what: &str, object: &impl Serialize) -> Result<Self, StoreError> {
        let text = to_json(what, object)?;
        Ok(self.text(&text))
    }

    /// The next parameter: an object as deflated JSON.
    pub(super) fn deflated_json(self, what: &str, object: &impl Serialize) -> Result<Self, StoreError> {
        let text = to_json(what, object)?;
        self.deflated(text.as_bytes())
    }

    /// Runs it; the number of rows that it changed.
    pub(super) async fn run(self, conn: &mut AnyConnection) -> Result<u64, StoreError> {
        Ok(self.0.execute(conn).await?.rows_affected())
    }

    /// Every row.
    pub(super) async fn all(self, conn: &mut AnyConnection) -> Result<Vec<Row>, StoreError> {
        Ok(self.0.fetch_all(conn).await?.into_iter().map(Row).collect())
    }

    /// The one row, where there is one.
    ///
    /// Every row is fetched: a statement with RETURNING that is left before its end would stay open.
    pub(super) async fn optional(self, conn: &mut AnyConnection) -> Result<Option<Row>, StoreError> {
        Ok(self.all(conn).await?.into_iter().next())
    }

    /// The one row of a statement that always has one.
    pub(super) async fn one(self, conn: &mut AnyConnection) -> Result<Row, StoreError> {
        self.optional(conn).await?.ok_or_else(|| StoreError::from(sqlx::Error::RowNotFound))
    }
}

/// One row of an answer.
pub(super) struct Row(AnyRow);

impl Row {
    /// The first column, whatever its name: text.
    pub(super) fn first_text(&self) -> Result<String, StoreError> {
        self.0.try_get(0).map_err(|e| unreadable("the first column", e))
    }

    /// A column of text.
    pub(super) fn text(&self, column: &str) -> Result<String, StoreError> {
        self.0.try_get(column).map_err(|e| unreadable(column, e))
    }

    /// A column of text or NULL.
    pub(super) fn opt_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.0.try_get(column).map_err(|e| unreadable(column, e))
    }

    /// A column of whole numbers.
    pub(super) fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.0.try_get(column).map_err(|e| unreadable(column, e))
    }

    /// A column of whole numbers or NULL.
    pub(super) fn opt_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.0.try_get(column).map_err(|e| unreadable(column, e))
    }

    /// A column of counts.
    pub(super) fn count(&self, column: &str) -> Result<u64, StoreError> {
        u64::try_from(self.int(column)?).map_err(|e| unreadable(column, e))
    }

    /// A column of flags.
    pub(super) fn flag(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    /// A column of times.
    pub(super) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        Timestamp::from_microsecond(self.int(column)?).map_err(|e| unreadable(column, e))
    }

    /// A column of times or NULL.
    pub(super) fn opt_time(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        self.opt_int(column)?
            .map(|micros| Timestamp::from_microsecond(micros).map_err(|e| unreadable(column, e)))
            .transpose()
    }

    /// A column of deflated bytes.
    pub(super) fn inflated(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        let bytes: Vec<u8> = self.0.try_get(column).map_err(|e| unreadable(column, e))?;
        inflate(&bytes).map_err(|e| unreadable(column, e))
    }

    /// A column of objects as JSON; `what` they are, for the error.
    pub(super) fn json<T: DeserializeOwned>(&self, what: &str, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|e| unreadable(what, e))
    }

    /// A column of objects as deflated JSON.
    pub(super) fn inflated_json<T: DeserializeOwned>(
        &self,
        what: &str,
        column: &str,
    ) -> Result<T, StoreError> {
        serde_json::from_slice(&self.inflated(column)?).map_err(|e| unreadable(what, e))
    }

    /// A column of words that stand for the variants of an enum.
    pub(super) fn word<T: DeserializeOwned>(&self, what: &str, column: &str) -> Result<T, StoreError> {
        serde_json::from_value(serde_json::Value::String(self.text(column)?)).map_err(|e| unreadable(what, e))
    }
}

/// The error of a value that cannot be read.
pub(super) fn unreadable(
    what: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unreadable { what: what.to_owned(), source: source.into() }
}

/// Text that both databases can hold: U+2400 (the picture of NUL) in place of NUL.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

/// An object as JSON; NULs in it are written as `\u0000` and so survive.
pub(super) fn to_json(what: &str, object: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(object)
        .map_err(|error| StoreError::Unstorable { what: what.to_owned(), why: error.to_string() })
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(4));
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| StoreError::Unstorable { what: "bytes".to_owned(), why: error.to_string() })
}

fn inflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut inflated = Vec::new();
    flate2::read::ZlibDecoder::new(bytes).take(MAX_INFLATED + 1).read_to_end(&mut inflated)?;
    if inflated.len() as u64 > MAX_INFLATED {
        return Err(std::io::Error::other("it inflates beyond its limit"));
    }
    Ok(inflated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflates_what_was_deflated() {
        let bytes = b"abc".repeat(1000);
        let deflated = deflate(&bytes).unwrap();
        assert!(deflated.len() < 100);
        assert_eq!(inflate(&deflated).unwrap(), bytes);
        assert!(inflate(&deflated[..10]).is_err());
        assert!(inflate(b"no zlib").is_err());
    }
}
