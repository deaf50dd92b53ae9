//! What a user can set about observing: requests, sign-in, paging, records, documents, limits.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{FieldPath, Period, SecretSource, secret_file};

/// How to ask for the records of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestSettings {
    /// The address; may be relative to the connector's `base_url`, and may hold templates.
    pub url: String,
    /// `GET` or `POST`.
    #[serde(default)]
    pub method: Method,
    /// Query parameters; values may hold templates such as `{{ now - 1d }}`.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers besides those of the connector; values may hold templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body of a `POST`.
    #[serde(default)]
    pub body: Option<BodySettings>,
    /// Where the records sit in the response: `$.data[*]`, `$[*]`, or `$` for one record.
    #[serde(default)]
    pub records: Option<FieldPath>,
    /// How to get from one page to the next.
    #[serde(default)]
    pub paging: PagingSettings,
    /// The most pages that one check reads; a check that stops here is partial.
    #[serde(default = "default_max_pages")]
    pub max_pages: u32,
}

const fn default_max_pages() -> u32 {
    10
}

/// The methods that a probe may use: both only read, by the vendor's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Ask by address.
    #[default]
    Get,
    /// Ask by body, as GraphQL and search endpoints do.
    Post,
}

/// The body of a `POST`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum BodySettings {
    /// JSON; strings in it may hold templates.
    Json(serde_json::Value),
    /// A form, `application/x-www-form-urlencoded`.
    Form(BTreeMap<String, String>),
    /// A GraphQL query with its variables.
    Graphql(GraphqlBody),
}

/// A GraphQL query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphqlBody {
    /// The query text.
    pub query: String,
    /// Its variables; strings may hold templates.
    #[serde(default)]
    pub variables: BTreeMap<String, serde_json::Value>,
}

/// How to sign in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuthSettings {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic (RFC 7617).
    Basic {
        /// The user name.
        username: String,
        /// The password, as `${NAME}`.
        #[serde(default)]
        password: Option<SecretSource>,
        /// A file that holds the password.
        #[serde(default, deserialize_with = "secret_file")]
        password_file: Option<SecretSource>,
    },
    /// A bearer token (RFC 6750).
    Bearer {
        /// The token, as `${NAME}`.
        #[serde(default)]
        token: Option<SecretSource>,
        /// A file that holds the token.
        #[serde(default, deserialize_with = "secret_file")]
        token_file: Option<SecretSource>,
    },
    /// A key in a header or a query parameter.
    ApiKey {
        /// The header that carries it.
        #[serde(default)]
        header: Option<String>,
        /// The query parameter that carries it.
        #[serde(default)]
        query: Option<String>,
        /// The key, as `${NAME}`.
        #[serde(default)]
        key: Option<SecretSource>,
        /// A file that holds the key.
        #[serde(default, deserialize_with = "secret_file")]
        key_file: Option<SecretSource>,
    },
    /// OAuth 2.0 client credentials (RFC 6749, section 4.4).
    Oauth2ClientCredentials {
        /// The token endpoint.
        token_url: String,
        /// The client.
        client_id: String,
        /// Its secret, as `${NAME}`.
        #[serde(default)]
        client_secret: Option<SecretSource>,
        /// A file that holds its secret.
        #[serde(default, deserialize_with = "secret_file")]
        client_secret_file: Option<SecretSource>,
        /// What is asked for, separated by spaces.
        #[serde(default)]
        scope: Option<String>,
    },
    /// OAuth 2.0 refresh token (RFC 6749, section 6), a grant of Drogue's own: a rotated token goes back to its file.
    Oauth2RefreshToken {
        /// The token endpoint.
        token_url: String,
        /// The client.
        client_id: String,
        /// Its secret, as `${NAME}`.
        #[serde(default)]
        client_secret: Option<SecretSource>,
        /// A file that holds its secret.
        #[serde(default, deserialize_with = "secret_file")]
        client_secret_file: Option<SecretSource>,
        /// Refused by `config check`: a rotated token could not be kept, and the connector's own would break.
        #[serde(default)]
        refresh_token: Option<SecretSource>,
        /// The file that holds the refresh token, and takes the next one.
        #[serde(default, deserialize_with = "secret_file")]
        refresh_token_file: Option<SecretSource>,
        /// What is asked for, separated by spaces.
        #[serde(default)]
        scope: Option<String>,
    },
}

/// How to get from one page to the next.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PagingSettings {
    /// There is one page.
    #[default]
    None,
    /// `?page=1`, `?page=2` …
    Page {
        /// The parameter.
        #[serde(default = "default_page_param")]
        param: String,
        /// The first page's number.
        #[serde(default = "default_first_page")]
        start: u64,
        /// The parameter for the page size.
        #[serde(default)]
        size_param: Option<String>,
        /// Records a page; a shorter page is the last.
        #[serde(default)]
        size: Option<u64>,
    },
    /// `?offset=0&limit=100`, `?offset=100` …
    Offset {
        /// The parameter.
        #[serde(default = "default_offset_param")]
        param: String,
        /// The parameter for the page size.
        #[serde(default = "default_limit_param")]
        size_param: String,
        /// Records a page; a shorter page is the last.
        size: u64,
    },
    /// A cursor in the body, sent back as a parameter.
    Cursor {
        /// Where the next cursor sits in the body; null, empty or absent ends the paging.
        path: FieldPath,
        /// The parameter that takes it; without one, the cursor is the address of the next page.
        #[serde(default)]
        param: Option<String>,
    },
    /// `Link: <…>; rel="next"` (RFC 8288).
    Link,
}

fn default_page_param() -> String {
    "page".to_owned()
}
const fn default_first_page() -> u64 {
    1
}
fn default_offset_param() -> String {
    "offset".to_owned()
}
fn default_limit_param() -> String {
    "limit".to_owned()
}

/// One document that describes the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocSettings {
    /// Its address.
    #[serde(default)]
    pub url: Option<String>,
    /// Its file, in place of an address.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// An MCP server, whose list of tools is the document.
    #[serde(default)]
    pub mcp: Option<McpSettings>,
    /// How often it is fetched again.
    #[serde(default = "default_docs_every")]
    pub every: Period,
    /// Headings whose sections alone are watched, in HTML and text; all by default.
    #[serde(default)]
    pub sections: Vec<String>,
}

/// How to reach an MCP server; it is asked for its tools, and no tool is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpSettings {
    /// Its address, where it speaks streamable HTTP.
    #[serde(default)]
    pub url: Option<String>,
    /// The program and its arguments, where it speaks on standard input and output.
    #[serde(default)]
    pub command: Option<Vec<String>>,
}

const fn default_docs_every() -> Period {
    Period::from_secs(86_400)
}
