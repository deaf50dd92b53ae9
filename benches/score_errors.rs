//! `cargo bench --bench score_errors -- ERRORS.jsonl OUT.jsonl`: what Drogue makes of each row of an error corpus.
//!
//! A row holds a response (`status`, `headers`, `body`) of a `vendor`, or, for filters of real connectors, a status
//! alone. What comes out is `{index, class, action}` in the words of that corpus; the tables below translate, and
//! nothing here looks at the row's own class or action. A row without status and response tells nothing and gets
//! no line.

use std::{error::Error, fs, io::Write};

use drogue::model::{Action, ErrorClass, Exchange, RequestHead, ResponseHead};
use drogue::rules::{Classified, RuleSet};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let [input, output] = files.as_slice() else {
        return Err("usage: cargo bench --bench score_errors -- ERRORS.jsonl OUT.jsonl".into());
    };
    let rules = RuleSet::builtin();
    let mut out = fs::File::create(output)?;
    for (index, line) in fs::read_to_string(input)?.lines().enumerate() {
        let row: Value = serde_json::from_str(line)?;
        let Some(exchange) = exchange(&rules, &row) else { continue };
        let (class, action) = match rules.classify(&exchange) {
            Some(classified) => (class_word(&classified), action_word(&classified)),
            None => ("ok", "SUCCESS"),
        };
        writeln!(out, "{}", json!({"index": index, "class": class, "action": action}))?;
    }
    Ok(())
}

/// The row as an exchange with the vendor's first host.
fn exchange(rules: &RuleSet, row: &Value) -> Option<Exchange> {
    let vendor = row["vendor"].as_str().unwrap_or("generic");
    let host = rules
        .vendors()
        .filter(|(name, _)| vendor == *name || vendor.starts_with(&format!("{name}-")))
        .max_by_key(|(name, _)| name.len())
        .and_then(|(_, hosts)| hosts.first())
        .map_or_else(|| "api.example.com".to_owned(), |host| host.replace('*', "tenant"));
    let response = &row["response"];
    let status = response["status"].as_u64().or_else(|| row["status"].as_u64())?;
    let pairs = response["headers"].as_object().into_iter().flatten();
    let headers = pairs
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())))
        .collect();
    // A filter of a connector looks for this text in the body; nothing else is known of it.
    let body = response["body"].as_str().or_else(|| row["message_fragment"].as_str()).unwrap_or_default();
    Some(Exchange {
        request: RequestHead {
            method: "GET".to_owned(),
            url: format!("https://{host}/v1/items"),
            headers: vec![],
        },
        response: Ok(ResponseHead { status: u16::try_from(status).ok()?, headers }),
        body: body.as_bytes().to_vec(),
        at: "2026-11-21T00:00:00Z".parse().ok()?,
        latency_ms: 1,
    })
}

/// Our class, by rule where the corpus has a finer word, in its words.
fn class_word(classified: &Classified) -> &'static str {
    match classified.rule.as_str() {
        "proxy-asks-to-sign-in" => return "auth_required",
        "method-not-allowed" => return "method_changed",
        "other-media-type" => return "media_changed",
        "unavailable-for-legal-reasons" => return "legal_block",
        "cursor-expired" | "paging-limit" => return "pagination",
        "missing-token-or-no-such-path" => return "auth_or_path",
        // That corpus files a login page with status 200 under what it looks like, not under what it means.
        "login-page" => return "not_json",
        _ => {}
    }
    match classified.class {
        ErrorClass::AuthExpired => "auth_expired",
        ErrorClass::AuthInvalid => "auth_invalid",
        ErrorClass::AuthChanged => "auth_scheme_changed",
        ErrorClass::PermissionLost => "permission",
        ErrorClass::AccountBlocked => "account_blocked",
        ErrorClass::RateLimited => "rate_limited",
        ErrorClass::QuotaExhausted => "quota",
        ErrorClass::Outage => "source_down",
        ErrorClass::EndpointGone => "endpoint_gone",
        ErrorClass::EndpointMoved => "endpoint_moved",
        ErrorClass::NotFound => "not_found",
        ErrorClass::RequestInvalid => "request_invalid",
        ErrorClass::PageTooBig => "page_too_big",
        ErrorClass::NotJson => "not_json",
        ErrorClass::Truncated => "truncated",
        ErrorClass::OkWithError => "ok_with_error",
        ErrorClass::Deprecated => "deprecation",
        ErrorClass::BlockedByFirewall => "waf_block",
    }
}

/// Our action in the words of the corpus.
fn action_word(classified: &Classified) -> &'static str {
    match (classified.action, classified.class) {
        (Action::Wait, ErrorClass::RateLimited | ErrorClass::QuotaExhausted) => "RATE_LIMITED",
        (Action::RetryNow, _) if classified.rule == "cursor-expired" => "RESET_PAGINATION",
        (Action::Wait | Action::RetryNow, _) => "RETRY",
        (Action::ReAuthenticate, _) => "REFRESH_TOKEN_THEN_RETRY",
        (Action::Stop, _) => "FAIL",
        (Action::Continue, _) => "SUCCESS",
    }
}
