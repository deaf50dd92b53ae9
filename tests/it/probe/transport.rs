//! The client: private addresses, redirects, proxies, certificates.

use std::fs;

use drogue::model::{ErrorClass, TransportError};
use drogue::net::{HttpClient, NetError, Request};
use drogue::observe::{AuthSettings, HttpSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Probe, complete, failed, loopback, page, secret};
use crate::support::api::{Api, Reply};

#[tokio::test]
async fn inner_addresses_are_refused_unless_they_are_named() {
    let api = Api::start(|_| Reply::json(&page(0, 1))).await;
    for url in
        [api.url("/items"), api.localhost("/items"), "http://169.254.169.254/latest/meta-data".to_owned()]
    {
        let mut probe = Probe::new(&url);
        probe.http.allow_private.clear();
        let observation = probe.run().await;
        assert_eq!(observation.exchanges[0].status, Err(TransportError::Forbidden), "{url}");
        let failure = failed(observation);
        assert_eq!((failure.class, failure.attempts), (ErrorClass::RequestInvalid, 1));
        assert!(failure.detail.contains("`http.allow_private`"), "{}", failure.detail);
    }
    assert!(api.seen().is_empty());
    let mut probe = Probe::new(&api.localhost("/items"));
    probe.http.allow_private.push("::1/128".parse().unwrap());
    complete(probe.run().await);
}

#[tokio::test]
async fn redirects_inward_are_refused() {
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:a9fe:a9fe]/",
        "file:///etc/passwd",
        "gopher://x/",
    ] {
        let api = Api::start(move |_| Reply::redirect(302, to)).await;
        let observation = Probe::of(&api).run().await;
        assert!(
            matches!(
                observation.exchanges[0].status,
                Err(TransportError::Forbidden | TransportError::Redirect)
            ),
            "{to}: {:?}",
            observation.exchanges
        );
        failed(observation);
    }
}

fn bearer() -> AuthSettings {
    AuthSettings::Bearer { token: secret("canary-token"), token_file: None }
}

#[tokio::test]
async fn a_redirect_to_another_host_takes_no_secret_along() {
    let other = Api::start(|_| Reply::json(&page(0, 1))).await;
    let to = other.localhost("/moved?api_key=canary-key&page=2");
    let api = Api::start(move |_| Reply::redirect(302, &to)).await;
    let mut probe = Probe::of(&api).auth(bearer());
    probe.http.allow_private.push("::1/128".parse().unwrap());
    probe.headers.insert("X-Api-Key".to_owned(), "canary-header".to_owned());
    probe.headers.insert("X-Tenant".to_owned(), "t1".to_owned());
    complete(probe.run().await);
    let seen = &other.seen()[0];
    assert_eq!((seen.header("authorization"), seen.header("x-api-key")), (None, None));
    assert_eq!(seen.header("x-tenant"), Some("t1"));

    let probe = Probe::of(&api).auth(AuthSettings::ApiKey {
        header: None,
        query: Some("api_key".to_owned()),
        key: secret("canary-key"),
        key_file: None,
    });
    let _ = probe.run().await;
    assert!(
        other
            .seen()
            .iter()
            .skip(1)
            .all(|seen| seen.param("api_key").is_none() && seen.param("page").is_some())
    );
}

#[tokio::test]
async fn a_redirect_on_the_same_host_keeps_the_sign_in_and_is_told() {
    let api = Api::start(|seen| match seen.path() {
        "/items" => Reply::redirect(301, "/v2/items"),
        _ => Reply::json(&page(0, 1)),
    })
    .await;
    let complete = complete(Probe::of(&api).auth(bearer()).run().await);
    assert_eq!(api.seen()[1].header("authorization"), Some("Bearer canary-token"));
    assert!(
        complete.warnings.iter().any(|warning| warning.contains("moved for good")),
        "{:?}",
        complete.warnings
    );
    assert_eq!(complete.window.behaviour.statuses.get(&301), Some(&1));
}

#[tokio::test]
async fn redirects_end() {
    let api =
        Api::start(|seen| Reply::redirect(302, if seen.path() == "/items" { "/b" } else { "/items" })).await;
    let failure = failed(Probe::of(&api).run().await);
    assert!(failure.detail.contains("circle"), "{}", failure.detail);
    let api = Api::start(|seen| Reply::redirect(302, &format!("/{}", seen.number))).await;
    let failure = failed(Probe::of(&api).run().await);
    assert_eq!(failure.class, ErrorClass::EndpointMoved);
    assert!(failure.detail.contains("`http.max_redirects`"), "{}", failure.detail);
    assert_eq!(api.seen().len(), 6);
}

#[tokio::test]
async fn a_post_is_not_turned_into_another_question() {
    let api = Api::start(|_| Reply::redirect(302, "/elsewhere")).await;
    let probe = Probe::of(&api).with("method", "POST".into()).with("body", serde_json::json!({ "json": {} }));
    assert_eq!(failed(probe.run().await).status, Some(302));
    assert_eq!(api.seen().len(), 1);
}

#[tokio::test]
async fn credentials_in_an_address_are_refused_and_not_shown() {
    let failure = failed(Probe::new("http://joe:canary@127.0.0.1/").run().await);
    assert!(!format!("{failure:?}").contains("canary"));
    assert!(failure.detail.contains("`auth`"), "{}", failure.detail);
}

