//! Documents that describe an API: read into a model, and compared.
//!
//! A [`Document`] is an API description (OpenAPI 3.x or Swagger 2.0, JSON or YAML) or prose by section (HTML, Markdown,
//! plain text). Descriptions are kept as they are written: a `$ref` is followed when somebody looks, so that cycles and
//! bombs cost nothing. What cannot be read is an error and never "no changes", nor "all removed".

mod api;
mod compare;
mod consumer;
mod contract;
mod described;
mod discover;
mod envelope;
mod examples;
mod graph;
mod html;
mod load;
mod operations;
mod parameters;
mod records;
mod schema;
mod sections;
mod tally;
mod text;
mod volatile;

pub use api::{ApiModel, Operation};
pub use compare::{DocsComparison, compare_descriptions, compare_documents};
pub use consumer::{Sent, SignInScheme, WatchedEndpoint};
pub use contract::{Affected, ContractChange, Place, Side, compare_contracts};
pub use described::Described;
pub use discover::{Endpoint, EndpointField, discover};
pub use load::{SpecError, looks_like_api_description, read};
pub use records::{DescribedRecords, Known, operation_of};
pub use sections::{Section, Sections};

/// A document that describes an API.
#[derive(Debug, Clone)]
pub enum Document {
    /// An API description.
    Api(Box<ApiModel>),
    /// Prose, by section.
    Sections(Sections),
}
