//! The text of a first config.

use std::fmt::Write as _;
use std::path::Path;

use super::{Found, FoundAuth, FoundConnector, FoundStream, Obstacle};
use crate::observe::{Method, PagingSettings};

/// A first config, and what a person does before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The text of `drogue.yaml`.
    pub text: String,
    /// Environment variables that it reads, each with what goes into it.
    pub variables: Vec<(String, String)>,
    /// Things that could not be written down, for a person to know.
    pub notes: Vec<String>,
}

/// Writes a config for what was found. It reads, checks and runs once its variables are set.
#[must_use]
pub fn draft(found: &Found) -> Draft {
    let mut writer = Writer {
        out: String::new(),
        draft: Draft { text: String::new(), variables: Vec::new(), notes: Vec::new() },
    };
    writer.line(
        0,
        "# Written by `drogue init`; yours from here on. `drogue config check` says what is wrong in it,",
    );
    writer.line(0, "# and drogue.example.yaml in the repository explains every setting.");
    writer.line(0, "");
    writer.line(0, "version: 1");
    writer.line(0, "");
    if found.connectors.is_empty() {
        writer.nothing_found();
    } else {
        writer.line(0, "connectors:");
        for (at, connector) in found.connectors.iter().enumerate() {
            if at > 0 {
                writer.line(0, "");
            }
            writer.connector(connector);
        }
    }
    for document in &found.documents {
        let path = slashes(document);
        writer.draft.notes.push(format!("`{path}` describes an API, and no connector beside it uses it"));
    }
    writer.receivers();
    writer.draft.text = writer.out;
    writer.draft
}

struct Writer {
    out: String,
    draft: Draft,
}

