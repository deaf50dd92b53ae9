//! From bytes to a [`Document`], within bounds.

use serde_json::Value;

use super::{ApiModel, Document, api::Ending, assembly, feed, html, readers, text, written::Written};

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Over the limit.
    #[error("`{name}` has {bytes} bytes; documents of up to {limit} are read")]
    TooLarge {
        /// The document.
        name: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// No JSON and no YAML, or one that would grow beyond bounds.
    #[error("`{name}` is broken at line {line}: {why}")]
    Broken {
        /// The document.
        name: String,
        /// The line, counted from 1; 0 where it is not known.
        line: u64,
        /// What is wrong there.
        why: String,
    },
    /// It can be read, and says nothing about an API.
    #[error("`{name}` is unreadable: {why}")]
    Unreadable {
        /// The document.
        name: String,
        /// What it is instead, and the next step.
        why: String,
    },
    /// A kind of document that is not understood.
    #[error(
        "`{name}` is {what}, which is not understood; OpenAPI, Swagger, Postman, GraphQL, JSON Schema, lists of MCP tools, HTML, Markdown and text are"
    )]
    Unsupported {
        /// The document.
        name: String,
        /// What it is.
        what: String,
    },
}

/// The largest description: four times the largest that is known in the wild (GitHub's, 13 MB).
const MAX_BYTES: usize = 64 << 20;
/// The largest page; more text than that is no page.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// Reads a document; `name` is its file name or address, for what its ending says and for messages.
///
/// # Errors
/// [`SpecError`] where it is too large, broken, of another kind, or says nothing: an empty page that scripts would fill,
/// a page that asks to sign in, an error page, a description without operations.
pub fn read(name: &str, content_type: Option<&str>, bytes: &[u8]) -> Result<Document, SpecError> {
    if bytes.len() > MAX_BYTES {
        return Err(SpecError::TooLarge { name: name.to_owned(), bytes: bytes.len(), limit: MAX_BYTES });
    }
    let unreadable = |why: &str| SpecError::Unreadable { name: name.to_owned(), why: why.to_owned() };
    if bytes.starts_with(b"%PDF-") {
        return Err(SpecError::Unsupported {
            name: name.to_owned(),
            what: "a PDF whose text was not taken out".to_owned(),
        });
    }
    if let Some(what) = no_text(bytes) {
        return Err(SpecError::Unsupported { name: name.to_owned(), what: what.to_owned() });
    }
    let content = String::from_utf8_lossy(bytes);
    let content = content.trim_start_matches('\u{feff}');
    if content.trim().is_empty() {
        return Err(unreadable("it is empty"));
    }
    match form(name, content_type, content) {
        Form::Json => description(name, json(name, content)?, Ending::Closed),
        Form::Yaml if content.starts_with("#%RAML") => {
            Err(SpecError::Unsupported { name: name.to_owned(), what: "a RAML description".to_owned() })
        }
        Form::Yaml => description(name, yaml(name, content)?, ending_of(content.as_bytes())),
        Form::GraphQl => readers::graphql::read(content)
            .map_err(|(line, why)| SpecError::Broken {
                name: name.to_owned(),
                line,
                why: plain_graphql_reason(&why),
            })
            .and_then(|root| model(name, root)),
        Form::Page | Form::Text if bytes.len() > MAX_PAGE_BYTES => {
            Err(SpecError::TooLarge { name: name.to_owned(), bytes: bytes.len(), limit: MAX_PAGE_BYTES })
        }
        Form::Page if feed::is_feed(content) => {
            feed::read(content).map(Document::Sections).map_err(|why| unreadable(&why))
        }
        Form::Page => html::read(content).map(Document::of_page).map_err(|why| unreadable(&why)),
        Form::Text => text::read(content).map(Document::of_page).map_err(|why| unreadable(&why)),
    }
}

