//! `drogue baseline`.

use anyhow::Context as _;
use jiff::Timestamp;

use super::args::BaselineAction;
use super::output::{Exit, Output};
use super::render::{self, Cell, Style, Tone};
use crate::engine::Engine;
use crate::profile::FieldProfile;
use crate::store::{DocumentEntry, StoredBaseline};

/// An exported baseline is a few kilobytes a field; beyond this the file is something else.
const MAX_IMPORT_BYTES: u64 = 256_000_000;

pub(super) async fn run(engine: &Engine, action: BaselineAction, out: &Output) -> anyhow::Result<Exit> {
    match action {
        BaselineAction::Show { stream } => {
            let subject = engine.subject(&stream)?;
            let stored = engine.baseline(&subject).await?;
            let learning = engine.learning(&subject, &stored.baseline)?;
            out.result(&stored.baseline, |style| show(&stored, learning, style))?;
        }
        BaselineAction::Accept { stream, path, reason, actor } => {
            let subject = engine.subject_or_document(&stream)?;
            let resolved = engine.accept(&subject, &path, &super::actor(actor), reason.as_deref()).await?;
            out.list("resolved", &resolved, |_| {
                format!(
                    "accepted what was seen last of {subject}: {} findings are resolved\n",
                    resolved.len()
                )
            })?;
        }
        BaselineAction::Export { stream } => {
            let stored = engine.baseline(&engine.subject(&stream)?).await?;
            out.text(&serde_json::to_string_pretty(&stored.baseline)?);
        }
        BaselineAction::Import { stream, file } => {
            let subject = engine.subject(&stream)?;
            let size =
                std::fs::metadata(&file).with_context(|| format!("cannot read `{}`", file.display()))?.len();
            anyhow::ensure!(
                size <= MAX_IMPORT_BYTES,
                "`{}` has more than {MAX_IMPORT_BYTES} bytes",
                file.display()
            );
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read `{}`", file.display()))?;
            let version = engine
                .import_baseline(&subject, &text, &super::actor(None))
                .await
                .with_context(|| format!("cannot import `{}`", file.display()))?;
            out.result(&serde_json::json!({"subject": subject, "version": version}), |_| {
                format!("{subject}: version {version} of the baseline is the imported one\n")
            })?;
        }
        BaselineAction::History { stream } => {
            let subject = engine.subject_or_document(&stream)?;
            if let Some(versions) = engine.document_history(&subject).await? {
                out.list("versions", &versions, |style| document_history(&versions, style))?;
                return Ok(Exit::Clean);
            }
            let entries = engine.baseline_history(&subject).await?;
            out.list("versions", &entries, |style| {
                let rows: Vec<Vec<Cell>> = entries
                    .iter()
                    .map(|entry| {
                        [
                            entry.version.to_string(),
                            format!("{:.0}", entry.at),
                            entry.actor.clone(),
                            entry.windows.to_string(),
                            entry.records.to_string(),
                            entry.reason.clone().unwrap_or_default(),
                        ]
                        .map(|text| Cell::new(text, Tone::Plain))
                        .into()
                    })
                    .collect();
                render::table(&["version", "when", "by", "windows", "records", "why"], &rows, style)
            })?;
        }
    }
    Ok(Exit::Clean)
}

fn show(stored: &StoredBaseline, learning: Option<Timestamp>, style: &Style) -> String {
    let baseline = &stored.baseline;
    let rows: Vec<Vec<Cell>> = baseline
        .profile
        .fields
        .iter()
        .map(|(path, field)| {
            vec![
                Cell::new(path.to_string(), Tone::Plain),
                Cell::new(types(field), Tone::Plain),
                Cell::new(percent(field.present, field.parents), Tone::Dim),
                Cell::new(percent(field.types.get(crate::model::JsonType::Null), field.present), Tone::Dim),
                Cell::new(notation(field), Tone::Plain),
            ]
        })
        .collect();
    let mut text = format!(
        "version {} of {:.0} by {}: {} windows, {} records, {:.0} to {:.0}\n",
        stored.entry.version,
        stored.entry.at,
        stored.entry.actor,
        baseline.windows,
        baseline.profile.records,
        baseline.from,
        baseline.to
    );
    text.push_str(&match learning {
        Some(until) => format!("learning: only hard facts alert until {until:.0} at the earliest\n\n"),
        None => "learning is over: a window that differs is a finding\n\n".to_owned(),
    });
    text.push_str(&render::table(&["path", "types", "present", "null", "what it holds"], &rows, style));
    text
}

fn types(field: &FieldProfile) -> String {
    field.types.seen().map(crate::model::JsonType::word).collect::<Vec<_>>().join(" | ")
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.0} %", 100.0 * part as f64 / whole as f64) }
}

/// Notation and range in a few words; no value that is not an extreme of numbers.
fn notation(field: &FieldProfile) -> String {
    if let Some(strings) = &field.strings {
        let common = strings.formats.iter().max_by_key(|(_, count)| **count);
        return common.map(|(format, _)| format.word()).unwrap_or_default();
    }
    match &field.numbers {
        Some(numbers) => format!("{} … {}", numbers.min, numbers.max),
        None => String::new(),
    }
}

/// The versions of a document, the newest first.
fn document_history(versions: &[DocumentEntry], style: &Style) -> String {
    let rows: Vec<Vec<Cell>> = versions
        .iter()
        .map(|version| {
            [
                version.version.to_string(),
                format!("{:.0}", version.fetched_at),
                format!("{:.0}", version.checked_at),
                if version.is_accepted { "accepted".to_owned() } else { String::new() },
                version.size_bytes.to_string(),
                version.sha256.chars().take(12).collect(),
            ]
            .map(|text| Cell::new(text, Tone::Plain))
            .into()
        })
        .collect();
    render::table(&["version", "fetched", "last seen", "", "bytes", "sha256"], &rows, style)
}