impl Writer {
    fn line(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.out.push_str(&" ".repeat(indent));
            self.out.push_str(text);
        }
        self.out.push('\n');
    }

    fn pair(&mut self, indent: usize, key: &str, value: &str) {
        self.line(indent, &format!("{}: {}", scalar(key), scalar(value)));
    }

    fn nothing_found(&mut self) {
        for text in [
            "# No connector was found here. This is what one looks like; take away the `#`.",
            "connectors: {}",
            "#   crm:",
            "#     base_url: https://api.crm.example/v2/",
            "#     auth: {type: bearer, token: \"${CRM_TOKEN}\"}",
            "#     streams:",
            "#       customers:",
            "#         request: {url: customers}",
        ] {
            self.line(0, text);
        }
    }

    fn receivers(&mut self) {
        for text in [
            "",
            "# Who is told. Until somebody is named here, findings wait in `drogue findings`.",
            "# receivers:",
            "#   data-team:",
            "#     type: email",
            "#     to: [data-team@example.com]",
            "#     from: drogue@example.com",
            "#     smtp: {host: mail.example.com, username: drogue, password: \"${SMTP_PASSWORD}\"}",
            "# routes:",
            "#   - receivers: [data-team]",
        ] {
            self.line(0, text);
        }
    }

    fn connector(&mut self, connector: &FoundConnector) {
        match (&connector.mapping, connector.docs.first()) {
            (Some((file, _)), _) => self.line(2, &format!("# From {}.", comment(&slashes(file)))),
            (None, Some(doc)) => {
                self.line(
                    2,
                    &format!(
                        "# From {}. No mapping file is known, so nothing is patched:",
                        comment(&slashes(doc))
                    ),
                );
                self.line(2, "# add `mapping: {file: …}` for that.");
            }
            (None, None) => {}
        }
        self.line(2, &format!("{}:", scalar(&connector.name)));
        match &connector.base_url {
            Some(base) => {
                self.pair(4, "base_url", base);
                if let Some(network) = private_network(base) {
                    self.line(4, "http:");
                    self.line(
                        6,
                        &format!(
                            "allow_private: [{}] # private networks are refused unless named",
                            quoted(network)
                        ),
                    );
                }
            }
            None if connector.streams.iter().any(|stream| stream.obstacle == Some(Obstacle::Base)) => {
                let hint = connector.base_hint.as_deref().unwrap_or("https://api.example.com/");
                self.line(
                    4,
                    &format!(
                        "# base_url: {} # fill in, then take away the `#` here and below",
                        comment(hint)
                    ),
                );
                self.draft.notes.push(format!(
                    "`{}` needs its `base_url` before its streams can be asked for",
                    connector.name
                ));
            }
            None => {}
        }
        let asked = connector.streams.iter().any(|stream| stream.obstacle.is_none());
        self.auth(connector, asked);
        if let Some((file, framework)) = &connector.mapping {
            self.line(4, "mapping:");
            self.pair(6, "file", &slashes(file));
            let word = serde_json::to_value(framework).ok().and_then(|word| word.as_str().map(str::to_owned));
            if let Some(word) = word {
                self.pair(6, "framework", &word);
            }
        }
        if !connector.docs.is_empty() {
            self.line(4, "docs:");
            for doc in &connector.docs {
                self.line(6, &format!("- file: {}", scalar(&slashes(doc))));
            }
        }
        if connector.streams.is_empty() {
            self.line(4, "streams: {}");
            return;
        }
        self.line(4, "streams:");
        for stream in &connector.streams {
            self.stream(connector, stream);
        }
    }

    /// Where no stream is asked for, sign-in is only a hint: a variable that nobody needs would stop the first run.
    fn auth(&mut self, connector: &FoundConnector, asked: bool) {
        let mut lines: Vec<(usize, String)> = Vec::new();
        let variable = |end: &str| variable(&connector.name, end);
        let (kind, key, name, what) = match &connector.auth {
            FoundAuth::None => return,
            FoundAuth::Other(what) => {
                self.line(4, &format!("# It signs in by {}; write `auth` for it.", comment(what)));
                self.draft.notes.push(format!("`{}` signs in by {what}: write its `auth`", connector.name));
                return;
            }
            FoundAuth::Bearer => ("bearer", "token", variable("TOKEN"), "its bearer token"),
            FoundAuth::Basic => {
                lines.push((6, "username: user # of yours".to_owned()));
                ("basic", "password", variable("PASSWORD"), "the password of its user")
            }
            FoundAuth::Header(name) => {
                lines.push((6, format!("header: {}", scalar(name))));
                ("api-key", "key", variable("KEY"), "its API key")
            }
            FoundAuth::Query(name) => {
                lines.push((6, format!("query: {}", scalar(name))));
                ("api-key", "key", variable("KEY"), "its API key")
            }
            FoundAuth::ClientCredentials(url) => {
                lines.push((6, format!("token_url: {}", scalar(url))));
                lines.push((6, "client_id: drogue # of yours".to_owned()));
                let what = "the secret of its OAuth client";
                ("oauth2-client-credentials", "client_secret", variable("CLIENT_SECRET"), what)
            }
        };
        lines.insert(0, (6, format!("type: {kind}")));
        lines.insert(0, (4, "auth:".to_owned()));
        lines.push((6, format!("{key}: ${{{name}}}")));
        if asked {
            self.draft.variables.push((name, format!("{what}, for `{}`", connector.name)));
        }
        for (indent, text) in lines {
            if asked {
                self.line(indent, &text);
            } else {
                self.line(4, &format!("# {}{text}", " ".repeat(indent - 4)));
            }
        }
    }

    fn stream(&mut self, connector: &FoundConnector, stream: &FoundStream) {
        let mut lines: Vec<(usize, String)> = Vec::new();
        if let Some(name) = stream.mapped_as.as_ref().filter(|_| connector.mapping.is_some()) {
            lines.push((8, format!("mapped_as: {}", scalar(name))));
        }
        if !stream.key.is_empty() {
            let key: Vec<String> = stream.key.iter().map(|path| quoted(&path.to_string())).collect();
            lines.push((8, format!("key: [{}]", key.join(", "))));
        }
        if let Some(Obstacle::Other(why)) = &stream.obstacle {
            let empty = if lines.is_empty() { " {}" } else { "" };
            self.line(6, &format!("{}:{empty} # no request: {}", scalar(&stream.name), comment(why)));
            for (indent, text) in &lines {
                self.line(*indent, text);
            }
            return;
        }
        let own = lines.len();
        let waits = stream.obstacle == Some(Obstacle::Base);
        // Nothing behind the colon is an empty stream, and stays right when the request below is uncommented.
        self.line(6, &format!("{}:", scalar(&stream.name)));
        lines.push((8, "request:".to_owned()));
        lines.push((10, format!("url: {}", scalar(&stream.url))));
        if stream.method == Method::Post {
            lines.push((10, "method: POST".to_owned()));
        }
        if !stream.query.is_empty() {
            lines.push((10, "query:".to_owned()));
            for (key, value) in &stream.query {
                lines.push((12, format!("{}: {}", scalar(key), quoted(value))));
            }
        }
        if let Some(records) = &stream.records {
            lines.push((10, format!("records: {}", scalar(&records.to_string()))));
        }
        paging(&stream.paging, &mut lines);
        for (at, (indent, text)) in lines.iter().enumerate() {
            if waits && at >= own {
                self.line(8, &format!("# {}{text}", " ".repeat(indent - 8)));
            } else {
                self.line(*indent, text);
            }
        }
    }
}

