//! Documents that describe an API: read into a model, and compared.
//!
//! A [`Document`] is an API description (OpenAPI 3.x or Swagger 2.0, JSON or YAML) or prose by section (HTML, Markdown,
//! plain text). Descriptions are kept as they are written: a `$ref` is followed when somebody looks, so that cycles and
//! bombs cost nothing. What cannot be read is an error and never "no changes", nor "all removed".

mod announcements;
mod api;
mod compare;
mod discover;
mod envelope;
mod examples;
mod feed;
mod graph;
mod html;
mod load;
mod operations;
mod parameters;
mod schema;
mod sections;
mod text;
mod volatile;

pub use announcements::{
    Announcement, AnnouncementKind, PhraseExample, Quote, Span, announcements, deadline_facts, deadlines,
    mentioning, test_phrases,
};
pub use api::{ApiModel, Operation};
pub use compare::{DocsComparison, WatchedEndpoint, compare_descriptions, compare_documents};
pub use discover::{Endpoint, EndpointField, discover};
pub use load::{SpecError, looks_like_api_description, read};
pub use sections::{Section, Sections};

/// A document that describes an API.
#[derive(Debug, Clone)]
pub enum Document {
    /// An API description.
    Api(Box<ApiModel>),
    /// Prose, by section.
    Sections(Sections),
}
