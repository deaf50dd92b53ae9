//! The phrases with which vendors announce things: `rules/docs/prose.yaml`, as patterns with examples.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use jiff::civil::Date;
use regex::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;

use super::dates::{self, Span};
use super::{AnnouncementKind, places};

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Parts of patterns by name, put in for `{name}`.
    words: BTreeMap<String, String>,
    /// Every phrase holds one of these, as they are written here, in upper or lower case.
    hints: Vec<String>,
    /// Sentences that announce nothing, whatever else they say: negations, policies, possibilities.
    silent: Vec<String>,
    /// Sentences that announce nothing unless they give a date: conditions, remarks in general.
    silent_without_date: Vec<String>,
    /// Texts that the two lists above, and no phrase, decide.
    silent_examples: Vec<String>,
    phrases: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    kind: AnnouncementKind,
    /// Words of every match, in lower case: one of each list. Where they are missing no pattern has to be looked at, and
    /// as long as they are it is not even built.
    #[serde(default)]
    with: Vec<Vec<String>>,
    /// One of these must match; `from` and `to` are what a group of that name holds.
    says: Vec<String>,
    /// Whether it says something only together with a date.
    #[serde(default)]
    dated: bool,
    /// Whether it says so itself that something changes, so that no condition beside it makes it a remark in general.
    #[serde(default)]
    certain: bool,
    examples: Vec<Example>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    /// The sentence.
    text: String,
    /// Whether it says nothing, neither by this phrase nor by another one.
    #[serde(default)]
    silent: bool,
    /// What it singles out, where that matters: the date as it is printed, the old side, the new one.
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

struct Phrase {
    row: Row,
    says: Vec<Pattern>,
}

/// A pattern that is built when it is needed first: most documents need few of them.
struct Pattern {
    text: String,
    built: OnceLock<Regex>,
}

impl Pattern {
    const fn new(text: String) -> Self {
        Self { text, built: OnceLock::new() }
    }

    fn build(&self) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&self.text).case_insensitive(true).size_limit(MAX_COMPILED).build()
    }

    fn get(&self) -> &Regex {
        self.built.get_or_init(|| self.build().expect("the test `the_phrases_hold` has built it"))
    }
}

/// Patterns of which any may match, built when they are needed first.
struct Patterns {
    texts: Vec<String>,
    built: OnceLock<RegexSet>,
}

impl Patterns {
    const fn new(texts: Vec<String>) -> Self {
        Self { texts, built: OnceLock::new() }
    }

    fn build(&self) -> Result<RegexSet, regex::Error> {
        RegexSetBuilder::new(&self.texts).case_insensitive(true).size_limit(MAX_COMPILED).build()
    }

    fn is_match(&self, sentence: &str) -> bool {
        let built = || self.build().expect("the test `the_phrases_hold` has built it");
        self.built.get_or_init(built).is_match(sentence)
    }
}

impl Phrase {
    /// The pattern that matches; `lower` is the sentence in lower case.
    fn matching(&self, sentence: &str, lower: &str) -> Option<&Regex> {
        if !self.has_words(lower) {
            return None;
        }
        // Whether a pattern matches is told much faster than where its groups are.
        self.says.iter().map(Pattern::get).find(|says| says.is_match(sentence))
    }

    fn has_words(&self, lower: &str) -> bool {
        self.row.with.iter().all(|words| words.iter().any(|word| lower.contains(word.as_str())))
    }
}

/// All of the file, ready to match.
struct Phrases {
    phrases: Vec<Phrase>,
    /// The hints at once: a quick look that spares most sentences the long one.
    hints: Regex,
    silent: Patterns,
    silent_without_date: Patterns,
    silent_examples: Vec<String>,
}

const FILE: &str = include_str!("../../../rules/docs/prose.yaml");
/// Room for all patterns at once.
const MAX_COMPILED: usize = 64 << 20;

static PHRASES: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::parse(FILE).expect("the test `the_phrases_hold` has read the same file"));

/// What a phrase found in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hit {
    pub(super) kind: AnnouncementKind,
    pub(super) when: Option<Span>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    phrase: String,
}

