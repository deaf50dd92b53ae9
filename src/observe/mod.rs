//! The only module that takes in live data: probes, imports, documents.
//!
//! - [`observe`] asks a stream's endpoint, [`import_file`] reads files: both give an [`Observation`], which is a [`Complete`]
//!   window, or says why there is none.
//! - [`fetch_document`] re-reads a document that describes the API.
//! - [`dry_run()`] shows one exchange, redacted.
//!
//! Everything that comes in is untrusted: bounded in size, depth, time and number; judged by the rules before a record
//! is read, so that nothing is ever learned from an error page. Nothing here keeps a body, and whatever leaves goes
//! through [`crate::net::redact`]. The only file written is that of a rotated refresh token.

mod auth;
mod body;
mod docs;
mod dry_run;
mod exchange;
mod foreign;
mod import;
mod json;
mod judge;
mod mcp;
mod outcome;
mod paging;
mod parts;
mod pdf;
mod politeness;
mod probe;
mod request;
mod rotate;
mod session;
mod settings;
mod source;
mod template;
mod window;

pub use auth::{SignIn, SignInError};
pub use docs::{DocState, Document, Fetched, fetch_document};
pub use dry_run::{DryRun, dry_run};
pub use foreign::{foreign_file, next_step};
pub use import::{HarFilter, ImportError, ImportOptions, import_file};
pub use json::{JsonFault, fault_of_json, fault_of_record, guess_records_path};
pub use judge::error_in_place_of_records;
pub use outcome::{Complete, ExchangeSummary, Failure, Notice, Observation, Outcome, Validators};
pub use parts::{assemble_from_web, read_document_file};
pub use pdf::{PDF_LIMIT_BYTES, PDF_TEXT_FOLLOWS, is_pdf, text_of_pdf};
pub use politeness::{Budget, Politeness};
pub use probe::{ObserveContext, observe};
pub use request::RequestError;
pub use rotate::is_readable_by_others;
pub use settings::*;
pub use source::{Connection, ConnectionError, Source};
pub use template::{TemplateError, check_request_templates, check_template};

pub use crate::net::HttpSettings;
