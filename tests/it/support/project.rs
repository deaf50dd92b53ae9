//! A user's folder: a config, a mapping file, and the `drogue` program that is run in it; beside it the API that the
//! connector reads, and who is told.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::api::{Api, Reply, Seen};

/// A token, and a secret for webhooks, that must be found nowhere.
pub(crate) const TOKEN: &str = "canary-7f3e9b2d41c8-token";
pub(crate) const HOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The mapping that the connector loads by.
pub(crate) const MAPPING: &str = "# How customers are loaded.\nversion: 1\nstreams:\n  customers:\n    fields:\n      \
                                  # The key.\n      id: $.id\n      mail: $.email # where to write to\n      \
                                  name: $.name\n      amount: $.amount\n      created: $.created_at\n";

/// What the API publishes at the moment.
#[derive(Clone)]
pub(crate) struct Feed {
    shape: Arc<Mutex<Shape>>,
}

type Shape = Box<dyn Fn(u64) -> Reply + Send + Sync>;

impl Feed {
    pub(crate) fn new() -> Self {
        Self { shape: Arc::new(Mutex::new(Box::new(|turn| page(&customers(turn))))) }
    }

    /// From now on the API answers so.
    pub(crate) fn answers(&self, shape: impl Fn(u64) -> Reply + Send + Sync + 'static) {
        *self.shape.lock().unwrap() = Box::new(shape);
    }

    /// The vendor renames a field.
    pub(crate) fn renames(&self, from: &'static str, to: &'static str) {
        self.answers(move |turn| page(&renamed(customers(turn), from, to)));
    }

    /// Serves it.
    pub(crate) async fn serve(&self) -> Api {
        let feed = self.clone();
        Api::start(move |seen: &Seen| (feed.shape.lock().unwrap())(seen.number as u64)).await
    }
}

/// A page as this API sends it.
pub(crate) fn page(records: &[Value]) -> Reply {
    Reply::json(&json!({"data": records}))
}

/// Sixty customers; some amounts move from turn to turn.
pub(crate) fn customers(turn: u64) -> Vec<Value> {
    (0..60_u64)
        .map(|i| {
            json!({
                "id": i + 1,
                "email": format!("person{i}@example.org"),
                "name": format!("Person {}", i * 7919 % 60),
                "amount": 100 + (i * 37 + turn * 11) % 400,
                "created_at": format!("2025-{:02}-{:02}T08:{:02}:00Z", i % 12 + 1, i % 28 + 1, i),
            })
        })
        .collect()
}

/// The same with another name for a field.
pub(crate) fn renamed(mut records: Vec<Value>, from: &str, to: &str) -> Vec<Value> {
    for record in &mut records {
        let value = record.as_object_mut().unwrap().remove(from).unwrap();
        record[to] = value;
    }
    records
}

/// Who is told.
#[derive(Default)]
pub(crate) struct Receivers {
    pub(crate) smtp_port: Option<u16>,
    pub(crate) webhook: Option<String>,
}

/// The folder.
pub(crate) struct Project {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The JSON that was printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The same, after a look at the exit code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Project {
    /// A connector `crm` with the stream `customers`, two windows of learning, and these receivers.
    pub(crate) fn new(api: &Api, receivers: &Receivers) -> Self {
        let project = Self { folder: TempDir::new().unwrap(), variables: Vec::new() };
        let project = project.with("CRM_TOKEN", TOKEN).with("HOOK_SECRET", HOOK_SECRET);
        project.write("map.yaml", MAPPING);
        project.write("drogue.yaml", &config(&api.url("/"), receivers));
        project
    }

    /// A folder without a config.
    pub(crate) fn bare() -> Self {
        Self { folder: TempDir::new().unwrap(), variables: Vec::new() }
    }

    /// An environment variable for all runs.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Changes the config.
    pub(crate) fn edit_config(&self, from: &str, to: &str) {
        let config = self.read("drogue.yaml");
        assert!(config.contains(from), "{config}");
        self.write("drogue.yaml", &config.replacen(from, to, 1));
    }

    /// The program, in this folder, with nothing of the environment of the tests but the path.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drogue"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        for name in ["PATH", "HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("USER", "tester").env("LANG", "C.UTF-8");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Runs it with `--format json`; exit code and what was printed.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> (i32, Value) {
        let ran = self.run(&[args, &["--format", "json"]].concat());
        (ran.code.unwrap(), ran.json())
    }

    /// Records twice, as a user does on the first day.
    #[track_caller]
    pub(crate) fn learn(&self) {
        for _ in 0..2 {
            self.run(&["record"]).ended(0);
        }
    }
}

/// The config as a user writes it.
fn config(base_url: &str, receivers: &Receivers) -> String {
    let mut text = format!(
        "version: 1\nhttp: {{allow_private: [127.0.0.0/8]}}\nwatch: {{listen: '127.0.0.1:0'}}\n\
         learning: {{windows: 2, span: 0s}}\nconnectors:\n  crm:\n    base_url: {base_url}\n    \
         auth: {{type: bearer, token: '${{CRM_TOKEN}}'}}\n    mapping: {{framework: field-map, file: map.yaml}}\n    \
         streams:\n      customers:\n        every: 10s\n        key: [$.id]\n        \
         request: {{url: customers, records: '$.data[*]'}}\n"
    );
    let mut names = Vec::new();
    if receivers.smtp_port.is_some() || receivers.webhook.is_some() {
        text.push_str("receivers:\n");
    }
    if let Some(port) = receivers.smtp_port {
        names.push("team");
        text.push_str(&format!(
            "  team:\n    type: email\n    from: drogue@example.org\n    to: [team@example.org]\n    \
             smtp: {{host: 127.0.0.1, port: {port}, tls: none}}\n"
        ));
    }
    if let Some(url) = &receivers.webhook {
        names.push("hook");
        text.push_str(&format!(
            "  hook:\n    type: webhook\n    url: {url}\n    secret: '${{HOOK_SECRET}}'\n"
        ));
    }
    if !names.is_empty() {
        text.push_str(&format!("routes:\n  - receivers: [{}]\n", names.join(", ")));
    }
    text
}
