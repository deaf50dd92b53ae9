//! What documentation announced of a change that responses now show: the diagnosis quotes the sentence.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::super::{Engine, EngineError, open::Stream};
use super::kept::PerVersion;
use super::names::{named, place_of, subject_of};
use super::read;
use crate::diagnose::NOTHING_NEW;
use crate::model::{ChangeKind, Diagnosis, DiagnosisKind, FieldPath, Finding};
use crate::observe::DocSettings;
use crate::spec::{self, Announcement, AnnouncementKind, Quote};
use crate::store::FindingFilter;

/// The announcements of documents, by the document and its content: a page is searched once for each of its versions.
pub(in crate::engine) type Announced = PerVersion<Arc<Vec<Announcement>>>;

/// What announces that a field gets another place, or none.
const OF_SHAPE: &[AnnouncementKind] = &[
    AnnouncementKind::Renamed,
    AnnouncementKind::Ends,
    AnnouncementKind::Deprecated,
    AnnouncementKind::Changed,
    AnnouncementKind::Breaking,
];
/// What announces that a field holds something else.
const OF_CONTENT: &[AnnouncementKind] =
    &[AnnouncementKind::Changed, AnnouncementKind::Renamed, AnnouncementKind::Breaking];

impl Engine {
    /// Adds to each diagnosis of fields the sentence of the connector's documentation that announced it, where the last
    /// version of a document has one: to its summary, with section, source and dates as evidence.
    pub(in crate::engine) async fn quote_announcements(
        &self,
        stream: &Stream<'_>,
        diagnoses: &mut [Diagnosis],
    ) -> Result<(), EngineError> {
        if diagnoses.is_empty() || stream.connector.docs.is_empty() {
            return Ok(());
        }
        let endpoint: Vec<_> = self.endpoint_of(stream).into_iter().collect();
        for (name, settings) in named(&stream.connector.docs) {
            self.quote_changes(stream, &name, settings, diagnoses).await?;
            let Some((day, announced)) = self.announced(&stream.subject.connector, &name, settings).await?
            else {
                continue;
            };
            for diagnosis in diagnoses.iter_mut().filter(|one| one.evidence.get("announced_in").is_none()) {
                let fields: Vec<FieldPath> =
                    std::iter::once(&diagnosis.path).chain(&diagnosis.to).cloned().collect();
                let kinds = kinds(diagnosis.kind);
                if let Some(quote) = spec::mentioning(&announced, &fields, kinds, &endpoint) {
                    add(diagnosis, &Quote { source: Some(place_of(settings)), ..quote }, &day);
                }
            }
        }
        Ok(())
    }

    /// Adds to each diagnosis of a field what an API description newly says of that field: a finding that is open.
    async fn quote_changes(
        &self,
        stream: &Stream<'_>,
        name: &str,
        settings: &DocSettings,
        diagnoses: &mut [Diagnosis],
    ) -> Result<(), EngineError> {
        let connector = &stream.subject.connector;
        let filter = FindingFilter {
            connector: Some(connector.clone()),
            stream: Some(subject_of(connector, name).stream),
            ..FindingFilter::default()
        };
        let known = self.store.findings(&filter).await?;
        for diagnosis in diagnoses.iter_mut().filter(|one| one.evidence.get("announced_in").is_none()) {
            let says = |finding: &&Finding| {
                finding.kind == ChangeKind::DocsChanged
                    && !finding.path.is_root()
                    && finding.path == diagnosis.path
                    && finding.evidence.text("operation").is_some()
            };
            let Some(finding) = known.iter().map(|known| &known.finding).find(says) else { continue };
            let says = finding.message.clone();
            let place = finding.evidence.text("operation").unwrap_or_default().to_owned();
            if !finding.to.is_empty() {
                names_successor(diagnosis);
            }
            diagnosis.summary =
                format!("{} The documentation changed, too: {says}", ended(&diagnosis.summary));
            diagnosis.evidence.set("announced_in", place);
            diagnosis.evidence.set("source", place_of(settings));
        }
        Ok(())
    }

