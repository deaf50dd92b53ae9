//! Everything that a user can do, as methods of [`Engine`]; the command line, the daemon and the demo only call it.
//!
//! [`check`] is the path of one window, readable from top to bottom; [`schedule`] is the loop of `watch`; each other
//! file is one thing that a person does. The order of steps, transactions and permissions are decided here, and
//! nowhere else.

mod audit;
mod baselines;
mod check;
mod checked;
mod deadlines;
mod decide;
mod diff;
mod docs;
mod doctor;
mod error;
mod escalate;
mod failed;
mod findings;
mod lines;
mod look;
mod open;
mod paths;
mod remind;
mod replay;
mod schedule;
mod upkeep;
mod window;
mod writes;

pub use checked::{Checked, Outcome};
pub use decide::Approval;
pub use diff::{Diff, DiffOptions, compare_documents, diff};
pub use doctor::Health;
pub use error::EngineError;
pub use findings::{FindingFilter, FindingView};
pub use look::Probed;
pub use open::Engine;
pub use replay::{
    Accepting, Counts, Course, Event, EventKind, Replay, ReplayOptions, Replayed, Skipped, Summary,
    WindowOutcome, replay,
};
pub use schedule::Run;
