//! What one state of an API description announces and the state before did not, as changes; and which of its texts
//! differ without announcing anything.

use std::collections::{BTreeMap, BTreeSet};

use super::deadlines::Concern;
use super::description::each_text;
use super::{About, Announcement, AnnouncementKind, Text, bare, phrases};
use crate::model::{Change, ChangeKind, Facts, FieldPath};
use crate::spec::{ApiModel, DocsComparison, WatchedEndpoint, differences};

/// Announcements that are told of one description at most; beyond that they are boilerplate, or an attack.
const MOST_NEWS: usize = 200;
/// What says already that something ends, where no sentence was at hand.
const OF_ENDS: [&str; 4] =
    ["deprecated-in-prose", "operation-deprecated", "field-deprecated", "parameter-deprecated"];

/// Tells what `after` announces and `before` did not, with sentence and date: beside the change that says so already,
/// or as a change of its own. What concerns nothing that is watched is left out; everything does where nothing is.
/// Texts that differ otherwise are one change.
pub(in crate::spec) fn tell(
    before: &ApiModel,
    after: &ApiModel,
    watched: &[WatchedEndpoint],
    compared: &mut DocsComparison,
) {
    let (was, is) = (texts(before), texts(after));
    let fresh: Vec<&Standing> =
        is.iter().filter(|(key, _)| !was.contains_key(*key)).map(|(_, standing)| standing).collect();
    let there = existing(before, &fresh);
    // What is new as a whole says how it is, and not what changes; a tag that is described first may stand at operations
    // that are old.
    let is_there = |standing: &&&Standing| {
        standing.place.starts_with("tag ")
            || there.contains(&(standing.place.as_str(), standing.name.as_deref()))
    };
    let news = said(fresh.iter().filter(is_there).copied());
    // Texts are read with great care, so of those that are gone only the ones that may have said the same.
    let names: BTreeSet<Option<&str>> = news.iter().map(|new| new.name.as_deref()).collect();
    let left = was.iter().filter(|(key, _)| !is.contains_key(*key)).map(|(_, standing)| standing);
    let left = said(left.filter(|standing| names.contains(&standing.name.as_deref())));
    let mut gone = Unmatched(left.into_iter().map(Some).collect());
    let mut unused = 0;
    for new in news {
        if gone.take(&new) {
            continue;
        }
        let old = gone.predecessor(&new);
        let mut facts = facts(&new.announcement, old.as_ref().map(|old| &old.announcement));
        let concern = match new.announcement.concerns(watched) {
            Some(concern) => concern,
            // Of operations that nobody uses, one summary tells; what stands elsewhere and names them is one line.
            None if !new.operations.is_empty() => {
                unused += 1;
                continue;
            }
            None => Concern { is_read: Some(false), ..Concern::default() },
        };
        if let Some(read) = concern.is_read {
            facts.set("mapped", read);
        }
        if add_to_known(&mut compared.changes, &new, &facts) {
            continue;
        }
        // Which schemas a connector meets is known to the comparison of schemas; what it does not tell of their ends is
        // about others.
        let is_told_there =
            matches!(new.announcement.kind, AnnouncementKind::Ends | AnnouncementKind::Deprecated);
        let of_schema = new.announcement.section.starts_with("schema ");
        if !watched.is_empty() && of_schema && (is_told_there || concern.is_read != Some(true)) {
            unused += 1;
            continue;
        }
        compared.changes.push(change(&new, &facts, concern.path));
    }
    let is_summary = |change: &Change| change.facts.text("what") == Some("other-operations-changed");
    if unused > 0 && !compared.changes.iter().any(is_summary) {
        let facts = Facts::new().with("what", "other-operations-changed").with("operations", unused);
        let facts = facts.with("details", differences::counted(unused, "text"));
        compared.changes.push(Change {
            kind: ChangeKind::DocsChanged,
            path: FieldPath::root(),
            to: Vec::new(),
            facts,
        });
    }
    differences::tell(before, after, watched, &mut compared.changes);
}

/// What an announcement says beside its kind: the sentence, the day, both sides of it, and the sentence that stood in its
/// place before.
pub(in crate::spec) fn facts(announcement: &Announcement, before: Option<&Announcement>) -> Facts {
    let mut facts = Facts::new().with("sentence", announcement.sentence.clone());
    if let Some(when) = announcement.when {
        facts.set("ends", when.to_string());
    }
    if let Some(before) = before {
        facts.set("before", before.sentence.clone());
    }
    // A limit is announced by what holds now; what held before says the sentence before.
    let from = announcement.from.clone().or_else(|| before.and_then(|before| before.to.clone()));
    for (name, side) in [("from", from), ("to", announcement.to.clone())] {
        if let Some(side) = side {
            facts.set(name, side);
        }
    }
    facts
}

/// A text that may announce something, and where it stands.
struct Standing {
    place: String,
    text: String,
    operations: Vec<String>,
    name: Option<String>,
    is_parameter: bool,
}

/// Texts by place and content; what several places say alike counts at each.
type Texts = BTreeMap<(String, Option<String>, String), Standing>;

fn texts(model: &ApiModel) -> Texts {
    let mut all = Texts::new();
    each_text(model, &mut |text| {
        if !phrases::may_announce(text.text) {
            return;
        }
        let name = text.about.name().map(str::to_owned);
        let key = (text.place.to_owned(), name.clone(), text.text.to_owned());
        all.entry(key).or_insert_with(|| Standing {
            place: text.place.to_owned(),
            text: text.text.to_owned(),
            operations: text.operations.to_vec(),
            name,
            is_parameter: matches!(text.about, About::Parameter(_)),
        });
    });
    all
}

