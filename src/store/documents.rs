//! Documents: every version that was fetched, and which one was accepted.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::AnyConnection;

use super::audit::{self, AuditEntry};
use super::sql::{Row, sql};
use super::{Store, StoreError};
use crate::model::sha256_hex;

/// Versions that are kept of a document, beside the accepted one: a page that is never the same twice would fill the disk
/// long before its versions are old enough to go. Fifty are as many days of a page that changes daily.
const MAX_VERSIONS: u64 = 50;

/// A document that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// Its name within the connector: the address or file that the config gives.
    pub name: String,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// Its content, normalised so that a timestamp or nonce is no new version.
    pub content: Vec<u8>,
    /// Its `ETag`, where it has one.
    pub etag: Option<String>,
    /// Its `Last-Modified`, where it has one.
    pub last_modified: Option<String>,
    /// Its media type.
    pub content_type: Option<String>,
}

/// A document as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// What is listed of it.
    pub entry: DocumentEntry,
    /// Its content.
    pub content: Vec<u8>,
}

/// A document as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentEntry {
    /// Its name within the connector.
    pub name: String,
    /// Counts up by one with each other content.
    pub version: u64,
    /// When it was fetched first with this content.
    pub fetched_at: Timestamp,
    /// When it was last seen with this content.
    pub checked_at: Timestamp,
    /// Whether it is, or was, what later versions are compared with.
    pub is_accepted: bool,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// Its `ETag`, where it has one.
    pub etag: Option<String>,
    /// Its `Last-Modified`, where it has one.
    pub last_modified: Option<String>,
    /// Its media type.
    pub content_type: Option<String>,
    /// Bytes of the content.
    pub size_bytes: u64,
}

