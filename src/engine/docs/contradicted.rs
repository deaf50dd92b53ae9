//! Where documentation and responses of a stream disagree, whatever changes.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::{Engine, EngineError, open::Stream};
use super::kept::PerVersion;
use super::names::named;
use super::read;
use crate::compare::{Comparison, contradictions};
use crate::model::{Diagnosis, Finding, MappedStream};
use crate::profile::Profile;
use crate::rules::{JudgeContext, diagnose_documents};
use crate::spec::{DescribedRecords, Document};

/// What the documents say of the records of streams, by the document's content and what the stream asks for: a
/// description of many megabytes is read once for each of its versions.
pub(in crate::engine) type Descriptions = PerVersion<Option<Arc<DescribedRecords>>>;

/// What the documents of a stream and its responses disagree about.
#[derive(Debug, Default)]
pub(in crate::engine) struct Disagreement {
    pub(in crate::engine) findings: Vec<Finding>,
    pub(in crate::engine) diagnoses: Vec<Diagnosis>,
}

impl Engine {
    /// Holds the responses of a window against the last version of each document; `None` where no document describes
    /// the stream.
    pub(in crate::engine) async fn contradicted(
        &self,
        stream: &Stream<'_>,
        mapping: Option<&MappedStream>,
        profile: &Profile,
        at: Timestamp,
    ) -> Result<Option<Disagreement>, EngineError> {
        let Some(endpoint) = self.endpoint_of(stream) else { return Ok(None) };
        let connector = &stream.subject.connector;
        let mut comparison = Comparison::default();
        let mut is_described = false;
        for (name, settings) in named(&stream.connector.docs) {
            let Some(last) = self.store.document_history(connector, &name).await?.into_iter().next() else {
                continue;
            };
            let key = format!("{}/{name}/{}/{endpoint:?}", stream.subject, last.sha256);
            let described = match self.descriptions.get(&key) {
                Some(described) => described,
                None => {
                    let Some(stored) = self.store.document(connector, &name).await? else { continue };
                    let described =
                        match read(settings, stored.entry.content_type.as_deref(), &stored.content) {
                            Ok(Document::Api(model)) => DescribedRecords::of(&model, &endpoint).map(Arc::new),
                            // Prose promises nothing that can be held against a response.
                            Ok(Document::Sections(_) | Document::Reference(_)) | Err(_) => None,
                        };
                    self.descriptions.keep(key, described)
                }
            };
            if let Some(described) = described {
                is_described = true;
                comparison.changes.extend(contradictions(&described, &endpoint, profile));
            }
        }
        if !is_described {
            return Ok(None);
        }
        // Nothing here has to be learned: what is documented is known from the first day on.
        let context = JudgeContext { mapping, learning: false, at };
        let mut findings = self.rules.judge(&stream.subject, &comparison, &context).findings;
        let diagnoses = diagnose_documents(&stream.subject, &mut findings);
        Ok(Some(Disagreement { findings, diagnoses }))
    }
}
