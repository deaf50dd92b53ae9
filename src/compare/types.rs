//! JSON types: which a field has, integers and numbers being one type unless fractions appear.

use super::context::{Lane, name_words};
use crate::model::{Change, ChangeKind, Facts, FieldPath, JsonType, TypeCounts};
use crate::profile::{FieldProfile, Format, NumberProfile, StringProfile};

/// The types that count as different: null apart, integers and numbers together.
pub(super) const GROUPS: [(&str, &[JsonType]); 5] = [
    ("boolean", &[JsonType::Boolean]),
    ("number", &[JsonType::Integer, JsonType::Number]),
    ("string", &[JsonType::String]),
    ("array", &[JsonType::Array]),
    ("object", &[JsonType::Object]),
];

pub(super) fn group_count(types: &TypeCounts, group: usize) -> u64 {
    GROUPS[group].1.iter().map(|t| types.get(*t)).sum()
}

/// A change of the set of types, or nothing.
pub(super) fn types(lane: &Lane<'_>) -> Option<Change> {
    let (n, m) = (lane.base.types.non_null(), lane.live.types.non_null());
    if n == 0 || m == 0 {
        return None;
    }
    let mut appeared = Vec::new();
    let mut vanished = Vec::new();
    let mut share = 0.0_f64;
    for group in 0..GROUPS.len() {
        let (was, is) = (group_count(&lane.base.types, group), group_count(&lane.live.types, group));
        let same = lane.ctx.pairs.same_population();
        // A type that the same entities never had is a fact, and breaks a reader, at the first value. Of other
        // records three are no accident, and for a type that is rare chance must be excluded.
        let enough = |count: u64, of: u64, other: u64| {
            count == of || same || count >= 3 && super::stats::fisher(0, other, count, of) < 0.01
        };
        if was == 0 && is > 0 && enough(is, m, n) {
            appeared.push(group);
            share = share.max(is as f64 / m as f64);
        } else if is == 0 && was > 0 && enough(was, n, m) {
            vanished.push(group);
            share = share.max(was as f64 / n as f64);
        }
    }
    if appeared.is_empty() && vanished.is_empty() {
        return None;
    }
    // A container that is empty in one window and of another kind in the next proves nothing.
    let words = |types: &TypeCounts| -> Vec<String> {
        (0..GROUPS.len()).filter(|g| group_count(types, *g) > 0).map(|g| GROUPS[g].0.to_owned()).collect()
    };
    let mut facts = Facts::new()
        .with("from_types", words(&lane.base.types))
        .with("to_types", words(&lane.live.types))
        .with("share", share);
    let main = |types: &TypeCounts, among: &[usize]| {
        let all: Vec<usize> = (0..GROUPS.len()).collect();
        let among = if among.is_empty() { &all } else { among };
        among.iter().copied().max_by_key(|g| (group_count(types, *g), GROUPS.len() - g))
    };
    let from = main(&lane.base.types, &vanished)?;
    let to = main(&lane.live.types, &appeared)?;
    if let Some(transform) = transform(lane.path, lane.base, lane.live, GROUPS[from].0, GROUPS[to].0) {
        facts.set("transform", transform.0);
        if let Some((from, to)) = transform.1 {
            facts.set("from_format", from);
            facts.set("to_format", to);
        }
    }
    Some(lane.change(ChangeKind::TypeChanged, facts))
}

type Notation = Option<(String, String)>;

