//! Variants: objects of one path that a field of theirs tells apart, each with its own fields.
//!
//! `{"type":"card","last4":…}` stands beside `{"type":"bank","iban":…}`. Which fields such an object has follows from
//! its `type`, so presence is counted by it. A field is taken for such a discriminator by its name and by its values:
//! identifiers, and few. Counting is exact and in constant memory: at most [`Variants::CAP`] variants of each
//! discriminator, and [`PER_OBJECT`] discriminators of each object.
//!
//! Both limits keep the laws of merging. A set of values is given up once it holds more than the cap: whatever the
//! partition and the order, that happens just when all parts together hold more. Of several discriminators the first
//! by [`rank`] stay: one that is among the first of the whole is so in every part that has it, and from its first
//! value on, since more data can only bring further ones before those that fall out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    scan,
    tape::{Event, EventKind},
    trie::{NodeId, Trie},
};
use crate::model::{FieldPath, JsonType, Step, TypeCounts};

/// Names by which APIs tell the kinds of an object apart, the surest first: GraphQL, JSON-LD, OData, Json.NET, FHIR,
/// Stripe, Kubernetes and Google, OpenAPI's examples of a `discriminator`, Elasticsearch, Spring Data, events of
/// webhooks.
const NAMES: [&str; 17] = [
    "__typename",
    "@type",
    "@odata.type",
    "$type",
    "resourceType",
    "object",
    "kind",
    "type",
    "_type",
    "_class",
    "discriminator",
    "event_type",
    "eventType",
    "event",
    "resource_type",
    "record_type",
    "objectType",
];

/// The discriminators of one object that are counted by.
const PER_OBJECT: usize = 4;

/// The longest name of a variant, in bytes.
const LONGEST: usize = 64;

/// The objects of one path by the values of one discriminator, which may come to be too many.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Variants {
    /// Whether there were more distinct values than the cap; `by_value` is empty then.
    pub overflown: bool,
    /// The objects of each value. One without the field, or with another sort of value, is of no variant.
    pub by_value: BTreeMap<String, Variant>,
}

/// The objects whose discriminator has one value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Variant {
    /// How many.
    pub objects: u64,
    /// Of each of their fields the types seen; all of them together are how often it was there.
    pub members: BTreeMap<String, TypeCounts>,
}

impl Variants {
    /// The most variants that are kept apart.
    pub const CAP: usize = 16;

    /// Adds what `other` saw.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.overflown |= other.overflown;
        for (value, theirs) in &other.by_value {
            let mine = self.by_value.entry(value.clone()).or_default();
            mine.objects += theirs.objects;
            for (name, types) in &theirs.members {
                mine.members.entry(name.clone()).or_default().merge(types);
            }
        }
        if self.overflown || self.by_value.len() > Self::CAP {
            self.overflown = true;
            self.by_value.clear();
        }
    }

    /// Takes out every variant seen fewer than `least` times.
    pub(super) fn redact(&mut self, least: u64) {
        self.by_value.retain(|_, variant| variant.objects >= least);
    }
}

impl Variant {
    /// How often a field of that name was there, null included.
    #[must_use]
    pub fn present(&self, name: &str) -> u64 {
        self.members.get(name).map_or(0, |types| types.non_null() + types.get(JsonType::Null))
    }
}

/// Keeps the first discriminators of each object.
pub(super) fn limit(variants: &mut BTreeMap<FieldPath, Variants>) {
    let mut by_object: BTreeMap<Option<FieldPath>, Vec<FieldPath>> = BTreeMap::new();
    for path in variants.keys() {
        by_object.entry(path.parent()).or_default().push(path.clone());
    }
    for mut paths in by_object.into_values() {
        paths.sort_by(|a, b| rank_of(a).cmp(&rank_of(b)));
        for path in paths.iter().skip(PER_OBJECT) {
            variants.remove(path);
        }
    }
}

