//! Texts built as none was before: a word among codes, a code under another scheme, signs that the field never had.
//!
//! Values come and go with the records; how they are built is up to who writes them. Where all that was seen is built
//! in a few ways, a value of another build says more than one that is merely new.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Lane, MIN_SUPPORT};
use super::{enums, serial, stats};
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::{FieldProfile, Format, SampleValue};

/// The least share of values of a new build that is told: one record in twenty.
const LEAST_SHARE: f64 = 0.05;

/// A sampled text: its hash, and how it is built.
struct Built {
    hash: u64,
    /// Its letters and digits alone, without case, as a hash.
    letters: u64,
    /// The signs and classes of characters that it has.
    signs: String,
    /// How it is built, see [`shape`].
    shape: String,
    /// The same without case.
    folded: String,
}

/// Values of a build that the field never had.
pub(super) fn shapes(lane: &Lane<'_>) -> Option<Change> {
    let free = |field: &FieldProfile| {
        field.strings.as_deref().is_none_or(|s| {
            // The grammars of these leave their signs free.
            let format = s.main_format();
            format.is_instant()
                || format.is_number()
                || matches!(format, Format::Email | Format::Url | Format::Hostname | Format::Version)
                // What is drawn at random begins with a letter or a digit as it comes, and sorted lists in turn.
                || matches!(format, Format::Uuid | Format::Ulid | Format::Hex)
        })
    };
    if free(lane.base) || lane.ctx.pairs.same_population() {
        return None;
    }
    let prose = lane.base.strings.as_deref().is_some_and(|s| s.of_format(Format::Text) * 2 > s.count);
    let build = |value: &SampleValue| match value {
        SampleValue::Text { hash, folded, pattern, .. } if !pattern.is_empty() => Some(Built {
            hash: *hash,
            letters: *folded,
            signs: shape(pattern, true),
            shape: shape(pattern, prose),
            folded: shape(&pattern.to_lowercase(), prose),
        }),
        _ => None,
    };
    let was: Vec<Built> = Lane::sample(lane.ctx.base, lane.path).filter_map(build).collect();
    let is: Vec<Built> = match lane.ctx.rows.is_empty() {
        true => Lane::sample(lane.ctx.live, lane.path).filter_map(build).collect(),
        false => lane.values_in_order().flatten().filter_map(build).collect(),
    };
    if (was.len() as u64) < MIN_SUPPORT || (is.len() as u64) < MIN_SUPPORT {
        return None;
    }
    let mut known: BTreeMap<&str, u64> = BTreeMap::new();
    was.iter().for_each(|built| *known.entry(&built.shape).or_default() += 1);
    // Records that come in an order bring names of other builds in their turn, made of what names are made of: there
    // a sign or a class of characters is asked for that no value had.
    // Where the blocks of a known course are all written alike, the order does not reach this field.
    let steady = lane.ctx.variation.is_known() && lane.is_exchangeable() && lane.form_spread() <= 1.0;
    let ordered = !lane.ctx.course.is_unordered();
    let signs: BTreeSet<char> = was.iter().flat_map(|built| built.signs.chars()).collect();
    let is_new = |built: &Built| {
        !known.contains_key(built.shape.as_str())
            && (!ordered || steady || built.signs.chars().any(|sign| !signs.contains(&sign)))
    };
    let new: Vec<bool> = is.iter().map(is_new).collect();
    let fresh = new.iter().filter(|new| **new).count() as u64;
    let (n, m) = (was.len() as f64, is.len() as f64);
    let share = fresh as f64 / m;
    if fresh < 4 || share < LEAST_SHARE {
        return None;
    }
    // A list in order goes on to things of other names, and groups of them. There it takes a baseline of some length, a
    // name for each thing, and half of the names of a new build; or else a vocabulary, a longer one where its words came
    // mixed all along.
    let values: BTreeSet<u64> = was.iter().map(|built| built.hash).collect();
    let names = values.len() * 10 >= was.len() * 9 && was.len() >= 100 && share >= 0.5;
    let mixed = !lane.is_in_runs() && lane.spread() < 2.0 && share >= 0.5;
    // One word does not show how words are built. Who writes words otherwise has about as many of them: more than twice
    // as many are other things.
    let others: BTreeSet<u64> =
        is.iter().zip(&new).filter(|(_, new)| **new).map(|(built, _)| built.hash).collect();
    let words = (values.len() <= enums::VOCABULARY || mixed)
        && values.len() >= 2
        && values.len() * 4 <= was.len()
        && others.len() <= 2 * values.len();
    if ordered && !names && !words {
        return None;
    }
    // How many of another window would be of a build never seen: as many as were seen once (I. J. Good 1953).
    let unseen = (known.values().filter(|count| **count == 1).count() as f64 + 1.0) / (n + 1.0);
    // Where values hang together a run of them is one value. Newcomers strewn among known values follow no such order.
    let by = if is_strewn(lane, &values, &is, &new) { 1.0 } else { lane.spread().max(1.0) };
    let less = |count: f64| (count / by).round() as u64;
    let p_value = stats::fisher(0, less(n), less(fresh as f64), less(m)).max(stats::binomial_at_least(
        less(fresh as f64),
        less(m),
        unseen,
    ));
    if p_value >= lane.ctx.alpha || share < 3.0 * unseen {
        return None;
    }
    let fresh: Vec<&Built> = is.iter().zip(&new).filter(|(_, new)| **new).map(|(built, _)| built).collect();
    Some(named(lane, &was, &fresh, share))
}