/// What bytes are that hold no text in UTF-8 to be read.
fn no_text(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1f, 0x8b, ..] => Some("compressed (gzip)"),
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("text in UTF-16, and not in UTF-8"),
        [_, 0, ..] | [0, _, ..] if bytes.len() > 3 && (bytes[3] == 0 || bytes[2] == 0) => {
            Some("text in UTF-16, and not in UTF-8")
        }
        _ => memchr::memchr(0, &bytes[..bytes.len().min(8192)]).map(|_| "binary data"),
    }
}

/// The data of a JSON or YAML document; `None` for another form.
pub(super) fn data(name: &str, content_type: Option<&str>, bytes: &[u8]) -> Option<Result<Value, SpecError>> {
    let content = String::from_utf8_lossy(bytes);
    let content = content.trim_start_matches('\u{feff}');
    match form(name, content_type, content) {
        Form::Json => Some(json(name, content).map(|written| written.value)),
        Form::Yaml => Some(yaml(name, content).map(|written| written.value)),
        Form::GraphQl | Form::Page | Form::Text => None,
    }
}

/// What a look at a file came to.
enum Look {
    /// Records, or nothing that is known.
    No,
    /// A document, with its data where the look had to read them.
    Yes(Option<Box<Written>>),
}

/// Whether a file is a document that [`read`] is for, and no records: an API description of any kind, or a page.
#[must_use]
pub fn looks_like_document(name: &str, bytes: &[u8]) -> bool {
    matches!(look(name, bytes), Look::Yes(_))
}

/// Whether a file is XML, and neither a page nor a feed: nothing that is read here.
#[must_use]
pub fn is_other_xml(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(64 * 1024)]);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let is_page = || head.to_ascii_lowercase().contains("<html");
    head.starts_with("<?xml") && !feed::is_feed(head) && !is_page()
}

/// Reads a file that is a document and no records: an API description of any kind, or a page. `None` for another.
///
/// # Errors
/// As [`read`].
pub fn read_if_document(name: &str, bytes: &[u8]) -> Option<Result<Document, SpecError>> {
    match look(name, bytes) {
        Look::No => None,
        Look::Yes(Some(root)) if bytes.len() <= MAX_BYTES => {
            Some(description(name, *root, written_ending(name, bytes)))
        }
        Look::Yes(_) => Some(read(name, None, bytes)),
    }
}

fn look(name: &str, bytes: &[u8]) -> Look {
    if bytes.starts_with(b"%PDF-") {
        return Look::Yes(None);
    }
    if let found @ Look::Yes(_) = look_for_description(name, bytes) {
        return found;
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(64 * 1024)]);
    let head = head.trim_start_matches('\u{feff}');
    let is_prose = match form(name, None, head) {
        Form::Page | Form::GraphQl => true,
        Form::Text => {
            let plain = name.split(['?', '#']).next().unwrap_or(name);
            // No name says what it is: records begin as JSON does, prose with a word or with the sign of a heading.
            let has_ending = plain.rsplit(['/', '\\']).next().is_some_and(|last| last.contains('.'));
            let begins_prose = |c: char| c.is_alphabetic() || matches!(c, '#' | '=');
            ["md", "markdown", "mdx", "txt", "rst", "adoc", "pdf"].contains(&ending(name).as_str())
                || (!has_ending && head.trim_start().starts_with(begins_prose))
        }
        Form::Json | Form::Yaml => false,
    };
    if is_prose { Look::Yes(None) } else { Look::No }
}

/// Whether a file is an API description, by a look at its content and its name: for `drogue init`.
#[must_use]
pub fn looks_like_api_description(name: &str, bytes: &[u8]) -> bool {
    matches!(look_for_description(name, bytes), Look::Yes(_))
}