/// What becomes of variants when the object at `path` turns out to be a map: it has none itself, and those of its
/// values are joined.
pub(super) fn join(variants: &mut BTreeMap<FieldPath, Variants>, path: &FieldPath) {
    let depth = path.steps().len();
    let is_keyed =
        |found: &FieldPath| found.starts_with(path) && matches!(found.steps().get(depth), Some(Step::Key(_)));
    let keyed: Vec<FieldPath> = variants.keys().filter(|found| is_keyed(found)).cloned().collect();
    if keyed.is_empty() {
        return;
    }
    for old in keyed {
        let Some(table) = variants.remove(&old) else { continue };
        let mut steps = old.steps().to_vec();
        if steps.len() > depth + 1 {
            steps[depth] = Step::Each;
            variants.entry(FieldPath::new(steps)).or_default().merge(&table);
        }
    }
    limit(variants);
}

/// The place of a name among those that may tell variants apart: whole names as listed, then endings by the letters;
/// `None` for any other name.
fn rank(name: &str) -> Option<(usize, &str)> {
    if let Some(at) = NAMES.iter().position(|known| *known == name) {
        return Some((at, ""));
    }
    (name.ends_with("_type") || name.ends_with("Type")).then_some((NAMES.len(), name))
}

fn rank_of(path: &FieldPath) -> Option<(usize, &str)> {
    path.name().and_then(rank)
}

/// Whether a text can be the name of a variant: an identifier. Words of people, secrets with their signs and moments
/// are none, and random ones are soon more than the cap.
fn is_identifier(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/-".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_sign)
}

/// No discriminator, or no member.
const NONE: u32 = u32::MAX;

/// What a node is to the count of variants.
#[derive(Debug, Clone, Copy)]
struct Role {
    /// Its number among the members of its object, or [`NONE`].
    member: u32,
    /// Its number among the discriminators, or [`NONE`].
    discriminator: u32,
    /// How many members it has so far.
    members: u32,
    /// Whether a discriminator is among them.
    has_variants: bool,
}

/// Counts of one variant while records come in.
#[derive(Debug)]
struct Counts {
    value: Box<str>,
    objects: u64,
    /// By the number of the member.
    members: Vec<TypeCounts>,
}

/// A field whose name says that it tells variants apart.
#[derive(Debug)]
struct Discriminator {
    node: NodeId,
    object: NodeId,
    name: Box<str>,
    /// Whether others of its object come before it.
    is_beyond: bool,
    overflown: bool,
    variants: Vec<Counts>,
}

impl Discriminator {
    const fn is_given_up(&self) -> bool {
        self.is_beyond || self.overflown
    }

    const fn is_kept(&self) -> bool {
        !self.is_beyond && (self.overflown || !self.variants.is_empty())
    }
}

/// Counts variants while records come in.
#[derive(Debug, Default)]
pub(super) struct VariantTally {
    /// By node.
    roles: Vec<Role>,
    discriminators: Vec<Discriminator>,
    /// The members of the object at hand: number and type.
    members: Vec<(u32, JsonType)>,
    /// Its discriminators, with the events of their values.
    found: Vec<(u32, Event)>,
}

impl VariantTally {
    /// Takes in the nodes that are new.
    pub(super) fn grow(&mut self, trie: &Trie) {
        for id in self.roles.len()..trie.len() {
            let mut role = Role { member: NONE, discriminator: NONE, members: 0, has_variants: false };
            if let Some((parent, Some(name))) = trie.place(id as NodeId) {
                let object = &mut self.roles[parent as usize];
                role.member = object.members;
                object.members += 1;
                if rank(name).is_some() {
                    object.has_variants = true;
                    role.discriminator = self.discriminators.len() as u32;
                    self.discriminators.push(Discriminator {
                        node: id as NodeId,
                        object: parent,
                        name: name.into(),
                        is_beyond: false,
                        overflown: false,
                        variants: Vec::new(),
                    });
                }
            }
            self.roles.push(role);
        }
    }

    /// Counts the objects of one record.
    #[inline]
    pub(super) fn count(&mut self, events: &[Event], text: &str, scratch: &mut String) {
        if self.discriminators.is_empty() {
            return;
        }
        for (at, event) in events.iter().enumerate() {
            if event.kind == EventKind::Object
                && self.roles.get(event.node as usize).is_some_and(|role| role.has_variants)
            {
                self.object(&events[at + 1..event.end as usize], at + 1, text, scratch);
            }
        }
    }

