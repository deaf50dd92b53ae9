//! Receivers and the routes to them.

use super::{Checker, below, is_loopback, known, names};
use crate::config::Config;
use crate::config::errors::ConfigError;
use crate::config::tree::Seg;
use crate::model::Period;
use crate::notify::{ReceiverSettings, SmtpTls};

/// Checks one receiver.
pub(super) fn check(checker: &mut Checker<'_, '_>, name: &str, receiver: &ReceiverSettings) {
    let at: Vec<Seg> = vec!["receivers".into(), name.into()];
    checker.name(&at, "receiver", name);
    match receiver {
        ReceiverSettings::Email { to, from, smtp } => {
            if to.is_empty() {
                checker.error(&below(&at, "to"), "nobody is named; give at least one address");
            }
            for (index, address) in to.iter().enumerate() {
                mailbox(checker, &below(&below(&at, "to"), index), address);
            }
            mailbox(checker, &below(&at, "from"), from);
            let smtp_at = below(&at, "smtp");
            checker.one_secret(&smtp_at, "password", false);
            let secret = ["password", "password_file"]
                .into_iter()
                .map(|key| below(&smtp_at, key))
                .find(|path| checker.given(path));
            let has_user = checker.given(&below(&smtp_at, "username"));
            match &secret {
                Some(path) if !has_user => {
                    checker.error_at_key(path, "a password needs `username` beside it")
                }
                None if has_user => {
                    checker.error_at_key(
                        &below(&smtp_at, "username"),
                        "a user name needs `password` or `password_file` beside it",
                    );
                }
                Some(_) | None => {}
            }
            if secret.is_some() && smtp.tls == SmtpTls::None && !is_loopback(&smtp.host) {
                checker.error_help(
                    &below(&smtp_at, "tls"),
                    format!("a password is not sent to `{}` without TLS", smtp.host),
                    "take `tls: required` or `tls: implicit`",
                );
            }
            if smtp.host.is_empty()
                || smtp.host.contains([':', '/', ' ']) && smtp.host.parse::<std::net::IpAddr>().is_err()
            {
                checker.error(
                    &below(&smtp_at, "host"),
                    "`host` is a name or an IP address alone; the port goes to `port`",
                );
            }
        }
        ReceiverSettings::Webhook { url, .. } => {
            match url::Url::parse(url) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {}
                Ok(_) | Err(_) => checker
                    .error(&below(&at, "url"), "a webhook's address begins with `https://` or `http://`"),
            }
            checker.one_secret(&at, "secret", false);
            if !checker.given(&below(&at, "secret")) && !checker.given(&below(&at, "secret_file")) {
                checker.warning(
                    &at,
                    format!("webhook `{name}` has no `secret`, so its messages are not signed"),
                    "give `secret: ${NAME}` or `secret_file`",
                );
            }
        }
    }
}

fn mailbox(checker: &mut Checker<'_, '_>, at: &[Seg], text: &str) {
    if let Err(error) = text.parse::<lettre::message::Mailbox>() {
        checker.error(at, format!("`{text}` is no mail address: {}", error.to_string().to_lowercase()));
    }
}

/// Checks that every route leads somewhere, and every receiver is reached.
pub(super) fn routes(checker: &mut Checker<'_, '_>, config: &Config) {
    let receivers = names(checker, &["receivers".into()]);
    let connectors = names(checker, &["connectors".into()]);
    for (index, route) in config.routes.iter().enumerate() {
        let at: Vec<Seg> = vec!["routes".into(), index.into()];
        for (n, name) in route.receivers.iter().enumerate() {
            known(checker, &below(&below(&at, "receivers"), n), "receiver", name, &receivers);
        }
        for (n, pattern) in route.connectors.iter().enumerate() {
            let path = below(&below(&at, "connectors"), n);
            if pattern.contains('*') {
                if !connectors.iter().any(|name| matches(pattern, name)) {
                    checker.warning(
                        &path,
                        format!("no connector fits `{pattern}`"),
                        "this route is never taken",
                    );
                }
            } else {
                known(checker, &path, "connector", pattern, &connectors);
            }
        }
        if let Some(period) = route.remind_every {
            checker.at_least(&below(&at, "remind_every"), "remind_every", period, Period::from_secs(300));
        }
    }
    let routed = |name: &String| config.routes.iter().any(|route| route.receivers.contains(name));
    for name in config.receivers.keys().filter(|name| !routed(name)) {
        checker.warning(
            &["receivers".into(), name.into()],
            format!("no route leads to `{name}`, so it is never told"),
            "name it in `routes`",
        );
    }
    if config.receivers.is_empty() && !config.connectors.is_empty() && checker.found.errors.is_empty() {
        let warning = ConfigError::new(checker.source.file, "no receiver is configured, so nobody is told")
            .help("add one below `receivers` and name it in `routes`");
        checker.found.warnings.push(warning);
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or("");
    for part in parts {
        let Some(found) = left.find(part) else { return false };
        left = &left[found + part.len()..];
    }
    left.ends_with(last)
}
