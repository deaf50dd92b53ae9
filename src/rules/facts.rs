//! Which facts each kind of change carries, so that a rule that speaks of another one is refused when it is read.

use crate::model::{ChangeKind, DiagnosisKind};

/// Facts that every change may carry: counts of both sides, where in time it began, what the mapping does, and
/// within which variants of its object something befell a field.
pub(super) const COMMON: &[&str] = &[
    "baseline_records",
    "baseline_support",
    "live_records",
    "live_support",
    "onset",
    "p_value",
    "path",
    "to",
    "transform",
    "variant",
    "variant_before",
    "variant_before_of",
    "variant_field",
    "variant_now",
    "variant_now_of",
];

/// Facts that come from the context of a judgement, for conditions alone.
pub(super) const CONTEXT: &[&str] = &["learning", "mapped"];

/// The facts that changes of that kind carry beside those that all carry; see [`ChangeKind`].
#[must_use]
pub const fn facts_of(kind: ChangeKind) -> &'static [&'static str] {
    match kind {
        ChangeKind::FieldAdded => &["presence", "types", "paired"],
        ChangeKind::FieldRemoved => &["presence", "types", "paired", "since_record", "until_record"],
        ChangeKind::PresenceChanged => &["baseline_presence", "live_presence"],
        ChangeKind::NullsChanged => &["baseline_null_rate", "live_null_rate"],
        ChangeKind::TypeChanged => &["from_types", "to_types", "share"],
        ChangeKind::FormatChanged => &["from_format", "to_format", "share", "ratio"],
        ChangeKind::EnumChanged => {
            &["new_values", "lost_values", "new_count", "lost_count", "share", "lost_share", "brings"]
        }
        ChangeKind::ScaleChanged => &["ratio", "offset", "unit", "paired", "agreeing", "statistic", "share"],
        ChangeKind::CaseChanged => &["from_case", "to_case", "share", "new_values", "lost_values"],
        ChangeKind::EncodingChanged => {
            &["encoding", "share", "baseline_share", "from_separator", "to_separator"]
        }
        ChangeKind::Truncated => &["from_length", "to_length", "from_decimals", "to_decimals", "share"],
        ChangeKind::Stale => &["distinct", "share"],
        ChangeKind::CardinalityChanged => &["baseline_distinct", "live_distinct"],
        ChangeKind::DistributionShifted => &["statistic", "effect"],
        ChangeKind::SignFlipped => &["paired", "agreeing", "share"],
        ChangeKind::TimezoneShifted => &["offset_minutes", "paired", "agreeing"],
        ChangeKind::IdSchemeChanged => &["from_format", "to_format", "share"],
        ChangeKind::Swapped => &["other", "paired", "agreeing"],
        ChangeKind::VolumeChanged => &["expected", "seen", "what"],
        ChangeKind::EnvelopeChanged => &["from"],
        ChangeKind::PagingChanged => &["pages", "repeated"],
        ChangeKind::ResponseFailed => &["class", "status", "attempts", "since"],
        ChangeKind::NotObserved => &["last", "interval"],
        ChangeKind::RecordsMalformed => &["records", "reason"],
        ChangeKind::DocsContradicted => {
            &["what", "operation", "documented", "seen", "contradicting", "fields", "details"]
        }
        ChangeKind::DocsChanged => &[
            "what",
            "operation",
            "from",
            "field",
            "target",
            "section",
            "in",
            "parameter",
            "lines",
            "operations",
            "details",
            "live",
            "live_responses",
            "recorded",
            "sentence",
            "before",
            "ends",
            "place",
            "count",
        ],
        ChangeKind::EndAnnounced => &[
            "what",
            "ends",
            "days_left",
            "left",
            "source",
            "sentence",
            "section",
            "operation",
            "field",
            "places",
        ],
    }
}

