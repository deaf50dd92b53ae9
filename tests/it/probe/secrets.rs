//! A canary in every place where a secret may stand: nothing that is given back says it.

use drogue::observe::AuthSettings;
use serde_json::json;

use super::{Probe, page, secret};
use crate::support::api::{Api, Reply};

const CANARY: &str = "c4n4ry/with+signs and blanks";

/// A server that repeats whatever it was sent, in headers, redirects and bodies.
async fn parrot(status: u16) -> Api {
    Api::start(move |seen| {
        let all = format!("{} {:?} {}", seen.target, seen.headers, seen.body);
        let key = seen.param("api_key").unwrap_or_else(|| CANARY.to_owned());
        let target: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        Reply::json(&json!({ "error": all, "error_description": CANARY, "data": page(0, 1)["data"] }))
            .status(status)
            .header(
                "www-authenticate",
                &format!("Bearer error=\"invalid_token\", error_description=\"{CANARY}\""),
            )
            .header("x-echo", CANARY)
            .header("location", &format!("ftp://h.example/{target}?x={target}"))
            .header("deprecation", CANARY)
            .header("link", &format!("<https://{target}.example/{target}>; rel=next"))
            .header("content-type", &format!("application/json; x={CANARY}"))
    })
    .await
}

#[tokio::test]
async fn nothing_that_is_given_back_says_a_secret() {
    for status in [200, 201, 302, 400, 401, 403, 404, 429, 500] {
        let api = parrot(status).await;
        let ways = [
            AuthSettings::Basic { username: "joe".to_owned(), password: secret(CANARY), password_file: None },
            AuthSettings::Bearer { token: secret(CANARY), token_file: None },
            AuthSettings::ApiKey {
                header: Some("X-Thing".to_owned()),
                query: None,
                key: secret(CANARY),
                key_file: None,
            },
            AuthSettings::ApiKey {
                header: None,
                query: Some("thing".to_owned()),
                key: secret(CANARY),
                key_file: None,
            },
            AuthSettings::ApiKey {
                header: None,
                query: Some("api_key".to_owned()),
                key: secret(CANARY),
                key_file: None,
            },
            AuthSettings::Oauth2ClientCredentials {
                token_url: api.url("/token"),
                client_id: "drogue".to_owned(),
                client_secret: secret(CANARY),
                client_secret_file: None,
                scope: None,
            },
        ];
        for auth in ways {
            let probe = Probe::of(&api).auth(auth).with("paging", json!({ "type": "link" }));
            let source = probe.source();
            let observation = probe.look(&source).await;
            assert!(!observation.exchanges.is_empty());
            let dry = drogue::observe::dry_run(&source, &probe.clock).await;
            let shown = format!("{observation:?} {observation:#?} {source:?} {dry:?} {}", dry.text());
            for form in [CANARY, "c4n4ry", "am9lOmM0bjRyeS93aXRoK3NpZ25zIGFuZCBibGFua3M"] {
                assert!(!shown.contains(form), "{status}: {shown}");
            }
        }
    }
}
