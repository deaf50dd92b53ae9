//! Dated announcements that concern what a connector uses, as changes: what ends, when, and how many days are left.

use jiff::civil::Date;

use super::{Announcement, AnnouncementKind, Span, announcements, places};
use crate::model::{Change, ChangeKind, Facts, FieldPath};
use crate::spec::{Document, WatchedEndpoint};

/// What of a connector an announcement is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Concern {
    /// The operation that it names, where it names one that is used.
    pub(super) operation: Option<String>,
    /// The field that it is about, where it is about one.
    pub(super) field: Option<String>,
    /// Its path, where it is read.
    pub(super) path: FieldPath,
    /// Whether what it is about is in use, where that is known.
    pub(super) is_read: Option<bool>,
}

/// The deadlines that a document sets for what is watched; everything counts where nothing is.
///
/// What was over on the day `since`, when the document was accepted, is history. What names operations counts where one
/// of them is watched; what names fields is worth less where none of them is read, and so is what names nothing that is
/// in use. The same thing for the same day is told once, however often the document says it.
#[must_use]
pub fn deadlines(
    document: &Document,
    watched: &[WatchedEndpoint],
    since: Date,
    today: Date,
    source: &str,
) -> Vec<Change> {
    let mut found: Vec<(Change, u64)> = Vec::new();
    for announcement in announcements(document) {
        let Some(when) = announcement.when.filter(|when| when.last >= since) else { continue };
        let Some(concern) = announcement.concerns(watched) else { continue };
        let change = change(&announcement, when, concern, today, source);
        // Another reading of a sentence is no second deadline; the first is the gravest.
        let is_read = |(other, _): &(Change, u64)| {
            ["sentence", "section", "ends"].iter().all(|n| other.facts.get(n) == change.facts.get(n))
        };
        if found.iter().any(is_read) {
            continue;
        }
        let same = |other: &Change| {
            other.path == change.path
                && ["what", "ends", "operation", "field"]
                    .iter()
                    .all(|name| other.facts.get(name) == change.facts.get(name))
        };
        match found.iter_mut().find(|(other, _)| same(other)) {
            Some((_, places)) => *places += 1,
            None => found.push((change, 1)),
        }
    }
    found
        .into_iter()
        .map(|(mut change, places)| {
            if places > 1 {
                change.facts.set("places", places);
            }
            change
        })
        .collect()
}

/// The facts of a deadline: `what`, `ends`, `days_left`, `left`, `source`.
#[must_use]
pub fn deadline_facts(kind: AnnouncementKind, when: Span, today: Date, source: &str) -> Facts {
    let days = when.days_left(today);
    let at_earliest = if when.first == when.last || days < 0 { "" } else { " at the earliest" };
    let left = match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        ahead @ 2.. => format!("in {ahead} days{at_earliest}"),
        ago => format!("{} days ago", -ago),
    };
    Facts::new()
        .with("what", kind.word())
        .with("ends", when.to_string())
        .with("days_left", days as f64)
        .with("left", left)
        .with("source", source)
}

fn change(announcement: &Announcement, when: Span, concern: Concern, today: Date, source: &str) -> Change {
    let mut facts = deadline_facts(announcement.kind, when, today, source)
        .with("sentence", announcement.sentence.clone())
        .with("section", announcement.section.clone());
    if let Some(operation) = concern.operation {
        facts.set("operation", operation);
    }
    if let Some(field) = concern.field {
        facts.set("field", field);
    }
    if let Some(read) = concern.is_read {
        facts.set("mapped", read);
    }
    Change { kind: ChangeKind::EndAnnounced, path: concern.path, to: Vec::new(), facts }
}

impl Announcement {
    /// Whether it is about something that is used, as far as that is known: `false` where it names other operations, or
    /// fields that nobody reads.
    pub(in crate::spec) fn is_read(&self, watched: &[WatchedEndpoint]) -> Option<bool> {
        match self.concerns(watched) {
            Some(concern) => concern.is_read,
            None => Some(false),
        }
    }

    /// What of the watched endpoints it is about; `None` where it names operations, and none of them is used.
    pub(super) fn concerns(&self, watched: &[WatchedEndpoint]) -> Option<Concern> {
        let mut concern = Concern::default();
        if !self.operations.is_empty() {
            let is_used = |named: &&String| {
                watched.iter().any(|endpoint| places::covers(named, &endpoint.method, &endpoint.path))
            };
            concern.operation = match self.operations.iter().find(is_used) {
                Some(named) => Some(named.clone()),
                None if watched.is_empty() => self.operations.first().cloned(),
                None => return None,
            };
        }
        if self.is_about_fields {
            let mut read = watched.iter().flat_map(|endpoint| &endpoint.fields).peekable();
            let is_known = read.peek().is_some();
            let found = read.find(|path| path.name().is_some_and(|name| self.singles_out(name)));
            concern.field = match found.and_then(FieldPath::name) {
                Some(name) => Some(name.to_owned()),
                None => self.fields.first().cloned(),
            };
            concern.path = found.cloned().unwrap_or_default();
            // A parameter is used by being sent.
            let sent = watched.iter().filter_map(|endpoint| endpoint.sent.as_ref());
            let is_sent = sent.flat_map(|sent| sent.parameters.keys()).any(|name| self.singles_out(name));
            concern.is_read = (is_known || is_sent).then_some(found.is_some() || is_sent);
        }
        if !watched.is_empty() && concern == Concern::default() && !self.may_concern(watched) {
            concern.is_read = Some(false);
        }
        Some(concern)
    }

