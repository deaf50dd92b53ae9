//! Signing in: every way, and the life of OAuth 2.0 tokens.

use std::{fs, sync::Arc};

use drogue::model::{Action, ErrorClass, Secret, SecretSource};
use drogue::observe::{AuthSettings, Connection};
use serde_json::{Value, json};

use super::{Probe, complete, failed, page, secret};
use crate::support::api::{Api, Reply, Seen};

#[tokio::test]
async fn basic_bearer_and_keys() {
    let api = Api::start(|_| Reply::json(&page(0, 1))).await;
    let key = |header: Option<&str>, query: Option<&str>| AuthSettings::ApiKey {
        header: header.map(str::to_owned),
        query: query.map(str::to_owned),
        key: secret("k3y value"),
        key_file: None,
    };
    for auth in [
        AuthSettings::Basic { username: "joe".to_owned(), password: secret("pw"), password_file: None },
        AuthSettings::Bearer { token: secret("t0ken"), token_file: None },
        key(Some("X-Api-Key"), None),
        key(None, Some("api_key")),
    ] {
        complete(Probe::of(&api).auth(auth).run().await);
    }
    let seen = api.seen();
    assert_eq!(seen[0].header("authorization"), Some("Basic am9lOnB3"));
    assert_eq!(seen[1].header("authorization"), Some("Bearer t0ken"));
    assert_eq!(seen[2].header("x-api-key"), Some("k3y value"));
    assert_eq!(seen[3].param("api_key").as_deref(), Some("k3y value"));
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_is_refused_at_once() {
    let connect = |auth: &AuthSettings| {
        Connection::new(
            None,
            Default::default(),
            auth,
            &super::loopback(),
            Arc::default(),
            Arc::new(drogue::observe::Budget::new(1)),
        )
        .unwrap_err()
        .to_string()
    };
    let bearer = |token, token_file| connect(&AuthSettings::Bearer { token, token_file });
    assert_eq!(bearer(None, None), "`auth.token` or `auth.token_file` is needed");
    assert_eq!(bearer(secret("a"), secret("b")), "give `auth.token` or `auth.token_file`, not both");
    assert!(bearer(secret("two\nlines"), None).contains("cannot be used"));
    let refresh = AuthSettings::Oauth2RefreshToken {
        token_url: "https://login.example/token".to_owned(),
        client_id: "c".to_owned(),
        client_secret: None,
        client_secret_file: None,
        refresh_token: secret("r"),
        refresh_token_file: None,
        scope: None,
    };
    assert!(connect(&refresh).contains("a grant of Drogue's own"));
}

fn form(seen: &Seen, name: &str) -> Option<String> {
    url::form_urlencoded::parse(seen.body.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
}

fn client_credentials(api: &Api) -> AuthSettings {
    AuthSettings::Oauth2ClientCredentials {
        token_url: api.url("/token"),
        client_id: "drogue".to_owned(),
        client_secret: secret("cl1ent s3cret"),
        client_secret_file: None,
        scope: Some("read".to_owned()),
    }
}

/// An API whose token endpoint counts its tokens: `access-0`, `access-1` …
async fn oauth(expires_in: Value, accepts: impl Fn(&str) -> bool + Send + Sync + 'static) -> Api {
    Api::start(move |seen| {
        if seen.path() == "/token" {
            return Reply::json(&json!({ "access_token": format!("access-{}", seen.number), "expires_in": expires_in, "token_type": "bearer" }));
        }
        if accepts(seen.header("authorization").unwrap_or_default()) {
            Reply::json(&page(0, 1))
        } else {
            Reply::json(&json!({ "error": "invalid_token" }))
                .status(401)
                .header("www-authenticate", "Bearer error=\"invalid_token\"")
        }
    })
    .await
}

#[tokio::test]
async fn client_credentials_are_fetched_once_while_the_token_lives() {
    let api = oauth(json!(3600), |_| true).await;
    let probe = Probe::of(&api).auth(client_credentials(&api));
    let source = probe.source();
    complete(probe.look(&source).await);
    complete(probe.look(&source).await);
    let seen = api.seen();
    assert_eq!(seen.len(), 3, "one token, two requests");
    assert_eq!(form(&seen[0], "grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(form(&seen[0], "client_secret").as_deref(), Some("cl1ent s3cret"));
    assert_eq!(form(&seen[0], "scope").as_deref(), Some("read"));
    assert_eq!(seen[2].header("authorization"), Some("Bearer access-0"));
    // Shortly before it ends, it is fetched anew.
    probe.clock.advance_to("2026-03-01T12:59:30Z".parse().unwrap());
    complete(probe.look(&source).await);
    assert_eq!(api.seen()[4].header("authorization"), Some("Bearer access-3"));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_never_in_a_loop() {
    let api = oauth(json!("3600"), |header| header != "Bearer access-0").await;
    let observation = Probe::of(&api).auth(client_credentials(&api)).run().await;
    assert_eq!(observation.requests, 4);
    complete(observation);

    let api = oauth(json!(3600), |_| false).await;
    let observation = Probe::of(&api).auth(client_credentials(&api)).run().await;
    assert_eq!(observation.requests, 4);
    let failure = failed(observation);
    assert_eq!((failure.action, failure.status), (Action::ReAuthenticate, Some(401)), "{failure:?}");
}

#[tokio::test]
async fn streams_at_once_fetch_one_token() {
    let api = oauth(json!(3600), |_| true).await;
    let probe = Probe::of(&api).auth(client_credentials(&api));
    let source = probe.source();
    let (a, b) = tokio::join!(probe.look(&source), probe.look(&source));
    complete(a);
    complete(b);
    assert_eq!(api.seen().iter().filter(|seen| seen.path() == "/token").count(), 1);
}

#[tokio::test]
async fn a_client_that_must_use_basic_does() {
    let api = Api::start(|seen| {
        if seen.path() != "/token" {
            return Reply::json(&page(0, 1));
        }
        match seen.header("authorization") {
            Some("Basic ZHJvZ3VlOmNsMWVudCtzM2NyZXQ=") => Reply::json(&json!({ "access_token": "a" })),
            _ => Reply::json(&json!({ "error": "invalid_client" })).status(401),
        }
    })
    .await;
    complete(Probe::of(&api).auth(client_credentials(&api)).run().await);
    assert_eq!(form(&api.seen()[1], "client_secret"), None);
}

#[tokio::test]
async fn what_a_token_endpoint_refuses_has_its_class() {
    for (status, body, class) in [
        (
            400,
            json!({ "error": "invalid_grant", "error_description": "secret-ish words" }),
            ErrorClass::AuthExpired,
        ),
        (401, json!({ "error": "invalid_client" }), ErrorClass::AuthInvalid),
        (503, json!({}), ErrorClass::Outage),
        (200, json!({ "hello": 1 }), ErrorClass::AuthChanged),
    ] {
        let api = Api::start(move |_| Reply::json(&body).status(status)).await;
        let failure = failed(Probe::of(&api).auth(client_credentials(&api)).run().await);
        assert_eq!(failure.class, class, "{failure:?}");
        assert!(!failure.detail.contains("secret-ish"));
        assert!(api.seen().iter().all(|seen| seen.path() == "/token"));
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_goes_back_to_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refresh");
    fs::write(&path, "refresh-0\n").unwrap();
    let api = Api::start(|seen| {
        if seen.path() != "/token" {
            return Reply::json(&page(0, 1));
        }
        let given = form(seen, "refresh_token").unwrap();
        let n: usize = given.strip_prefix("refresh-").unwrap().parse().unwrap();
        Reply::json(&json!({ "access_token": "access", "expires_in": 100, "refresh_token": format!("refresh-{}", n + 1) }))
    })
    .await;
    let auth = AuthSettings::Oauth2RefreshToken {
        token_url: api.url("/token"),
        client_id: "drogue".to_owned(),
        client_secret: None,
        client_secret_file: None,
        refresh_token: None,
        refresh_token_file: Some(SecretSource::File {
            path: path.clone(),
            value: Some(Secret::new("refresh-0")),
        }),
        scope: None,
    };
    let probe = Probe::of(&api).auth(auth);
    let source = probe.source();
    complete(probe.look(&source).await);
    assert_eq!(fs::read_to_string(&path).unwrap(), "refresh-1\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Another process took its turn meanwhile: the file is what counts.
    fs::write(&path, "refresh-7").unwrap();
    probe.clock.advance_to("2026-03-01T13:00:00Z".parse().unwrap());
    complete(probe.look(&source).await);
    assert_eq!(fs::read_to_string(&path).unwrap(), "refresh-8\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    // Where the next token cannot be kept, the one at hand is not spent.
    let before = api.seen().len();
    fs::remove_file(&path).unwrap();
    probe.clock.advance_to("2026-03-01T14:00:00Z".parse().unwrap());
    let failure = failed(probe.look(&source).await);
    assert!(failure.detail.contains("cannot read"), "{}", failure.detail);
    assert_eq!(api.seen().len(), before);
}

#[tokio::test]
async fn two_processes_never_spend_one_refresh_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refresh");
    fs::write(&path, "refresh-0").unwrap();
    let valid = std::sync::Mutex::new(0);
    let api = Api::start(move |seen| {
        if seen.path() != "/token" {
            return Reply::json(&page(0, 1));
        }
        let mut valid = valid.lock().unwrap();
        if form(seen, "refresh_token") != Some(format!("refresh-{valid}")) {
            return Reply::json(&json!({ "error": "invalid_grant" })).status(400);
        }
        *valid += 1;
        Reply::json(&json!({ "access_token": "access", "refresh_token": format!("refresh-{valid}") }))
    })
    .await;
    let probe = Probe::of(&api).auth(AuthSettings::Oauth2RefreshToken {
        token_url: api.url("/token"),
        client_id: "drogue".to_owned(),
        client_secret: None,
        client_secret_file: None,
        refresh_token: None,
        refresh_token_file: Some(SecretSource::File {
            path: path.clone(),
            value: Some(Secret::new("refresh-0")),
        }),
        scope: None,
    });
    // Each source has a sign-in of its own, as two processes have.
    let (one, two) = (probe.source(), probe.source());
    let (one, two) = tokio::join!(probe.look(&one), probe.look(&two));
    complete(one);
    complete(two);
    assert_eq!(fs::read_to_string(&path).unwrap(), "refresh-2\n");
}