fn look_for_description(name: &str, bytes: &[u8]) -> Look {
    // Long enough for a licence text above the first key.
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(64 * 1024)]);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let by_its_data = || {
        let content = String::from_utf8_lossy(bytes);
        let content = content.trim_start_matches('\u{feff}');
        let written = match form(name, None, content) {
            Form::Json => json(name, content),
            Form::Yaml => yaml(name, content),
            Form::GraphQl | Form::Page | Form::Text => return Look::No,
        };
        match written {
            Ok(written) if kind(&written.value).is_some() || is_of_another_version(&written.value) => {
                Look::Yes(Some(Box::new(written)))
            }
            Ok(_) | Err(_) => Look::No,
        }
    };
    match form(name, None, head) {
        Form::GraphQl => Look::Yes(None),
        Form::Page | Form::Text => Look::No,
        Form::Yaml if !head.starts_with('{') => {
            if has_openapi_key(head) {
                Look::Yes(None)
            } else {
                by_its_data()
            }
        }
        Form::Json | Form::Yaml => {
            // Records are large and come often: only a text with one of these words is worth being parsed.
            const WORDS: [&str; 7] = [
                "\"openapi\"",
                "\"swagger\"",
                "\"__schema\"",
                "\"inputSchema\"",
                "\"$schema\"",
                "\"_postman_id\"",
                "getpostman.com",
            ];
            let has_word = WORDS.iter().any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some());
            if head.starts_with('{') && has_word { by_its_data() } else { Look::No }
        }
    }
}

/// Kinds of descriptions that are written as JSON or YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OpenApi,
    Postman,
    Introspection,
    Tools,
    JsonSchema,
    /// Known, and not understood.
    Other(&'static str),
}

/// What a description is, by the members at its top.
fn kind(root: &Value) -> Option<Kind> {
    let object = root.as_object()?;
    let version = |key: &str, number: char| match object.get(key) {
        Some(Value::String(text)) => text.starts_with(number),
        Some(Value::Number(version)) => version.to_string().starts_with(number),
        _ => false,
    };
    if version("openapi", '3') || version("swagger", '2') {
        return Some(Kind::OpenApi);
    }
    if object.contains_key("asyncapi") {
        return Some(Kind::Other("an AsyncAPI description"));
    }
    if object.contains_key("discoveryVersion") {
        return Some(Kind::Other("a Google discovery document"));
    }
    if readers::postman::is_collection(root) {
        return Some(Kind::Postman);
    }
    if readers::introspection::schema_of(root).is_some() {
        return Some(Kind::Introspection);
    }
    if readers::tools::list_of(root).is_some() {
        return Some(Kind::Tools);
    }
    readers::json_schema::is_schema(root).then_some(Kind::JsonSchema)
}

/// Whether it says of itself that it is an OpenAPI or Swagger description, of whatever version.
fn is_of_another_version(root: &Value) -> bool {
    let names_one = ["openapi", "swagger"].iter().any(|key| root.get(key).is_some_and(|it| !it.is_object()));
    names_one && ["info", "paths"].iter().any(|key| root.get(key).is_some_and(Value::is_object))
}

fn has_openapi_key(text: &str) -> bool {
    const KEYS: [&str; 6] =
        ["openapi:", "swagger:", "\"openapi\":", "\"swagger\":", "'openapi':", "'swagger':"];
    text.lines().take(2000).any(|line| KEYS.iter().any(|key| line.starts_with(key)))
}

fn ending(name: &str) -> String {
    let path = name.split(['?', '#']).next().unwrap_or(name);
    path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase()
}

enum Form {
    Json,
    Yaml,
    GraphQl,
    Page,
    Text,
}

/// What the document is written in: by its text first, then by what others say of it.
fn form(name: &str, content_type: Option<&str>, content: &str) -> Form {
    let start = content.trim_start();
    let ending = ending(name);
    let declared = content_type.unwrap_or_default().to_ascii_lowercase();
    if start.starts_with('<') {
        return Form::Page;
    }
    // `{% include %}` and `{{ … }}` begin templates, `[text](link)` begins Markdown.
    let begins_json = start.starts_with('{') && !start.starts_with("{{") && !start.starts_with("{%");
    if begins_json || (start.starts_with('[') && (ending == "json" || declared.contains("json"))) {
        return if matches!(ending.as_str(), "yaml" | "yml") { Form::Yaml } else { Form::Json };
    }
    let is_graphql =
        matches!(ending.as_str(), "graphql" | "graphqls" | "gql") || declared.contains("graphql");
    if is_graphql || readers::graphql::looks_like(start) {
        return Form::GraphQl;
    }
    if has_openapi_key(start)
        || start.starts_with("#%RAML")
        || matches!(ending.as_str(), "yaml" | "yml")
        || declared.contains("yaml")
    {
        return Form::Yaml;
    }
    if ending == "json" || declared.contains("json") {
        return Form::Json;
    }
    Form::Text
}

