//! Documents that describe an API: read into a model, and compared.
//!
//! A [`Document`] is an API description, prose by section (HTML, Markdown, plain text), or a page that is both. Descriptions of all formats
//! (OpenAPI 3.x, Swagger 2.0, Postman, GraphQL, JSON Schema, lists of MCP tools) are read into one shape, that of OpenAPI,
//! and are kept as they are written: a `$ref` is followed when somebody looks, so that cycles and bombs cost nothing. What cannot be read is an error and never "no changes", nor "all removed".

mod about;
mod announcements;
mod api;
mod assembly;
mod compare;
mod consumer;
mod contract;
mod cut;
mod described;
mod differences;
mod discover;
mod envelope;
mod examples;
mod feed;
mod field_moves;
mod graph;
mod html;
mod level;
mod listed;
mod load;
mod moves;
mod notation;
mod operations;
mod pair;
mod parameters;
mod readers;
mod records;
mod reference;
mod references;
mod schema;
mod sections;
mod steps;
mod swagger2;
mod tally;
mod text;
mod volatile;
mod wellformed;
mod written;

pub use about::{BothComparisons, compare_both};
pub use announcements::{
    Announcement, AnnouncementKind, PhraseExample, Quote, Span, announcements, deadline_facts, deadlines,
    mentioning, test_phrases,
};
pub use api::{ApiModel, Operation};
pub use assembly::{Assembly, Part};
pub use compare::{DocsComparison, compare_descriptions, compare_documents};
pub use consumer::{Sent, SignInScheme, WatchedEndpoint};
pub use contract::{Affected, ContractChange, Place, Side, compare_contracts};
pub use described::Described;
pub use discover::{Endpoint, EndpointField, discover};
pub use load::{
    SpecError, is_other_xml, looks_like_api_description, looks_like_document, read, read_if_document,
};
pub use readers::pdf::pdf_text;
pub use records::{DescribedRecords, Known, operations_of};
pub use reference::Reference;
pub use sections::{Section, Sections};

/// A document that describes an API.
#[derive(Debug, Clone)]
pub enum Document {
    /// An API description.
    Api(Box<ApiModel>),
    /// Prose, by section.
    Sections(Sections),
    /// Prose that describes operations and fields, too.
    Reference(Box<Reference>),
}
