//! What a sentence is about: the operations and the fields that it names, and where one sentence ends.

use std::sync::LazyLock;

use regex::Regex;

/// Longer ones are cut where they are shown.
const MAX_SHOWN: usize = 300;
/// Longer ones are lists or data; only their beginning is looked at.
const MAX_READ: usize = 2_000;
/// Names that are taken from one sentence.
const MAX_NAMES: usize = 12;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the test `sentences_are_split` has built it")
}

/// Ends of sentences: a stop, a space, and what begins a sentence.
static STOPS: LazyLock<Regex> = LazyLock::new(|| {
    pattern("[.!?;][)\"'”*_]{0,3}\\s+(?:[\"'“`*_(\\[]{0,3}[A-Z0-9`/]|\\*)|\\s•\\s|\\s\\|\\s")
});

/// Words with a point behind them that end nothing.
const ABBREVIATIONS: [&str; 24] = [
    "e.g.", "i.e.", "etc.", "approx.", "vs.", "no.", "ca.", "incl.", "jan.", "feb.", "mar.", "apr.", "jun.",
    "jul.", "aug.", "sep.", "sept.", "oct.", "nov.", "dec.", "inc.", "v.", "p.m.", "a.m.",
];

/// The sentences of a text, each on one line; lines end sentences, too.
pub(in crate::spec) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| {
        let mut parts = Vec::new();
        let mut start = 0;
        for stop in STOPS.find_iter(line) {
            // The stop belongs to what it ends; what begins the next sentence does not.
            let mark = line[stop.start()..].chars().next().map_or(1, char::len_utf8);
            let end = stop.start() + mark;
            let last = line[start..end].rsplit(char::is_whitespace).next().unwrap_or_default();
            let bare = last.trim_start_matches(['(', '"', '\'', '*']).to_ascii_lowercase();
            if ABBREVIATIONS.contains(&bare.as_str()) {
                continue;
            }
            parts.push(&line[start..end]);
            start = end;
        }
        parts.push(&line[start..]);
        parts.into_iter().map(|part| clip(trimmed(part), MAX_READ)).filter(|part| part.len() >= 4)
    })
}

/// A sentence without marks of lists and cells around it.
fn trimmed(part: &str) -> &str {
    part.trim()
        .trim_start_matches(['|', '-', '*', '+', '>', '•', ')', ']', '”', '"', ' '])
        .trim_end_matches(['|', ' '])
}

fn clip(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// A sentence as it is shown.
pub(super) fn shown(sentence: &str) -> String {
    let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = clip(&sentence, MAX_SHOWN);
    if cut.len() < sentence.len() { format!("{cut}…") } else { sentence }
}

/// Paths of operations, with the method where one stands before.
static OPERATIONS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[\s`"'“(\[,])(?P<whole>(?:(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD)\s+)?(?:https?://[A-Za-z0-9.:-]+)?(?P<path>/[A-Za-z_{:][\w{}:.~-]*(?:/[\w{}:.~*-]+)*))"#,
    )
});

/// What stands before the place that people should go to, in contrast to the one that ends.
static SUCCESSOR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:\b(?:use|using|adopt|(?:migrat\w+|mov\w+|switch\w*|upgrad\w+|transition\w*|redirect\w*) (?:\w+ ){0,3}to|replaced (?:by|with)|replac\w+ is|favou?r of|superseded by|successor(?: is)?:?|see|refer to|now at|available at|instead:?|alternative(?: is)?:?|(?:by|with) the new)|->|→|=>)\s*(?:the\s+|our\s+|new\s+|newer\s+|endpoint\s+|version\s+)*$",
    )
});

/// A version of an API: `v1`, `version 2`.
static VERSIONS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?:^|[\s`(])(?P<version>(?:v|version )(?P<number>[0-9]{1,3})(?:\.[0-9]+)?)\b")
});