    /// Counts one object; `inside` is all that it holds, from the event of number `first` on.
    fn object(&mut self, inside: &[Event], first: usize, text: &str, scratch: &mut String) {
        self.members.clear();
        self.found.clear();
        let mut at = 0;
        while let Some(event) = inside.get(at) {
            at = match event.kind {
                EventKind::Array | EventKind::Object => event.end as usize - first,
                _ => at + 1,
            };
            let Some(role) = self.roles.get(event.node as usize).filter(|role| role.member != NONE) else {
                continue;
            };
            self.members.push((role.member, event.kind.json_type()));
            if role.discriminator != NONE
                && matches!(event.kind, EventKind::String | EventKind::EscapedString)
                && !self.discriminators[role.discriminator as usize].is_given_up()
            {
                self.found.push((role.discriminator, *event));
            }
        }
        for found in 0..self.found.len() {
            let (discriminator, event) = self.found[found];
            let raw = &text[event.start as usize..event.end as usize];
            let value = if event.kind == EventKind::EscapedString {
                scratch.clear();
                scan::unescape_onto(scratch, raw);
                scratch.as_str()
            } else {
                raw
            };
            let Some(variant) = self.variant(discriminator, value) else { continue };
            variant.0.objects += 1;
            for (member, json_type) in variant.1 {
                let member = *member as usize;
                if member >= variant.0.members.len() {
                    variant.0.members.resize(member + 1, TypeCounts::default());
                }
                variant.0.members[member].add(*json_type);
            }
        }
    }

    /// The variant of that value, made if there is room, and the members to count.
    fn variant(&mut self, number: u32, value: &str) -> Option<(&mut Counts, &[(u32, JsonType)])> {
        let this = &mut self.discriminators[number as usize];
        let known = this.variants.iter().position(|variant| *variant.value == *value);
        let at = match known {
            Some(at) => at,
            None if !is_identifier(value) => return None,
            None => {
                this.variants.push(Counts { value: value.into(), objects: 0, members: Vec::new() });
                if this.variants.len() > Variants::CAP {
                    this.overflown = true;
                    this.variants = Vec::new();
                } else if this.variants.len() == 1 {
                    let object = this.object;
                    self.limit(object);
                }
                self.discriminators[number as usize].variants.len().checked_sub(1)?
            }
        };
        Some((self.discriminators[number as usize].variants.get_mut(at)?, &self.members))
    }

    /// Gives up the discriminators of an object that are not among its first, as [`limit`] does.
    #[cold]
    fn limit(&mut self, object: NodeId) {
        let mut kept: Vec<&mut Discriminator> =
            self.discriminators.iter_mut().filter(|d| d.object == object && d.is_kept()).collect();
        kept.sort_by(|a, b| rank(&a.name).cmp(&rank(&b.name)));
        for beyond in kept.into_iter().skip(PER_OBJECT) {
            beyond.is_beyond = true;
            beyond.variants = Vec::new();
        }
    }

    /// What was counted, by the paths of the discriminators. `paths` are those of the nodes.
    pub(super) fn finish(self, trie: &Trie, paths: &[FieldPath]) -> BTreeMap<FieldPath, Variants> {
        let mut names: BTreeMap<NodeId, Vec<&str>> =
            self.discriminators.iter().map(|discriminator| (discriminator.object, Vec::new())).collect();
        for id in 0..trie.len() {
            if let Some((parent, Some(name))) = trie.place(id as NodeId)
                && let Some(names) = names.get_mut(&parent)
            {
                names.push(name);
            }
        }
        let mut all = BTreeMap::new();
        for discriminator in self.discriminators.into_iter().filter(Discriminator::is_kept) {
            let (Some(path), Some(names)) =
                (paths.get(discriminator.node as usize), names.get(&discriminator.object))
            else {
                continue;
            };
            let named = |counts: Counts| {
                let members = names.iter().zip(counts.members);
                let there = members.filter(|(name, types)| {
                    *types != TypeCounts::default() && ***name != *discriminator.name
                });
                let members = there.map(|(name, types)| ((*name).to_owned(), types)).collect();
                (counts.value.into_string(), Variant { objects: counts.objects, members })
            };
            let by_value = discriminator.variants.into_iter().map(named).collect();
            all.insert(path.clone(), Variants { overflown: discriminator.overflown, by_value });
        }
        all
    }
}

#[cfg(test)]
mod tests;
