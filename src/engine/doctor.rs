//! The surroundings: whether what Drogue needs is there and answers. Asks nothing of the watched APIs.

use serde::Serialize;

use super::Engine;
use crate::config::AutoApply;
use crate::notify;

/// How one thing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// What was looked at.
    pub what: String,
    /// Whether it is fine.
    pub ok: bool,
    /// How it is.
    pub detail: String,
    /// What to do about it.
    pub next: Option<String>,
}

impl Health {
    /// Something that is fine.
    #[must_use]
    pub fn good(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { what: what.into(), ok: true, detail: detail.into(), next: None }
    }

    /// Something that is not.
    #[must_use]
    pub fn bad(what: impl Into<String>, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), ok: false, detail: detail.into(), next: Some(next.into()) }
    }
}

impl Engine {
    /// Looks at the store, the rules, the mapping files, the receivers and the outbox.
    pub async fn doctor(&self) -> Vec<Health> {
        let mut health = vec![self.store_health().await, self.rules_health(), self.writes_health().await];
        for (name, connector) in &self.config.config.connectors {
            let what = format!("connector {name}");
            for stream in connector.streams.keys() {
                let subject = crate::model::Subject { connector: name.clone(), stream: stream.clone() };
                health.push(self.stream_health(&subject).await);
            }
            if connector.mapping.is_none() {
                health.push(Health::good(
                    what,
                    "no mapping file: findings are reported, nothing is patched".to_owned(),
                ));
            } else if connector.policy.unwrap_or(self.config.config.policy).auto_apply == AutoApply::Safe {
                health.push(Health::good(
                    what,
                    "verified patches that are safe apply by themselves".to_owned(),
                ));
            }
        }
        for (name, receiver) in &self.config.config.receivers {
            health.push(match notify::check_receiver(name, receiver) {
                Ok(()) => Health::good(format!("receiver {name}"), "its settings make sense"),
                Err(wrong) => {
                    Health::bad(format!("receiver {name}"), wrong.to_string(), "mend it in the config")
                }
            });
        }
        if self.config.config.routes.is_empty() {
            health.push(Health::bad(
                "routes",
                "nobody is told of findings",
                "add a receiver and a route to the config",
            ));
        }
        health.push(self.outbox_health().await);
        health
    }

    async fn store_health(&self) -> Health {
        match self.store.integrity().await {
            Ok(complaints) if complaints.is_empty() => {
                Health::good("store", "whole, and the audit log is intact")
            }
            Ok(complaints) => Health::bad("store", complaints.join("; "), "restore it from a backup"),
            Err(failed) => Health::bad("store", failed.to_string(), "see the message"),
        }
    }

    fn rules_health(&self) -> Health {
        let unknown = self.rules.unknown_overrides();
        if unknown.is_empty() {
            return Health::good("rules", format!("{} rules", self.rules.rules().count()));
        }
        let names: Vec<String> = unknown.into_iter().map(|(name, _)| name).collect();
        Health::bad(
            "rules",
            format!("overrides name no rule: {}", names.join(", ")),
            "see `drogue rules list`",
        )
    }

    async fn writes_health(&self) -> Health {
        match self.store.unfinished_writes().await {
            Ok(writes) if writes.is_empty() => Health::good("patches", "no write is unfinished"),
            Ok(writes) => Health::bad(
                "patches",
                format!("{} writes of mapping files were cut off", writes.len()),
                "`drogue patches` finishes them",
            ),
            Err(failed) => Health::bad("patches", failed.to_string(), "see the message"),
        }
    }

    async fn stream_health(&self, subject: &crate::model::Subject) -> Health {
        let what = format!("stream {subject}");
        let mapped = match self.stream(subject).and_then(|stream| self.mapping(&stream)) {
            Ok(Some(mapping)) => {
                format!("; `{}` maps {} fields", mapping.label, mapping.stream.fields.len())
            }
            Ok(None) => String::new(),
            Err(wrong) => return Health::bad(what, wrong.to_string(), "mend the mapping file or the config"),
        };
        match self.store.stream_state(subject).await {
            Ok(Some(state)) => {
                let last = state.last_window.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
                Health::good(what, format!("{} windows, the last one {last}{mapped}", state.windows))
            }
            Ok(None) => Health::good(what, format!("not looked at yet{mapped}")),
            Err(failed) => Health::bad(what, failed.to_string(), "see the message"),
        }
    }

    async fn outbox_health(&self) -> Health {
        match self.store.outbox_counts().await {
            Ok(counts) if counts.dead > 0 => Health::bad(
                "outbox",
                format!("{} messages could not be delivered and were given up", counts.dead),
                "mend the receiver; see the log for why",
            ),
            Ok(counts) => Health::good("outbox", format!("{} waiting, {} sent", counts.pending, counts.sent)),
            Err(failed) => Health::bad("outbox", failed.to_string(), "see the message"),
        }
    }
}