/// The operations that a sentence is about, as `GET /v1/orders`, `/v1/orders` or, of a whole version, `/v1`; what it
/// names as the successor is left out.
pub(super) fn operations(sentence: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |operation: String| {
        if !found.contains(&operation) && found.len() < MAX_NAMES {
            found.push(operation);
        }
    };
    for captures in OPERATIONS.captures_iter(sentence) {
        let (Some(whole), Some(path)) = (captures.name("whole"), captures.name("path")) else { continue };
        let is_file =
            path.as_str().rsplit('.').next().is_some_and(|e| matches!(e, "html" | "htm" | "md" | "pdf"));
        let before = sentence[..whole.start()].trim_end_matches(['`', '"', '\'', '“', '(', '[']);
        if is_file || SUCCESSOR.is_match(before) {
            continue;
        }
        let path = path.as_str().trim_end_matches(['.', ':', '-', '/']);
        add(captures.name("method").map_or_else(|| path.to_owned(), |m| format!("{} {path}", m.as_str())));
    }
    if found.is_empty() {
        for captures in VERSIONS.captures_iter(sentence) {
            let (Some(whole), Some(number)) = (captures.name("version"), captures.name("number")) else {
                continue;
            };
            if !SUCCESSOR.is_match(&sentence[..whole.start()]) {
                found.push(format!("/v{}", number.as_str()));
            }
        }
        found.truncate(MAX_NAMES);
        found.dedup();
    }
    found
}

/// Names that a text marks as such: between back quotes, or written as no word is.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"`(?P<marked>[A-Za-z_$][\w.\[\]*$-]{0,79})`|(?:^|[\s("'“,])(?P<plain>[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?:\.[a-z0-9_]+)*|[a-z]+[a-z0-9]*(?:[A-Z][a-z0-9]+)+)(?:$|[\s)"'”,.;:!])"#,
    )
});

/// The fields, parameters and other names that a sentence is about; successors are left out.
pub(super) fn fields(sentence: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for captures in NAMES.captures_iter(sentence) {
        let Some(name) = captures.name("marked").or_else(|| captures.name("plain")) else { continue };
        let before = sentence[..name.start()].trim_end_matches(['`', '"', '\'', '“', '(']);
        let text = name.as_str().trim_start_matches("$.");
        // `GET` and `DELETE` are no fields, nor is a version.
        let is_word = text.len() >= 2 && text.chars().any(|c| c.is_ascii_lowercase());
        if is_word
            && !SUCCESSOR.is_match(before)
            && !found.iter().any(|f| f == text)
            && found.len() < MAX_NAMES
        {
            found.push(text.to_owned());
        }
    }
    found
}

/// Words for what records and requests are made of.
static FIELDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:fields?|propert(?:y|ies)|attributes?|columns?|keys? of|param(?:eter)?s?|members?)\b")
});

/// Whether a sentence says that the names in it are those of fields or parameters.
pub(super) fn speaks_of_fields(sentence: &str) -> bool {
    FIELDS.is_match(sentence)
}

/// Words for what each client of an API uses, whatever it reads: the API and its versions, signing in, the ways through
/// pages, limits, the line between the two.
static FOR_ALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:apis?|endpoints?|requests?|responses?|versions?|v[0-9]+|rest|graphql|json|auth\w*|oauth\w*|api[ -]?keys?|access[ -]?keys?|tokens?|credentials?|certificates?|sign(?:ing|s)?[ -]?in|log(?:ging|s)?[ -]?in|paging|paginat\w+|cursors?|rate[ -]?limit\w*|quotas?|tls|ssl|https?|hosts?|domains?|ip address\w*)\b",
    )
});

/// What a sentence says of something that stands in the heading above it.
static POINTS_UP: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^[\s*_>-]*(?:this|these|it|they|all (?:of )?(?:this|these))\b"));

/// Whether a sentence below a heading is about what each client uses.
pub(super) fn is_for_all(sentence: &str, heading: &str) -> bool {
    FOR_ALL.is_match(sentence) || POINTS_UP.is_match(sentence) && FOR_ALL.is_match(heading)
}

/// Whether a text names what an address leads to: a word of its path, in the singular or the plural.
pub(super) fn names_place(text: &str, address: &str) -> bool {
    let below =
        address.split_once("://").map_or(address, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    let path = below.split(['?', '#']).next().unwrap_or(below);
    let text = text.to_lowercase();
    path.split(['/', '.', '-', '_']).map(str::to_lowercase).any(|word| {
        let one = word.strip_suffix('s').unwrap_or(&word);
        one.len() >= 3 && (has_word(&text, one) || has_word(&text, &format!("{one}s")))
    })
}

/// Words that stand for what the sentence before named.
static BACK: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\W*(?:it|this|these|they|both|that|those)\b"));

/// Whether a sentence is about what the one before it named.
pub(super) fn points_back(sentence: &str) -> bool {
    BACK.is_match(sentence)
}

/// Whether a name stands in a text as a word of its own.
pub(in crate::spec) fn has_word(text: &str, name: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            !part_of_word(text[..at].chars().next_back())
                && !part_of_word(text[at + name.len()..].chars().next())
        })
}

