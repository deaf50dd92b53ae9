use std::fmt::Write as _;

use super::*;
use crate::model::{RequestHead, TransportError};

#[test]
fn every_file_parses() {
    for (path, text) in texts_below("errors") {
        let file = read(&path, &text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(path, format!("rules/errors/{}.yaml", file.vendor));
        assert_eq!(
            file.hosts.is_empty(),
            file.vendor == "generic",
            "{path}: only generic rules are for everybody"
        );
    }
}

/// The moment of every exchange here.
const AT: &str = "2026-11-21T00:00:00Z";

fn exchange(url: &str, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Exchange {
    Exchange {
        request: RequestHead { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new() },
        response: Ok(ResponseHead {
            status,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }),
        body: body.to_vec(),
        at: AT.parse().unwrap(),
        latency_ms: 1,
    }
}

fn classify(status: u16, headers: &[(&str, &str)], body: &str) -> Option<Classified> {
    RuleSet::builtin().classify(&exchange(
        "https://api.example.com/v1/items",
        status,
        headers,
        body.as_bytes(),
    ))
}

/// Responses of vendors that have no rules of their own, and traps of those that have: status, headers, body, class.
#[test]
fn classes_of_documented_responses() {
    use ErrorClass as C;
    let generic = "https://api.example.com/v1/items";
    type Row<'a> = (&'a str, u16, &'a [(&'a str, &'a str)], &'a str, C, Action);
    let rows: &[Row<'_>] = &[
        (
            generic,
            429,
            &[],
            r#"{"message":"You have reached the maximum per-second rate limit for this API."}"#,
            C::RateLimited,
            Action::Wait,
        ),
        (
            generic,
            429,
            &[],
            r#"{"code":429,"message":"You have reached the maximum daily rate limit for this API."}"#,
            C::QuotaExhausted,
            Action::Stop,
        ),
        (
            generic,
            403,
            &[],
            r#"{"error":{"errors":[{"reason":"quotaExceeded","message":"The request cannot be completed because you have exceeded your quota."}]}}"#,
            C::QuotaExhausted,
            Action::Stop,
        ),
        (
            generic,
            403,
            &[],
            r#"{"errors":[{"message":"Rate limit exceeded for this token"}]}"#,
            C::RateLimited,
            Action::Wait,
        ),
        (
            generic,
            429,
            &[],
            r#"{"error":{"type":"insufficient_quota","message":"You exceeded your current quota, please check your plan and billing details."}}"#,
            C::QuotaExhausted,
            Action::Stop,
        ),
        (generic, 503, &[("retry-after", "30")], "<html><title>503</title></html>", C::Outage, Action::Wait),
        (
            generic,
            401,
            &[],
            r#"{"errorCode":"E0000011","errorSummary":"Invalid token provided"}"#,
            C::AuthInvalid,
            Action::Stop,
        ),
        (
            generic,
            401,
            &[],
            r#"{"Type":null,"Title":"Unauthorized","Status":401,"Detail":"TokenExpired: token expired at 10/07/2026"}"#,
            C::AuthExpired,
            Action::ReAuthenticate,
        ),
        (
            generic,
            401,
            &[],
            r#"{"code":"390114","message":"Authentication token has expired. The user must authenticate again."}"#,
            C::AuthExpired,
            Action::ReAuthenticate,
        ),
        (generic, 401, &[], "", C::AuthExpired, Action::Stop),
        (
            generic,
            403,
            &[],
            r#"{"title":"User action not permitted","status":403}"#,
            C::PermissionLost,
            Action::Stop,
        ),
        (
            generic,
            403,
            &[],
            r#"{"message":"Your account has been suspended."}"#,
            C::AccountBlocked,
            Action::Stop,
        ),
        (
            generic,
            403,
            &[],
            r#"{"message":"Token does not have the required scope: read"}"#,
            C::PermissionLost,
            Action::Stop,
        ),
        (
            generic,
            404,
            &[],
            r#"{"message":"no Route matched with those values"}"#,
            C::EndpointGone,
            Action::Stop,
        ),
        (
            generic,
            404,
            &[],
            "<html><body><h1>404 Not Found</h1><hr>nginx</body></html>",
            C::EndpointGone,
            Action::Stop,
        ),
        (generic, 404, &[], r#"{"message":"Project 17 could not be found"}"#, C::NotFound, Action::Stop),
        (
            generic,
            400,
            &[],
            r#"{"message":"API version v2 has been retired, please use v3"}"#,
            C::EndpointGone,
            Action::Stop,
        ),
        (
            generic,
            400,
            &[],
            r#"{"detail":"limit must be less than or equal to 100"}"#,
            C::PageTooBig,
            Action::RetryNow,
        ),
        (generic, 400, &[], r#"{"message":"Unknown field `emial`"}"#, C::RequestInvalid, Action::Stop),
        (
            generic,
            400,
            &[],
            r#"{"error":{"message":"Invalid cursor provided"}}"#,
            C::RequestInvalid,
            Action::RetryNow,
        ),
        (generic, 522, &[], "", C::Outage, Action::Wait),
        (generic, 200, &[("content-type", "text/csv")], "id,name\n1,a\n2,b\n", C::NotJson, Action::Stop),
        (
            generic,
            200,
            &[("content-type", "application/xml")],
            "<?xml version=\"1.0\"?><orders/>",
            C::NotJson,
            Action::Stop,
        ),
        (generic, 200, &[], "{\"a\":1}\n{\"a\":2}\n", C::NotJson, Action::Stop),
        (generic, 200, &[], "PK\u{3}\u{4}rest", C::NotJson, Action::Stop),
        (generic, 200, &[], "  \n", C::NotJson, Action::Stop),
        (generic, 200, &[], r#"{"items":[{"a":1},{"a""#, C::Truncated, Action::RetryNow),
        (generic, 200, &[], r#"{"data":null,"errors":[{"message":"boom"}]}"#, C::OkWithError, Action::Stop),
        (
            generic,
            200,
            &[],
            r#"{"data":{"a":1},"errors":[{"message":"one field failed"}]}"#,
            C::OkWithError,
            Action::Continue,
        ),
        (
            generic,
            200,
            &[],
            r#"{"data":null,"errors":[{"message":"x","extensions":{"code":"UNAUTHENTICATED"}}]}"#,
            C::AuthExpired,
            Action::Stop,
        ),
        (generic, 200, &[], r#"{"ok":false,"error":"ratelimited"}"#, C::RateLimited, Action::Wait),
        (generic, 200, &[], r#"{"ok":false,"error":"token_revoked"}"#, C::AuthExpired, Action::Stop),
        (
            generic,
            200,
            &[],
            r#"{"errcode":40001,"errmsg":"invalid credential"}"#,
            C::OkWithError,
            Action::Stop,
        ),
        (
            generic,
            200,
            &[("sunset", "Thu, 31 Dec 2026 23:59:59 GMT")],
            r#"{"data":[]}"#,
            C::Deprecated,
            Action::Continue,
        ),
        (
            generic,
            302,
            &[("location", "https://id.example.com/oauth2/authorize?x=1")],
            "",
            C::AuthExpired,
            Action::Stop,
        ),
        (generic, 301, &[("location", "/v2/items?key=secret")], "", C::EndpointMoved, Action::Continue),
        (
            generic,
            308,
            &[("location", "https://other.example.net/items")],
            "",
            C::EndpointMoved,
            Action::Stop,
        ),
        (
            "https://acme.my.salesforce.com/services/data",
            401,
            &[],
            r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#,
            C::AuthExpired,
            Action::ReAuthenticate,
        ),
        (
            "https://acme.my.salesforce.com/services/data",
            403,
            &[],
            r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#,
            C::QuotaExhausted,
            Action::Stop,
        ),
        (
            "https://slack.com/api/users.list",
            200,
            &[],
            r#"{"ok":false,"error":"missing_scope","needed":"users:read"}"#,
            C::PermissionLost,
            Action::Stop,
        ),
        (
            "https://api.notion.com/v1/databases/1",
            404,
            &[],
            r#"{"object":"error","status":404,"code":"object_not_found","message":"Could not find database"}"#,
            C::PermissionLost,
            Action::Stop,
        ),
        (
            "https://graph.facebook.com/v19.0/me",
            400,
            &[],
            r#"{"error":{"message":"(#4) Application request limit reached","type":"OAuthException","code":4}}"#,
            C::RateLimited,
            Action::Wait,
        ),
        (generic, 200, &[], r#"{"code":401,"message":"token expired"}"#, C::AuthExpired, Action::Stop),
        (
            generic,
            200,
            &[],
            r#"{"type":"about:blank","title":"Forbidden","status":403}"#,
            C::PermissionLost,
            Action::Stop,
        ),
        (
            generic,
            200,
            &[],
            r#"{"errors":[{"status":"429","title":"Slow down"}]}"#,
            C::RateLimited,
            Action::Wait,
        ),
        (generic, 200, &[], r#"{"code":500,"message":"oops"}"#, C::OkWithError, Action::Stop),
    ];
    let mut wrong = String::new();
    for (url, status, headers, body, class, action) in rows {
        match RuleSet::builtin().classify(&exchange(url, *status, headers, body.as_bytes())) {
            Some(found) if found.class == *class && found.action == *action => {}
            other => {
                writeln!(wrong, "{status} {body}: {class:?} {action:?} expected, {other:?} found").unwrap()
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn data_is_no_error() {
    for body in [
        r#"{"data":[]}"#,
        "[]",
        r#"[{"id":1,"status":"error","message":"job failed"}]"#,
        r#"{"id":7,"status":"failed","error":{"code":3},"message":"the job failed"}"#,
        r#"{"items":[{"text":"too many requests, rate limit exceeded"}],"errors":[]}"#,
        r#"{"success":true,"error":null,"result":[]}"#,
        r#"{"ok":true,"members":[]}"#,
        r#"{"code":200,"message":"fine","data":[]}"#,
        r#"{"code":401,"message":"so many","data":[{"id":1}]}"#,
        r#"{"id":1,"code":404,"message":"the order's own"}"#,
        // A tracker of errors lists what it is for.
        r#"{"errors":[{"id":1,"status":500,"title":"a"},{"id":2,"status":404,"title":"b"}],"next":null}"#,
        r#"{"errors":[{"id":"5f2c","message":"a null pointer"},{"id":"5f2d","message":"no route"}]}"#,
        r#"{"errors":[{"status":404,"count":31},{"status":500,"count":2}]}"#,
        r#"{"code":401,"message":"ok","items":[{"id":1}]}"#,
        r#"{"code":403,"message":"ok","result":{"orders":[{"id":1}]}}"#,
        r#"{"code":429,"message":"ok","items":[{"id":1}]}"#,
        r#"{"code":500,"message":"ok","customers":[{"id":1}]}"#,
        r#"{"status":404,"title":"List","items":[{"id":1}]}"#,
        r#"{"status":401,"title":"List","items":[{"id":1}]}"#,
        r#"{"results":[],"error_code":0,"error":""}"#,
        "\u{feff}{\"data\":[1]}",
        "17",
        // Their records are malformed, the response is not.
        r#"{"data":[{"a":"\ud800"},{"a":1e999}]}"#,
    ] {
        assert_eq!(classify(200, &[("content-type", "application/json")], body), None, "{body}");
    }
    assert_eq!(classify(200, &[("deprecation", "false")], "[]"), None);
    assert_eq!(classify(204, &[], ""), None);
    assert_eq!(classify(304, &[], ""), None);
}

#[test]
fn what_explains_an_error_is_no_data() {
    for body in [
        r#"{"code":422,"message":"no","errors":[{"field":"name","reason":"empty"}]}"#,
        r#"{"code":400,"message":"no","error":{"details":[{"@type":"x"}]}}"#,
        r#"{"status":400,"title":"no","invalid-params":[{"name":"age","reason":"below 0"}]}"#,
        r#"{"code":400,"message":"no","items":[]}"#,
        r#"{"errors":[{"id":"6f1e","status":"500","title":"JSON:API gives an id"}]}"#,
        r#"{"errors":[{"id":"param_required","message":"an id in words"}]}"#,
    ] {
        let classified = classify(200, &[], body).unwrap_or_else(|| panic!("{body}"));
        assert_eq!(classified.class, ErrorClass::OkWithError, "{body}");
    }
}

#[test]
fn the_length_of_a_body_does_not_matter() {
    let rules = RuleSet::builtin();
    for length in [0, 100, 10_000, 3_000_000] {
        let body = format!(r#"{{"code":401,"message":"expired","trace":"{}"}}"#, "x".repeat(length));
        let class = rules.classify_body(body.as_bytes()).map(|classified| classified.class);
        assert_eq!(class, Some(ErrorClass::AuthExpired), "{length}");
        let data = body.replace("}", r#","result":{"list":[{"id":1,"text":"LONG"}]}}"#);
        let data = data.replace("LONG", &"x".repeat(length));
        assert_eq!(rules.classify_body(data.as_bytes()), None, "{length}");
    }
}

#[test]
fn large_and_hostile_bodies_are_bounded() {
    let mut big = String::from(r#"{"ok":true,"data":["#);
    for index in 0..50_000 {
        write!(big, r#"{{"id":{index},"text":"rate limit"}},"#).unwrap();
    }
    big.push_str("1]}");
    assert_eq!(classify(200, &[], &big), None);
    assert_eq!(
        classify(200, &[], &big.replace(r#""ok":true"#, r#""ok":false"#)).unwrap().class,
        ErrorClass::OkWithError
    );
    big.truncate(big.len() - 3);
    assert_eq!(classify(200, &[], &big).unwrap().class, ErrorClass::Truncated);
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(classify(200, &[], &deep), None);
    let invalid = exchange("https://x.example", 200, &[], b"{\"a\":\"\xff\xfe\"}");
    assert_eq!(RuleSet::builtin().classify(&invalid), None);
}

#[test]
fn notes_hold_nothing_of_the_body() {
    let secret = "s3cr3t-value";
    for (status, headers, body) in [
        (200, &[("content-type", "text/s3cr3t-value/x; s3cr3t-value")][..], format!("<html>{secret}</html>")),
        (200, &[], format!("{secret}\n{secret}")),
        (
            301,
            &[("location", "https://u:s3cr3t-value@api.example.com/v2?token=s3cr3t-value#s3cr3t-value")],
            String::new(),
        ),
        (403, &[], format!(r#"{{"message":"{secret}"}}"#)),
    ] {
        let classified = classify(status, headers, &body).unwrap();
        assert!(!format!("{classified:?}").contains(secret), "{classified:?}");
    }
    let csv = classify(200, &[("content-type", "text/csv; charset=utf-8")], "a;b\n1;2\n3;4\n").unwrap();
    assert_eq!(csv.note.unwrap(), "the body is CSV (declared as text/csv); Drogue reads JSON");
    let moved = classify(301, &[("location", "/v2/items?k=1")], "").unwrap();
    assert_eq!(moved.note.unwrap(), "moved for good, to https://api.example.com/v2/items");
}

#[test]
fn transport_errors_have_classes() {
    for (error, class) in [
        (TransportError::Dns, ErrorClass::Outage),
        (TransportError::Forbidden, ErrorClass::RequestInvalid),
        (TransportError::Refused, ErrorClass::Outage),
        (TransportError::Tls, ErrorClass::Outage),
        (TransportError::Timeout, ErrorClass::Outage),
        (TransportError::Broken, ErrorClass::Truncated),
        (TransportError::TooLarge, ErrorClass::PageTooBig),
        (TransportError::Redirect, ErrorClass::EndpointMoved),
    ] {
        let mut exchange = exchange("https://x.example", 200, &[], b"");
        exchange.response = Err(error);
        assert_eq!(RuleSet::builtin().classify(&exchange).unwrap().class, class, "{error:?}");
    }
}

#[test]
fn vendors_end_when_to_ask_again_in_many_ways() {
    for (headers, body, seconds) in [
        (&[("retry-after", "30")][..], "", Some(30)),
        (&[("retry-after", "2.5")], "", Some(3)),
        (&[("retry-after", "Sat, 21 Nov 2026 00:01:00 GMT")], "", Some(60)),
        // The vendor's clock is an hour ahead of ours.
        (
            &[("retry-after", "Sat, 21 Nov 2026 01:01:00 GMT"), ("date", "Sat, 21 Nov 2026 01:00:00 GMT")],
            "",
            Some(60),
        ),
        (&[("retry-after", "Sat, 21 Nov 2020 00:01:00 GMT")], "", Some(0)),
        (&[("retry-after", "soon"), ("retry-after-ms", "1500")], "", Some(2)),
        (&[("ratelimit", "\"burst\";r=0;t=17")], "", Some(17)),
        (&[("ratelimit", "limit=100, remaining=0, reset=5")], "", Some(5)),
        (&[("ratelimit-reset", "50"), ("ratelimit-remaining", "0")], "", Some(50)),
        (&[("x-ratelimit-reset", "1795219260")], "", Some(60)),
        (&[("x-ratelimit-reset", "1795219260000")], "", Some(60)),
        (&[("x-ratelimit-reset", "2026-11-21T00:02Z")], "", Some(120)),
        (&[("x-ratelimit-remaining", "10"), ("x-ratelimit-reset", "60")], "", None),
        (&[("x-ratelimit-reset-after", "1.2")], "", Some(2)),
        (&[], r#"{"message":"You are being rate limited.","retry_after":1.3}"#, Some(2)),
        (&[("retry-after", "-5")], "", None),
        (&[("retry-after", "999999999999999999999")], "", None),
        (&[("retry-after", "999999999")], "", Some(366 * 86_400)),
    ] {
        let at: Timestamp = AT.parse().unwrap();
        let found = classify(429, headers, body).unwrap().retry_at;
        let found = found.map(|moment| moment.duration_since(at).as_secs());
        assert_eq!(found, seconds, "{headers:?}");
    }
}

#[test]
fn limits_of_a_period() {
    let head = |headers: &[(&str, &str)]| exchange("https://x.example", 200, headers, b"").response.unwrap();
    let at = AT.parse().unwrap();
    let shopify = rate_limit(&head(&[("x-shopify-shop-api-call-limit", "39/40")]), at);
    assert_eq!((shopify.limit, shopify.remaining), (Some(40), Some(1)));
    let draft = rate_limit(
        &head(&[("ratelimit-policy", "\"burst\";q=100;w=60"), ("ratelimit", "\"burst\";r=7;t=9")]),
        at,
    );
    assert_eq!((draft.limit, draft.remaining), (Some(100), Some(7)));
    let github = rate_limit(&head(&[("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", "4999")]), at);
    assert_eq!((github.limit, github.remaining, github.reset_at), (Some(5000), Some(4999), None));
    assert_eq!(rate_limit(&head(&[]), at), RateLimit::default());
}