impl Store {
    /// The last version of a document.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn document(&self, connector: &str, name: &str) -> Result<Option<StoredDocument>, StoreError> {
        let row =
            sql("SELECT * FROM documents WHERE connector = $1 AND name = $2 ORDER BY version DESC LIMIT 1")
                .text(connector)
                .text(name)
                .optional(&mut *self.pool.acquire().await?)
                .await?;
        row.as_ref().map(stored_of).transpose()
    }

    /// The version that was accepted last: what newer ones are compared with. The first version of a document is
    /// accepted by itself.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn accepted_document(
        &self,
        connector: &str,
        name: &str,
    ) -> Result<Option<StoredDocument>, StoreError> {
        let row = sql("SELECT * FROM documents WHERE connector = $1 AND name = $2 AND is_accepted = 1 \
             ORDER BY version DESC LIMIT 1")
        .text(connector)
        .text(name)
        .optional(&mut *self.pool.acquire().await?)
        .await?;
        row.as_ref().map(stored_of).transpose()
    }

    /// Every version that is kept, the newest first, without content.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn document_history(
        &self,
        connector: &str,
        name: &str,
    ) -> Result<Vec<DocumentEntry>, StoreError> {
        let rows = sql("SELECT name, version, fetched_at, checked_at, is_accepted, sha256, etag, last_modified, \
             content_type, size_bytes FROM documents WHERE connector = $1 AND name = $2 ORDER BY version DESC")
        .text(connector)
        .text(name)
        .all(&mut *self.pool.acquire().await?)
        .await?;
        rows.iter().map(entry_of).collect()
    }

    /// Keeps a document that was fetched. The version where its content is new; `None` where it is the last one's,
    /// which is then only seen again.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn save_document(
        &self,
        connector: &str,
        document: &NewDocument,
    ) -> Result<Option<u64>, StoreError> {
        let mut tx = self.write().await?;
        let version = save(&mut tx, connector, document).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// The document is as it was (status 304).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn document_checked(
        &self,
        connector: &str,
        name: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sql("UPDATE documents SET checked_at = $3 WHERE connector = $1 AND name = $2 AND version = \
             (SELECT MAX(version) FROM documents WHERE connector = $1 AND name = $2)")
        .text(connector)
        .text(name)
        .time(at)
        .run(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Accepts a version: newer ones are compared with it from now on. `false` where there is no such version.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn accept_document(
        &self,
        connector: &str,
        name: &str,
        version: u64,
        actor: &str,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let accepted = sql("UPDATE documents SET is_accepted = CASE WHEN version = $3 THEN 1 ELSE 0 END \
             WHERE connector = $1 AND name = $2 AND EXISTS \
             (SELECT 1 FROM documents d WHERE d.connector = $1 AND d.name = $2 AND d.version = $3)")
        .text(connector)
        .text(name)
        .count(version)
        .run(&mut tx)
        .await?;
        if accepted == 0 {
            return Ok(false);
        }
        let mut entry =
            AuditEntry::new("document-accepted", actor, at, name).because(reason).with("version", version);
        entry.connector = Some(connector.to_owned());
        audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Keeps a document; see [`Store::save_document`].
pub(super) async fn save(
    conn: &mut AnyConnection,
    connector: &str,
    document: &NewDocument,
) -> Result<Option<u64>, StoreError> {
    let sha256 = sha256_hex(&document.content);
    // Writing the rows takes them: of two processes one is first.
    sql("UPDATE documents SET version = version WHERE connector = $1 AND name = $2")
        .text(connector)
        .text(&document.name)
        .run(conn)
        .await?;
    let last = sql("SELECT version, sha256 FROM documents WHERE connector = $1 AND name = $2 \
         ORDER BY version DESC LIMIT 1")
    .text(connector)
    .text(&document.name)
    .optional(conn)
    .await?;
    let last = match last {
        Some(row) => Some((row.count("version")?, row.text("sha256")?)),
        None => None,
    };
    if let Some((version, _)) = last.as_ref().filter(|(_, hash)| *hash == sha256) {
        sql("UPDATE documents SET checked_at = $4, etag = $5, last_modified = $6 \
             WHERE connector = $1 AND name = $2 AND version = $3")
        .text(connector)
        .text(&document.name)
        .count(*version)
        .time(document.fetched_at)
        .opt_text(document.etag.as_deref())
        .opt_text(document.last_modified.as_deref())
        .run(conn)
        .await?;
        return Ok(None);
    }
    let version = last.as_ref().map_or(1, |(version, _)| version + 1);
    let written =
        sql("INSERT INTO documents (connector, name, version, fetched_at, checked_at, is_accepted, sha256, \
         etag, last_modified, content_type, size_bytes, body) \
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (connector, name, version) DO NOTHING")
        .text(connector)
        .text(&document.name)
        .count(version)
        .time(document.fetched_at)
        .flag(last.is_none())
        .text(&sha256)
        .opt_text(document.etag.as_deref())
        .opt_text(document.last_modified.as_deref())
        .opt_text(document.content_type.as_deref())
        .count(document.content.len() as u64)
        .deflated(&document.content)?
        .run(conn)
        .await?;
    sql("DELETE FROM documents WHERE connector = $1 AND name = $2 AND is_accepted = 0 AND version <= $3")
        .text(connector)
        .text(&document.name)
        .count(version.saturating_sub(MAX_VERSIONS))
        .run(conn)
        .await?;
    Ok((written == 1).then_some(version))
}

fn entry_of(row: &Row) -> Result<DocumentEntry, StoreError> {
    Ok(DocumentEntry {
        name: row.text("name")?,
        version: row.count("version")?,
        fetched_at: row.time("fetched_at")?,
        checked_at: row.time("checked_at")?,
        is_accepted: row.flag("is_accepted")?,
        sha256: row.text("sha256")?,
        etag: row.opt_text("etag")?,
        last_modified: row.opt_text("last_modified")?,
        content_type: row.opt_text("content_type")?,
        size_bytes: row.count("size_bytes")?,
    })
}

fn stored_of(row: &Row) -> Result<StoredDocument, StoreError> {
    Ok(StoredDocument { entry: entry_of(row)?, content: row.inflated("body")? })
}
