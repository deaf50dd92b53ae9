//! Changes: raw differences between a baseline and a window.

use serde::{Deserialize, Serialize};

use super::{Facts, FieldPath};

/// What kind of difference was seen, before any judgement. Rules match on it.
///
/// The doc of each kind lists the facts that it carries. Counts of both sides are always there:
/// `baseline_records`, `live_records`, and, for fields, `baseline_support`, `live_support` (how often the parent was
/// seen on that side, the denominator of presence). Most value changes also state `transform`: a stable word for what
/// was done to the values (`date-time-to-epoch-seconds`, `hundredths`, `case`), and `share`, how many live values show it.
///
/// What befell a field within some variants of its object alone names them: `variant` (the values of the
/// discriminator), `variant_field` (its path), and how often it was so: `variant_before` of `variant_before_of`, and
/// `variant_now` of `variant_now_of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A path that the baseline never had. Facts: `presence`, `types`.
    FieldAdded,
    /// A path that the window never has. Facts: `presence` (in the baseline), `types`, `p_value`.
    FieldRemoved,
    /// A field that was always there is missing at times, or the other way round. Facts: `baseline_presence`,
    /// `live_presence`, `p_value`, `transform` (`missing`).
    PresenceChanged,
    /// The share of nulls moved. Facts: `baseline_null_rate`, `live_null_rate`, `p_value`, `transform` (`more-nulls`,
    /// `empty-strings`, `null-to-sentinel` with `sentinel` and `share`).
    NullsChanged,
    /// The set of JSON types moved (integer and number are one type unless fractions appear). Facts: `from_types`,
    /// `to_types`, `share`, `transform`; `from_format`, `to_format` where a notation moved with it.
    TypeChanged,
    /// Strings (or numbers that are notations, such as epochs) have another notation. Facts: `from_format`,
    /// `to_format`, `share`.
    FormatChanged,
    /// A field of few distinct values has new ones, lost ones, or others. Facts: `new_values`, `lost_values`,
    /// `share` (of live values that are new), `new_count`, `lost_count`, `lost_share`, `transform` (`new-value`,
    /// `one-value`, `all-values`, `lost-value`), `respelled` where the words themselves show what became of them,
    /// `brings` (paths that come with new variants alone).
    EnumChanged,
    /// Numbers are a constant multiple (or affine image) of what they were. Facts: `ratio`, `offset`, `unit`,
    /// `paired`, `agreeing` where entities were seen on both sides, else `statistic` (the distance left).
    ScaleChanged,
    /// Only the case of letters moved. Facts: `from_case`, `to_case`, `share`.
    CaseChanged,
    /// Another encoding of the same content: padding, HTML escapes, mojibake, number notation. Facts: `encoding`,
    /// `share`; of separators `from_separator`, `to_separator`.
    EncodingChanged,
    /// Numbers or strings were cut. Facts: `from_length`, `to_length` or `from_decimals`, `to_decimals`.
    Truncated,
    /// Values stand still. Facts: `distinct`, `baseline_distinct`, `share`, `transform` (`constant`, `moment`, `replay`).
    Stale,
    /// The number of distinct values moved beyond reason. Facts: `baseline_distinct`, `live_distinct`.
    CardinalityChanged,
    /// The distribution moved. Facts: `statistic`, `effect`, `p_value`, `transform` (`shift`, `spread`, `mix`,
    /// `inverted`).
    DistributionShifted,
    /// Numbers changed their sign. Facts: `paired`, `agreeing`, `share`.
    SignFlipped,
    /// Instants moved by a whole number of quarter hours. Facts: `offset_minutes`, `paired`, `agreeing`.
    TimezoneShifted,
    /// Identifiers follow another scheme. Facts: `from_format`, `to_format`.
    IdSchemeChanged,
    /// Two fields exchanged their contents. Facts: `other`.
    Swapped,
    /// More or fewer records than usual, or another rate limit. Facts: `expected`, `seen`, `what` (`records` or
    /// `rate-limit`).
    VolumeChanged,
    /// Records sit elsewhere in the response. Facts: `from`, `to`.
    EnvelopeChanged,
    /// A page came twice, or paging came to a different end. Facts: `pages`, `repeated`.
    PagingChanged,
    /// A response of an error class that lasts. Facts: `class`, `status`, `attempts`, `since`.
    ResponseFailed,
    /// A stream has not completed a window for too long. Facts: `last`, `interval`.
    NotObserved,
    /// Duplicate keys, numbers beyond f64, lone surrogates: records that could not be read in full. Facts: `records`,
    /// `reason`.
    RecordsMalformed,
    /// A watched operation, parameter or field differs in the documentation. Facts: `what`, `operation`, `from`, `to`.
    DocsChanged,
    /// Responses are not as they are described. Facts: `what` (`type`, `format`, `values`, `missing`, `undocumented`,
    /// `null`), `operation`; of one field `documented`, `seen`, `contradicting` (how many), of several `fields` (how
    /// many), `details` (their paths).
    DocsContradicted,
    /// The vendor says from when on something in use ends or works differently. Facts: `what` (the kind of the
    /// announcement), `ends` (the day, or the days that it may be), `days_left` (to the first of them; negative once it
    /// is over), `left` (the same in words), `source`, `sentence`, `section`, `operation`, `field`, `places` (how often
    /// it is said).
    EndAnnounced,
}

/// One difference, with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What was seen.
    pub kind: ChangeKind,
    /// Where; `$` for the stream as a whole.
    pub path: FieldPath,
    /// Other paths that the change speaks of, such as the partner of a swap.
    pub to: Vec<FieldPath>,
    /// Counts, ratios and statistics.
    pub facts: Facts,
}
