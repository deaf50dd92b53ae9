//! Fields by the variants of their objects: what another mixture of variants explains, and what befell one of them.
//!
//! A discriminator tells the variants of an object apart (`profile::Variants`). How often a field is there, or null,
//! follows from the mixture of them; so a share is compared within each variant that both sides have, and the mixture
//! itself is left to the lane of the discriminator's values.

mod accepted;
mod arrivals;
mod mixture;
mod within;

use std::collections::BTreeSet;

pub(super) use accepted::{brought, follow};
pub(super) use arrivals::arrivals;
pub(super) use mixture::without_explained;
pub(super) use within::within;

use super::context::Context;
use crate::model::{Facts, FieldPath, JsonType, TypeCounts};
use crate::profile::{FieldProfile, Profile, Variants};

/// A discriminator that both sides have.
struct Split<'a> {
    discriminator: &'a FieldPath,
    /// The object that it is a field of.
    object: FieldPath,
    base: &'a Variants,
    live: &'a Variants,
}

/// One field within one variant, on both sides.
struct Row<'a> {
    /// `None` for the objects of no variant.
    value: Option<&'a str>,
    base: Counts,
    live: Counts,
}

/// One field in some objects.
#[derive(Clone, Copy, Default)]
struct Counts {
    objects: u64,
    types: TypeCounts,
}

/// Something of which a field may have more or less: how often, among how many.
type Measure = fn(&Counts) -> (u64, u64);

impl Counts {
    fn present(&self) -> u64 {
        self.types.non_null() + self.nulls()
    }

    const fn nulls(&self) -> u64 {
        self.types.get(JsonType::Null)
    }

    /// How often it is there.
    fn presence(&self) -> (u64, u64) {
        (self.present(), self.objects)
    }

    /// How often it is null.
    fn null_rate(&self) -> (u64, u64) {
        (self.nulls(), self.present())
    }
}

impl Row<'_> {
    /// Whether both sides have objects of this variant.
    const fn is_shared(&self) -> bool {
        self.value.is_some() && self.base.objects > 0 && self.live.objects > 0
    }

    /// The chance of a step as large as this one if nothing changed.
    fn p_value(&self, measure: Measure) -> f64 {
        let ((a, n), (b, m)) = (measure(&self.base), measure(&self.live));
        super::stats::fisher(a, n, b, m)
    }
}

impl<'a> Split<'a> {
    /// All that tell two variants apart at least.
    fn all(ctx: &Context<'a>) -> Vec<Self> {
        let both = ctx.base.variants.iter().filter_map(|(path, base)| {
            let live = ctx.live.variants.get(path)?;
            let object = path.parent()?;
            let known: BTreeSet<&String> = base.by_value.keys().chain(live.by_value.keys()).collect();
            let tells = !base.overflown && !live.overflown && known.len() >= 2;
            tells.then_some(Self { discriminator: path, object, base, live })
        });
        both.collect()
    }

    /// Whether a field belongs to the objects that are told apart.
    fn is_about(&self, path: &FieldPath) -> bool {
        path != self.discriminator && path.parent().as_ref() == Some(&self.object)
    }

    /// Whether the baseline has seen the discriminator with that value, if too seldom to be kept as a variant.
    fn is_recorded(&self, ctx: &Context<'a>, value: &str) -> bool {
        let [base, live] = [ctx.base, ctx.live].map(|profile| profile.fields.get(self.discriminator));
        let strings = |field: Option<&'a FieldProfile>| field.and_then(|field| field.strings.as_deref());
        let (Some(base), Some(live)) = (strings(base), strings(live)) else { return false };
        let mut same = live.top.counts.iter().filter(|(_, (_, text))| text.as_deref() == Some(value));
        same.any(|(hash, _)| base.top.counts.contains_key(hash))
    }

    /// The fields of the variants.
    fn fields(&self) -> BTreeSet<FieldPath> {
        let variants = self.base.by_value.values().chain(self.live.by_value.values());
        variants.flat_map(|variant| variant.members.keys()).map(|name| self.object.child(name)).collect()
    }

    /// A field within each variant, and within the objects of none.
    fn rows(&self, ctx: &Context<'_>, path: &FieldPath) -> Vec<Row<'a>> {
        let name = path.name().unwrap_or_default();
        let values: BTreeSet<&'a String> =
            self.base.by_value.keys().chain(self.live.by_value.keys()).collect();
        let within = |side: &Variants, value: &str| {
            let variant = side.by_value.get(value);
            variant.map_or_else(Counts::default, |variant| Counts {
                objects: variant.objects,
                types: variant.members.get(name).copied().unwrap_or_default(),
            })
        };
        let row = |value: &'a String| Row {
            value: Some(value),
            base: within(self.base, value),
            live: within(self.live, value),
        };
        let mut rows: Vec<Row<'a>> = values.into_iter().map(row).collect();
        let rest = |profile: &Profile, of: fn(&Row<'a>) -> Counts| {
            let count = |path| profile.fields.get(path).map(|field| field.types).unwrap_or_default();
            let mut rest = Counts { objects: count(&self.object).get(JsonType::Object), types: count(path) };
            for row in &rows {
                rest.objects = rest.objects.saturating_sub(of(row).objects);
                rest.types = rest.types.without(&of(row).types);
            }
            rest
        };
        let (base, live) = (rest(ctx.base, |row| row.base), rest(ctx.live, |row| row.live));
        rows.push(Row { value: None, base, live });
        rows
    }

    /// States the variants, and how often something was so within them on both sides.
    fn tell(&self, facts: &mut Facts, rows: &[&Row<'_>], measure: Measure) {
        let values: Vec<String> = rows.iter().filter_map(|row| row.value).map(str::to_owned).collect();
        let sum = |of: fn(&Row<'_>) -> Counts| {
            let counts = rows.iter().map(|row| measure(&of(row)));
            counts.fold((0, 0), |sum, (hits, all)| (sum.0 + hits, sum.1 + all))
        };
        let (before, now) = (sum(|row| row.base), sum(|row| row.live));
        facts.set("variant_field", self.discriminator.to_string());
        facts.set("variant", values);
        facts.set("variant_before", before.0);
        facts.set("variant_before_of", before.1);
        facts.set("variant_now", now.0);
        facts.set("variant_now_of", now.1);
    }
}

fn share((hits, all): (u64, u64)) -> f64 {
    hits as f64 / all.max(1) as f64
}