    /// What the last version of a document announces, and the day on which it was fetched.
    async fn announced(
        &self,
        connector: &str,
        name: &str,
        settings: &DocSettings,
    ) -> Result<Option<(String, Arc<Vec<Announcement>>)>, EngineError> {
        let Some(last) = self.store.document_history(connector, name).await?.into_iter().next() else {
            return Ok(None);
        };
        let day = last.fetched_at.to_zoned(TimeZone::UTC).date().to_string();
        let key = format!("{connector}/{name}/{}/{:?}", last.sha256, settings.sections);
        if let Some(announced) = self.announced.get(&key) {
            return Ok(Some((day, announced)));
        }
        let Some(stored) = self.store.document(connector, name).await? else { return Ok(None) };
        // It was read when it was fetched; a later version of this program may refuse it.
        let announced = read(settings, stored.entry.content_type.as_deref(), &stored.content)
            .map_or_else(|_| Vec::new(), |document| spec::announcements(&document));
        let announced = self.announced.keep(key, Arc::new(announced));
        Ok(Some((day, announced)))
    }
}

/// The kinds of announcements that explain such a diagnosis.
const fn kinds(kind: DiagnosisKind) -> &'static [AnnouncementKind] {
    use DiagnosisKind::{
        Added, Merged, Moved, NullsChanged, Removed, Renamed, Split, Stale, Swapped, Truncated,
    };
    match kind {
        Renamed | Moved | Split | Merged | Swapped | Removed | Added | NullsChanged | Stale | Truncated => {
            OF_SHAPE
        }
        _ => OF_CONTENT,
    }
}

/// Values did not show what took a field's place, and the documentation names it: then nobody reads "nothing did".
fn names_successor(diagnosis: &mut Diagnosis) {
    let is_gone = diagnosis.kind == DiagnosisKind::Removed;
    let said = format!("; {NOTHING_NEW}");
    if let Some(at) = diagnosis.summary.find(&said).filter(|_| is_gone) {
        diagnosis.summary.truncate(at);
    }
}

/// A sentence with its stop.
fn ended(sentence: &str) -> String {
    let stop = if sentence.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{sentence}{stop}")
}

fn add(diagnosis: &mut Diagnosis, quote: &Quote, fetched: &str) {
    if quote.kind == AnnouncementKind::Renamed {
        names_successor(diagnosis);
    }
    diagnosis.summary = format!("{} The documentation says: “{}”", ended(&diagnosis.summary), quote.sentence);
    diagnosis.evidence.set("announced_in", quote.section.clone());
    diagnosis.evidence.set("source", quote.source.clone().unwrap_or_default());
    diagnosis.evidence.set("fetched", fetched);
    if let Some(when) = quote.when {
        diagnosis.evidence.set("announced_for", when.to_string());
    }
    if let Some(day) = quote.written {
        diagnosis.evidence.set("written", day.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Facts;

    #[test]
    fn a_rename_that_is_quoted_is_not_contradicted() {
        let mut diagnosis = Diagnosis {
            id: "1".to_owned(),
            kind: DiagnosisKind::Removed,
            severity: crate::model::Severity::Breaking,
            path: "$.total".parse().unwrap(),
            to: Vec::new(),
            summary: format!("`$.total` is gone; {NOTHING_NEW}"),
            confidence: 1.0,
            ambiguous: false,
            candidates: Vec::new(),
            detail: Facts::new(),
            evidence: Facts::new(),
            explains: Vec::new(),
            patch: None,
        };
        let quote = Quote {
            sentence: "`total` was renamed to `total_amount`.".to_owned(),
            section: "Changes".to_owned(),
            source: None,
            when: None,
            written: None,
            kind: AnnouncementKind::Renamed,
        };
        let mut other = diagnosis.clone();
        add(&mut diagnosis, &quote, "2026-11-21");
        assert_eq!(
            diagnosis.summary,
            "`$.total` is gone. The documentation says: “`total` was renamed to `total_amount`.”"
        );
        add(&mut other, &Quote { kind: AnnouncementKind::Ends, ..quote }, "2026-11-21");
        assert!(other.summary.contains(NOTHING_NEW), "{}", other.summary);
    }
}
