//! Pages of reference: prose by section, and what of them could be read as a description. Each row is told once, by the
//! comparison of descriptions where both states have it as a field, and as text otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ApiModel, DocsComparison, Document, Sections, WatchedEndpoint,
    compare::{compare_documents, unified},
    readers::reference::{self, Aligned, Page},
    sections::{self, Section},
};
use crate::model::{Change, Facts, FieldPath, Inconclusive};

/// Text diffs that are shown at most.
const MAX_DIFFS: usize = 40;

/// A page of reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    sections: Sections,
    page: Page,
}

impl Document {
    /// A page as a reference, where it describes fields, and as prose otherwise.
    pub(super) fn of_page(sections: Sections) -> Self {
        match reference::read(&sections) {
            Some(page) => Self::Reference(Box::new(Reference { sections, page })),
            None => Self::Sections(sections),
        }
    }
}

impl Reference {
    /// The page as prose.
    #[must_use]
    pub const fn sections(&self) -> &Sections {
        &self.sections
    }

    /// The operations and fields of the page as a description.
    #[must_use]
    pub fn model(&self) -> Option<ApiModel> {
        model(&reference::align(&self.page, &self.page).before)
    }

    /// The same page, only with the sections under one of these headings.
    #[must_use]
    pub fn only(self, headings: &[String]) -> Document {
        if headings.is_empty() {
            Document::Reference(Box::new(self))
        } else {
            Document::of_page(self.sections.only(headings))
        }
    }
}

fn model(page: &Page) -> Option<ApiModel> {
    ApiModel::new(reference::lower(page))
}

/// What differs between two states of a page.
pub(super) fn compare(before: &Reference, after: &Reference, watched: &[WatchedEndpoint]) -> DocsComparison {
    let aligned = reference::align(&before.page, &after.page);
    let (Some(was), Some(is)) = (model(&aligned.before), model(&aligned.after)) else {
        return sections::compare(&before.sections, &after.sections, watched);
    };
    let (was, is) = (Document::Api(Box::new(was)), Document::Api(Box::new(is)));
    let mut compared = compare_documents(&was, &is, watched);
    let (old, new) = prose(before, after, &aligned);
    let told: BTreeSet<FieldPath> = compared
        .changes
        .iter()
        .flat_map(|change| std::iter::once(&change.path).chain(&change.to))
        .cloned()
        .collect();
    let mut texts = sections::compare_pages(&old, &new, watched, &told);
    settle(&mut compared.changes, &mut texts.changes);
    // A section that described fields is not gone as long as the fields are there.
    let laid_out = before.page.told();
    let laid_out = laid_out.iter().filter_map(|(section, _)| before.sections.sections.get(*section));
    let laid_out: BTreeSet<&str> = laid_out.map(|section| section.title.as_str()).collect();
    let described =
        |change: &&mut Change| change.facts.text("section").is_some_and(|title| laid_out.contains(title));
    texts.changes.iter_mut().filter(described).for_each(soften);
    compared.changes.append(&mut texts.changes);
    compared.diffs.append(&mut texts.diffs);
    if !compared.changes.is_empty() {
        show(&before.sections, &after.sections, &mut compared.diffs);
    }
    compared.incomplete |= !aligned.unread.is_empty();
    let unread = aligned
        .unread
        .into_iter()
        .map(|why| Inconclusive { path: FieldPath::root(), why: format!("now: {why}") });
    compared.inconclusive.extend(unread);
    compared
}

/// Shows how the sections of the page itself differ, rows and samples with them, where no diff of them is shown yet.
fn show(before: &Sections, after: &Sections, diffs: &mut Vec<(String, String)>) {
    let texts: BTreeMap<&str, &str> =
        after.sections.iter().rev().map(|section| (section.title.as_str(), section.text.as_str())).collect();
    for section in &before.sections {
        let is_shown = diffs.iter().any(|(title, _)| *title == section.title);
        let Some(text) = texts.get(section.title.as_str()).filter(|_| !is_shown && diffs.len() < MAX_DIFFS)
        else {
            continue;
        };
        let (was, is) = (format!("{}\n", section.text), format!("{text}\n"));
        diffs.extend(unified(&was, &is).map(|diff| (section.title.clone(), diff)));
    }
}

