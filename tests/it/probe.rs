//! Probes against a fake API: what each kind of answer, good or bad, comes to.

mod bodies;
mod docs;
mod failures;
mod pages;
mod parts;
mod requests;
mod secrets;
mod sign_in;
mod transport;

use std::{collections::BTreeMap, sync::Arc};

use drogue::clock::DrivenClock;
use drogue::model::{Clock as _, HashKey, Secret, SecretSource, Subject};
use drogue::observe::{
    AuthSettings, Budget, Complete, Connection, Failure, HttpSettings, Observation, ObserveContext, Outcome,
    Politeness, Source, Validators, observe,
};
use drogue::profile::SampleMode;
use drogue::rules::RuleSet;
use serde_json::{Value, json};

use crate::support::api::Api;

/// The moment at which the tests' clock begins.
const START: &str = "2026-03-01T12:00:00Z";

/// A probe under construction.
struct Probe {
    request: Value,
    auth: AuthSettings,
    http: HttpSettings,
    headers: BTreeMap<String, String>,
    budget: u32,
    validators: Validators,
    clock: DrivenClock,
}

impl Probe {
    /// A probe of `url` that reads `$.data[*]`.
    fn new(url: &str) -> Self {
        Self {
            request: json!({ "url": url, "records": "$.data[*]" }),
            auth: AuthSettings::None,
            http: loopback(),
            headers: BTreeMap::new(),
            budget: 1_000,
            validators: Validators::default(),
            clock: DrivenClock::new(START.parse().unwrap()),
        }
    }

    fn of(api: &Api) -> Self {
        Self::new(&api.url("/items"))
    }

    /// Sets a key of the request.
    fn with(mut self, key: &str, value: Value) -> Self {
        self.request[key] = value;
        self
    }

    fn auth(mut self, auth: AuthSettings) -> Self {
        self.auth = auth;
        self
    }

    fn source(&self) -> Source {
        let connection = Connection::new(
            None,
            self.headers.clone(),
            &self.auth,
            &self.http,
            Arc::new(Politeness::new()),
            Arc::new(Budget::new(self.budget)),
        );
        Source {
            subject: Subject { connector: "crm".to_owned(), stream: "items".to_owned() },
            connection: Arc::new(connection.unwrap()),
            request: serde_json::from_value(self.request.clone()).unwrap(),
            samples: SampleMode::Keyed,
            guessed_records: None,
            validators: self.validators.clone(),
        }
    }

    async fn run(&self) -> Observation {
        self.look(&self.source()).await
    }

    async fn look(&self, source: &Source) -> Observation {
        let rules = RuleSet::builtin();
        let context =
            ObserveContext { clock: &self.clock, hash_key: HashKey::new([7; 16]), key: None, rules: &rules };
        observe(source, &context).await
    }

    /// Seconds that were waited for, by the clock.
    fn waited(&self) -> f64 {
        self.clock.now().duration_since(START.parse().unwrap()).as_secs_f64()
    }
}

/// Settings that reach the fake API.
fn loopback() -> HttpSettings {
    HttpSettings { allow_private: vec!["127.0.0.0/8".parse().unwrap()], ..HttpSettings::default() }
}

fn secret(text: &str) -> Option<SecretSource> {
    Some(SecretSource::Env { name: "SECRET".to_owned(), value: Some(Secret::new(text)) })
}

/// A body of `count` records, the first with id `first`.
fn page(first: usize, count: usize) -> Value {
    let records: Vec<Value> = (first..first + count).map(|id| json!({ "id": id, "name": "x" })).collect();
    json!({ "data": records })
}

#[track_caller]
fn complete(observation: Observation) -> Box<Complete> {
    match observation.outcome {
        Outcome::Complete(complete) => complete,
        other => panic!("no window: {other:?}"),
    }
}

#[track_caller]
fn failed(observation: Observation) -> Failure {
    match observation.outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("no failure: {other:?}"),
    }
}
