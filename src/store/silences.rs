//! Silences: what is not told until a date. Findings are kept all the same.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::{self, AuditEntry};
use super::sql::{Row, sql};
use super::{Store, StoreError, only_one};
use crate::model::{Finding, Subject, content_id};

/// What is not told until a date: findings that fit every matcher. In a matcher `*` stands for any text; without one,
/// anything fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The id: a hash of all the rest.
    pub id: String,
    /// The connector.
    pub connector: Option<String>,
    /// The stream.
    pub stream: Option<String>,
    /// The path, as it is written: `$.items[*].id`.
    pub path: Option<String>,
    /// The rule, by id.
    pub rule: Option<String>,
    /// When it was added.
    pub created: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Why, in their words.
    pub reason: Option<String>,
    /// By whom.
    pub actor: String,
}

impl Silence {
    /// A silence of everything, to be narrowed by its matchers and then added.
    #[must_use]
    pub fn new(actor: &str, reason: Option<&str>, created: Timestamp, until: Timestamp) -> Self {
        Self {
            id: String::new(),
            connector: None,
            stream: None,
            path: None,
            rule: None,
            created,
            until,
            reason: reason.map(str::to_owned),
            actor: actor.to_owned(),
        }
    }

    /// Whether the finding is not told at that time.
    #[must_use]
    pub fn mutes(&self, subject: &Subject, finding: &Finding, now: Timestamp) -> bool {
        let fits = |pattern: &Option<String>, text: &str| pattern.as_deref().is_none_or(|p| is_like(p, text));
        self.created <= now
            && now < self.until
            && fits(&self.connector, &subject.connector)
            && fits(&self.stream, &subject.stream)
            && fits(&self.path, &finding.path.to_string())
            && fits(&self.rule, &finding.rule)
    }

    fn own_id(&self) -> String {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        content_id(&[
            "silence/1",
            &or_empty(&self.connector),
            &or_empty(&self.stream),
            &or_empty(&self.path),
            &or_empty(&self.rule),
            &self.created.to_string(),
            &self.until.to_string(),
            &self.actor,
        ])
    }
}

/// Whether `text` is `pattern`, where `*` stands for any text.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

impl Store {
    /// Adds a silence; it, with its id.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_silence(&self, silence: &Silence) -> Result<Silence, StoreError> {
        let silence = Silence { id: silence.own_id(), ..silence.clone() };
        let mut tx = self.write().await?;
        sql("INSERT INTO silences (id, until_at, body) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
            .text(&silence.id)
            .time(silence.until)
            .json("a silence", &silence)?
            .run(&mut tx)
            .await?;
        let entry = AuditEntry::new("silence-added", &silence.actor, silence.created, &*silence.id)
            .because(silence.reason.as_deref())
            .with("until", silence.until.to_string());
        audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(silence)
    }

    /// Every silence that is kept, those that end last first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        let rows = sql("SELECT * FROM silences").all(&mut *self.pool.acquire().await?).await?;
        let mut silences = rows.iter().map(silence_of).collect::<Result<Vec<_>, _>>()?;
        silences.sort_by(|a, b| b.until.cmp(&a.until).then_with(|| a.id.cmp(&b.id)));
        Ok(silences)
    }

    /// The silences that hold at a time.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn active_silences(&self, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
        let mut silences = self.silences().await?;
        silences.retain(|silence| silence.created <= now && now < silence.until);
        Ok(silences)
    }

    /// Ends the silence whose id starts so; it, or `None` where there is none that still holds.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] where there are several.
    pub async fn expire_silence(
        &self,
        prefix: &str,
        actor: &str,
        at: Timestamp,
    ) -> Result<Option<Silence>, StoreError> {
        let mut tx = self.write().await?;
        let rows =
            sql("SELECT id FROM silences WHERE substr(id, 1, CAST($1 AS INTEGER)) = $2 AND until_at > $3")
                .count(prefix.chars().count() as u64)
                .text(prefix)
                .time(at)
                .all(&mut tx)
                .await?;
        let ids = rows.iter().map(|row| row.text("id")).collect::<Result<Vec<_>, _>>()?;
        let Some(id) = only_one("silences", prefix, ids)? else { return Ok(None) };
        let row =
            sql("UPDATE silences SET until_at = $2 WHERE id = $1 AND until_at > $2 RETURNING body, until_at")
                .text(&id)
                .time(at)
                .optional(&mut tx)
                .await?;
        let Some(silence) = row.as_ref().map(silence_of).transpose()? else { return Ok(None) };
        audit::append(&mut tx, &AuditEntry::new("silence-expired", actor, at, &*silence.id)).await?;
        tx.commit().await?;
        Ok(Some(silence))
    }
}

fn silence_of(row: &Row) -> Result<Silence, StoreError> {
    let mut silence: Silence = row.json("a silence", "body")?;
    silence.until = row.time("until_at")?;
    Ok(silence)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn stars_stand_for_any_text() {
        assert!(is_like("*", ""));
        assert!(is_like("$.items[*].id", "$.items[*].id"));
        assert!(is_like("$.geo.*", "$.geo.lat"));
        assert!(is_like("a*b*c", "a--b--c"));
        assert!(!is_like("a*b*c", "a--c--b"));
        assert!(!is_like("aa*aa", "aaa"));
        assert!(!is_like("crm", "crm2"));
    }
}