/// What differs between a page with fields and one without: the text, and that the fields could not be compared.
pub(super) fn compare_half(
    before: &Document,
    after: &Document,
    watched: &[WatchedEndpoint],
) -> Option<DocsComparison> {
    let (was, is, why) = match (before, after) {
        (Document::Reference(was), Document::Sections(is)) => (
            &was.sections,
            is,
            "now: no fields can be read from the page any more; those of before are not compared",
        ),
        (Document::Sections(was), Document::Reference(is)) => (
            was,
            &is.sections,
            "before: no fields could be read from the page; those of now are not compared",
        ),
        _ => return None,
    };
    let mut compared = sections::compare(was, is, watched);
    compared.inconclusive.push(Inconclusive { path: FieldPath::root(), why: why.to_owned() });
    compared.incomplete = matches!(after, Document::Sections(_));
    // Whoever reads no fields cannot tell that one is no longer named.
    if compared.incomplete {
        compared.changes.iter_mut().for_each(soften);
    }
    Some(compared)
}

/// That no fields could be read, where neither state of a page has any, though it names operations: whoever sees that its
/// text differs does not know what of the API does.
pub(super) fn as_text(
    before: &Sections,
    after: &Sections,
    compared: &DocsComparison,
) -> Option<Inconclusive> {
    let names_any = reference::names_operations(before) || reference::names_operations(after);
    (!compared.changes.is_empty() && names_any).then(|| Inconclusive {
        path: FieldPath::root(),
        why: "no fields can be read from the page; it is compared as text".to_owned(),
    })
}

/// Text that went with the layout is no loss.
fn soften(change: &mut Change) {
    if change.facts.text("what") == Some("section-removed") {
        change.facts.set("what", "section-changed");
        let lines = change.facts.number("lines").unwrap_or_default();
        change.facts.set("count", super::differences::counted(lines as usize, "line"));
    }
}

/// Both states as prose, without the lines that the descriptions tell of; what is said of the fields of a part for people
/// stands in a section of its own, in one order and under one title.
fn prose(before: &Reference, after: &Reference, aligned: &Aligned) -> (Sections, Sections) {
    let (told_before, told_after) = aligned.told();
    let mut was = without(&before.sections, &told_before);
    let mut is = without(&after.sections, &told_after);
    let mut titles: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for (section, old, new) in aligned.texts() {
        let Some(section) = before.sections.sections.get(section) else { continue };
        let (lines_before, lines_after) = titles.entry(section.title.clone()).or_default();
        lines_before.extend(old);
        lines_after.extend(new);
    }
    for (title, (old, new)) in titles {
        let place = |state: &Sections| state.sections.iter().position(|section| section.title == title);
        let (at_was, at_is) = (place(&was), place(&is));
        // Under the title that it stands under before, unless only one state has prose there.
        let is_apart = at_was.is_some() != at_is.is_some();
        let title = if is_apart { format!("{title} › (fields)") } else { title };
        for (state, at, lines) in [(&mut was, at_was, old), (&mut is, at_is, new)] {
            let text = lines.join("\n");
            match at.filter(|_| !is_apart).and_then(|at| state.sections.get_mut(at)) {
                _ if text.is_empty() => {}
                Some(section) => section.text = format!("{}\n{text}", section.text),
                None => state.sections.push(Section { title: title.clone(), text, ..Section::default() }),
            }
        }
    }
    (was, is)
}

fn without(sections: &Sections, told: &[reference::Lines]) -> Sections {
    let told: BTreeSet<(usize, usize)> =
        told.iter().flat_map(|(section, lines)| lines.clone().map(|line| (*section, line))).collect();
    let mut left = sections.clone();
    for (at, section) in left.sections.iter_mut().enumerate() {
        let lines = section.text.split('\n').enumerate();
        let lines: Vec<&str> =
            lines.filter(|(line, _)| !told.contains(&(at, *line))).map(|(_, line)| line).collect();
        section.text = lines.join("\n");
    }
    left.sections.retain(|section| !section.text.is_empty());
    left
}

/// A field that is marked as ending, and whose text says so: one change with the sentence.
fn settle(changes: &mut [Change], texts: &mut Vec<Change>) {
    let is = |change: &Change, what: &str| change.facts.text("what") == Some(what);
    for change in changes
        .iter_mut()
        .filter(|change| is(change, "field-deprecated") || is(change, "parameter-deprecated"))
    {
        let name = change.facts.text("field").and_then(|field| field.parse::<FieldPath>().ok());
        let name = name.as_ref().and_then(FieldPath::name).or_else(|| change.facts.text("parameter"));
        let Some(start) = name.map(|name| format!("{name}`: ")) else { continue };
        let said = texts.iter().position(|text| {
            is(text, "deprecated-in-prose")
                && text.facts.text("sentence").is_some_and(|sentence| sentence.contains(&start))
        });
        let Some(text) = said.map(|at| texts.remove(at)) else { continue };
        copy(&text.facts, &mut change.facts);
    }
}

fn copy(from: &Facts, to: &mut Facts) {
    for name in ["sentence", "ends", "before"] {
        if let Some(fact) = from.get(name) {
            to.set(name, fact.clone());
        }
    }
}
