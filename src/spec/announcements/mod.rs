//! What documentation announces: that something ends, changes its name, its limits, its way to sign in or to page; with
//! the sentence that says so, and its date.
//!
//! What counts as an announcement is data: the phrases of `rules/docs/prose.yaml`. A text that says none of them says
//! nothing, so a page's boilerplate and its policies are silent.

mod dates;
mod deadlines;
mod description;
mod news;
mod phrases;
mod places;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use dates::Span;
pub use deadlines::{deadline_facts, deadlines};
pub(super) use description::{DATA, PROSE, own_name, parts};
pub(super) use news::{facts, tell};
pub use phrases::{PhraseExample, test_phrases};
pub(super) use places::{has_word, sentences};

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
    /// It answers at another address.
    Address,
    /// Pages work differently.
    Paging,
    /// Requests must be made in another way.
    Request,
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
            Self::Address => "address",
            Self::Paging => "paging",
            Self::Request => "request",
            Self::RateLimit => "rate-limit",
            Self::Breaking => "breaking",
            Self::Changed => "changed",
        }
    }

    /// The word for a text that announces it.
    pub(super) const fn in_prose(self) -> &'static str {
        match self {
            Self::Ends | Self::Deprecated => "deprecated-in-prose",
            Self::Renamed => "renamed-in-prose",
            Self::Auth => "auth-in-prose",
            Self::Address => "address-in-prose",
            Self::Paging => "paging-in-prose",
            Self::Request => "request-in-prose",
            Self::RateLimit => "limit-in-prose",
            Self::Breaking => "breaking-in-prose",
            Self::Changed => "changed-in-prose",
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

/// A quarter: what ended so long ago, and is used still, was not meant.
const LONG_OVER_DAYS: i64 = 90;

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
        Document::Reference(page) => {
            page.sections().sections.iter().for_each(|section| add(of_section(section)));
        }
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
    /// The word for a text that newly says so. What ended long before the text was written is history.
    pub(super) fn in_prose(&self) -> &'static str {
        let is_end = matches!(self.kind, AnnouncementKind::Ends | AnnouncementKind::Deprecated);
        let is_over = self
            .when
            .zip(self.written)
            .is_some_and(|(when, written)| when.days_left(written) < -LONG_OVER_DAYS && when.last < written);
        if is_end && is_over { "over-in-prose" } else { self.kind.in_prose() }
    }

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
    let of = |text| Text {
        place: &section.title,
        text,
        operations: &[],
        about: About::Whole,
        written: section.written,
    };
    // A heading may say it all: `GET /v1/orders (sunset: 2026-12-31)`. Where the text below says it in a sentence, that
    // is what is told.
    let heading = section.title.rsplit(" › ").next().unwrap_or_default();
    let mut found = of(heading).announcements();
    let titled: Vec<String> = found.iter().map(|one| one.sentence.clone()).collect();
    found.extend(of(&section.text).announcements());
    let is_title = |one: &Announcement| titled.contains(&one.sentence);
    let told: Vec<AnnouncementKind> = found.iter().filter(|one| !is_title(one)).map(|one| one.kind).collect();
    found.retain(|one| !is_title(one) || !told.contains(&one.kind));
    found
}

/// What of an operation or a schema a text stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spec) enum About<'a> {
    /// All of it.
    Whole,
    /// A field.
    Field(&'a str),
    /// A parameter.
    Parameter(&'a str),
}

impl<'a> About<'a> {
    pub(in crate::spec) const fn name(self) -> Option<&'a str> {
        match self {
            Self::Whole => None,
            Self::Field(name) | Self::Parameter(name) => Some(name),
        }
    }
}

/// A text, and where it stands.
struct Text<'a> {
    place: &'a str,
    text: &'a str,
    /// The operations that it belongs to.
    operations: &'a [String],
    about: About<'a>,
    written: Option<Date>,
}

impl Text<'_> {
    /// What it announces, sentence by sentence. The cells of a table's row are read each for itself, and are about what
    /// the row names.
    fn announcements(&self) -> Vec<Announcement> {
        if !phrases::may_announce(self.text) {
            return Vec::new();
        }
        let mut found = Vec::new();
        // A heading names what the sentences below are about, unless they name something themselves.
        let titled = places::operations(self.place);
        for line in self.text.lines() {
            // "It will be removed": what the sentence before named.
            let mut named: Vec<String> = Vec::new();
            let is_row = line.contains(" | ");
            for sentence in places::sentences(line) {
                let hits = match sentence.split_once(": ").filter(|_| is_row) {
                    // The heading of a column may say what its cells do not.
                    Some((_, cell)) => match phrases::read(cell, self.written) {
                        hits if hits.is_empty() => phrases::read(sentence, self.written),
                        hits => hits,
                    },
                    None => phrases::read(sentence, self.written),
                };
                let sentence = if is_row { line } else { sentence };
                let own = places::operations(sentence);
                if !own.is_empty() || !places::points_back(sentence) {
                    named = own;
                }
                self.add(&mut found, sentence, hits, if named.is_empty() { &titled } else { &named });
            }
        }
        found
    }

    fn add(&self, found: &mut Vec<Announcement>, sentence: &str, hits: Vec<phrases::Hit>, named: &[String]) {
        for hit in hits {
            // What the text names comes first, then what it belongs to.
            let own = if named.is_empty() { self.operations } else { named };
            let operations = own.to_vec();
            let mut fields = places::fields(sentence);
            if fields.is_empty() {
                fields.extend(self.about.name().map(str::to_owned));
            }
            let is_about_fields = !fields.is_empty()
                && match hit.kind {
                    AnnouncementKind::Renamed | AnnouncementKind::Changed => true,
                    AnnouncementKind::Ends | AnnouncementKind::Deprecated => {
                        self.about != About::Whole || places::speaks_of_fields(sentence)
                    }
                    AnnouncementKind::Auth
                    | AnnouncementKind::Address
                    | AnnouncementKind::Paging
                    | AnnouncementKind::Request
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
}

/// What a text announces of these kinds that an older state of it did not: the first such sentence.
pub(super) fn newly(before: &str, after: &str, kinds: &[AnnouncementKind]) -> Option<String> {
    if before == after || !phrases::may_announce(after) {
        return None;
    }
    let known: std::collections::BTreeSet<String> = places::sentences(before).map(bare).collect();
    let new = places::sentences(after).filter(|sentence| !known.contains(&bare(sentence)));
    let mut said = new.filter(|sentence| phrases::says_any(sentence, kinds));
    said.next().map(places::shown)
}

/// Whether a text announces anything that an older state of it did not.
pub(super) fn announces_more(before: &str, after: &str) -> bool {
    let known: std::collections::BTreeSet<String> = places::sentences(before).map(bare).collect();
    let mut new = announcing(after).into_iter().filter(|sentence| !known.contains(&bare(sentence)));
    new.next().is_some()
}

/// A sentence without what may differ and mean the same: space, its end, upper and lower case.
fn bare(sentence: &str) -> String {
    let words = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    words.trim_end_matches(['.', '!', ';', ':']).to_lowercase()
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