/// How a text ends, where it is YAML.
fn written_ending(name: &str, bytes: &[u8]) -> Ending {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(64 * 1024)]);
    match form(name, None, head.trim_start_matches('\u{feff}')) {
        Form::Yaml => ending_of(bytes),
        Form::Json | Form::GraphQl | Form::Page | Form::Text => Ending::Closed,
    }
}

fn ending_of(yaml: &[u8]) -> Ending {
    // YAML in the notation of JSON has a last bracket.
    match yaml.trim_ascii_end().last() {
        Some(b'}') if yaml.trim_ascii_start().first() == Some(&b'{') => Ending::Closed,
        _ if yaml.ends_with(b"\n") || yaml.ends_with(b"\r") => Ending::Line,
        _ => Ending::Open,
    }
}

/// Values of a JSON or YAML document, each taking some ten times the bytes in memory that its shortest text has. The
/// largest description that is known, GitHub's, has a quarter of a million.
const MAX_NODES: usize = 4_000_000;

fn json(name: &str, content: &str) -> Result<Written, SpecError> {
    // No more values than signs that begin or part them, those inside of texts counted with them.
    if memchr::memchr3_iter(b',', b'[', b'{', content.as_bytes()).count() > MAX_NODES {
        let why = format!("it has more than {MAX_NODES} values");
        return Err(SpecError::Broken { name: name.to_owned(), line: 0, why });
    }
    serde_json::from_str(content).map_err(|error| SpecError::Broken {
        name: name.to_owned(),
        line: error.line() as u64,
        why: plain_reason(&error),
    })
}

/// The reason without its place, which is printed apart.
fn plain_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split(" at line ").next().unwrap_or(&text) {
        why if why.starts_with("EOF while") => "it ends in the middle, as if it were cut off".to_owned(),
        "recursion limit exceeded" => "it nests deeper than 128".to_owned(),
        why => why.to_owned(),
    }
}