impl Phrases {
    fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())?;
        let all = |patterns: &[String]| patterns.iter().map(|p| filled(p, &file.words)).collect::<Vec<_>>();
        let (silent, undated) =
            (Patterns::new(all(&file.silent)), Patterns::new(all(&file.silent_without_date)));
        let phrase = |row: Row| Phrase { says: all(&row.says).into_iter().map(Pattern::new).collect(), row };
        let phrases = file.phrases.into_iter().map(phrase).collect();
        let hints: Vec<String> = file.hints.iter().map(|hint| regex::escape(hint)).collect();
        let hints = RegexBuilder::new(&hints.join("|")).case_insensitive(true).build();
        let hints = hints.map_err(|error| error.to_string())?;
        Ok(Self {
            phrases,
            hints,
            silent,
            silent_without_date: undated,
            silent_examples: file.silent_examples,
        })
    }

    /// What a sentence says, at most once a kind.
    fn read(&self, sentence: &str, written: Option<Date>) -> Vec<Hit> {
        if !self.hints.is_match(sentence) {
            return Vec::new();
        }
        let lower = sentence.to_lowercase();
        let mut dates: Option<Vec<_>> = None;
        let mut hits: Vec<Hit> = Vec::new();
        for phrase in &self.phrases {
            if hits.iter().any(|hit| hit.kind == phrase.row.kind) {
                continue;
            }
            let Some(says) = phrase.matching(sentence, &lower) else { continue };
            let Some(captures) = says.captures(sentence) else { continue };
            if dates.is_none() {
                let found = dates::dates(sentence, written);
                if self.silent.is_match(sentence) {
                    return Vec::new();
                }
                dates = Some(found);
            }
            let dates = dates.as_deref().unwrap_or_default();
            if dates.is_empty() && !phrase.row.certain && self.silent_without_date.is_match(sentence) {
                continue;
            }
            let end = captures.get(0).map_or(0, |whole| whole.end());
            let after = dates.iter().find(|(range, _)| range.end >= end);
            let when = after.or(dates.last()).map(|(_, span)| *span);
            if phrase.row.dated && when.is_none() && !dates::names_a_day(sentence) {
                continue;
            }
            hits.push(Hit {
                kind: phrase.row.kind,
                when,
                from: group(&captures, "from"),
                to: group(&captures, "to"),
                phrase: phrase.row.id.clone(),
            });
        }
        // Of several readings the one that says more: what ends is the way to sign in or to page, or an address, and not an endpoint; an
        // end, or a new name, is more than a deprecation; how large a page may be is no limit of requests.
        use AnnouncementKind::{
            Address, Auth, Breaking, Changed, Deprecated, Ends, Paging, RateLimit, Renamed, Request,
        };
        let has = |kinds: &[AnnouncementKind]| hits.iter().any(|hit| kinds.contains(&hit.kind));
        let (way, more) = (has(&[Auth, Paging, Address]), has(&[Auth, Paging, Address, Ends, Renamed]));
        let (pages, several) = (has(&[Paging]), hits.len() > 1);
        hits.retain(|hit| match hit.kind {
            Ends => !way,
            Deprecated => !more,
            RateLimit => !pages,
            Request => !several,
            Renamed | Auth | Address | Paging | Breaking | Changed => true,
        });
        hits
    }
}

impl Phrases {
    /// Whether a sentence may say something of one of these kinds, as far as phrases of those alone can tell.
    fn may_say(&self, sentence: &str, kinds: &[AnnouncementKind]) -> bool {
        let lower = sentence.to_lowercase();
        let of_kind = self.phrases.iter().filter(|phrase| kinds.contains(&phrase.row.kind));
        self.hints.is_match(sentence)
            && of_kind.into_iter().any(|phrase| phrase.matching(sentence, &lower).is_some())
    }
}

/// A pattern with the words put in.
fn filled(pattern: &str, words: &BTreeMap<String, String>) -> String {
    let mut pattern = pattern.to_owned();
    // Words may hold words; four rounds are enough, and endless ones end here.
    for _ in 0..4 {
        for (name, word) in words {
            pattern = pattern.replace(&format!("{{{name}}}"), &format!("(?:{word})"));
        }
    }
    // Words of ASCII keep the automaton small and fast; names and verbs of these phrases are ASCII.
    let ascii = [
        (r"\b", r"(?-u:\b)"),
        (r"\w", "[0-9A-Za-z_]"),
        (r"\W", "[^0-9A-Za-z_]"),
        (r"\d", "[0-9]"),
        (r"\s", r"[\t-\r \u{a0}]"),
    ];
    ascii.into_iter().fold(pattern, |pattern, (class, plain)| pattern.replace(class, plain))
}

