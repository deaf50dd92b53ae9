//! Patches: proposed edits of mapping files, and what people decide about them.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{content_id, sha256_hex};

/// Whether a patch may be applied without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// May be applied by itself where policy allows and verification passed.
    Safe,
    /// A person decides.
    Review,
}

/// Where a patch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatchState {
    /// Made, not yet verified.
    Proposed,
    /// Verified on recorded samples.
    Verified,
    /// There is nothing to verify it on, or verification did not pass; a person may still take it.
    Unverifiable,
    /// A person said yes.
    Approved,
    /// Being written.
    Applying,
    /// Written.
    Applied,
    /// Later windows agree.
    Confirmed,
    /// Undone.
    RolledBack,
    /// A person said no.
    Rejected,
    /// Another patch took its place.
    Superseded,
    /// The file is no longer the one that it was made for.
    Stale,
    /// Nobody decided in time.
    Expired,
}

impl PatchState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Verified => "verified",
            Self::Unverifiable => "unverifiable",
            Self::Approved => "approved",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Confirmed => "confirmed",
            Self::RolledBack => "rolled-back",
            Self::Rejected => "rejected",
            Self::Superseded => "superseded",
            Self::Stale => "stale",
            Self::Expired => "expired",
        }
    }

    /// Whether a person still has to decide.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Proposed | Self::Verified | Self::Unverifiable)
    }
}

/// The edit of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePatch {
    /// The file, absolute.
    pub path: PathBuf,
    /// SHA-256 of the file that it was made for, hexadecimal.
    pub before_sha256: String,
    /// SHA-256 of the file after it.
    pub after_sha256: String,
    /// The whole file after it.
    pub after: String,
    /// A unified diff with three lines of context.
    pub diff: String,
}

impl FilePatch {
    /// The edit that turns `before` into `after`, its diff headed by `label` (the path as people know it).
    #[must_use]
    pub fn new(path: PathBuf, label: &str, before: &str, after: String) -> Self {
        let diff = similar::TextDiff::from_lines(before, &after)
            .unified_diff()
            .context_radius(3)
            .header(&format!("a/{label}"), &format!("b/{label}"))
            .to_string();
        Self {
            path,
            before_sha256: sha256_hex(before.as_bytes()),
            after_sha256: sha256_hex(after.as_bytes()),
            after,
            diff,
        }
    }
}

/// One thing that verification looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerifiedCheck {
    /// What was looked at, as a sentence: `totale_positivi is filled in 21 of 21 recorded samples (0 before)`.
    pub what: String,
    /// Whether it held.
    pub passed: bool,
}

/// What came of trying a patch on recorded samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// Whether every check held and there was something to check.
    pub passed: bool,
    /// Recorded samples that it was tried on.
    pub samples: u64,
    /// What was looked at.
    pub checks: Vec<VerifiedCheck>,
}

/// A proposed edit of mapping files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// A hash of subject and files before and after: what a decision is bound to.
    pub id: String,
    /// The connector.
    pub connector: String,
    /// The stream.
    pub stream: String,
    /// The diagnoses that it mends, by id.
    pub diagnoses: Vec<String>,
    /// One sentence on what it does.
    pub summary: String,
    /// The edits; all or none are applied.
    pub files: Vec<FilePatch>,
    /// How sure the diagnosis is, between 0 and 1.
    pub confidence: f64,
    /// Whether it may be applied without a person.
    pub disposition: Disposition,
    /// Why it is not `safe`, where it is not.
    pub caution: Option<String>,
    /// Where it stands.
    pub state: PatchState,
    /// What came of trying it.
    pub verification: Option<Verification>,
    /// When it was proposed.
    pub created: Timestamp,
}

impl Patch {
    /// The id of a patch: 16 hexadecimal digits over subject, paths and file hashes.
    #[must_use]
    pub fn id_of(connector: &str, stream: &str, files: &[FilePatch]) -> String {
        let paths: Vec<_> = files.iter().map(|file| file.path.to_string_lossy()).collect();
        let mut parts = vec!["patch/1", connector, stream];
        for (file, path) in files.iter().zip(&paths) {
            parts.extend([&**path, &file.before_sha256, &file.after_sha256]);
        }
        content_id(&parts)
    }

    /// The diffs of all its files, one after the other.
    #[must_use]
    pub fn diff(&self) -> String {
        self.files.iter().map(|file| file.diff.as_str()).collect()
    }
}

/// What a person (or the policy) decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionKind {
    /// Apply it.
    Approve,
    /// Do not.
    Reject,
    /// Undo it.
    RollBack,
    /// What was seen is the new normal; the baseline moves.
    Accept,
}

/// A decision, bound to what was shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub kind: DecisionKind,
    /// By whom: a user name, `policy`, `demo`.
    pub actor: String,
    /// Why, in their words.
    pub reason: Option<String>,
    /// The patch or baseline that it is about, by id; the id is a hash of what was shown.
    pub about: String,
    /// When.
    pub at: Timestamp,
}
