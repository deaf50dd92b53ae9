//! What documentation announces: that something ends, changes its name, its limits, its way to sign in or to page; with
//! the sentence that says so, and its date.
//!
//! What counts as an announcement is data: the phrases of `rules/docs/prose.yaml`. A text that says none of them says
//! nothing, so a page's boilerplate and its policies are silent.

mod dates;
mod deadlines;
mod description;
mod phrases;
mod places;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use dates::Span;
pub use deadlines::{deadline_facts, deadlines};
pub use phrases::{PhraseExample, test_phrases};
pub(super) use places::has_word;

use super::{Document, Section, WatchedEndpoint};
use crate::model::FieldPath;

/// What is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnouncementKind {
    /// It is removed, shut down or no longer supported, then or already.
    Ends,
    /// It works, and should no longer be used.
    Deprecated,
    /// Another name took its place.
    Renamed,
    /// Another way to sign in.
    Auth,
    /// Pages work differently.
    Paging,
    /// How often one may ask.
    RateLimit,
    /// A version that breaks with the one before.
    Breaking,
    /// The same field holds something else: another unit, type or notation.
    Changed,
}

impl AnnouncementKind {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ends => "ends",
            Self::Deprecated => "deprecated",
            Self::Renamed => "renamed",
            Self::Auth => "auth",
            Self::Paging => "paging",
            Self::RateLimit => "rate-limit",
            Self::Breaking => "breaking",
            Self::Changed => "changed",
        }
    }
}

/// One announcement, as a document makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// What is announced.
    pub kind: AnnouncementKind,
    /// The sentence that says so; long ones are cut.
    pub sentence: String,
    /// The section, or the operation or schema of an API description, in which it stands.
    pub section: String,
    /// The operations that it is about, as far as it names some: `GET /v1/orders`, `/v1/orders`, `/v1`.
    pub operations: Vec<String>,
    /// The fields that it is about, as far as it names some; the name alone, or a path with points.
    pub fields: Vec<String>,
    /// Whether it is about those fields, and not about the API that has them.
    pub is_about_fields: bool,
    /// When, where it says so.
    pub when: Option<Span>,
    /// The old name and the new one, the limit that holds, the version: what the phrase singles out.
    pub from: Option<String>,
    /// The other side of it.
    pub to: Option<String>,
    /// The day that it was written on, where that is known: of a feed's item, or of a dated section.
    pub written: Option<Date>,
}

/// What a diagnosis quotes of the documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The sentence.
    pub sentence: String,
    /// The section in which it stands.
    pub section: String,
    /// The address, or the file, of the document; whoever knows it fills it in.
    pub source: Option<String>,
    /// When, where the sentence says so.
    pub when: Option<Span>,
    /// The day that it was written on, where that is known.
    pub written: Option<Date>,
    /// What it announces.
    pub kind: AnnouncementKind,
}

/// Announcements that are kept of one document: the rest is boilerplate or an attack.
const MAX_ANNOUNCEMENTS: usize = 500;

/// Everything that a document announces, in its order; the same sentence once.
#[must_use]
pub fn announcements(document: &Document) -> Vec<Announcement> {
    let mut found: Vec<Announcement> = Vec::new();
    let mut add = |new: Vec<Announcement>| {
        for announcement in new {
            let is_known = found.iter().any(|known| {
                known.kind == announcement.kind
                    && known.sentence == announcement.sentence
                    && known.operations == announcement.operations
            });
            if !is_known && found.len() < MAX_ANNOUNCEMENTS {
                found.push(announcement);
            }
        }
    };
    match document {
        Document::Sections(sections) => sections.sections.iter().for_each(|section| add(of_section(section))),
        Document::Api(model) => description::each_text(model, &mut |text| add(text.announcements())),
    }
    found
}

/// The announcement that speaks of one of these fields, best first: of these kinds (any where none is given), dated ones
/// before the others, the later in the document last. To be quoted by a diagnosis of live drift.
///
/// A field is spoken of where its last name stands in the sentence as a word of its own, or among the names that the
/// sentence singles out. What names operations counts where one of those `watched` is among them; all do where none is.
#[must_use]
pub fn mentioning(
    announcements: &[Announcement],
    fields: &[FieldPath],
    kinds: &[AnnouncementKind],
    watched: &[WatchedEndpoint],
) -> Option<Quote> {
    let names: Vec<&str> = fields.iter().filter_map(FieldPath::name).filter(|name| name.len() >= 2).collect();
    let speaks = |announcement: &&Announcement| {
        (kinds.is_empty() || kinds.contains(&announcement.kind))
            && names.iter().any(|name| announcement.speaks_of(name))
            && announcement.concerns(watched).is_some()
    };
    let best = announcements.iter().filter(speaks).min_by_key(|announcement| {
        // A name that is singled out beats one that is also an everyday word.
        let singled_out = names.iter().any(|name| announcement.singles_out(name));
        (!singled_out, announcement.kind, announcement.when.is_none())
    })?;
    Some(best.quote())
}

