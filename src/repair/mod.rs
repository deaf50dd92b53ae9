//! From a diagnosis to a patch, and the check of a patch on recorded samples.
//!
//! [`propose()`] turns what was diagnosed of one stream into edits of its mapping file: one patch, edits made one by
//! one in memory, so that one that does not fit costs no other. What is ambiguous gets no patch until a person picks
//! a reading ([`propose_with_choice`]). [`verify()`] runs the mapping before and after on the samples of before and
//! after.

mod edits;
mod propose;
mod verify;

pub use propose::{ChooseInput, Proposal, ProposeInput, propose, propose_with_choice};
pub use verify::{MIN_SAMPLES, VerifyInput, verify};
