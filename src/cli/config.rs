//! `drogue config check` and `drogue doctor`.

use std::sync::Arc;

use super::args::Common;
use super::output::{Exit, Output};
use super::render::{self, Cell, Tone};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::engine::{Engine, Health};

pub(super) fn check(common: &Common, out: &Output) -> anyhow::Result<Exit> {
    let path = Config::find(common.config.as_deref(), &|name| std::env::var(name).ok())?;
    match Config::load(&path, &|name| std::env::var(name).ok()) {
        Ok(loaded) => {
            let connectors = loaded.config.connectors.len();
            let streams: usize =
                loaded.config.connectors.values().map(|connector| connector.streams.len()).sum();
            let value = serde_json::json!({
                "valid": true, "file": path, "connectors": connectors, "streams": streams, "warnings": loaded.warnings,
            });
            out.result(&value, |_| {
                let mut text = String::new();
                for warning in &loaded.warnings {
                    text.push_str(&format!("{warning}\n"));
                }
                let (connectors, streams) = (plural(connectors, "connector"), plural(streams, "stream"));
                text.push_str(&format!("{}: fine, {connectors} with {streams}\n", path.display()));
                text
            })?;
            Ok(Exit::Clean)
        }
        Err(wrong) => {
            out.result(&wrong, |style| render::config_errors(&wrong, style))?;
            Ok(Exit::Failed)
        }
    }
}

pub(super) async fn doctor(common: &Common, out: &Output) -> anyhow::Result<Exit> {
    let mut health = Vec::new();
    match super::load(common, out) {
        Ok(config) => {
            health.push(Health::good("config", format!("`{}` is valid", config.path.display())));
            match Engine::open(config, Arc::new(SystemClock::new())).await {
                Ok(engine) => {
                    // What was cut off and can be finished is no complaint.
                    if let Err(failed) = engine.recover().await {
                        health.push(Health::bad("patches", failed.to_string(), "see the message"));
                    }
                    health.extend(engine.doctor().await);
                }
                Err(failed) => health.push(Health::bad("engine", failed.to_string(), "mend this first")),
            }
        }
        Err(wrong) => health.push(Health::bad("config", wrong.to_string(), "see `drogue config check`")),
    }
    let failed = health.iter().filter(|item| !item.ok).count();
    out.list("health", &health, |style| {
        let rows: Vec<Vec<Cell>> = health
            .iter()
            .map(|item| {
                let (word, tone) = if item.ok { ("ok", Tone::Good) } else { ("bad", Tone::Bad) };
                vec![
                    Cell::new(word, tone),
                    Cell::new(&item.what, Tone::Bold),
                    Cell::new(&item.detail, Tone::Plain),
                    Cell::new(item.next.clone().unwrap_or_default(), Tone::Plain),
                ]
            })
            .collect();
        render::table(&["", "what", "how it is", "next step"], &rows, style)
    })?;
    Ok(if failed == 0 { Exit::Clean } else { Exit::Failed })
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
