//! `drogue patches`, `approve`, `reject`, `rollback`, and `audit`.

use super::args::{Approve, AuditAction, Decide, PatchesAction};
use super::output::{Exit, Output};
use super::render::{self, Cell, Style, Tone};
use crate::engine::{Approval, Engine};
use crate::model::{Patch, PatchState};

pub(super) async fn patches(
    engine: &Engine,
    action: Option<PatchesAction>,
    out: &Output,
) -> anyhow::Result<Exit> {
    match action.unwrap_or(PatchesAction::List { all: false }) {
        PatchesAction::List { all } => {
            let patches = engine.patches(all).await?;
            out.list("patches", &patches, |style| table(&patches, style))?;
        }
        PatchesAction::Show { patch } => {
            let patch = engine.patch(&patch).await?;
            out.result(&patch, |style| render::patch(&patch, style))?;
        }
        PatchesAction::Verify { patch } => {
            let patch = engine.verify(&patch).await?;
            out.result(&patch, |style| render::patch(&patch, style))?;
        }
        PatchesAction::Choose { diagnosis, path } => {
            let patch = engine.choose(&diagnosis, &path, &super::actor(None)).await?;
            out.result(&patch, |style| render::patch(&patch, style))?;
        }
    }
    Ok(Exit::Clean)
}

fn table(patches: &[Patch], style: &Style) -> String {
    if patches.is_empty() {
        return "no patches wait for a decision\n".to_owned();
    }
    let rows: Vec<Vec<Cell>> = patches
        .iter()
        .map(|patch| {
            let tone = match patch.state {
                PatchState::Verified | PatchState::Applied | PatchState::Confirmed => Tone::Good,
                PatchState::Stale | PatchState::Unverifiable => Tone::Warning,
                PatchState::Proposed
                | PatchState::Approved
                | PatchState::Applying
                | PatchState::RolledBack
                | PatchState::Rejected
                | PatchState::Superseded
                | PatchState::Expired => Tone::Plain,
            };
            vec![
                Cell::new(&patch.id, Tone::Bold),
                Cell::new(format!("{}/{}", patch.connector, patch.stream), Tone::Plain),
                Cell::new(patch.state.word(), tone),
                Cell::new(&patch.summary, Tone::Plain),
            ]
        })
        .collect();
    let mut text = render::table(&["patch", "stream", "state", "what it does"], &rows, style);
    if let Some(pending) = patches.iter().find(|patch| patch.state.is_pending()) {
        text.push_str(&format!("\nsee one with `drogue patches show {}`\n", pending.id));
    }
    text
}

pub(super) async fn approve(engine: &Engine, args: Approve, out: &Output) -> anyhow::Result<Exit> {
    let approval =
        Approval { actor: super::actor(args.actor), reason: args.reason, unverified: args.unverified };
    let patch = engine.approve(&args.patch, &approval).await?;
    engine.deliver_due().await?;
    out.result(&patch, |_| {
        let files: Vec<String> =
            patch.files.iter().map(|file| format!("`{}`", file.path.display())).collect();
        format!(
            "applied patch `{}` to {}; undo it with `drogue rollback {}`\n",
            patch.id,
            files.join(", "),
            patch.id
        )
    })?;
    Ok(Exit::Clean)
}

pub(super) async fn reject(engine: &Engine, args: Decide, out: &Output) -> anyhow::Result<Exit> {
    let patch = engine.reject(&args.patch, &super::actor(args.actor), args.reason.as_deref()).await?;
    out.result(&patch, |_| format!("rejected patch `{}`; its findings stay open\n", patch.id))?;
    Ok(Exit::Clean)
}

pub(super) async fn roll_back(engine: &Engine, args: Decide, out: &Output) -> anyhow::Result<Exit> {
    let patch = engine.roll_back(&args.patch, &super::actor(args.actor), args.reason.as_deref()).await?;
    engine.deliver_due().await?;
    out.result(&patch, |_| {
        format!("rolled back patch `{}`; the files are as they were before it\n", patch.id)
    })?;
    Ok(Exit::Clean)
}

pub(super) async fn audit(engine: &Engine, action: AuditAction, out: &Output) -> anyhow::Result<Exit> {
    match action {
        AuditAction::Verify => match engine.verify_audit().await? {
            None => {
                out.result(&serde_json::json!({"intact": true}), |_| "the audit log is intact\n".to_owned())?;
                Ok(Exit::Clean)
            }
            Some(broken) => {
                out.result(&serde_json::json!({"intact": false, "broken": broken}), |_| {
                    format!("{broken}\n")
                })?;
                Ok(Exit::Failed)
            }
        },
        AuditAction::List => {
            let rows = engine.audit(100).await?;
            out.list("entries", &rows, |style| {
                let cells: Vec<Vec<Cell>> = rows
                    .iter()
                    .map(|row| {
                        let entry = &row.entry;
                        [
                            row.seq.to_string(),
                            format!("{:.0}", entry.at),
                            entry.actor.clone(),
                            entry.action.clone(),
                            entry.about.clone(),
                            entry.reason.clone().unwrap_or_default(),
                        ]
                        .map(|text| Cell::new(text, Tone::Plain))
                        .into()
                    })
                    .collect();
                render::table(&["#", "when", "by", "what", "about", "why"], &cells, style)
            })?;
            Ok(Exit::Clean)
        }
    }
}
