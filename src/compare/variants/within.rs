//! What befell a field within some variants alone: lost, gained, null, of another type.

use std::collections::{BTreeMap, BTreeSet};

use super::{Counts, Measure, Row, Split, share};
use crate::compare::context::{Context, MIN_SUPPORT};
use crate::compare::structure::{dispersion, types_of};
use crate::compare::types::{GROUPS, group_count};
use crate::model::{Change, ChangeKind, Facts, FieldPath, Inconclusive, TypeCounts};

/// Of a share that was exactly 0 or 1 this many exceptions count, as for a whole field.
const EXCEPTIONS: f64 = 4.0;
/// The step of a share that is told where the mixture hides it: as much as a share that was not a promise must fall.
const STEP: f64 = 0.2;

/// What befell a field within some variants, by one discriminator.
struct Found {
    change: Change,
    /// How much of these variants it befell, and how many they are: of several discriminators the one that tells it
    /// most sharply speaks.
    sharpness: (f64, usize),
}

/// Tells of a field what befell some of its variants and not the others, in place of what is told of it as a whole.
pub(in crate::compare) fn within(
    ctx: &Context<'_>,
    changes: &mut Vec<Change>,
    inconclusive: &mut Vec<Inconclusive>,
) {
    let mut found: BTreeMap<(FieldPath, ChangeKind), Found> = BTreeMap::new();
    for split in Split::all(ctx) {
        for path in split.fields() {
            if path == *split.discriminator {
                continue;
            }
            let field = Field { ctx, split: &split, rows: split.rows(ctx, &path), path };
            for new in [field.lost(changes), field.nulls(), field.gained(changes), field.types(changes)] {
                let Some(new) = new else { continue };
                let key = (new.change.path.clone(), new.change.kind);
                let is_sharper = |old: &Found| {
                    let ((a, n), (b, m)) = (new.sharpness, old.sharpness);
                    a.total_cmp(&b).then(m.cmp(&n)).is_gt()
                };
                if found.get(&key).is_none_or(is_sharper) {
                    found.insert(key, new);
                }
            }
        }
    }
    // What one kind lost and another got is told as lost: whoever reads it of the first misses it.
    let lost: BTreeSet<FieldPath> = found
        .keys()
        .filter(|(_, kind)| *kind == ChangeKind::PresenceChanged)
        .map(|(path, _)| path.clone())
        .collect();
    found.retain(|(path, kind), _| *kind != ChangeKind::FieldAdded || !lost.contains(path));
    for ((path, kind), Found { change, .. }) in found {
        changes.retain(|c| c.path != path || c.kind != kind);
        // Only presence was left open before; of nulls and types it is judged still.
        if matches!(kind, ChangeKind::FieldRemoved | ChangeKind::PresenceChanged | ChangeKind::FieldAdded) {
            inconclusive.retain(|i| i.path != path);
        }
        changes.push(change);
    }
}

/// One field of the objects that a discriminator tells apart.
struct Field<'a, 'b> {
    ctx: &'b Context<'a>,
    split: &'b Split<'a>,
    path: FieldPath,
    rows: Vec<Row<'a>>,
}