/// Whether an operation that a text names is, or covers, the endpoint at this path or address.
///
/// Parameters match anything; the base path may be left out on either side, and a path of nothing but a version covers
/// all that is below it.
pub(super) fn covers(named: &str, method: &str, address: &str) -> bool {
    let (wanted_method, path) = match named.split_once(' ') {
        Some((method, path)) => (Some(method), path),
        None => (None, named),
    };
    if wanted_method.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(method)) {
        return false;
    }
    let address = address.split(['?', '#']).next().unwrap_or(address);
    let address =
        address.split_once("://").map_or(address, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let segments = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| segment.strip_suffix(".json").unwrap_or(segment).to_ascii_lowercase())
            .collect()
    };
    let (mut named, used) = (segments(path), segments(address));
    let is_open = |segment: &str| segment.contains(['{', '<', '$', '*']) || segment.starts_with(':');
    let is_version = |segment: &str| {
        segment
            .strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let all_below = named.last().is_some_and(|last| last == "*");
    if all_below {
        named.pop();
    }
    let same = |a: &[String], b: &[String]| a.iter().zip(b).all(|(a, b)| a == b || is_open(a) || is_open(b));
    if named.is_empty() {
        return true;
    }
    if all_below || named.iter().all(|segment| is_version(segment)) {
        return used.windows(named.len()).any(|part| same(part, &named));
    }
    let (short, long) = if named.len() <= used.len() { (&named, &used) } else { (&used, &named) };
    // What is left out must look like a base path: words, no parameters. And something must be left to compare.
    let (base, rest) = long.split_at(long.len() - short.len());
    !short.is_empty() && same(rest, short) && base.len() <= 3 && !base.iter().any(|segment| is_open(segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_split() {
        let text =
            "Deprecated. Use b, e.g. V2, from Sept. 3 on. `x` ends 1.2.2026!\n- An item (see A.) Next | cell";
        let parts: Vec<&str> = sentences(text).collect();
        assert_eq!(
            parts,
            [
                "Deprecated.",
                "Use b, e.g. V2, from Sept. 3 on.",
                "`x` ends 1.2.2026!",
                "An item (see A.",
                "Next",
                "cell",
            ]
        );
        for pattern in [&STOPS, &OPERATIONS, &SUCCESSOR, &VERSIONS, &NAMES, &FIELDS, &BACK] {
            assert!(!pattern.is_match("~"));
        }
    }

    #[test]
    fn operations_are_named_and_successors_are_not() {
        for (text, expected) in [
            ("`GET /v1/orders` will be removed; use `GET /v2/orders`.", vec!["GET /v1/orders"]),
            ("/v1/orders/{id} and /v1/refunds end.", vec!["/v1/orders/{id}", "/v1/refunds"]),
            ("Please migrate to https://api.example.com/v2/orders.", vec![]),
            ("https://api.example.com/v1/orders will be removed", vec!["/v1/orders"]),
            ("API v1 will be shut down; switch to v2.", vec!["/v1"]),
            ("Orders and/or refunds, 03/04/2026", vec![]),
            ("See /docs/migration.html", vec![]),
            ("v1 is replaced by v3", vec!["/v1"]),
        ] {
            assert_eq!(operations(text), expected, "{text}");
        }
    }

    #[test]
    fn fields_are_what_is_marked_or_written_as_no_word_is() {
        assert_eq!(fields("`name` was replaced by `full_name`."), ["name"]);
        assert_eq!(
            fields("The total_price field and createdAt end, `GET` stays."),
            ["total_price", "createdAt"]
        );
        assert_eq!(fields("Plain words of a sentence. Nothing more."), Vec::<String>::new());
    }

    #[test]
    fn an_operation_covers_the_endpoint_that_it_names() {
        let used = "https://api.example.com/v1/orders?since={{ now }}";
        for named in ["GET /v1/orders", "/orders", "/v1", "/v1/*", "/api/v1/orders", "/v1/orders.json"] {
            assert!(covers(named, "GET", used), "{named}");
        }
        for named in ["POST /v1/orders", "/v1/orders/{id}", "/v2", "/v2/orders", "/order", "/v1/refunds"] {
            assert!(!covers(named, "GET", used), "{named}");
        }
        assert!(covers("/users/{id}/posts", "GET", "/v1/users/{{ user }}/posts"));
    }
}