/// What a group holds, without marks around it; a group may be written several times, with a number behind its name.
fn group(captures: &Captures<'_>, name: &str) -> Option<String> {
    let found = [name.to_owned(), format!("{name}2")].into_iter().find_map(|name| captures.name(&name))?;
    let text = found.as_str().trim_matches(|c: char| c.is_whitespace() || "`\"'“”.,;:()".contains(c));
    (!text.is_empty()).then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What a sentence announces.
pub(super) fn read(sentence: &str, written: Option<Date>) -> Vec<Hit> {
    PHRASES.read(sentence, written)
}

/// Whether a sentence says something of one of these kinds.
pub(super) fn says_any(sentence: &str, kinds: &[AnnouncementKind]) -> bool {
    PHRASES.may_say(sentence, kinds) && read(sentence, None).iter().any(|hit| kinds.contains(&hit.kind))
}

/// Whether a text may announce anything: a quick look that spares most texts the long one.
pub(super) fn may_announce(text: &str) -> bool {
    PHRASES.hints.is_match(text)
}

/// How one example of a phrase went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhraseExample {
    /// The phrase, by id; `silent` for what no phrase may see.
    pub phrase: String,
    /// The sentence.
    pub text: String,
    /// What is wrong; nothing where it holds.
    pub wrong: Option<String>,
}

/// Runs the examples of the phrases: for `drogue rules test`.
#[must_use]
pub fn test_phrases() -> Vec<PhraseExample> {
    let phrases = &*PHRASES;
    // "In 90 days" counts from here.
    let written = Date::constant(2026, 4, 10);
    let mut results = Vec::new();
    for text in &phrases.silent_examples {
        let hits = says(text, written);
        let wrong = (!hits.is_empty()).then(|| format!("it should say nothing, and says {hits:?}"));
        results.push(PhraseExample { phrase: "silent".to_owned(), text: text.clone(), wrong });
    }
    for phrase in &phrases.phrases {
        for example in &phrase.row.examples {
            let hits = says(&example.text, written);
            let wrong = wrong(&phrase.row, example, &hits);
            results.push(PhraseExample { phrase: phrase.row.id.clone(), text: example.text.clone(), wrong });
        }
    }
    results
}

fn says(text: &str, written: Date) -> Vec<Hit> {
    places::sentences(text).flat_map(|sentence| read(sentence, Some(written))).collect()
}

fn wrong(row: &Row, example: &Example, hits: &[Hit]) -> Option<String> {
    if example.silent {
        return (!hits.is_empty()).then(|| format!("it should say nothing, and says {hits:?}"));
    }
    let Some(hit) = hits.iter().find(|hit| hit.phrase == row.id) else {
        return Some(format!("it does not say it; instead {hits:?}"));
    };
    let when = hit.when.map(|when| when.to_string());
    let same = |expected: &Option<String>, found: &Option<String>| expected.is_none() || expected == found;
    // Without a date in the example there must be none.
    let holds = example.when == when && same(&example.from, &hit.from) && same(&example.to, &hit.to);
    (!holds).then(|| format!("it says {hit:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phrases_hold() {
        let phrases = Phrases::parse(FILE).unwrap();
        for patterns in [&phrases.silent, &phrases.silent_without_date] {
            patterns.build().unwrap();
        }
        let examples = || {
            let of_phrases = phrases.phrases.iter().flat_map(|phrase| &phrase.row.examples);
            phrases.silent_examples.iter().chain(of_phrases.map(|example| &example.text))
        };
        for phrase in &phrases.phrases {
            let id = &phrase.row.id;
            let patterns: Vec<Regex> = phrase.says.iter().map(|says| says.build().unwrap()).collect();
            for text in examples().filter(|text| patterns.iter().any(|says| says.is_match(text))) {
                assert!(phrase.has_words(&text.to_lowercase()), "{id} matches without its words: {text}");
            }
        }
        for phrase in &phrases.phrases {
            let id = &phrase.row.id;
            assert!(phrase.row.examples.iter().any(|example| !example.silent), "{id} needs an example");
            assert_eq!(phrases.phrases.iter().filter(|other| other.row.id == *id).count(), 1, "{id}");
        }
        let failed: Vec<PhraseExample> = test_phrases().into_iter().filter(|e| e.wrong.is_some()).collect();
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