/// The reason without the names of the parser's tokens.
fn plain_graphql_reason(why: &str) -> String {
    if why.contains("recursion limit") {
        return "it nests deeper than is read".to_owned();
    }
    const TOKENS: [(&str, &str); 10] = [
        ("R_CURLY", "`}`"),
        ("L_CURLY", "`{`"),
        ("R_PAREN", "`)`"),
        ("L_PAREN", "`(`"),
        ("R_BRACK", "`]`"),
        ("L_BRACK", "`[`"),
        ("COLON", "`:`"),
        ("EOF", "the end of the file"),
        ("NAME", "a name"),
        ("AT", "`@`"),
    ];
    let words = why.split(' ').map(|word| {
        let (bare, sign) = word.strip_suffix(',').map_or((word, ""), |bare| (bare, ","));
        let plain = TOKENS.iter().find(|(token, _)| *token == bare).map_or(bare, |(_, plain)| plain);
        format!("{plain}{sign}")
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The reason without the terms of the parser.
fn plain_yaml_reason(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let is = |part: &str| text.contains(part);
    let plain = match () {
        () if is("Documents {") => "it holds several documents, and only one is read",
        () if is("recursive reference") => "an anchor refers to itself",
        () if is("alias replay limit") || is("aliases") || is("Aliases {") => {
            "its aliases would make it grow beyond bounds"
        }
        () if is("Depth {") || is("recursion") => "it nests deeper than 128",
        () if is("budget breached") => "it has more parts than are read",
        () => return text,
    };
    plain.to_owned()
}

fn yaml(name: &str, content: &str) -> Result<Written, SpecError> {
    // Room for the largest descriptions as YAML; aliases are for a handful of shared parts, not for bombs.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000_000,
            max_nodes: MAX_NODES,
            max_depth: 128,
            max_aliases: 10_000,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 500_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        // As YAML 1.2 has it: the `NO` in a list of countries is Norway.
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(content, options).map_err(|error| SpecError::Broken {
        name: name.to_owned(),
        line: error.location().map_or(0, |location| location.line()),
        why: plain_yaml_reason(&error),
    })
}

/// What a document is that is like one that is read, but is not understood: of another version, or of another sort.
fn near_miss(root: &Value) -> Option<String> {
    let version = |key: &str| match root.get(key)? {
        Value::String(text) => Some(text.chars().take(20).collect::<String>()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    if let Some(version) = version("openapi") {
        return Some(format!("OpenAPI {version}, a version other than 3.x"));
    }
    if let Some(version) = version("swagger").or_else(|| version("swaggerVersion")) {
        return Some(format!("Swagger {version}, a version other than 2.0"));
    }
    let has = |keys: &[&str]| keys.iter().all(|key| root.get(key).is_some());
    if has(&["requests", "folders"]) || has(&["requests", "order"]) {
        return Some("a Postman collection in the format 1".to_owned());
    }
    if has(&["paths", "info"]) {
        return Some("an OpenAPI description that does not say its version (`openapi: 3.…`)".to_owned());
    }
    let message = root.get("errors")?.get(0)?.get("message")?.as_str()?;
    let message: String = message.chars().take(200).collect();
    Some(format!("an error that a server answered with (“{message}”)"))
}

fn description(name: &str, written: Written, ending: Ending) -> Result<Document, SpecError> {
    let Written { value: root, twice } = written;
    let unreadable = |why: String| SpecError::Unreadable { name: name.to_owned(), why };
    if !root.is_object() {
        return Err(unreadable("it holds no object, so it is no API description".to_owned()));
    }
    let lowered = match kind(&root) {
        Some(Kind::OpenApi) => return open_api(name, root, twice, ending),
        Some(Kind::Postman) => readers::postman::read(&root),
        Some(Kind::Introspection) => readers::introspection::read(&root),
        Some(Kind::Tools) => readers::tools::read(root),
        Some(Kind::JsonSchema) => readers::json_schema::read(root),
        Some(Kind::Other(what)) => {
            return Err(SpecError::Unsupported { name: name.to_owned(), what: what.to_owned() });
        }
        None if near_miss(&root).is_some() => {
            let what = near_miss(&root).unwrap_or_default();
            return Err(SpecError::Unsupported { name: name.to_owned(), what });
        }
        None => {
            Err("it is no API description: neither `openapi: 3.…` nor `swagger: '2.0'` stands at its top, \
                     and it is no Postman collection, GraphQL schema, JSON Schema or list of MCP tools"
                .to_owned())
        }
    };
    model(name, lowered.map_err(unreadable)?)
}

fn model(name: &str, root: Value) -> Result<Document, SpecError> {
    let model = noted(name, root, &[])?;
    // What was lowered from another format has no paths of its own that could be left empty on purpose.
    if model.operations().is_empty() {
        return Err(SpecError::Unreadable {
            name: name.to_owned(),
            why: "it describes no operations".to_owned(),
        });
    }
    Ok(Document::Api(Box::new(model)))
}

fn noted(name: &str, root: Value, twice: &[Vec<String>]) -> Result<ApiModel, SpecError> {
    let model = ApiModel::new(root).ok_or_else(|| SpecError::Unreadable {
        name: name.to_owned(),
        why: "it is no API description".to_owned(),
    })?;
    let notes = assembly::unread(model.root(), model.faults(), twice);
    Ok(model.with_notes(notes))
}

fn open_api(
    name: &str,
    mut root: Value,
    twice: Vec<Vec<String>>,
    ending: Ending,
) -> Result<Document, SpecError> {
    let unreadable = |why: &str| SpecError::Unreadable { name: name.to_owned(), why: why.to_owned() };
    readers::openapi::settle(&mut root);
    let model = noted(name, root, &twice)?.written(twice, ending);
    if !model.describes_something() {
        return Err(unreadable(
            "it describes no operations; it may be one part of a description in several files",
        ));
    }
    Ok(Document::Api(Box::new(model)))
}