/// The facts which, beside rule and path, tell one finding of that kind from another.
pub(super) const fn identity_of(kind: ChangeKind) -> &'static [&'static str] {
    match kind {
        ChangeKind::DocsChanged => {
            // A text may announce several things; each sentence is a finding of its own.
            &["operation", "in", "field", "parameter", "section", "place", "sentence"]
        }
        ChangeKind::DocsContradicted => &["what", "operation"],
        ChangeKind::ResponseFailed => &["class"],
        ChangeKind::RecordsMalformed => &["reason"],
        // Another day is another deadline; other words for the same one are not.
        ChangeKind::EndAnnounced => &["what", "operation", "field", "ends"],
        ChangeKind::FieldAdded
        | ChangeKind::FieldRemoved
        | ChangeKind::PresenceChanged
        | ChangeKind::NullsChanged
        | ChangeKind::TypeChanged
        | ChangeKind::FormatChanged
        | ChangeKind::EnumChanged
        | ChangeKind::ScaleChanged
        | ChangeKind::CaseChanged
        | ChangeKind::EncodingChanged
        | ChangeKind::Truncated
        | ChangeKind::Stale
        | ChangeKind::CardinalityChanged
        | ChangeKind::DistributionShifted
        | ChangeKind::SignFlipped
        | ChangeKind::TimezoneShifted
        | ChangeKind::IdSchemeChanged
        | ChangeKind::Swapped
        | ChangeKind::VolumeChanged
        | ChangeKind::EnvelopeChanged
        | ChangeKind::PagingChanged
        | ChangeKind::NotObserved => &[],
    }
}

/// Every kind of change, in the order of the enum.
pub const CHANGE_KINDS: [ChangeKind; 27] = [
    ChangeKind::FieldAdded,
    ChangeKind::FieldRemoved,
    ChangeKind::PresenceChanged,
    ChangeKind::NullsChanged,
    ChangeKind::TypeChanged,
    ChangeKind::FormatChanged,
    ChangeKind::EnumChanged,
    ChangeKind::ScaleChanged,
    ChangeKind::CaseChanged,
    ChangeKind::EncodingChanged,
    ChangeKind::Truncated,
    ChangeKind::Stale,
    ChangeKind::CardinalityChanged,
    ChangeKind::DistributionShifted,
    ChangeKind::SignFlipped,
    ChangeKind::TimezoneShifted,
    ChangeKind::IdSchemeChanged,
    ChangeKind::Swapped,
    ChangeKind::VolumeChanged,
    ChangeKind::EnvelopeChanged,
    ChangeKind::PagingChanged,
    ChangeKind::ResponseFailed,
    ChangeKind::NotObserved,
    ChangeKind::RecordsMalformed,
    ChangeKind::DocsChanged,
    ChangeKind::DocsContradicted,
    ChangeKind::EndAnnounced,
];

/// The kinds of diagnosis with one line each: what `drogue rules explain --kinds` prints.
#[must_use]
pub const fn kinds() -> &'static [(DiagnosisKind, &'static str)] {
    use DiagnosisKind as K;
    &[
        (K::Renamed, "the same values under another name, beside the old place"),
        (K::Moved, "the same values under another parent"),
        (K::Split, "one field became several"),
        (K::Merged, "several fields became one"),
        (K::Swapped, "two fields exchanged their contents"),
        (K::Removed, "a field is gone, and nothing took its place"),
        (K::Added, "a field is new, and took nobody's place"),
        (K::Retyped, "the same content as another JSON type"),
        (K::Reformatted, "the same content in another notation"),
        (K::Rescaled, "the same quantity in another unit"),
        (K::ReEncoded, "the same text in another encoding"),
        (K::EnumChanged, "other words for a closed set of values"),
        (K::CaseChanged, "only upper and lower case moved"),
        (K::IdSchemeChanged, "identifiers follow another scheme"),
        (K::NullsChanged, "more or fewer nulls or missing values"),
        (K::Truncated, "values are cut"),
        (K::Stale, "values stand still"),
        (K::CardinalityChanged, "more or fewer distinct values"),
        (K::DistributionShifted, "other values, with no simpler reading"),
        (K::SignFlipped, "plus became minus"),
        (K::TimezoneShifted, "instants moved by a time zone"),
        (K::VolumeChanged, "more or fewer records"),
        (K::AuthChanged, "another way to sign in is asked for"),
        (K::AuthExpired, "the credential ran out"),
        (K::PermissionLost, "the credential no longer suffices"),
        (K::RateLimited, "too many requests"),
        (K::RateLimitChanged, "another limit than before"),
        (K::QuotaExhausted, "the period's allowance is used up"),
        (K::Outage, "the source is down"),
        (K::EndpointGone, "the endpoint is no more"),
        (K::EndpointMoved, "the endpoint is elsewhere"),
        (K::PagingChanged, "pages work differently"),
        (K::PagingLoop, "the same page comes again and again"),
        (K::EnvelopeChanged, "records sit elsewhere in the response"),
        (K::NotJson, "the body is no JSON"),
        (K::OkWithError, "a status of success around an error"),
        (K::Deprecated, "it works, and the vendor says that it ends"),
        (K::DocsChanged, "the documentation of something in use differs"),
        (K::DocsContradicted, "documentation and responses disagree"),
    ]
}
