//! What in prose is no change: dates of edits, counters, build ids, cache busters.

use std::sync::LazyLock;

use regex::Regex;

use super::announcements::{AnnouncementKind, newly};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the test `patterns_compile` has built it")
}

/// Lines that say when or by what the page was made, or how many people liked it.
static LINES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)^\W*(?:",
        r"(?:this page (?:was )?|page |document )?(?:last|most recently)[ -]?(?:updated|modified|edited|reviewed|changed|generated|published)\b.{0,80}",
        r"|(?:updated|modified|edited|generated|published|reviewed|built|rendered|posted)(?: on| at| by| in)?:? .{0,20}(?:\d{4}|\d+ (?:second|minute|hour|day|week|month|year)s? ago|today|yesterday|just now).{0,40}",
        r"|(?:©|\(c\)|copyright)\s.{0,160}",
        r"|\d+ (?:min(?:ute)?s?)(?: read| to read)\b.{0,20}",
        r"|[\d,.]+ ?[kKmM]? (?:views?|likes?|stars?|comments?|people found this helpful|out of \d+ found this helpful)\b.{0,40}",
        r"|was this (?:page|article|section) helpful.{0,60}|(?:thanks for|give|send|leave) (?:us )?(?:your )?feedback.{0,60}",
        r"|edit (?:this page|on github).{0,60}|(?:suggest|report) (?:an )?(?:edit|issue).{0,40}|copy(?: page| link| code| to clipboard)?",
        r"|(?:build|revision|commit|deploy(?:ment)?|request|trace|correlation|nonce|csrf)[ -]?(?:id|token|number|hash)?[:# ]+[0-9a-fA-F][0-9a-fA-F-]{5,63}",
        r"|(?:current|server|local) (?:time|date)(?: now)?:? .{0,40}",
        r"|(?:accept|reject|manage)(?: all)? cookies.{0,60}|we use cookies.{0,200}",
        r"|skip to (?:main )?content|on this page|table of contents|back to top|all rights reserved\.?",
        r")\W*$",
    ))
});

/// Parameters and parts of file names that only keep caches fresh.
static CACHE_BUSTERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)([?&])(?:v|ver|version|hash|cb|_|t|ts|rev|build|nonce|cachebust(?:er)?|sid|session(?:id)?|utm_[a-z]+|gclid|fbclid)=[\w.%-]*",
    )
});

/// Fingerprints in the names of assets: `app-3f2a9c1b.js`.
static ASSETS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"([\w/-]+?)[.-][0-9a-fA-F]{8,64}(\.(?:js|css|mjs|png|svg|jpe?g|gif|webp|woff2?|map)\b)")
});

/// A line of prose without what changes by itself; `None` where nothing is left.
pub(super) fn settled(line: &str) -> Option<String> {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    // Long lines are prose, not marks of an edit.
    if line.is_empty() || (line.len() <= 240 && LINES.is_match(&line)) {
        return None;
    }
    let mut line = line;
    if line.contains('=') && line.contains(['?', '&']) {
        line = CACHE_BUSTERS.replace_all(&line, "$1").replace("?&", "?");
        line = line.trim_end_matches(['?', '&']).to_owned();
    }
    if line.contains('.') {
        line = ASSETS.replace_all(&line, "$1$2").into_owned();
    }
    Some(line)
}

/// Whether two pieces of prose differ in more than space and marks of edits.
pub(super) fn differs(before: &str, after: &str) -> bool {
    before != after && before.lines().filter_map(settled).ne(after.lines().filter_map(settled))
}

/// Whether the new text announces an end where the old one did not.
pub(super) fn newly_speaks_of_an_end(before: &str, after: &str) -> bool {
    newly(before, after, &[AnnouncementKind::Ends, AnnouncementKind::Deprecated]).is_some()
}

/// Whether the new text says something else about limits.
pub(super) fn newly_speaks_of_limits(before: &str, after: &str) -> bool {
    newly(before, after, &[AnnouncementKind::RateLimit]).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        for pattern in [&LINES, &CACHE_BUSTERS, &ASSETS] {
            assert!(!pattern.is_match("~"));
        }
    }

    #[test]
    fn marks_of_edits_are_no_text() {
        for line in [
            "Last updated: 2024-03-01",
            "Last updated on March 3, 2024 by Jane",
            "Updated 3 days ago",
            "© 2026 Example Inc.",
            "12 min read",
            "1,204 views",
            "Was this page helpful? Yes No",
            "Build: 3f2a9c1b77",
            "Edit this page",
            "Request ID: 7a6c0f00-0000-4000-8000-000000000000",
        ] {
            assert_eq!(settled(line), None, "{line}");
        }
        for line in [
            "Updated orders are returned first",
            "updated_at: the time of the last change",
            "The build id is a number",
            "Time: RFC 3339",
            "Copyright holders have their own endpoint, see below, and may use it at any time to list their works or to add new ones; every call needs the scope `works:write`, which is given on request.",
        ] {
            assert!(settled(line).is_some(), "{line}");
        }
        assert_eq!(
            settled("see /a.html?v=123&x=1 and app-3f2a9c1b.js").unwrap(),
            "see /a.html?x=1 and app.js"
        );
    }

    #[test]
    fn ends_are_seen_where_they_are_new() {
        assert!(newly_speaks_of_an_end(
            "Returns a user.",
            "DEPRECATED: will be removed 2027-01-01. Use /v2/users."
        ));
        assert!(!newly_speaks_of_an_end("Deprecated. Use b.", "Use b. Deprecated"));
        assert!(newly_speaks_of_limits("Returns a user.", "Returns a user. Rate limit: 10/min"));
        assert!(!newly_speaks_of_limits("Returns a user.", "Returns one user."));
        assert!(!newly_speaks_of_an_end("Returns a user.", "Returns a user. It is not deprecated."));
    }
}