#[tokio::test]
async fn an_http_proxy_is_used_and_resolves_names() {
    let proxy = Api::start(|_| Reply::json(&page(0, 2))).await;
    let mut probe = Probe::new("http://api.invalid/items?x=1");
    probe.http.proxy = Some(proxy.localhost(""));
    probe.http.allow_private.clear();
    assert_eq!(complete(probe.run().await).window.profile.records, 2);
    assert_eq!(proxy.seen()[0].target, "http://api.invalid/items?x=1");
    // Inner addresses that are written as numbers are refused even so.
    let mut probe = Probe::new("http://10.0.0.1/items");
    probe.http.proxy = Some(proxy.localhost(""));
    failed(probe.run().await);
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn a_socks_proxy_is_used_and_the_target_still_checked() {
    let api = Api::start(|_| Reply::json(&page(0, 2))).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let target = api.addr;
    let task = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut buffer = [0; 300];
            // Greeting, then CONNECT (RFC 1928); the answer's address does not matter.
            let _ = client.read(&mut buffer).await.unwrap();
            client.write_all(&[5, 0]).await.unwrap();
            let _ = client.read(&mut buffer).await.unwrap();
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            let mut server = tokio::net::TcpStream::connect(target).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    });
    let mut probe = Probe::of(&api);
    probe.http.proxy = Some(format!("socks5://{addr}"));
    assert_eq!(complete(probe.run().await).window.profile.records, 2);
    let mut probe = Probe::new(&api.localhost("/items"));
    probe.http.proxy = Some(format!("socks5://{addr}"));
    probe.http.allow_private.clear();
    assert_eq!(probe.run().await.exchanges[0].status, Err(TransportError::Forbidden));
    task.abort();
}

/// An authority, and a server certificate for `localhost` and 127.0.0.1 signed by it.
struct Pki {
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        drogue::net::install_tls();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { authority: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn issue(&self, change: impl Fn(&mut CertificateParams)) -> (rcgen::Certificate, KeyPair) {
        let mut params =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.authority).unwrap(), key)
    }

    fn server(&self, change: impl Fn(&mut CertificateParams), ask_client: bool) -> rustls::ServerConfig {
        let (certificate, key) = self.issue(change);
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = rustls::ServerConfig::builder();
        let builder = if ask_client {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from(self.authority.der().to_vec())).unwrap();
            let verifier =
                rustls::server::WebPkiClientVerifier::builder(std::sync::Arc::new(roots)).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        builder.with_single_cert(chain, key).unwrap()
    }
}

#[tokio::test]
async fn a_custom_authority_is_trusted_when_it_is_named() {
    let pki = Pki::new();
    let api = Api::start_tls(pki.server(|_| {}, false), |_| Reply::json(&page(0, 1))).await;
    let observation = Probe::of(&api).run().await;
    assert_eq!(observation.exchanges[0].status, Err(TransportError::Tls));
    let failure = failed(observation);
    assert!(failure.detail.contains("`http.ca_file`"), "{}", failure.detail);

    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, pki.authority.pem()).unwrap();
    let mut probe = Probe::of(&api);
    probe.http.ca_file = Some(ca_file.clone());
    complete(probe.run().await);

    for (change, reason) in [
        (
            &(|params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2020, 1, 2))
                as &dyn Fn(&mut CertificateParams),
            "expired",
        ),
        (
            &|params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(2100, 1, 1),
            "not valid yet",
        ),
        (&|params: &mut CertificateParams| params.subject_alt_names.clear(), "another name"),
    ] {
        let api = Api::start_tls(pki.server(change, false), |_| Reply::json(&page(0, 1))).await;
        let mut probe = Probe::of(&api);
        probe.http.ca_file = Some(ca_file.clone());
        let failure = failed(probe.run().await);
        assert!(failure.detail.contains(reason), "{reason}: {}", failure.detail);
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let pki = Pki::new();
    let api = Api::start_tls(pki.server(|_| {}, true), |_| Reply::json(&page(0, 1))).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (certificate, key) = pki.issue(|_| {});
    fs::write(path("ca.pem"), pki.authority.pem()).unwrap();
    fs::write(path("client.pem"), certificate.pem()).unwrap();
    fs::write(path("client.key"), key.serialize_pem()).unwrap();
    let mut probe = Probe::of(&api);
    probe.http.ca_file = Some(path("ca.pem"));
    let failure = failed(probe.run().await);
    assert!(failure.detail.contains("client certificate"), "{}", failure.detail);
    probe.http.client_cert_file = Some(path("client.pem"));
    probe.http.client_key_file = Some(path("client.key"));
    complete(probe.run().await);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named() {
    let error = |change: &dyn Fn(&mut HttpSettings)| {
        let mut settings = loopback();
        change(&mut settings);
        HttpClient::new(&settings).unwrap_err()
    };
    assert!(matches!(
        error(&|s| s.ca_file = Some("/nonexistent".into())),
        NetError::Read { key: "ca_file", .. }
    ));
    assert!(matches!(error(&|s| s.client_cert_file = Some("x".into())), NetError::Pair { .. }));
    assert!(matches!(error(&|s| s.proxy = Some("ftp://x".into())), NetError::Proxy(_)));
    let message = error(&|s| s.proxy = Some("http://joe:canary@proxy:3128".into()));
    assert!(!format!("{message} {message:?}").contains("canary"));
}

#[tokio::test]
async fn a_webhook_reads_little_and_follows_nothing() {
    let api = Api::start(|seen| match seen.path() {
        "/long" => Reply::text("text/plain", &"x".repeat(100_000)),
        _ => Reply::redirect(307, "/long"),
    })
    .await;
    let client = HttpClient::new(&loopback()).unwrap();
    let post = |path: &str| {
        let mut request = Request::post(api.url(path).parse().unwrap(), b"{}".to_vec());
        request.max_body = Some(64 * 1024);
        request
    };
    assert_eq!(client.send(post("/hook")).await.unwrap().status, 307);
    assert_eq!(client.send(post("/long")).await.unwrap_err().kind, TransportError::TooLarge);
    assert_eq!(api.seen().len(), 2);
}