/// An announcement, with the field or the parameter that has the text.
struct Said {
    announcement: Announcement,
    /// The operations that the text belongs to, whatever it names.
    operations: Vec<String>,
    name: Option<String>,
    is_parameter: bool,
}

/// Which of the places of texts a description has, whatever is said there: each with the name of its field.
fn existing<'a>(model: &ApiModel, texts: &[&'a Standing]) -> BTreeSet<(&'a str, Option<&'a str>)> {
    let mut wanted: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
    for standing in texts {
        wanted.entry(&standing.place).or_default().push(standing.name.as_deref());
    }
    let mut found = BTreeSet::new();
    if wanted.is_empty() {
        return found;
    }
    each_text(model, &mut |text| {
        let Some((place, names)) = wanted.get_key_value(text.place) else { return };
        let name = names.iter().find(|name| **name == text.about.name());
        found.extend(name.map(|name| (*place, *name)));
    });
    found
}

/// Announcements that are still to be matched.
struct Unmatched(Vec<Option<Said>>);

/// What is announced by texts that the other state has not.
fn said<'a>(texts: impl Iterator<Item = &'a Standing>) -> Vec<Said> {
    let mut all: Vec<Said> = Vec::new();
    for standing in texts {
        let name = standing.name.as_deref();
        let about = match (name, standing.is_parameter) {
            (None, _) => About::Whole,
            (Some(name), true) => About::Parameter(name),
            (Some(name), false) => About::Field(name),
        };
        let text = Text {
            place: &standing.place,
            text: &standing.text,
            operations: &standing.operations,
            about,
            written: None,
        };
        for announcement in text.announcements() {
            // A description and an extension beside it say the same day once.
            let is_same = |other: &Said| {
                other.announcement.kind == announcement.kind
                    && other.announcement.when.is_some()
                    && other.announcement.when == announcement.when
                    && other.announcement.section == announcement.section
                    && other.name == standing.name
            };
            if all.len() >= MOST_NEWS {
                return all;
            }
            match all.iter_mut().find(|other| is_same(other)) {
                // The longer one is a sentence, the other a label.
                Some(other) if other.announcement.sentence.len() < announcement.sentence.len() => {
                    other.announcement = announcement;
                }
                Some(_) => {}
                None => all.push(Said {
                    announcement,
                    operations: standing.operations.clone(),
                    name: standing.name.clone(),
                    is_parameter: standing.is_parameter,
                }),
            }
        }
    }
    all
}

impl Unmatched {
    /// Whether the same was said before, and takes it out: there, or of the same field at a place that no longer says
    /// it, or by an operation that moved.
    fn take(&mut self, new: &Said) -> bool {
        let sentence = bare(&new.announcement.sentence);
        let same = |old: &Said| old.name == new.name && bare(&old.announcement.sentence) == sentence;
        let here = |old: &Said| same(old) && old.announcement.section == new.announcement.section;
        let found = self.position(here).or_else(|| self.position(same));
        found.is_some_and(|at| self.0[at].take().is_some())
    }

    /// What stood in its place before: the same kind, at the same place, in other words.
    fn predecessor(&mut self, new: &Said) -> Option<Said> {
        let at = self.position(|old| {
            old.announcement.kind == new.announcement.kind
                && old.announcement.section == new.announcement.section
                && old.name == new.name
        })?;
        self.0[at].take()
    }

    fn position(&self, is_it: impl Fn(&Said) -> bool) -> Option<usize> {
        self.0.iter().position(|old| old.as_ref().is_some_and(&is_it))
    }
}

/// Adds the facts to the changes that say the same without a sentence, as a comparison of schemas does; whether there is
/// one.
fn add_to_known(changes: &mut [Change], new: &Said, facts: &Facts) -> bool {
    let kinds: &[&str] = match new.announcement.kind {
        AnnouncementKind::Ends | AnnouncementKind::Deprecated => &OF_ENDS,
        AnnouncementKind::RateLimit => &["limit-in-prose"],
        _ => return false,
    };
    let is_about = |change: &Change| {
        let fact = |name: &str| change.facts.text(name);
        let field = fact("field").and_then(|field| field.parse::<FieldPath>().ok());
        let name = fact("parameter").or_else(|| field.as_ref().and_then(FieldPath::name));
        let operations = &new.operations;
        let is_there =
            operations.is_empty() || fact("operation").is_some_and(|o| operations.iter().any(|p| p == o));
        kinds.contains(&fact("what").unwrap_or_default())
            && fact("sentence").is_none()
            && name == new.name.as_deref()
            && is_there
    };
    let mut known = false;
    for change in changes.iter_mut().filter(|change| is_about(change)) {
        known = true;
        for name in ["sentence", "ends", "before"] {
            if let Some(fact) = facts.get(name) {
                change.facts.set(name, fact.clone());
            }
        }
    }
    known
}

fn change(new: &Said, facts: &Facts, path: FieldPath) -> Change {
    let mut all = facts.clone();
    all.set("what", new.announcement.in_prose());
    let (section, operations) = (&new.announcement.section, &new.operations);
    all.set(if operations.contains(section) { "operation" } else { "place" }, section.clone());
    if operations.len() > 1 {
        all.set("operations", operations.len());
    }
    if let Some(name) = &new.name {
        if new.is_parameter {
            all.set("parameter", name.clone());
        } else {
            all.set("field", FieldPath::of_keys([name.as_str()]).to_string());
        }
    }
    Change { kind: ChangeKind::DocsChanged, path, to: Vec::new(), facts: all }
}
