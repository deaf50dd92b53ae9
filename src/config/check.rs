//! What the types cannot say: values that contradict each other, names that lead nowhere, requests that cannot work.
//!
//! Every check is made, and each mistake is told at its place. A part that was hidden because it did not read is
//! looked up in the file and not in the config, so that one mistake is told once.

mod connector;
mod receiver;

use std::collections::BTreeSet;

use super::Config;
use super::errors::{ConfigError, ConfigErrors};
use super::load::unknown_rules;
use super::read::Source;
use super::tree::Seg;
use crate::model::Period;
use crate::observe::check_template;
use crate::rules::RuleSet;

/// Asking more often helps nobody, and hurts the vendor.
const LEAST_INTERVAL: Period = Period::from_secs(10);

/// Checks a config that reads.
pub(super) fn check(config: &Config, source: &Source<'_>, found: &mut ConfigErrors) {
    let mut checker = Checker { source, found };
    if config.version != 1 {
        checker.error(
            &["version".into()],
            format!("version {} is unknown; this Drogue reads version 1", config.version),
        );
    }
    store(&mut checker);
    connector::http(&mut checker, &["http".into()], &config.http);
    watch(&mut checker, config);
    // Where something did not read, it may be just that.
    if config.connectors.is_empty() && checker.found.errors.is_empty() {
        let warning = ConfigError::new(source.file, "no connector is configured, so nothing is watched")
            .help("`drogue init` finds connectors and writes them down");
        checker.found.warnings.push(warning);
    }
    for (name, connector) in &config.connectors {
        connector::check(&mut checker, name, connector);
    }
    for (name, receiver) in &config.receivers {
        receiver::check(&mut checker, name, receiver);
    }
    receiver::routes(&mut checker, config);
    overrides(&mut checker, config);
    // With rules of the site, all of them are known only once their folders are read.
    if config.rules.dirs.is_empty() && !checker.given(&["rules".into(), "dirs".into(), 0.into()]) {
        let unknown = unknown_rules(&RuleSet::builtin(), config, source);
        found.errors.extend(unknown);
    }
}

/// Collects mistakes.
struct Checker<'s, 't> {
    source: &'s Source<'t>,
    found: &'s mut ConfigErrors,
}

impl Checker<'_, '_> {
    fn error(&mut self, path: &[Seg], message: impl Into<String>) {
        self.found.errors.push(self.source.error(path, message));
    }

    fn error_help(&mut self, path: &[Seg], message: impl Into<String>, help: &str) {
        self.found.errors.push(self.source.error(path, message).help(help));
    }

    fn error_at_key(&mut self, path: &[Seg], message: impl Into<String>) {
        self.found.errors.push(self.source.error_at_key(path, message));
    }

    fn warning(&mut self, path: &[Seg], message: impl Into<String>, help: &str) {
        self.found.warnings.push(self.source.error_at_key(path, message).help(help));
    }

    /// Whether the file has this key, read or not.
    fn given(&self, path: &[Seg]) -> bool {
        self.source.tree.find(path).whole
    }

    /// A secret comes from one place.
    fn one_secret(&mut self, at: &[Seg], key: &str, required: bool) {
        let (plain, file) = (below(at, key), below(at, format!("{key}_file").as_str()));
        match (self.given(&plain), self.given(&file)) {
            (true, true) => {
                self.error_at_key(&file, format!("`{key}` and `{key}_file` are both given; keep one"));
            }
            (false, false) if required => {
                self.error_at_key(
                    at,
                    format!("a secret is missing: give `{key}: ${{NAME}}` or `{key}_file`"),
                );
            }
            (true | false, _) => {}
        }
    }

    /// Names stand in paths, commands and file names.
    fn name(&mut self, at: &[Seg], what: &str, name: &str) {
        let fits = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if !fits {
            self.error_at_key(
                at,
                format!("a {what}'s name has 1 to 64 letters, digits, `_`, `.` and `-`; this one does not"),
            );
        }
    }

    fn at_least(&mut self, at: &[Seg], what: &str, period: Period, least: Period) {
        if period < least {
            self.error(at, format!("`{what}` is {period}; the least is {least}"));
        }
    }

    fn template(&mut self, at: &[Seg], text: &str) {
        if let Err(error) = check_template(text) {
            self.error(at, error.to_string());
        }
    }
}

/// A path with one more step.
fn below(path: &[Seg], next: impl Into<Seg>) -> Vec<Seg> {
    let mut path = path.to_vec();
    path.push(next.into());
    path
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn store(checker: &mut Checker<'_, '_>) {
    let at: Vec<Seg> = vec!["store".into()];
    checker.one_secret(&at, "postgres", false);
    let postgres = ["postgres", "postgres_file"].into_iter().find(|key| checker.given(&below(&at, *key)));
    if let (true, Some(key)) = (checker.given(&below(&at, "sqlite")), postgres) {
        checker.error_at_key(
            &below(&at, "sqlite"),
            format!("`sqlite` and `{key}` are both given; things are kept in one place"),
        );
    }
}

fn watch(checker: &mut Checker<'_, '_>, config: &Config) {
    let at: Vec<Seg> = vec!["watch".into()];
    if config.watch.concurrency == 0 {
        checker.error(&below(&at, "concurrency"), "with `concurrency: 0` nothing is ever checked");
    }
    checker.one_secret(&at, "heartbeat", false);
    checker.at_least(
        &below(&at, "heartbeat_every"),
        "heartbeat_every",
        config.watch.heartbeat_every,
        LEAST_INTERVAL,
    );
}

fn overrides(checker: &mut Checker<'_, '_>, config: &Config) {
    for (index, change) in config.rules.overrides.iter().enumerate() {
        let at: Vec<Seg> = vec!["rules".into(), "overrides".into(), index.into()];
        if change.severity.is_none() && !change.ignore {
            checker.warning(&at, "this override changes nothing", "give `severity` or `ignore: true`");
        }
        if change.severity.is_some() && change.ignore {
            checker.warning(
                &below(&at, "severity"),
                "what is ignored has no severity",
                "keep `severity` or `ignore: true`",
            );
        }
        if let Some(name) = &change.connector {
            known(
                checker,
                &below(&at, "connector"),
                "connector",
                name,
                &names(checker, &["connectors".into()]),
            );
        }
        let Some(stream) = &change.stream else { continue };
        let streams: Vec<String> = config
            .connectors
            .iter()
            .filter(|(name, _)| change.connector.as_ref().is_none_or(|wanted| *name == wanted))
            .flat_map(|(_, connector)| connector.streams.keys().cloned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if !streams.is_empty() {
            known(checker, &below(&at, "stream"), "stream", stream, &streams);
        }
    }
}

/// The keys of a map as they are in the file, whether they could be read or not.
fn names(checker: &Checker<'_, '_>, path: &[Seg]) -> Vec<String> {
    checker.source.tree.keys(path)
}

fn known(checker: &mut Checker<'_, '_>, at: &[Seg], what: &str, name: &str, valid: &[String]) {
    if !valid.iter().any(|known| known == name) {
        let error = checker.source.error(at, format!("there is no {what} `{name}`"));
        checker.found.errors.push(error.nearest(name, valid.to_vec()));
    }
}
