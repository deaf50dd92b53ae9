//! The log of decisions.

use super::{Engine, EngineError};
use crate::store::{AuditBreak, AuditRow};

impl Engine {
    /// The newest entries of the audit log.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn audit(&self, limit: u64) -> Result<Vec<AuditRow>, EngineError> {
        Ok(self.store.audit(limit).await?)
    }

    /// The first row of the audit log that does not fit its chain of hashes; `None` where all do.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn verify_audit(&self) -> Result<Option<AuditBreak>, EngineError> {
        Ok(self.store.verify_audit().await?.err())
    }
}