impl Announcement {
    /// The announcement as it is quoted; where it stands is for the caller to add.
    #[must_use]
    pub fn quote(&self) -> Quote {
        Quote {
            sentence: self.sentence.clone(),
            section: self.section.clone(),
            source: None,
            when: self.when,
            written: self.written,
            kind: self.kind,
        }
    }

    fn singles_out(&self, name: &str) -> bool {
        let named = self.fields.iter().chain(&self.from).chain(&self.to);
        named.into_iter().any(|other| other == name || other.rsplit('.').next() == Some(name))
    }

    fn speaks_of(&self, name: &str) -> bool {
        // `id`, `name` and `state` are words of any sentence: they count where the text marks them as names.
        let is_telling = name.contains(['_', '-']) || name.chars().skip(1).any(char::is_uppercase);
        self.singles_out(name) || (is_telling && places::has_word(&self.sentence, name))
    }
}

/// The announcements of one section of prose.
pub(super) fn of_section(section: &Section) -> Vec<Announcement> {
    let of =
        |text| Text { place: &section.title, text, operation: None, field: None, written: section.written };
    // A heading may say it all: `GET /v1/orders (sunset: 2026-12-31)`.
    let heading = section.title.rsplit(" › ").next().unwrap_or_default();
    let mut found = of(heading).announcements();
    found.extend(of(&section.text).announcements());
    found
}

/// A text, and where it stands.
struct Text<'a> {
    place: &'a str,
    text: &'a str,
    operation: Option<String>,
    field: Option<String>,
    written: Option<Date>,
}

impl Text<'_> {
    /// What it announces, sentence by sentence.
    fn announcements(&self) -> Vec<Announcement> {
        if !phrases::may_announce(self.text) {
            return Vec::new();
        }
        let mut found = Vec::new();
        // A heading names what the sentences below are about, unless they name something themselves.
        let titled = places::operations(self.place);
        for sentence in places::sentences(self.text) {
            for hit in phrases::read(sentence, self.written) {
                let mut operations = places::operations(sentence);
                if operations.is_empty() {
                    operations = self.operation.clone().map_or_else(|| titled.clone(), |own| vec![own]);
                }
                let mut fields = places::fields(sentence);
                if fields.is_empty() {
                    fields.extend(self.field.clone());
                }
                let is_about_fields = !fields.is_empty()
                    && match hit.kind {
                        AnnouncementKind::Renamed | AnnouncementKind::Changed => true,
                        AnnouncementKind::Ends | AnnouncementKind::Deprecated => {
                            self.field.is_some() || places::speaks_of_fields(sentence)
                        }
                        AnnouncementKind::Auth
                        | AnnouncementKind::Paging
                        | AnnouncementKind::RateLimit
                        | AnnouncementKind::Breaking => false,
                    };
                found.push(Announcement {
                    kind: hit.kind,
                    sentence: places::shown(sentence),
                    section: self.place.to_owned(),
                    operations,
                    fields,
                    is_about_fields,
                    when: hit.when,
                    from: hit.from,
                    to: hit.to,
                    written: self.written,
                });
            }
        }
        found
    }
}

/// What a text announces of these kinds that an older state of it did not: the first such sentence.
pub(super) fn newly(before: &str, after: &str, kinds: &[AnnouncementKind]) -> Option<String> {
    if before == after || !phrases::may_announce(after) {
        return None;
    }
    let bare = |sentence: &str| {
        let words = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        words.trim_end_matches(['.', '!', ';', ':']).to_lowercase()
    };
    let known: std::collections::BTreeSet<String> = places::sentences(before).map(bare).collect();
    let new = places::sentences(after).filter(|sentence| !known.contains(&bare(sentence)));
    let mut said = new.filter(|sentence| phrases::says_any(sentence, kinds));
    said.next().map(places::shown)
}

/// The sentences of a text that announce something, whatever surrounds them.
pub(super) fn announcing(text: &str) -> Vec<&str> {
    if !phrases::may_announce(text) {
        return Vec::new();
    }
    places::sentences(text).filter(|sentence| !phrases::read(sentence, None).is_empty()).collect()
}

/// The day that a heading gives, as changelogs write it above what was changed.
pub(super) fn day_of(heading: &str) -> Option<Date> {
    let mut days = dates::dates(heading, None).into_iter().map(|(_, span)| span);
    days.next().filter(|span| span.first == span.last).map(|span| span.first)
}

#[cfg(test)]
mod tests;
