//! How alike two field names are: words, synonyms, abbreviations, case and separators.

use crate::compare::name_words;

/// Words that vendors use for the same thing; general English of business data, nothing of any one vendor.
const SYNONYMS: [&[&str]; 44] = [
    &["id", "identifier", "uid", "guid", "key", "ref", "reference"],
    &["name", "title", "label", "caption"],
    &["created", "inserted", "added", "registered"],
    &["updated", "modified", "changed", "edited"],
    &["deleted", "removed", "archived"],
    &["at", "on", "time", "date", "timestamp", "datetime", "when"],
    &["type", "kind", "category", "class", "group", "sort"],
    &["amount", "total", "sum", "value"],
    &["quantity", "qty", "count", "number", "num", "nr", "no"],
    &["description", "desc", "text", "summary", "details", "comment", "note", "notes"],
    &["price", "cost", "rate", "fee"],
    &["lat", "latitude"],
    &["lon", "lng", "long", "longitude"],
    &["phone", "telephone", "tel", "mobile", "cell"],
    &["customer", "client", "buyer", "purchaser"],
    &["user", "account", "member", "person"],
    &["organization", "organisation", "org", "company", "firm"],
    &["status", "state", "condition", "stage", "phase"],
    &["url", "link", "href", "uri", "website"],
    &["image", "img", "picture", "photo", "avatar", "icon", "thumbnail"],
    &["email", "mail"],
    &["first", "given", "fore"],
    &["last", "family", "surname"],
    &["zip", "postcode", "postal", "zipcode"],
    &["country", "nation", "land"],
    &["region", "province", "area", "district", "territory"],
    &["city", "town", "place", "locality"],
    &["start", "begin", "from", "since"],
    &["end", "finish", "until", "stop", "to"],
    &["active", "enabled", "live"],
    &["weight", "mass"],
    &["color", "colour", "hue"],
    &["home", "host"],
    &["away", "visitor", "guest", "visiting"],
    &["code", "symbol", "abbreviation", "short"],
    &["origin", "source", "departure"],
    &["destination", "target", "arrival"],
    &["owner", "holder", "author", "creator"],
    &["size", "length", "extent"],
    &["change", "delta", "difference", "variation"],
    &["year", "season"],
    &["language", "locale", "lang"],
    &["gender", "sex"],
    &["job", "occupation", "profession", "role"],
];

/// How a new name came out of an old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameChange {
    /// The same name.
    None,
    /// Other case or separators.
    Case,
    /// Letters left out, or filled in.
    Abbreviation,
    /// Other words.
    Words,
    /// A name that says nothing: `fld_12`.
    Opaque,
}

impl NameChange {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Case => "case",
            Self::Abbreviation => "abbreviation",
            Self::Words => "words",
            Self::Opaque => "opaque",
        }
    }
}

/// A name in its words, to be compared with many.
pub(super) struct Name {
    text: String,
    words: Vec<Word>,
}

/// A word, and the groups of synonyms that it is in, one bit each.
struct Word {
    text: String,
    groups: u64,
}

const _: () = assert!(SYNONYMS.len() <= u64::BITS as usize);

impl Word {
    fn of(text: String) -> Self {
        let is_in = |(at, group): (usize, &&[&str])| u64::from(group.contains(&text.as_str())) << at;
        let groups = SYNONYMS.iter().enumerate().map(is_in).sum();
        Self { text, groups }
    }
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Likeness {
    score: f64,
    abbreviated: bool,
}

fn word_likeness(one: &Word, other: &Word) -> Likeness {
    let likeness = |score, abbreviated| Likeness { score, abbreviated };
    let (a, b) = (one.text.as_str(), other.text.as_str());
    if a == b {
        return likeness(1.0, false);
    }
    if one.groups & other.groups != 0 {
        return likeness(0.9, false);
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    // An abbreviation keeps the first letter and the order of the others; one letter abbreviates everything.
    if short.chars().count() >= 2 && short.chars().next() == long.chars().next() && is_within(short, long) {
        return likeness(0.85, true);
    }
    let close = strsim::jaro_winkler(a, b);
    likeness(if close >= 0.88 { 0.7 } else { 0.0 }, false)
}

/// Whether the letters of `short` come in `long` in that order.
fn is_within(short: &str, long: &str) -> bool {
    let mut letters = long.chars();
    short.chars().all(|c| letters.any(|l| l == c))
}

/// How alike two names are, between 0 and 1, and what happened to the first.
pub(super) fn compare(old: &str, new: &str) -> (f64, NameChange) {
    Name::of(old).compare(&Name::of(new))
}

impl Name {
    pub(super) fn of(name: &str) -> Self {
        Self { text: name.to_owned(), words: name_words(name).into_iter().map(Word::of).collect() }
    }

    /// How alike this name and a new one are, between 0 and 1, and what happened to it.
    pub(super) fn compare(&self, new: &Self) -> (f64, NameChange) {
        if self.text == new.text {
            return (1.0, NameChange::None);
        }
        let (a, b) = (&self.words, &new.words);
        let letters = |words: &[Word]| words.iter().map(|word| word.text.len()).sum::<usize>();
        let concat = |words: &[Word]| words.iter().map(|word| word.text.as_str()).collect::<String>();
        if !a.is_empty() && letters(a) == letters(b) && concat(a) == concat(b) {
            return (1.0, NameChange::Case);
        }
        let mut used = vec![false; b.len()];
        let mut matched = 0.0;
        let mut abbreviated = true;
        let mut words = 0;
        for word in a {
            let best = b
                .iter()
                .enumerate()
                .filter(|(i, _)| !used[*i])
                .map(|(i, other)| (word_likeness(word, other), i))
                .max_by(|x, y| x.0.score.total_cmp(&y.0.score).then(y.1.cmp(&x.1)));
            if let Some((likeness, i)) = best.filter(|(l, _)| l.score > 0.0) {
                used[i] = true;
                matched += likeness.score;
                words += 1;
                abbreviated &= likeness.abbreviated || likeness.score == 1.0;
            }
        }
        let score = f64::midpoint(matched / a.len().max(1) as f64, matched / b.len().max(1) as f64);
        let change = if is_opaque(b) && score < 0.5 {
            NameChange::Opaque
        } else if abbreviated && words == a.len() && words == b.len() {
            NameChange::Abbreviation
        } else {
            NameChange::Words
        };
        (score, change)
    }
}

/// A generic stem and a number: the name of a column that nobody named.
fn is_opaque(words: &[Word]) -> bool {
    let is_numbered = |word: &str| word.chars().any(|c| c.is_ascii_digit()) && !word.starts_with('v');
    let numbered = words.iter().any(|word| is_numbered(&word.text));
    numbered && words.len() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_words() {
        let of = |a, b| compare(a, b);
        assert_eq!(of("education_years", "educationYears"), (1.0, NameChange::Case));
        assert_eq!(of("distance_miles", "dstn_mls").1, NameChange::Abbreviation);
        assert!(of("lat", "latitudine").0 > 0.8);
        assert!(of("created_at", "inserted_on").0 > 0.85);
        assert_eq!(of("login", "fld_68").1, NameChange::Opaque);
        assert!(of("currency", "processed_at").0 < 0.3);
    }
}