/// Whether the newcomers come strewn over the window, among values of which most were known: or chance alone orders it.
fn is_strewn(lane: &Lane<'_>, values: &BTreeSet<u64>, is: &[Built], new: &[bool]) -> bool {
    if lane.is_exchangeable() && lane.ctx.course.is_unordered() {
        return true;
    }
    let others = is.iter().zip(new).filter(|(_, new)| !**new).map(|(built, _)| values.contains(&built.hash));
    let (all, known) = others.fold((0, 0), |(all, known), is| (all + 1, known + usize::from(is)));
    all * 4 >= is.len() && known * 2 >= all && serial::equal_neighbours(new).0 >= 0.01
}

/// What the change comes to: other letters, words of a vocabulary, or codes of another scheme.
fn named(lane: &Lane<'_>, was: &[Built], fresh: &[&Built], share: f64) -> Change {
    let mut of_build: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    was.iter().for_each(|built| {
        of_build.entry(&built.folded).or_default().insert(&built.shape);
    });
    // Of a vocabulary the words themselves are known, in whatever letters; of codes how they are built.
    let letters: BTreeSet<u64> = was.iter().map(|built| built.letters).collect();
    let few = letters.len() * 4 <= was.len();
    let is_known = |built: &&&Built| match few {
        true => letters.contains(&built.letters),
        false => of_build.contains_key(built.folded.as_str()),
    };
    let cased = fresh.iter().filter(is_known).count();
    let has = |shape: &str, class: char| shape.contains(class);
    let case = |shape: &str| match (has(shape, 'A'), has(shape, 'a')) {
        (true, false) => "upper",
        (false, true) => "lower",
        _ => "mixed",
    };
    let from = |built: &&Built| of_build.get(built.folded.as_str())?.first().map(|shape| case(shape));
    if cased * 10 >= fresh.len() * 9
        && let Some((built, before)) = fresh.iter().find_map(|built| Some((built, from(built)?)))
    {
        let facts = Facts::new()
            .with("from_case", before)
            .with("to_case", case(&built.shape))
            .with("share", share)
            .with("transform", "case");
        return lane.change(ChangeKind::CaseChanged, facts);
    }
    let hashes: BTreeSet<u64> = fresh.iter().map(|built| built.hash).collect();
    if let Some(change) = enums::words(lane, &hashes) {
        return change;
    }
    let word = |field: &FieldProfile| {
        field.strings.as_deref().map_or_else(|| "text".to_owned(), |s| s.main_format().word())
    };
    let facts = Facts::new()
        .with("from_format", word(lane.base))
        .with("to_format", word(lane.live))
        .with("share", share)
        .with("transform", "code");
    lane.change(ChangeKind::IdSchemeChanged, facts)
}

/// How a text is built: of prose which signs and classes of characters it has; of codes also in which order their
/// signs stand, and how they begin.
fn shape(pattern: &str, prose: bool) -> String {
    if prose {
        let signs: BTreeSet<char> = pattern.chars().collect();
        return signs.into_iter().collect();
    }
    super::strings::signs(pattern)
}
