//! Comparison: what differs between the recorded and the seen, as [`Change`]s with evidence, without judgement.
//!
//! Deterministic lanes come first (structure, types, formats, presence with exact bounds), then transforms, then
//! distributions. A lane that lacks support says so as [`Inconclusive`], never silence and never a guess.

mod accept;
mod baseline;
mod behaviour;
mod cdf;
mod context;
mod contradictions;
mod course;
mod documented;
mod enums;
mod explained;
mod lanes;
mod onset;
mod pairs;
mod peers;
mod ranks;
mod relations;
mod scale;
mod sentinel;
mod sequence;
mod serial;
mod shapes;
mod shift;
mod stats;
mod strings;
mod structure;
mod swaps;
mod ties;
mod types;
mod units;
mod variants;
mod variation;
mod volume;
mod zones;

use std::collections::{BTreeMap, BTreeSet};

pub use accept::accept;
pub use context::name_words;
pub use contradictions::contradictions;
pub use documented::{Shown, shown};
use jiff::Timestamp;
pub use lanes::compare;
pub(crate) use lanes::compare_fields;
pub use onset::{Onset, onset};
pub use pairs::{MIN_PAIRS, Pairs, as_number, equal, same_content};
pub use relations::{Relation, relations_between, relations_within};
pub(crate) use scale::{fit, is_one, may_fit, power_of_ten};
use serde::{Deserialize, Serialize};
pub(crate) use swaps::resemblance;
pub use units::{Unit, named, units};
pub use variation::{FieldVariation, Variation};
pub use volume::Volumes;

use crate::model::{Change, FieldPath, Inconclusive};
use crate::profile::{Order, Profile};

/// One stretch of live traffic, compared as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// What the records look like.
    pub profile: Profile,
    /// How the endpoint behaved.
    pub behaviour: Behaviour,
    /// When the first exchange began.
    pub from: Timestamp,
    /// When the last exchange ended.
    pub to: Timestamp,
    /// Cut short by a page cap or by time: never compared for volume.
    pub partial: bool,
    /// In which order the sampled records came, as long as the window is at hand; it is not stored.
    #[serde(skip)]
    pub order: Order,
}

/// How an endpoint behaved during a window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Behaviour {
    /// Responses by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Pages that were read.
    pub pages: u64,
    /// Whether a page came twice: its body had the hash of an earlier one.
    pub repeated_page: bool,
    /// Decompressed bytes.
    pub bytes: u64,
    /// The slowest response, in milliseconds.
    pub max_latency_ms: u64,
    /// The media type of the responses.
    pub content_type: Option<String>,
    /// Requests allowed a period, where a header says so.
    pub rate_limit: Option<u64>,
}

/// What was recorded and accepted for a stream; versioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Counts up by one with each accepted decision.
    pub version: u64,
    /// All accepted windows together.
    pub profile: Profile,
    /// The profile of the last window that showed nothing new: the nearest in time, for values that grow.
    pub latest: Option<Profile>,
    /// How the endpoint behaved.
    pub behaviour: Behaviour,
    /// Windows that went into it.
    pub windows: u64,
    /// When the first of them began.
    pub from: Timestamp,
    /// When the last of them ended.
    pub to: Timestamp,
    /// How the fields vary by themselves, from window to window or between parts of one.
    #[serde(default)]
    pub variation: Variation,
    /// What follows from what: fields that are the growth of others since the window before.
    #[serde(default)]
    pub relations: Vec<Relation>,
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// Every difference, ordered by path and kind.
    pub changes: Vec<Change>,
    /// What could not be judged.
    pub inconclusive: Vec<Inconclusive>,
    /// Where values were too few to be judged, with all below it: that a change of values is not seen there says
    /// nothing. The root where the whole window is too small.
    pub unjudged: BTreeSet<FieldPath>,
    /// Whether the two sides cannot be compared at all, values or structure.
    pub incomparable: bool,
}