    /// Whether what names no operation and no field may still be something in use: vendors tell the ends of
    /// dashboards, apps and plans at the same place.
    fn may_concern(&self, watched: &[WatchedEndpoint]) -> bool {
        match self.kind {
            // What these are about, all clients use.
            AnnouncementKind::Auth
            | AnnouncementKind::Paging
            | AnnouncementKind::RateLimit
            | AnnouncementKind::Address
            | AnnouncementKind::Request
            | AnnouncementKind::Breaking => return true,
            AnnouncementKind::Ends
            | AnnouncementKind::Deprecated
            | AnnouncementKind::Renamed
            | AnnouncementKind::Changed => {}
        }
        let heading = self.section.rsplit(" › ").next().unwrap_or_default();
        let names_field = |path: &FieldPath| path.name().is_some_and(|name| self.speaks_of(name));
        places::is_for_all(&self.sentence, heading)
            || watched.iter().any(|endpoint| {
                places::names_place(&self.sentence, &endpoint.path) || endpoint.fields.iter().any(names_field)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::read;

    fn told(text: &str, today: &str) -> Vec<String> {
        let watched = WatchedEndpoint {
            method: "GET".to_owned(),
            path: "https://api.example.com/v1/orders?since=x".to_owned(),
            fields: vec!["$.total_price".parse().unwrap(), "$.id".parse().unwrap()],
            ..WatchedEndpoint::default()
        };
        let document = read("changes.md", None, text.as_bytes()).unwrap();
        let since = "2026-01-01".parse().unwrap();
        let changes = deadlines(&document, &[watched], since, today.parse().unwrap(), "changes.md");
        let text = |change: &Change, name: &str| change.facts.text(name).unwrap_or_default().to_owned();
        changes
            .iter()
            .map(|change| {
                let read = change.facts.get("mapped").map(ToString::to_string).unwrap_or_default();
                let parts = ["what", "ends", "left", "operation", "field"].map(|name| text(change, name));
                format!("{} {} {read}", parts.join(" "), change.path)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    #[test]
    fn deadlines_are_about_what_is_used() {
        let text = "# Changes\n\nThe v1 API will be shut down on 2026-12-31.\n\n\
             `GET /v1/orders` will be removed on 2026-06-30; use `GET /v2/orders`.\n\n\
             `GET /v1/refunds` will be removed on 2026-06-30.\n\n\
             The v2 API will be shut down on 2026-12-31.\n\n\
             The field `total_price` will be removed on 2026-05-01. The field `colour` will be removed on 2026-05-01.\n\n\
             Basic authentication will no longer be accepted from Q3 2026 on.\n";
        assert_eq!(
            told(text, "2026-04-01"),
            [
                "ends 2026-12-31 in 274 days /v1 $",
                "ends 2026-06-30 in 90 days GET /v1/orders $",
                "ends 2026-05-01 in 30 days total_price $.total_price yes",
                "ends 2026-05-01 in 30 days colour $ no",
                "auth 2026-07-01 to 2026-09-30 in 91 days at the earliest $",
            ]
        );
    }

    #[test]
    fn what_was_over_before_is_history_and_the_same_is_said_once() {
        let text = "# Changes\n\nThe XML format was retired on 2025-11-30.\n\n# Again\n\n\
             Support for webhooks ends on 2026-03-01.\n\n# More\n\nAs said, webhooks will be turned off on 2026-03-01.\n";
        assert_eq!(told(text, "2026-03-01"), ["ends 2026-03-01 today $ no"]);
        assert_eq!(told(text, "2026-03-08"), ["ends 2026-03-01 7 days ago $ no"]);
    }

    #[test]
    fn what_names_nothing_in_use_is_worth_less() {
        let is_used = |sentence: &str| {
            let told = told(&format!("# News\n\n{sentence}\n"), "2026-12-01");
            assert_eq!(told.len(), 1, "{sentence}: {told:?}");
            !told[0].ends_with(" no")
        };
        for nothing in [
            "Support for the Widgets dashboard ends on 2026-12-31.",
            "Support for our app for tablets ends on 2026-12-31.",
            "Support for webhooks ends on 2026-12-31.",
        ] {
            assert!(!is_used(nothing), "{nothing}");
        }
        for something in [
            "The API will be shut down on 2026-12-31.",
            "Support for TLS 1.1 ends on 2026-12-31.",
            "Basic authentication will no longer be accepted from 2026-12-31 on.",
            "Support for lists of orders ends on 2026-12-31.",
            "`total_price` will be removed on 2026-12-31.",
        ] {
            assert!(is_used(something), "{something}");
        }
    }
}
