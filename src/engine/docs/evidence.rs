//! Changes of documents joined with what responses show: each carries whether it is seen, not seen, or contradicted.

use super::super::{Engine, EngineError};
use crate::compare::shown;
use crate::model::Change;
use crate::spec::{Document, operations_of};

impl Engine {
    /// States on each change of a field what the latest window of its stream shows: `live` (`seen`, `not-seen`,
    /// `contradicted`), `live_responses` that say so, and `recorded`, the same of the baseline.
    pub(super) async fn join_responses(
        &self,
        connector: &str,
        before: &Document,
        changes: &mut [Change],
    ) -> Result<(), EngineError> {
        let of_page;
        let model = match before {
            Document::Api(model) => &**model,
            Document::Reference(page) => match page.model() {
                Some(model) => {
                    of_page = model;
                    &of_page
                }
                None => return Ok(()),
            },
            Document::Sections(_) => return Ok(()),
        };
        for subject in self.subjects(&[connector.to_owned()])? {
            let Some(endpoint) = self.endpoint_of(&self.stream(&subject)?) else { continue };
            let operations = operations_of(model, &endpoint);
            let is_mine = |operation: &str| operations.iter().any(|mine| mine == operation);
            let mut mine: Vec<&mut Change> = changes
                .iter_mut()
                .filter(|change| {
                    change.facts.text("operation").is_some_and(is_mine) && !change.path.is_root()
                })
                .collect();
            if mine.is_empty() {
                continue;
            }
            let latest = self.store.window_profiles(&subject, 1).await?.into_iter().next();
            let baseline = self.store.baseline(&subject).await?;
            for change in &mut mine {
                if let Some(recorded) = baseline.as_ref().and_then(|b| shown(change, &b.baseline.profile)) {
                    change.facts.set("recorded", recorded.live);
                }
                if let Some(now) = latest.as_ref().and_then(|latest| shown(change, &latest.window.profile)) {
                    change.facts.set("live", now.live);
                    change.facts.set("live_responses", now.responses);
                }
            }
        }
        Ok(())
    }
}