/// What the change of type does to the content, where that can be told.
fn transform(
    path: &FieldPath,
    base: &FieldProfile,
    live: &FieldProfile,
    from: &str,
    to: &str,
) -> Option<(&'static str, Notation)> {
    Some(match (from, to) {
        ("string", "number") => {
            let strings = base.strings.as_deref()?;
            let numbers = live.numbers.as_deref()?;
            let format = strings.main_format();
            match (format.is_instant(), epoch_of(strings, numbers)) {
                (true, Some(0)) => {
                    ("date-time-to-epoch-seconds", Some((format.word(), "epoch-seconds".into())))
                }
                (true, Some(1)) => {
                    ("date-time-to-epoch-milliseconds", Some((format.word(), "epoch-millis".into())))
                }
                (true, Some(_)) => ("date-time-to-epoch-fine", Some((format.word(), "epoch".into()))),
                _ if strings.as_numbers.as_ref().is_some_and(|n| n.count * 10 >= strings.count * 9) => {
                    ("text-to-number", None)
                }
                _ => ("words-to-codes", None),
            }
        }
        ("number", "string") => {
            let strings = live.strings.as_deref()?;
            let numbers = base.numbers.as_deref()?;
            let format = strings.main_format();
            if format.is_instant() && numbers.epoch().is_some() {
                ("epoch-seconds-to-date-time", Some(("epoch-seconds".into(), format.word())))
            } else if format == Format::Uuid {
                ("integer-to-uuid", Some(("integer".into(), format.word())))
            } else if strings.locale_share() >= 0.02 && strings.number_share() >= 0.9 {
                ("number-to-locale-text", Some(("number".into(), Format::LocaleNumber.word())))
            } else if strings.number_share() >= 0.9 {
                let id = numbers.whole == numbers.count && says_identifier(path);
                (if id { "integer-id-to-text" } else { "number-to-text" }, None)
            } else if numbers.whole == numbers.count {
                ("integer-to-prefixed", Some(("integer".into(), format.word())))
            } else {
                return None;
            }
        }
        ("boolean", "string") => ("boolean-to-word", None),
        ("boolean", "number") => ("boolean-to-number", None),
        ("string", "boolean") => ("word-to-boolean", None),
        ("number", "boolean") => ("number-to-boolean", None),
        (_, "array") => ("scalar-to-array", None),
        (_, "object") => ("scalar-to-object", None),
        ("array", _) => ("array-to-scalar", None),
        ("object", _) => ("object-to-scalar", None),
        _ => return None,
    })
}

/// Whether the name of a field says that it identifies.
pub(super) fn says_identifier(path: &FieldPath) -> bool {
    const WORDS: [&str; 10] = ["id", "ids", "uid", "key", "ref", "code", "number", "seq", "no", "nr"];
    path.name().is_some_and(|name| name_words(name).iter().any(|word| WORDS.contains(&word.as_str())))
}

/// The unit of Unix times that took the place of dates: the power of a thousand that brings both together, whatever
/// the century.
fn epoch_of(strings: &StringProfile, numbers: &NumberProfile) -> Option<usize> {
    let was = strings.as_numbers.as_deref()?;
    let size = |n: &NumberProfile| n.min.abs().max(n.max.abs());
    let (was, is) = (size(was), size(numbers));
    if was <= 0.0 || is <= 0.0 || numbers.whole < numbers.count {
        return numbers.epoch();
    }
    // A factor of ten on either side: years apart, and thousands apart from the next unit.
    (0..4).find(|i| (is / was / 1000_f64.powi(*i)).log10().abs() < 1.0).and_then(|i| usize::try_from(i).ok())
}

impl NumberProfile {
    /// Which unit of an epoch fits nearly all numbers: 0 seconds, 1 milliseconds, 2 microseconds, 3 nanoseconds.
    pub(crate) fn epoch(&self) -> Option<usize> {
        // Not all: a null island of zeros, or one year outside of the range, is common.
        self.epochs.iter().position(|n| *n * 20 >= self.count * 19 && *n > 0)
    }
}

impl StringProfile {
    /// The most frequent format, empty strings apart.
    pub(crate) fn main_format(&self) -> Format {
        let mut best = (0, Format::Empty);
        for (format, count) in &self.formats {
            if *format != Format::Empty && *count > best.0 {
                best = (*count, *format);
            }
        }
        best.1
    }

    /// How many strings are of a format.
    pub(crate) fn of_format(&self, format: Format) -> u64 {
        self.formats.get(&format).copied().unwrap_or(0)
    }

    /// The share of strings that say a number, in any notation.
    pub(crate) fn number_share(&self) -> f64 {
        let all: u64 = self.formats.iter().filter(|(f, _)| f.is_number()).map(|(_, n)| n).sum();
        all as f64 / self.count.max(1) as f64
    }

    fn locale_share(&self) -> f64 {
        self.of_format(Format::LocaleNumber) as f64 / self.count.max(1) as f64
    }
}

impl Format {
    /// Whether it tells a number.
    pub(crate) const fn is_number(self) -> bool {
        matches!(
            self,
            Self::IntegerText
                | Self::ZeroPaddedText
                | Self::DecimalText
                | Self::LocaleNumber
                | Self::EpochSeconds
                | Self::EpochMillis
        )
    }

    /// Whether it is a class of words rather than a notation: words change class without any change of notation.
    pub(crate) const fn is_soft(self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::UpperWord
                | Self::LowerWord
                | Self::Word
                | Self::Text
                | Self::Hostname
                | Self::PrefixedId
        )
    }
}