impl<'a> Field<'a, '_> {
    fn shared(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(|row| row.is_shared())
    }

    /// The p-value that a test within one variant must stay below: that of one field, shared out among the variants.
    fn alpha(&self) -> f64 {
        self.ctx.alpha / self.shared().count().max(1) as f64
    }

    /// The variants that something befell, where the others of the baseline and of the window are as they were.
    fn apart(&self, measure: Measure, befell: impl Fn(&Row<'a>) -> bool) -> Option<Vec<&Row<'a>>> {
        let (these, others): (Vec<&Row<'a>>, Vec<&Row<'a>>) = self
            .rows
            .iter()
            .filter(|row| row.base.objects + row.live.objects > 0)
            .partition(|row| row.is_shared() && befell(row));
        let step = |row: &Row<'_>| share(measure(&row.live)) - share(measure(&row.base));
        let mean = these.iter().map(|row| step(row)).sum::<f64>();
        // A variant too rare for a test that went the same way is no witness that the others stood still.
        let follows = |row: &Row<'_>| row.is_shared() && step(row) * mean.signum() >= 0.5;
        // One that went the other way is a witness, too: what one kind lost another may have got.
        let turns = |row: &Row<'_>| step(row) * mean < 0.0;
        let stands = |row: &&Row<'a>| {
            row.base.objects == 0 || turns(row) || self.p_value(row, measure) >= 0.01 && !follows(row)
        };
        (!these.is_empty() && !others.is_empty() && others.iter().all(stands)).then_some(these)
    }

    fn found(&self, kind: ChangeKind, facts: Facts, rows: &[&Row<'a>], measure: Measure) -> Found {
        let (base, live) = (self.ctx.base.fields.get(&self.path), self.ctx.live.fields.get(&self.path));
        let mut all = self.ctx.facts(base, live);
        all.extend(facts);
        self.split.tell(&mut all, rows, measure);
        let step = rows.iter().map(|row| (share(measure(&row.base)) - share(measure(&row.live))).abs());
        Found {
            sharpness: (step.fold(1.0, f64::min), rows.len()),
            change: Change { kind, path: self.path.clone(), to: Vec::new(), facts: all },
        }
    }

    /// The chance that a field of this presence misses all objects of the variant; the presence is taken a little lower
    /// than seen, as if one further object had come without it (see `structure::removed`).
    fn absence(&self, row: &Row<'_>) -> f64 {
        let careful = row.base.present() as f64 / (row.base.objects + 1) as f64;
        (1.0 - careful).powf(row.live.objects as f64 / dispersion(self.ctx, &self.path))
    }

    /// Gone, or missing at times where it was always.
    fn lost(&self, changes: &[Change]) -> Option<Found> {
        let p_value = |row: &Row<'_>| {
            if row.live.present() == 0 { self.absence(row) } else { self.p_value(row, Counts::presence) }
        };
        let rows = self.apart(Counts::presence, |row| {
            let (was, is) = (share(row.base.presence()), share(row.live.presence()));
            let exceptions = (row.live.objects - row.live.present()) as f64;
            let was_always = row.base.present() == row.base.objects && row.base.objects >= MIN_SUPPORT;
            let is_lost = is == 0.0 || was_always && exceptions >= EXCEPTIONS;
            is_lost && was - is >= STEP && p_value(row) < self.alpha()
        })?;
        let p_value = rows.iter().map(|row| p_value(row)).fold(0.0, f64::max);
        let mean = |of: fn(&Row<'_>) -> (u64, u64)| {
            share(rows.iter().map(|row| of(row)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)))
        };
        let is_gone = self.ctx.live.fields.get(&self.path).is_none_or(|field| field.present == 0);
        let (kind, facts) = if is_gone {
            let base = self.ctx.base.fields.get(&self.path)?;
            let told = changes.iter().find(|c| c.path == self.path && c.kind == ChangeKind::FieldRemoved);
            let facts = Facts::new()
                .with("presence", share((base.present, base.parents)))
                .with("types", types_of(base))
                .with("p_value", p_value);
            (ChangeKind::FieldRemoved, told.map_or(facts, |told| told.facts.clone()))
        } else {
            let facts = Facts::new()
                .with("baseline_presence", mean(|row| row.base.presence()))
                .with("live_presence", mean(|row| row.live.presence()))
                .with("p_value", p_value)
                .with("transform", "missing");
            (ChangeKind::PresenceChanged, facts)
        };
        Some(self.found(kind, facts, &rows, Counts::presence))
    }

    /// The p-value of a step within one variant, the counts reduced by how the shares of the field vary by themselves.
    fn p_value(&self, row: &Row<'_>, measure: Measure) -> f64 {
        self.fisher(measure(&row.base), measure(&row.live))
    }

    /// The same of any two counts.
    fn fisher(&self, (a, n): (u64, u64), (b, m): (u64, u64)) -> f64 {
        let by = dispersion(self.ctx, &self.path);
        let less = |count: u64| (count as f64 / by).round() as u64;
        crate::compare::stats::fisher(less(a), less(n), less(b), less(m))
    }

    /// Null at times, where it never was.
    fn nulls(&self) -> Option<Found> {
        let rows = self.apart(Counts::null_rate, |row| {
            let is_new = row.base.nulls() == 0 && row.base.present() >= MIN_SUPPORT;
            is_new
                && row.live.nulls() as f64 >= EXCEPTIONS
                && share(row.live.null_rate()) >= STEP
                && self.p_value(row, Counts::null_rate) < self.alpha()
        })?;
        let now = rows.iter().map(|row| row.live.null_rate());
        let facts = Facts::new()
            .with("baseline_null_rate", 0.0)
            .with("live_null_rate", share(now.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))))
            .with("p_value", rows.iter().map(|row| self.p_value(row, Counts::null_rate)).fold(0.0, f64::max))
            .with("transform", "more-nulls");
        Some(self.found(ChangeKind::NullsChanged, facts, &rows, Counts::null_rate))
    }

    /// There, mostly, where it never was; or new, and in some variants alone.
    fn gained(&self, changes: &[Change]) -> Option<Found> {
        let told = changes.iter().find(|c| c.path == self.path && c.kind == ChangeKind::FieldAdded);
        let rows = self.apart(Counts::presence, |row| {
            let plain = row.base.objects >= MIN_SUPPORT
                && share(row.live.presence()) >= 0.5
                && self.p_value(row, Counts::presence) < self.alpha();
            row.base.present() == 0 && row.live.present() > 0 && (told.is_some() || plain)
        })?;
        let live = self.ctx.live.fields.get(&self.path)?;
        let facts = Facts::new()
            .with("presence", share((live.present, live.parents)))
            .with("types", types_of(live))
            .with("p_value", rows.iter().map(|row| self.p_value(row, Counts::presence)).fold(0.0, f64::max));
        let facts = told.map_or(facts, |told| told.facts.clone());
        Some(self.found(ChangeKind::FieldAdded, facts, &rows, Counts::presence))
    }

    /// Of a JSON type that it has in other variants alone.
    fn types(&self, changes: &[Change]) -> Option<Found> {
        if changes.iter().any(|c| c.path == self.path && c.kind == ChangeKind::TypeChanged) {
            return None;
        }
        let appeared = |row: &Row<'_>| {
            let (n, m) = (row.base.types.non_null(), row.live.types.non_null());
            (0..GROUPS.len()).find(|group| {
                let (was, is) = (group_count(&row.base.types, *group), group_count(&row.live.types, *group));
                let p_value = || self.fisher((was, n), (is, m));
                n >= MIN_SUPPORT && was == 0 && is >= 3 && p_value() < self.alpha()
            })
        };
        let group = self.shared().find_map(appeared)?;
        let rows: Vec<&Row<'a>> = self.shared().filter(|row| appeared(row) == Some(group)).collect();
        let words = |types: &TypeCounts| -> Vec<String> {
            (0..GROUPS.len()).filter(|g| group_count(types, *g) > 0).map(|g| GROUPS[g].0.to_owned()).collect()
        };
        let sum = |of: fn(&Row<'_>) -> TypeCounts| {
            rows.iter().fold(TypeCounts::default(), |mut sum, row| {
                sum.merge(&of(row));
                sum
            })
        };
        let (was, is) = (sum(|row| row.base.types), sum(|row| row.live.types));
        let facts = Facts::new()
            .with("from_types", words(&was))
            .with("to_types", words(&is))
            .with("share", share((group_count(&is, group), is.non_null())));
        Some(self.found(ChangeKind::TypeChanged, facts, &rows, Counts::presence))
    }
}
