//! Plain data and the seams: what every other module speaks in.
//!
//! Nothing here does I/O, reads a clock or draws a random number; times, keys and text come in as arguments.
//! The words are those of `ARCHITECTURE.md`, one per thing.

mod change;
mod clock;
mod exchange;
mod facts;
mod finding;
mod hash;
mod mapping;
mod message;
mod patch;
mod path;
mod quantity;
mod report;
mod schema;
mod secret;

pub use change::{Change, ChangeKind};
pub use clock::{Clock, Sleep};
pub use exchange::{Action, ErrorClass, Exchange, RequestHead, ResponseHead, TransportError};
pub use facts::{Fact, Facts};
pub use finding::{
    Candidate, Category, Diagnosis, DiagnosisKind, Finding, FindingState, Fingerprint, Severity,
};
pub use hash::{HashKey, content_id, sha256_hex};
pub use mapping::{DeclaredType, Framework, MappedField, MappedStream, Mapping};
pub use message::{Escalation, Message, NotifyReason};
pub use patch::{
    Decision, DecisionKind, Disposition, FilePatch, Patch, PatchState, Verification, VerifiedCheck,
};
pub use path::{FieldPath, PathError, Step};
pub use quantity::{ByteSize, Period, QuantityError};
pub use report::{CompareKind, Compared, Inconclusive, Report, ReportSet, Side, Subject, Unobserved};
pub use schema::{JsonType, TypeCounts};
pub use secret::{Secret, SecretSource, secret_file};
