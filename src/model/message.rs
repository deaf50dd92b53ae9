//! Messages: what escalation hands to receivers, frozen when it is written to the outbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Diagnosis, Finding, Patch, Side, Subject};

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotifyReason {
    /// Something new was found.
    New,
    /// More was found in an incident that is known.
    Update,
    /// Still open after the time that the route sets.
    Reminder,
    /// All of it is resolved.
    Resolved,
    /// A patch was applied, rolled back or went stale.
    Decided,
}

impl NotifyReason {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Update => "update",
            Self::Reminder => "reminder",
            Self::Resolved => "resolved",
            Self::Decided => "decided",
        }
    }
}

/// A group of findings that one receiver is told of: one stream, one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalation {
    /// The stable id: a hash of receiver, subject, reason and what is told; the base of Message-ID and webhook-id.
    pub id: String,
    /// The incident that mails are threaded by: a hash of the subject and the first window that showed it.
    pub thread: String,
    /// Whom it is about.
    pub subject: Subject,
    /// Why it is told.
    pub reason: NotifyReason,
    /// When the incident began: the first window that showed it, the same in every message of a thread.
    pub since: Timestamp,
    /// When it was written.
    pub at: Timestamp,
    /// What was recorded.
    pub baseline: Side,
    /// What is seen now.
    pub live: Side,
    /// What happened, worst first.
    pub diagnoses: Vec<Diagnosis>,
    /// What was seen, worst first.
    pub findings: Vec<Finding>,
    /// Patches that wait for a decision, or were decided.
    pub patches: Vec<Patch>,
    /// Text differences of documents: title and unified diff.
    pub docs: Vec<(String, String)>,
    /// Commands that a person may run next, with what each does: `drogue approve 3f…`.
    pub commands: Vec<(String, String)>,
}

/// One message to one address, as it waits in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// What Message-ID and webhook-id are made of; the same on each retry, and no `.` in it.
    pub id: String,
    /// The receiver, by name in the config.
    pub receiver: String,
    /// The address, where the receiver has several.
    pub address: Option<String>,
    /// What it tells.
    pub escalation: Escalation,
    /// Attempts made so far.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Timestamp,
}