/// The private network that an address lies in, where it does: nothing there is asked unless the config says so.
fn private_network(base: &str) -> Option<&'static str> {
    let url = url::Url::parse(base).ok()?;
    match url.host()? {
        url::Host::Domain(name) => {
            (name == "localhost" || name.ends_with(".localhost")).then_some("127.0.0.0/8")
        }
        url::Host::Ipv4(ip) => match ip.octets() {
            [127, ..] => Some("127.0.0.0/8"),
            [10, ..] => Some("10.0.0.0/8"),
            [172, 16..=31, ..] => Some("172.16.0.0/12"),
            [192, 168, ..] => Some("192.168.0.0/16"),
            _ => None,
        },
        url::Host::Ipv6(ip) => ip.is_loopback().then_some("::1/128"),
    }
}

fn paging(paging: &PagingSettings, lines: &mut Vec<(usize, String)>) {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    match paging {
        PagingSettings::None => return,
        PagingSettings::Link => pairs.push(("type", "link".to_owned())),
        PagingSettings::Page { param, start, size_param, size } => {
            pairs.push(("type", "page".to_owned()));
            pairs.push(("param", scalar(param)));
            pairs.push(("start", start.to_string()));
            pairs.extend(size_param.iter().map(|name| ("size_param", scalar(name))));
            pairs.extend(size.iter().map(|size| ("size", size.to_string())));
        }
        PagingSettings::Offset { param, size_param, size, .. } => {
            pairs.push(("type", "offset".to_owned()));
            pairs.push(("param", scalar(param)));
            pairs.push(("size_param", scalar(size_param)));
            pairs.push(("size", size.to_string()));
        }
        PagingSettings::Cursor { path, param } => {
            pairs.push(("type", "cursor".to_owned()));
            pairs.push(("path", scalar(&path.to_string())));
            pairs.extend(param.iter().map(|name| ("param", scalar(name))));
        }
    }
    lines.push((10, "paging:".to_owned()));
    lines.extend(pairs.into_iter().map(|(key, value)| (12, format!("{key}: {value}"))));
}

/// The name of an environment variable for a connector's secret.
fn variable(connector: &str, end: &str) -> String {
    let mut name: String = connector
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    format!("{name}_{end}")
}

/// A path with `/`, as configs have it on every system.
fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Text that is safe behind `#`.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A scalar as YAML reads it back: plain where nothing in it means something to YAML, else quoted.
fn scalar(text: &str) -> String {
    let plain_start =
        text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '$' | '/' | '_' | '.'));
    let plain = plain_start
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./$:?=&%+~@*[]".contains(c))
        && !text.contains(": ")
        && !text.ends_with(':')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n" | ".inf" | ".nan"
        );
    if plain { text.to_owned() } else { quoted(text) }
}

/// A scalar in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                // Writing to a `String` does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c) & 0xffff);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
