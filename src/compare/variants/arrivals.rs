//! A new variant is one thing, however many fields of its own it brings.

use std::collections::BTreeMap;

use super::{Row, Split, share};
use crate::compare::context::Context;
use crate::model::{Change, ChangeKind, FieldPath};

/// Joins new fields that come with a new variant alone into the change of the discriminator's values; where that lane
/// told nothing, the fields bear the new value out.
pub(in crate::compare) fn arrivals(ctx: &Context<'_>, changes: &mut Vec<Change>) {
    for split in Split::all(ctx) {
        let mut brought: BTreeMap<FieldPath, Vec<&str>> = BTreeMap::new();
        for change in changes.iter().filter(|c| c.kind == ChangeKind::FieldAdded && split.is_about(&c.path)) {
            let rows = split.rows(ctx, &change.path);
            let values = newcomers(&rows);
            if let Some(values) = values.filter(|all| !all.iter().any(|value| split.is_recorded(ctx, value)))
            {
                brought.insert(change.path.clone(), values);
            }
        }
        if brought.is_empty() {
            continue;
        }
        let paths: Vec<String> = brought.keys().map(ToString::to_string).collect();
        let told = |c: &&mut Change| c.path == *split.discriminator && c.kind == ChangeKind::EnumChanged;
        match changes.iter_mut().find(told) {
            Some(change) => change.facts.set("brings", paths),
            None => {
                let mut values: Vec<&str> = brought.values().flatten().copied().collect();
                values.sort_unstable();
                values.dedup();
                changes.push(new_value(ctx, &split, &values, paths));
            }
        }
        changes.retain(|c| c.kind != ChangeKind::FieldAdded || !brought.contains_key(&c.path));
    }
}

/// The new variants that a field comes with, where it comes with no other objects.
fn newcomers<'a>(rows: &[Row<'a>]) -> Option<Vec<&'a str>> {
    let with = || rows.iter().filter(|row| row.live.present() > 0);
    let known = rows.iter().any(|row| row.is_shared());
    let all_new = with().all(|row| row.value.is_some() && row.base.objects == 0);
    (known && all_new && with().next().is_some()).then(|| with().filter_map(|row| row.value).collect())
}

fn new_value(ctx: &Context<'_>, split: &Split<'_>, values: &[&str], brings: Vec<String>) -> Change {
    let (base, live) = (ctx.base.fields.get(split.discriminator), ctx.live.fields.get(split.discriminator));
    let count = |value: &&&str| split.live.by_value.get(**value).map_or(0, |variant| variant.objects);
    let objects: u64 = values.iter().map(|value| count(&value)).sum();
    // Words that three records or more share are no one's own.
    let words: Vec<String> =
        values.iter().filter(|value| count(value) >= 3).map(|value| (*value).to_owned()).collect();
    let facts = ctx
        .facts(base, live)
        .with("new_values", words)
        .with("lost_values", Vec::<String>::new())
        .with("new_count", values.len())
        .with("lost_count", 0_usize)
        .with("share", share((objects, live.map_or(objects, |field| field.present))))
        .with("lost_share", 0.0)
        .with("transform", "new-value")
        .with("brings", brings);
    Change { kind: ChangeKind::EnumChanged, path: split.discriminator.clone(), to: Vec::new(), facts }
}
